/**
 * What can come in the way of a promotion, at each of its lines: the Deployment is resized, or a newer template is applied.
 * The route never serves from fewer ready pods than the smaller of the two sizes.
 */
import { deployments } from '../../../src/kube/resources.ts';
import { guard } from '../harness/ground.ts';
import { countLost, sum } from '../harness/measure.ts';
import type { Watcher } from '../harness/observe.ts';
import { versionOf } from '../harness/observe.ts';
import { endingOf, untilEnded, untilStage } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { canaryPercentOf } from '../harness/served.ts';
import { shopName } from '../harness/shop.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

/** A line of the promotion, and how an onlooker knows that it was just written. */
interface Line {
  readonly name: string;
  isWritten(watcher: Watcher, version: string): boolean;
}

const controllerOf = (watcher: Watcher, version: string) =>
  watcher.setOf(version)?.metadata.ownerReferences?.find((owner) => owner.controller === true)?.kind;
const surgeOf = (watcher: Watcher) => String(watcher.deployment?.spec.strategy?.rollingUpdate?.maxSurge);
const isPinned = (watcher: Watcher) =>
  watcher.services.some((service) => service.metadata.labels?.['serin.dev/pinned'] !== undefined);
const hasCanaryBackend = (watcher: Watcher) => watcher.route !== undefined && canaryPercentOf(watcher.route) > 0;

const lines: readonly Line[] = [
  { name: 'unpin', isWritten: (watcher) => !isPinned(watcher) },
  { name: 'maxSurge', isWritten: (watcher) => surgeOf(watcher) === '100%' },
  { name: 'handover', isWritten: (watcher, version) => controllerOf(watcher, version) !== 'ReleaseRecord' },
  { name: 'adopted', isWritten: (watcher, version) => controllerOf(watcher, version) === 'Deployment' },
  {
    name: 'maxSurge back',
    isWritten: (watcher, version) => controllerOf(watcher, version) === 'Deployment' && surgeOf(watcher) !== '100%',
  },
  { name: 'routes back', isWritten: (watcher) => !hasCanaryBackend(watcher) },
  {
    name: 'resume',
    // Under the pause guard nothing is resumed: the line is the rest that follows.
    isWritten: (watcher) =>
      guard === 'pause' ? watcher.status.phase === 'Idle' : watcher.deployment?.spec.paused !== true,
  },
];

/** Sizes in turn: down and up by one and by several. */
const sizes = [6, 3, 8, 2, 5, 1, 4];

const quickSteps = { steps: [{ weight: 50, atLeast: '1s' }], bake: '3s' } as const;

export const resize: Story = perturbation(
  'promote-resize',
  'spec.replicas changed at each line of the promotion',
  async (scene, index) => {
    const replicas = sizes[index] ?? 4;
    await scene.git.resize(replicas);
    return { what: `${replicas} replicas`, newer: undefined };
  },
);

export const newer: Story = perturbation(
  'promote-newer',
  'A newer template applied at each line of the promotion',
  async (scene) => {
    const { name, ...version } = scene.nextVersion();
    await scene.git.release(version);
    return { what: name, newer: name };
  },
);

interface Disturbance {
  readonly what: string;
  /** The version that now waits for its own release. */
  readonly newer: string | undefined;
}

const margins = 'ready endpoints of what the route serves, less min(old, new replicas), at worst';

function perturbation(
  name: string,
  title: string,
  disturb: (scene: Scene, index: number) => Promise<Disturbance>,
): Story {
  return {
    name,
    title,
    times: lines.length,
    alone: false,
    minutes: 10,
    scene: { start: 'attached', ...quickSteps },
    play: (scene, index) => play(scene, index, disturb),
    figures: (rows) => {
      const lost = sum(numbersOf(rows, 'lost'));
      const worst = Math.min(...numbersOf(rows, 'margin'));
      return [
        guard === 'pause' ? told(margins, `${worst}`) : goal(margins, `${worst}`, 'never below 0', worst >= 0),
        goal('requests lost', `${lost}`, '0', lost === 0),
        goal(
          'promoted',
          `${rows.filter(({ problems }) => problems.length === 0).length} of ${rows.length}`,
          'all',
          rows.every(({ problems }) => problems.length === 0),
        ),
      ];
    },
    details: (rows) => [
      ['line', 'disturbed by', 'reaction', 'ready endpoints at least', 'min(old, new)', 'requests lost'],
      ...rows.map((row) =>
        ['line', 'what', 'reaction', 'least', 'floor', 'lost'].map((measure) => textOf(row, measure)),
      ),
    ],
  };
}

async function play(
  scene: Scene,
  index: number,
  disturb: (scene: Scene, index: number) => Promise<Disturbance>,
): Promise<Row> {
  const { watcher, git } = scene;
  const checks = new Checks();
  const line = lines[index] ?? lines[0];
  if (line === undefined) throw new Error('there is no line to disturb');
  const old = git.replicas;
  const { name: version, ...next } = scene.nextVersion();
  await git.release(next);
  await untilStage(scene, version, 'promote', undefined, 120_000);
  const fromMs = Date.now();
  await watcher.until(`the line "${line.name}" to be written`, () => line.isWritten(watcher, version), 60_000);
  const seenAtMs = Date.now();
  const { what, newer: successor } = await disturb(scene, index);
  const reactionMs = Date.now() - seenAtMs;
  // Before the handover a newer template takes the place of the one that is promoted; from then on it waits for its turn.
  if (successor === undefined) await untilStable(scene, version, 120_000);
  else await untilEnded(scene, successor, 180_000);
  await untilSized(scene);
  const toMs = Date.now();
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs }, checks);
  const floor = Math.min(old, git.replicas);
  const least = leastServed(watcher, fromMs, toMs);
  // Where no policy keeps maxSurge, a newer template takes the room away for a moment, and with it one pod.
  checks.expect(
    guard === 'pause' || least >= floor,
    `only ${least} ready endpoints were behind the route; min(old, new) is ${floor}. ${servedBelow(watcher, fromMs, floor)}`,
  );
  checks.expect(
    versionOfStable(scene) === (successor ?? version),
    `stable is ${versionOfStable(scene)}, ${successor ?? version} expected`,
  );
  return {
    problems: checks.problems,
    line: line.name,
    what,
    reaction: seconds(reactionMs),
    least,
    floor,
    margin: least - floor,
    lost,
  };
}

/** The version was promoted, whether or not a newer one is on its way already. */
function untilStable(scene: Scene, version: string, withinMs: number): Promise<unknown> {
  const isStable = () => {
    const ending = endingOf(scene, version);
    if (ending?.kind === 'rolledBack') throw new Error(`${version} was rolled back: ${ending.message}`);
    return versionOfStable(scene) === version || ending?.kind === 'promoted';
  };
  return scene.watcher.until(`${version} to be stable`, isStable, withinMs);
}

function versionOfStable({ watcher }: Scene): string {
  const set = watcher.replicaSets.find((one) => one.metadata.uid === watcher.status.stable?.uid);
  return set === undefined ? '' : versionOf(set.spec.template.spec);
}

async function untilSized(scene: Scene): Promise<void> {
  const ref = { namespace: scene.namespace, name: shopName };
  const { watcher, git, ground } = scene;
  await watcher.until(
    `${git.replicas} pods to be available`,
    () => watcher.deployment?.status?.availableReplicas === git.replicas && watcher.status.phase === 'Idle',
    60_000,
  );
  await ground.admin.get(deployments, ref);
}

/** The lowest number of ready endpoints within the span. */
function leastServed(watcher: Watcher, fromMs: number, toMs: number): number {
  const before = watcher.served.filter(({ atMs }) => atMs < fromMs).at(-1);
  const within = watcher.served.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  return Math.min(...[...(before === undefined ? [] : [before]), ...within].map(({ ready }) => ready));
}

function servedBelow(watcher: Watcher, fromMs: number, floor: number): string {
  const low = watcher.served.filter(({ atMs, ready }) => atMs >= fromMs && ready < floor);
  return low.map(({ atMs, ready }) => `${new Date(atMs).toISOString().slice(11, 23)}: ${ready}`).join(', ');
}
