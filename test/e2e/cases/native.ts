/** The control: the same application under the same load, updated by the Deployment controller alone. It tells what the set-up itself loses. */
import { countLost, sum } from '../harness/measure.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';
import { podsCreatedSince } from './good.ts';

export const native: Story = {
  name: 'native',
  title: 'Control: a native rolling update without Serin',
  times: 1,
  alone: false,
  minutes: 1,
  scene: { start: 'alone' },
  play,
  figures: (rows) => {
    const lost = sum(numbersOf(rows, 'lost'));
    return [
      goal('requests lost', `${lost}`, '0, else the set-up is to blame for losses', lost === 0),
      told('pods created', numbersOf(rows, 'created').join(', ')),
      told('time', seconds(sum(numbersOf(rows, 'tookMs')))),
    ];
  },
};

async function play(scene: Scene): Promise<Row> {
  const { watcher } = scene;
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion();
  const fromMs = await scene.git.release(next);
  const isDone = () => watcher.pods.length === 4 && watcher.setOf(version)?.status?.availableReplicas === 4;
  await watcher.until('the native update to end', isDone, 90_000);
  const toMs = Date.now();
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs }, checks);
  const created = podsCreatedSince(scene, fromMs);
  return { problems: checks.problems, lost, created, tookMs: toMs - fromMs };
}
