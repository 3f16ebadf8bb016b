/**
 * Releases whose new code is behind a flag of a real Unleash, which the pods poll: the flag is the cure, or it is not, or
 * nothing can be done about it because its backend has a bad day.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from '../harness/flag-proxy.ts';
import { refreshMs } from '../harness/flag-stage.ts';
import { flagAfter, harmSeenAtMs, releaseSound, weightZeroAtMs } from '../harness/ladder.ts';
import { countLost, maximum, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Figure, Row, Story } from '../harness/story.ts';
import { flagKillStories } from './flag-kill.ts';
import { flagStepStories } from './flag-step.ts';

const errorRate = 0.5;
/** What the FlagSource grants for the reading back, its default. */
const verifyMs = 10_000;
const observeMs = 60_000;
const withFlag = { use: 'ladder', observe: `${observeMs / 1000}s`, startsOn: true } as const;

const cause: Story = {
  name: 'flag-cause',
  title: 'Half of the answers of the new code 500, the new code behind a flag',
  times: 3,
  alone: false,
  minutes: 10,
  scene: { start: 'attached', withFlag },
  play: playCause,
  figures: (rows) => {
    const turned = numbersOf(rows, 'turnedMs');
    const stopped = numbersOf(rows, 'stoppedMs');
    return [
      goal('promoted, without a rollback', promoted(rows), 'all', rows.every(isOfKind('promoted'))),
      goal(
        'decision to flag off in Unleash, most',
        seconds(maximum(turned)),
        seconds(verifyMs),
        maximum(turned) <= verifyMs,
      ),
      goal(
        'flag off to last bad answer, most',
        seconds(maximum(stopped)),
        `pods ask every ${seconds(refreshMs)}: ${seconds(2 * refreshMs)}`,
        maximum(stopped) <= 2 * refreshMs,
      ),
      told('bad answers served', numbersOf(rows, 'badAnswers').join(', ')),
      told('decision to the end of the brake', numbersOf(rows, 'wentOnMs').map(seconds).join(', ')),
      ...oneWrite(rows),
      ...common(rows),
    ];
  },
};

const notCause: Story = {
  name: 'flag-not-cause',
  title: 'Half of the answers 500, and the flag is not the cause',
  times: 2,
  alone: false,
  minutes: 5,
  scene: { start: 'attached', withFlag },
  play: playNotCause,
  figures: (rows) => [
    goal('rolled back', rolledBack(rows), 'all', rows.every(isOfKind('rolledBack'))),
    ...bound(rows),
    goal(
      'flag on again afterwards',
      rows.map((row) => textOf(row, 'flagIs')).join(', '),
      'on',
      rows.every((row) => row['flagIs'] === 'on'),
    ),
    told('decision to the flag restored', numbersOf(rows, 'restoredMs').map(seconds).join(', ')),
    ...common(rows),
  ],
};

const badDays: readonly Behaviour[] = ['stopped', 500, 'hanging', 403, 429, 'lying'];

const backend: Story = {
  name: 'flag-backend',
  title: 'The flag would be the cure, and its backend is stopped, answers 500, hangs, answers 403, 429, or lies',
  times: badDays.length,
  alone: false,
  minutes: 12,
  scene: { start: 'attached', withFlag },
  play: (scene, index) => playBadDay(scene, badDays[index] ?? 'stopped'),
  figures: (rows) => [
    goal('rolled back', rolledBack(rows), 'all', rows.every(isOfKind('rolledBack'))),
    ...bound(rows),
    goal(
      'the flag changed after all, when its backend was well again',
      `${rows.filter((row) => row['flagIs'] !== 'on').length}`,
      '0',
      rows.every((row) => row['flagIs'] === 'on'),
    ),
    ...common(rows),
  ],
  details: (rows) => [
    ['backend', 'decision to weight 0', 'bad answers', 'message'],
    ...rows.map((row) => [
      textOf(row, 'behaviour'),
      seconds(numbersOf([row], 'zeroMs')[0]),
      textOf(row, 'badAnswers'),
      textOf(row, 'message'),
    ]),
  ],
};

export const flagStories: readonly Story[] = [cause, notCause, backend, ...flagKillStories, ...flagStepStories];

async function playCause(scene: Scene): Promise<Row> {
  const checks = new Checks();
  const { stage } = scene;
  await beginWithFlagOn(scene);
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, flaggedErrorRate: errorRate });
  const ending = await untilEnded(scene, name, 400_000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const decidedAtMs = harmSeenAtMs(scene, fromMs) ?? Number.NaN;
  const turned = (await stage.flag.events()).find(
    ({ type, atMs }) => atMs >= fromMs && type === 'feature-environment-disabled',
  );
  const turnedAtMs = turned?.atMs ?? Number.NaN;
  const lastBadAtMs = load.lastBadAnswer(name, { from: fromMs })?.doneAt ?? Number.NaN;
  const wentOnAtMs = firstAfterBrake(scene, decidedAtMs);
  const turns = await stage.flag.turnsSince(fromMs);
  checks.expect(
    ending.kind === 'promoted',
    `${name} was rolled back although its flag was the cause: ${ending.message}`,
  );
  checks.expect(turns.off === 1 && turns.on === 0, `the flag was turned off ${turns.off} and on ${turns.on} times`);
  checks.expect(!(await stage.flag.isOn()), 'the flag is on again after the release');
  return {
    problems: checks.problems,
    ending: ending.kind,
    lost,
    turns: turns.off + turns.on,
    turnedMs: turnedAtMs - decidedAtMs,
    stoppedMs: lastBadAtMs - turnedAtMs,
    wentOnMs: wentOnAtMs - decidedAtMs,
    badAnswers: load.badAnswers(name, { from: fromMs, to: ending.atMs }).length,
    tookMs: ending.atMs - fromMs,
    message: saidAboutFlag(scene, fromMs),
  };
}

async function playNotCause(scene: Scene): Promise<Row> {
  const checks = new Checks();
  const { stage } = scene;
  const { name, ...next } = scene.nextVersion(errorRate);
  const fromMs = await scene.git.release(next);
  const ending = await untilEnded(scene, name, 400_000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const decidedAtMs = harmSeenAtMs(scene, fromMs) ?? Number.NaN;
  // The weight does not wait for the flag: it may be restored a moment after the end.
  const flagIs = await flagAfter(scene, 'on', 60_000);
  const turns = await stage.flag.turnsSince(fromMs);
  const restored = (await stage.flag.events()).findLast(({ type }) => type === 'feature-environment-enabled');
  checks.expect(ending.kind === 'rolledBack', `${name} was promoted although it fails: ${ending.message}`);
  checks.expect(turns.off === 1 && turns.on === 1, `the flag was turned off ${turns.off} and on ${turns.on} times`);
  checks.expect(flagIs === 'on', 'the flag was not restored, and is not to blame');
  return {
    problems: checks.problems,
    ending: ending.kind,
    lost,
    flagIs,
    ...zeroAfter(scene, fromMs, decidedAtMs, checks),
    restoredMs: (restored?.atMs ?? Number.NaN) - decidedAtMs,
    badAnswers: load.badAnswers(name, { from: fromMs, to: ending.atMs }).length,
    tookMs: ending.atMs - fromMs,
    message: ending.message,
  };
}

async function playBadDay(scene: Scene, behaviour: Behaviour): Promise<Row> {
  const checks = new Checks();
  const { stage } = scene;
  await stage.proxy.behave(behaviour);
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, flaggedErrorRate: errorRate });
  const ending = await untilEnded(scene, name, 400_000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const decidedAtMs = harmSeenAtMs(scene, fromMs) ?? Number.NaN;
  await stage.proxy.behave('passing');
  await sleep(15_000);
  const flagIs = (await stage.flag.isOn()) ? 'on' : 'off';
  checks.expect(ending.kind === 'rolledBack', `${name} was promoted although it fails: ${ending.message}`);
  checks.expect(flagIs === 'on', 'the flag was turned off for a version that is gone');
  return {
    problems: checks.problems,
    behaviour: String(behaviour),
    ending: ending.kind,
    lost,
    flagIs,
    ...zeroAfter(scene, fromMs, decidedAtMs, checks),
    badAnswers: load.badAnswers(name, { from: fromMs, to: ending.atMs }).length,
    tookMs: ending.atMs - fromMs,
    message: ending.message,
  };
}

/** What the release before left is made sound first: with the flag on, the version that serves must not fail by it. */
async function beginWithFlagOn(scene: Scene): Promise<void> {
  if (await scene.stage.flag.isOn()) return;
  await releaseSound(scene);
  await scene.stage.flag.turn('on');
  await sleep(3 * refreshMs);
}

/** Time from the decision to weight 0, which has to be within the bound. */
function zeroAfter(scene: Scene, fromMs: number, decidedAtMs: number, checks: Checks): { readonly zeroMs: number } {
  const zeroMs = (weightZeroAtMs(scene, fromMs) ?? Number.NaN) - decidedAtMs;
  const allowedMs = observeMs + 10_000;
  checks.expect(
    zeroMs <= allowedMs,
    `weight 0 came ${seconds(zeroMs)} after the decision, ${seconds(allowedMs)} are allowed`,
  );
  return { zeroMs };
}

function firstAfterBrake(scene: Scene, decidedAtMs: number): number {
  const after = scene.watcher.history.find(({ atMs, phase }) => atMs > decidedAtMs && phase !== 'Braked');
  return after?.atMs ?? Number.NaN;
}

/** The longest thing that status said about the flag. */
function saidAboutFlag(scene: Scene, fromMs: number): string {
  const said = scene.watcher.history.filter(({ atMs, message }) => atMs >= fromMs && message.includes('the flag'));
  return said.toSorted((a, b) => b.message.length - a.message.length)[0]?.message ?? '';
}

function isOfKind(kind: string) {
  return (row: Row): boolean => row['ending'] === kind && row.problems.length === 0;
}

function promoted(rows: readonly Row[]): string {
  return `${rows.filter((row) => row['ending'] === 'promoted').length} of ${rows.length}`;
}

function rolledBack(rows: readonly Row[]): string {
  return `${rows.filter((row) => row['ending'] === 'rolledBack').length} of ${rows.length}`;
}

function bound(rows: readonly Row[]): readonly Figure[] {
  const most = maximum(numbersOf(rows, 'zeroMs'));
  const allowedMs = observeMs + 10_000;
  return [
    goal('decision to weight 0, most', seconds(most), `observe + 10 s = ${seconds(allowedMs)}`, most <= allowedMs),
    told('decision to weight 0', numbersOf(rows, 'zeroMs').map(seconds).join(', ')),
  ];
}

function oneWrite(rows: readonly Row[]): readonly Figure[] {
  const turns = numbersOf(rows, 'turns');
  return [
    goal(
      "effective writes of the flag in a release, from Unleash's log of events",
      turns.join(', '),
      '1 each',
      turns.every((one) => one === 1),
    ),
  ];
}

function common(rows: readonly Row[]): readonly Figure[] {
  const lost = sum(numbersOf(rows, 'lost'));
  return [
    goal('requests lost', `${lost}`, '0', lost === 0),
    told('what the message says', rows.map((row) => textOf(row, 'message'))[0] ?? ''),
  ];
}
