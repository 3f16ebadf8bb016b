// A fresh judge in the middle of an attempt: what happened before its moment is nothing to it, whoever counted it.
import { Stage } from './collector-stage.ts';
import type { SavedEvidence } from './saved.ts';
import type { Subject } from './subject.ts';

const bad = { canary: 0.5, stable: 0 };
const fine = { canary: 0, stable: 0 };
const first = 'uid/1';
const second = 'uid/1.1';
let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.stop());

/** A bad release that was found, and the saved evidence against it. */
async function found(): Promise<SavedEvidence> {
  await stage.begin({}, bad);
  await stage.pass(30);
  expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
  return stage.saved();
}

/** As the shell does it: another judge, from now on, and status still holds what the one before had found. */
function judgeAnew(resume: SavedEvidence): Subject {
  const subject = stage.subject({ key: second, resume });
  stage.collector.forget(first);
  follow(subject);
  return subject;
}

function follow(subject: Subject): void {
  stage.collector.watch(subject);
  stage.collector.arm(second, 'twoArms');
  stage.collector.stepStarted(second, '0:2');
}

function serve(errorRates: { canary: number; stable: number }): void {
  stage.fleet.traffic = { ...stage.fleet.traffic, errorRates };
}

const answer = () => stage.collector.reading(second)?.answer;
const saved = () => JSON.parse(JSON.stringify(stage.collector.reading(second)?.saved)) as SavedEvidence;

function served(): { requests: number; errors: number } {
  const { requests, errors } = stage.fleet.truth.canary;
  return { requests, errors };
}

test('counters of pods that already run are where it begins: no request of before counts', async () => {
  const evidence = await found();
  serve(fine);
  const before = served();
  judgeAnew(evidence);
  await stage.pass(60);
  serve(fine);
  stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0 };
  await stage.pass(15);
  const since = served().requests - before.requests;
  const now = answer();
  expect(now).toMatchObject({ kind: 'judged', level: 'calm', canaryErrors: 0 });
  if (now?.kind !== 'judged') throw new Error('not judged');
  // Only what came between its moment and the first scrape after it is left out.
  expect(now.canaryRequests).toBeLessThanOrEqual(since);
  expect(now.canaryRequests).toBeGreaterThan(since - 100);
});

test('it begins at once, without waiting for new pods', async () => {
  const evidence = await found();
  serve(fine);
  judgeAnew(evidence);
  await stage.pass(15);
  expect(answer()).toMatchObject({ kind: 'judged', level: 'calm' });
});

test('harm that goes on is found again, as fast as the first time', async () => {
  const evidence = await found();
  judgeAnew(evidence);
  await stage.pass(25);
  expect(answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
});

test('an operator that restarts in the middle knows what this judge knew, and still nothing of the one before', async () => {
  const evidence = await found();
  serve({ canary: 0.002, stable: 0.002 });
  const { errors: before } = served();
  const subject = judgeAnew(evidence);
  await stage.pass(20);
  const kept = saved();
  expect(kept.key).toBe(second);
  await stage.restart();
  await stage.pass(5);
  follow({ ...stage.subject(), key: second, beganAtMs: subject.beganAtMs, resume: kept });
  await stage.pass(40);
  const now = answer();
  expect(now).toMatchObject({ kind: 'judged', level: 'calm' });
  if (now?.kind !== 'judged') throw new Error('not judged');
  expect(now.canaryErrors).toBeLessThanOrEqual(served().errors - before);
  expect(now.canaryRequests).toBeGreaterThan(400);
});

test('nor does one that restarts before anything of it was saved, and finds only the evidence of the one before', async () => {
  const evidence = await found();
  serve(fine);
  const subject = judgeAnew(evidence);
  await stage.pass(4);
  await stage.restart();
  await stage.pass(5);
  follow({ ...stage.subject(), key: second, beganAtMs: subject.beganAtMs, resume: evidence });
  await stage.pass(40);
  expect(answer()).toMatchObject({ kind: 'judged', level: 'calm', canaryErrors: 0 });
});

test('a source that shows old samples only after the moment has passed brings none of them in', async () => {
  const evidence = await found();
  stage.fleet.isBlind = true;
  await stage.pass(10);
  serve(fine);
  judgeAnew(evidence);
  await stage.pass(10);
  stage.fleet.isBlind = false;
  await stage.pass(40);
  expect(answer()).toMatchObject({ kind: 'judged', level: 'calm', canaryErrors: 0 });
});
