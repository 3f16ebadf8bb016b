/** An incident that hits both versions alike, as a database that fails: it says nothing about the new version. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countLost, sum } from '../harness/measure.ts';
import { failEverywhere } from '../harness/pods.ts';
import { untilEnded, untilStage, untilWeight } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { storySettings } from '../harness/shop.ts';
import { Checks, goal, numbersOf, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const incidentMs = 30_000;
const errorRate = 0.05;

export const commonMode: Story = {
  name: 'common-mode',
  title: 'Healthy releases during an incident of both versions (5 % for 30 s)',
  times: 5,
  alone: false,
  minutes: 9,
  scene: { start: 'attached' },
  play,
  figures: (rows) => {
    const back = rows.filter((row) => row['ending'] !== 'promoted').length;
    const lost = sum(numbersOf(rows, 'lost'));
    return [
      goal('rolled back', `${back} of ${rows.length}`, '0', back === 0),
      goal('requests lost', `${lost}`, '0', lost === 0),
      told('the incident began at step', rows.map((row) => textOf(row, 'step')).join(', ')),
      told('braked meanwhile', `${sum(numbersOf(rows, 'braked'))} of ${rows.length}`),
    ];
  },
};

/** The incident begins at another step each time. */
async function play(scene: Scene, index: number): Promise<Row> {
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion();
  const step = index % storySettings.steps.length;
  const fromMs = await scene.git.release(next);
  await untilStage(scene, version, 'step', step, 150_000);
  await untilWeight(scene, storySettings.steps[step]?.weight ?? Number.NaN, 30_000);
  await failEverywhere(scene, errorRate, sleep(incidentMs));
  const ending = await untilEnded(scene, version, 240_000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const braked = scene.watcher.history.some(({ atMs, phase }) => atMs >= fromMs && phase === 'Braked') ? 1 : 0;
  checks.expect(ending.kind === 'promoted', `the healthy ${version} was rolled back: ${ending.message}`);
  const failed = load.badAnswers(undefined, { from: fromMs, to: ending.atMs }).length;
  return {
    problems: checks.problems,
    ending: ending.kind,
    step: step + 1,
    lost,
    braked,
    failed,
    tookMs: ending.atMs - fromMs,
  };
}
