/**
 * `kill -9` of the operator at its write of a flag: before it reaches the backend, when the backend has it and the answer is
 * still under way, and right after the answer. Whatever happens, the flag changes once, and is never left on for a revision
 * that is gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { leases } from '../../../src/kube/resources.ts';
import { abort } from '../harness/abort.ts';
import type { AtWrite } from '../harness/flag-proxy.ts';
import { refreshMs } from '../harness/flag-stage.ts';
import { flagAfter, releaseSound } from '../harness/ladder.ts';
import { countLost, sum } from '../harness/measure.ts';
import { leaseName } from '../harness/operator.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, textOf, told } from '../harness/story.ts';
import type { Figure, Row, Story } from '../harness/story.ts';

const moments = ['before', 'during', 'after'] as const;
const restartAfterMs = 5000;

const turnedOff: Story = {
  name: 'flag-kill',
  title: 'The operator killed at the write that turns the flag off: before, during and after it',
  times: moments.length,
  alone: false,
  minutes: 10,
  scene: { start: 'attached', withFlag: { use: 'ladder', observe: '60s', startsOn: true } },
  play: (scene, index) => playTurnedOff(scene, moments[index] ?? 'before'),
  figures: (rows) => [
    goal(
      "times the flag was turned off, from Unleash's log of events",
      numbersOf(rows, 'turnedOff').join(', '),
      '1 each',
      numbersOf(rows, 'turnedOff').every((one) => one === 1),
    ),
    ...common(rows),
  ],
};

const gone: Story = {
  name: 'flag-step-kill',
  title:
    'A step turns the flag on, the operator is killed at that write or at the one that takes it back, the release is aborted',
  times: 2 * moments.length,
  alone: false,
  minutes: 10,
  scene: { start: 'attached', withFlag: { use: 'step', observe: '60s', startsOn: false } },
  play: (scene, index) =>
    playGone(scene, index < moments.length ? 'on' : 'off', moments[index % moments.length] ?? 'before'),
  figures: (rows) => {
    const left = rows.filter((row) => row['flagIs'] !== 'off').length;
    return [
      goal('flag left on for a revision that is gone', `${left} of ${rows.length}`, '0', left === 0),
      goal(
        'times the flag was turned on, and off again',
        rows.map((row) => `${textOf(row, 'turnedOn')}, ${textOf(row, 'turnedOff')}`).join('; '),
        'at most once, and off as often as on',
        rows.every((row) => Number(row['turnedOn']) <= 1 && row['turnedOn'] === row['turnedOff']),
      ),
      ...common(rows),
    ];
  },
};

export const flagKillStories: readonly Story[] = [turnedOff, gone];

async function playTurnedOff(scene: Scene, when: AtWrite['when']): Promise<Row> {
  const checks = new Checks();
  const { flag } = scene.stage;
  if (!(await flag.isOn())) {
    await releaseSound(scene);
    await flag.turn('on');
    await sleep(3 * refreshMs);
  }
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, flaggedErrorRate: 0.5 });
  armKill(scene, when);
  await untilKilled(scene, 200_000);
  await restart(scene);
  const ending = await untilEnded(scene, name, 400_000);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  const turns = await flag.turnsSince(fromMs);
  checks.expect(
    ending.kind === 'promoted',
    `${name} was rolled back although its flag was the cause: ${ending.message}`,
  );
  checks.expect(turns.off === 1 && turns.on === 0, `the flag was turned off ${turns.off} and on ${turns.on} times`);
  return {
    problems: checks.problems,
    killed: when,
    ending: ending.kind,
    lost,
    turnedOff: turns.off,
    tookMs: ending.atMs - fromMs,
  };
}

/** The release is aborted while no operator runs, or, where the kill is to hit the taking back, by the abort itself. */
async function playGone(scene: Scene, at: 'on' | 'off', when: AtWrite['when']): Promise<Row> {
  const checks = new Checks();
  const { flag, proxy } = scene.stage;
  const { name, ...next } = scene.nextVersion();
  const fromMs = await scene.git.release(next);
  if (at === 'off') {
    const isTurnedOn = () => proxy.writes.some((write) => write.atMs >= fromMs && write.wasDone);
    await scene.watcher.until('the step to turn the flag on', isTurnedOn, 200_000);
    await sleep(2000);
  }
  armKill(scene, when);
  if (at === 'off') await abort(scene, name);
  await untilKilled(scene, 200_000);
  if (at === 'on') await abort(scene, name);
  await restart(scene);
  const ending = await untilEnded(scene, name, 200_000);
  // The weight does not wait for the flag: it may be taken back a moment after the end.
  const flagIs = await flagAfter(scene, 'off', 60_000);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  const turns = await flag.turnsSince(fromMs);
  checks.expect(ending.kind === 'rolledBack', `${name} was promoted although it was aborted: ${ending.message}`);
  checks.expect(flagIs === 'off', `the flag is on, and ${name}, for which it was turned on, is gone`);
  checks.expect(
    turns.on <= 1 && turns.off === turns.on,
    `the flag was turned on ${turns.on} and off ${turns.off} times`,
  );
  return {
    problems: checks.problems,
    killed: `${when} ${at}`,
    ending: ending.kind,
    lost,
    flagIs,
    turnedOn: turns.on,
    turnedOff: turns.off,
    tookMs: ending.atMs - fromMs,
  };
}

function armKill(scene: Scene, when: AtWrite['when']): void {
  scene.stage.proxy.atNextWrite = { when, act: () => scene.operator.kill() };
}

function untilKilled(scene: Scene, withinMs: number): Promise<unknown> {
  const isKilled = () => scene.operator.hasEnded !== undefined;
  return scene.watcher.until('the operator to be killed at a write of the flag', isKilled, withinMs);
}

async function restart(scene: Scene): Promise<void> {
  await sleep(restartAfterMs);
  // The dead process's Lease runs for some seconds more.
  await scene.ground.admin.delete(leases, { namespace: 'serin-system', name: leaseName(scene.namespace) });
  await scene.startOperator();
}

function common(rows: readonly Row[]): readonly Figure[] {
  const lost = sum(numbersOf(rows, 'lost'));
  return [
    goal(
      'killed, and nothing else went wrong',
      rows.map((row) => textOf(row, 'killed')).join(', '),
      'each once',
      rows.every(({ problems }) => problems.length === 0),
    ),
    goal('requests lost', `${lost}`, '0', lost === 0),
    told('outcome', rows.map((row) => textOf(row, 'ending')).join(', ')),
  ];
}
