// A whole attempt in virtual time: a fleet that serves and is scraped, the collector that reads it, and what it says when.
import { Stage, address } from './collector-stage.ts';

const bad = { canary: 0.5, stable: 0 };
let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.stop());

describe('a bad release', () => {
  test('with half of its answers failing is braked within a scrape and rolled back within three to four', async () => {
    await stage.begin({}, bad);
    const sinceMs = stage.clock.nowMs();
    await stage.pass(30);
    expect(stage.secondsTo('brake', sinceMs)).toBeLessThanOrEqual(6);
    expect(stage.secondsTo('harmful', sinceMs)).toBeLessThanOrEqual(20);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      judge: 'twoArms',
      sentence: expect.stringMatching(
        /^The new version fails (4|5)\d % of requests, \d+ of \d+; the old one 0 %; evidence \d+ : 1\.$/,
      ),
    });
  });

  test('is found by the pods alone, and by the gateway alone', async () => {
    await stage.begin({ source: { name: 'main', address, timeoutMs: 5_000, dataPlane: 'app' } }, bad);
    const sinceMs = stage.clock.nowMs();
    await stage.pass(30);
    expect(stage.secondsTo('brake', sinceMs)).toBeLessThanOrEqual(8);
    expect(stage.secondsTo('harmful', sinceMs)).toBeLessThanOrEqual(20);
    expect(stage.collector.reading('uid/1')?.explain?.engines.map(({ name }) => name)).toEqual(['app']);
  });

  test('stays harmful when the source goes away', async () => {
    await stage.begin({}, bad);
    await stage.pass(30);
    stage.outage = { statusCode: 503, text: '' };
    await stage.pass(120);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful', stepAcceptable: false });
  });

  test('that fails in the bake is rolled back too', async () => {
    await stage.begin();
    await stage.pass(60);
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 1 };
    stage.collector.arm('uid/1', 'bake');
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm', judge: 'bake' });
    stage.fleet.traffic = { ...stage.fleet.traffic, errorRates: { canary: 0.1, stable: 0 } };
    const sinceMs = stage.clock.nowMs();
    await stage.pass(40);
    expect(stage.secondsTo('harmful', sinceMs)).toBeLessThanOrEqual(30);
    expect(stage.answer()).toMatchObject({ sentence: expect.stringContaining('the old one failed 0 %') });
  });
});

describe('a healthy release', () => {
  test('is told acceptable for its step, and again for the next one', async () => {
    await stage.begin();
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({ level: 'calm', stepAcceptable: true });
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 0.5 };
    stage.collector.stepStarted('uid/1', '1:2');
    expect(stage.answer()).toMatchObject({
      level: 'calm',
      stepAcceptable: false,
      // The rates are those of the weight before, so nothing is foretold yet.
      waitingFor: 'waiting to rule out more than 0.20pp extra errors',
    });
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ level: 'calm', stepAcceptable: true, finalAcceptable: true });
  });

  test('counts every request once: what pods and gateway say is what was served', async () => {
    await stage.begin({}, { canary: 0.02, stable: 0.02 });
    await stage.pass(90);
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0 };
    await stage.pass(15);
    const { canary } = stage.fleet.truth;
    const engines = stage.collector.reading('uid/1')?.explain?.engines ?? [];
    expect(engines.map((engine) => engine.canary)).toEqual([canary, canary]);
    expect(stage.answer()).toMatchObject({ canaryRequests: canary.requests, canaryErrors: canary.errors });
  });

  test('survives an incident that hits both versions', async () => {
    await stage.begin({}, { canary: 0.001, stable: 0.001 });
    await stage.pass(40);
    stage.fleet.traffic = { ...stage.fleet.traffic, errorRates: { canary: 0.05, stable: 0.05 } };
    await stage.pass(30);
    stage.fleet.traffic = { ...stage.fleet.traffic, errorRates: { canary: 0.001, stable: 0.001 } };
    await stage.pass(60);
    expect(
      stage.changes.filter(({ answer }) => answer.kind === 'judged' && !['calm', 'doubt'].includes(answer.level)),
    ).toEqual([]);
  });

  test('does not keep the source busy: a query for each engine and window, and a little more', async () => {
    await stage.begin();
    await stage.pass(30);
    const before = stage.queries;
    await stage.pass(60);
    expect(stage.queries - before).toBeLessThanOrEqual(2 * 12 * 2);
  });

  test('loses a pod and gains one, and nothing is counted twice', async () => {
    await stage.begin({}, { canary: 0.01, stable: 0.01 });
    await stage.pass(20);
    const [first] = stage.fleet.pods.filter(({ version }) => version === 'canary');
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0 };
    await stage.pass(10);
    if (first) stage.fleet.endPod(first);
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 100 };
    await stage.pass(20);
    stage.fleet.addPod('new-2', 'canary', 0.5);
    stage.fleet.resetPod('new-1');
    await stage.pass(30);
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0 };
    await stage.pass(15);
    const app = stage.collector.reading('uid/1')?.explain?.engines.find(({ name }) => name === 'app');
    // Only what new-1 had counted since its last scrape before the reset is lost.
    expect(app?.canary.requests).toBeLessThanOrEqual(stage.fleet.truth.canary.requests);
    expect(app?.canary.requests).toBeGreaterThan(stage.fleet.truth.canary.requests - 60);
  });
});

describe('an operator that restarts', () => {
  test('knows what it knew, and what happened meanwhile', async () => {
    const other = new Stage(1);
    const [one, two] = [stage, other];
    const rates = { canary: 0.01, stable: 0.01 };
    const subject = await one.begin({}, rates);
    await two.begin({}, rates);
    await Promise.all([one.pass(63), two.pass(63)]);
    const saved = two.saved();
    two.changes.length = 0;
    await two.restart();
    await Promise.all([one.pass(20), two.pass(20)]);
    two.collector.watch({ ...two.subject(), beganAtMs: subject.beganAtMs, resume: saved });
    two.collector.arm('uid/1', 'twoArms');
    two.collector.stepStarted('uid/1', '0:1');
    await Promise.all([one.pass(40), two.pass(40)]);
    expect(two.judge()).toEqual(one.judge());
    expect(two.saved().readers).toEqual(one.saved().readers);
    await other.stop();
  });

  test('without saved evidence reads the attempt again from its samples', async () => {
    const subject = await stage.begin({}, bad);
    await stage.pass(8);
    await stage.restart();
    stage.collector.watch({ ...stage.subject(), beganAtMs: subject.beganAtMs });
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
  });

  test('under another attempt begins with no evidence', async () => {
    await stage.begin({}, bad);
    await stage.pass(30);
    const saved = stage.saved();
    stage.collector.forget('uid/1');
    stage.fleet.traffic = { ...stage.fleet.traffic, errorRates: { canary: 0, stable: 0 } };
    stage.collector.watch({ ...stage.subject(), key: 'uid/2', resume: saved });
    await stage.pass(30);
    expect(stage.collector.reading('uid/1')).toBeUndefined();
    expect(stage.collector.reading('uid/2')?.answer).toMatchObject({ kind: 'judged', level: 'calm', canaryErrors: 0 });
  });
});

test('an attempt whose state is spoilt is read anew, and ends no other (S15)', async () => {
  await stage.begin({}, bad);
  const pods = () => {
    throw new Error('its list of pods cannot be read');
  };
  stage.collector.watch(stage.subject({ key: 'uid/2', pods }));
  await stage.pass(30);
  expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
});

describe('an outage is not a verdict', () => {
  test('a source that stops answering is down after more than three windows, and nothing may pass before', async () => {
    await stage.begin();
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({ stepAcceptable: true });
    stage.outage = { statusCode: 503, text: '{"status":"error","error":"starting"}' };
    const sinceMs = stage.clock.nowMs();
    await stage.pass(14);
    expect(stage.answer()).toMatchObject({ kind: 'judged', stepAcceptable: false });
    await stage.pass(15);
    expect(stage.answer()).toMatchObject({
      kind: 'sourceDown',
      everAnswered: true,
      sentence: expect.stringContaining('not available (503): starting'),
    });
    const change = stage.changes.find(({ answer, atMs }) => answer.kind === 'sourceDown' && atMs >= sinceMs);
    expect(((change?.atMs ?? 0) - sinceMs) / 1000).toBeLessThanOrEqual(24);
    stage.outage = undefined;
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
  });

  test('a source whose samples stop coming is down too, and loses nothing when they come again', async () => {
    await stage.begin({}, { canary: 0.01, stable: 0.01 });
    await stage.pass(60);
    stage.fleet.isBlind = true;
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({
      kind: 'sourceDown',
      sentence: expect.stringMatching(/newest samples of this release are \d+ s old/),
    });
    stage.fleet.isBlind = false;
    await stage.pass(20);
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0 };
    await stage.pass(15);
    expect(stage.answer()).toMatchObject({ kind: 'judged', canaryRequests: stage.fleet.truth.canary.requests });
  });

  test('a source that never answered says so', async () => {
    stage.outage = { statusCode: 401, text: '' };
    await stage.begin();
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({
      kind: 'sourceDown',
      everAnswered: false,
      sentence: expect.stringContaining('refuses Serin (401)'),
    });
  });

  test('a source that fails is asked less and less often', async () => {
    stage.outage = { statusCode: 429, text: '' };
    await stage.begin();
    const before = stage.queries;
    await stage.pass(60);
    expect(stage.queries - before).toBeLessThanOrEqual(2 * 18);
  });
});

describe('nothing to judge by', () => {
  test('without a source, there is none', async () => {
    await stage.begin({ source: undefined });
    await stage.pass(5);
    expect(stage.answer()).toEqual({ kind: 'noSource' });
    expect(stage.queries).toBe(0);
  });

  test('before the first samples it is waited for', async () => {
    await stage.pass(60);
    stage.start();
    stage.collector.watch(stage.subject({ source: { name: 'main', address, timeoutMs: 5_000, dataPlane: 'app' } }));
    await stage.pass(5);
    expect(stage.answer()).toMatchObject({
      kind: 'noEvidence',
      reason: 'waiting',
      sentence: 'The new version has no pods to judge yet.',
    });
  });

  test('a source that has not answered yet is told from one that has nothing to say yet', async () => {
    stage.outage = { statusCode: 503, text: 'starting' };
    await stage.begin();
    await stage.pass(3);
    expect(stage.answer()).toMatchObject({ kind: 'noEvidence', reason: 'unanswered' });
    stage.outage = undefined;
    await stage.pass(3);
    expect(stage.answer()).toMatchObject({ kind: 'noEvidence', reason: 'waiting' });
    stage.outage = { statusCode: 503, text: 'going' };
    await stage.pass(2);
    expect(stage.answer()).toMatchObject({ kind: 'noEvidence', reason: 'unanswered' });
  });

  test('a source without such series names what it was asked for', async () => {
    await stage.begin({ namespace: 'elsewhere' });
    await stage.pass(80);
    expect(stage.answer()).toMatchObject({
      kind: 'noEvidence',
      reason: 'noSeries',
      sentence: expect.stringContaining('http_requests_total{namespace="elsewhere"'),
    });
  });

  test('a canary without traffic is no outage', async () => {
    await stage.begin();
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 0 };
    await stage.pass(120);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'calm',
      canaryRequestsPerSecond: 0,
      waitingFor: expect.stringContaining('no request of the new version was counted'),
    });
  });
});

test('nothing is left running when the operator stops', async () => {
  await stage.begin();
  await stage.pass(10);
  await stage.stop();
  expect(stage.clock.pendingTimers).toBe(0);
  stage = new Stage();
});
