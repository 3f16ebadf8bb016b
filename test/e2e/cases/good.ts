/** Healthy releases: no request lost, each pod created once, and afterwards an ordinary Deployment with an ordinary history. */
import { guard } from '../harness/ground.ts';
import { kubectl } from '../harness/kubectl.ts';
import { countLost, maximum, median, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { shopName } from '../harness/shop.ts';
import { Checks, goal, numbersOf, seconds, told } from '../harness/story.ts';
import type { Figure, Row, Story } from '../harness/story.ts';

export const good: Story = {
  name: 'good',
  title: 'Good releases',
  times: 10,
  alone: false,
  minutes: 16,
  scene: { start: 'attached' },
  play: playGoodRelease,
  figures,
};

/** Releases the next version and checks everything that a healthy release promises. */
export async function playGoodRelease(scene: Scene): Promise<Row> {
  const { watcher, git } = scene;
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion();
  const revisionBefore = revisionOf(scene);
  const fromMs = await git.release(next);
  const ending = await untilEnded(scene, version, 240_000);
  // The decision is in status before the last effect: a moment later the Deployment is free again, or guarded by its pause.
  const isAsAtRest = () => (watcher.deployment?.spec.paused === true) === (guard === 'pause');
  await watcher.until('the Deployment to be as it is at rest', isAsAtRest, 5000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const created = podsCreatedSince(scene, fromMs);
  checks.expect(ending.kind === 'promoted', `${version} was rolled back: ${ending.message}`);
  checks.expect(created === git.replicas, `${created} pods were created, ${git.replicas} expected`);
  checks.expect(
    revisionOf(scene) === revisionBefore + 1,
    `the revision is ${revisionOf(scene)}, it was ${revisionBefore}`,
  );
  checks.expect(await historyShows(scene, version), `kubectl rollout history does not show ${version}`);
  return { problems: checks.problems, tookMs: ending.atMs - fromMs, lost, created };
}

export function podsCreatedSince(scene: Scene, fromMs: number): number {
  // Creation times have whole seconds only.
  return [...scene.watcher.podsSeen.values()].filter(({ createdMs }) => createdMs >= fromMs - 1000).length;
}

function revisionOf(scene: Scene): number {
  const annotations = scene.watcher.deployment?.metadata.annotations ?? {};
  return Number(annotations['deployment.kubernetes.io/revision'] ?? Number.NaN);
}

/** The newest revision of `kubectl rollout history` is the one that runs this version. */
async function historyShows(scene: Scene, version: string): Promise<boolean> {
  const words = ['rollout', 'history', `deployment/${shopName}`, '-n', scene.namespace];
  const list = await kubectl(scene.ground, words);
  const newest = Math.max(...[...list.matchAll(/^(\d+)\s/gm)].map(([, number]) => Number(number)));
  const detail = await kubectl(scene.ground, [...words, `--revision=${newest}`]);
  return new RegExp(`VERSION:\\s+${version}\\n`).test(detail);
}

function figures(rows: readonly Row[]): readonly Figure[] {
  const lost = numbersOf(rows, 'lost');
  const created = numbersOf(rows, 'created');
  return [
    goal('requests lost', `${sum(lost)} in ${lost.length} releases`, '0', sum(lost) === 0),
    goal(
      'pods created a release',
      `${Math.min(...created)} to ${maximum(created)}`,
      'exactly 4',
      created.every((one) => one === 4),
    ),
    goal(
      guard === 'pause' ? 'not in the history' : 'paused afterwards; revision not in the history',
      `${rows.filter(({ problems }) => problems.length > 0).length}`,
      '0',
      rows.every(({ problems }) => problems.length === 0),
    ),
    told('time of a release', `median ${seconds(median(numbersOf(rows, 'tookMs')))}`),
  ];
}
