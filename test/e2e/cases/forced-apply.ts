/** A GitOps tool that writes back everything it knows, by force, at each stage of a release. */
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseWrites } from '../harness/audit.ts';
import { guard } from '../harness/ground.ts';
import { aboveEntitlement, countLost, maximum, median, sum } from '../harness/measure.ts';
import type { Entitlement } from '../harness/measure.ts';
import type { StatusMoment } from '../harness/observe.ts';
import { momentsSince, untilEnded, untilStage, untilWeight } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

export const forcedApply: Story = {
  name: 'forced-apply',
  title: 'Forced apply of Deployment, Service and HTTPRoute from Git at each stage',
  times: 2,
  alone: false,
  minutes: 4,
  scene: { start: 'attached' },
  play: (scene, index) => (index === 0 ? duringGood(scene) : duringBad(scene)),
  figures: (rows) => {
    const lost = sum(numbersOf(rows, 'lost'));
    const above = sum(numbersOf(rows, 'above'));
    return [
      goal('requests lost', `${lost}`, '0', lost === 0),
      // Where no policy keeps a pin, a forced apply takes it off until Serin has seen it: then it is told how long that was.
      guard === 'pause'
        ? told('stages in which the canary got more than its step’s weight', `${above}`)
        : goal('stages in which the canary got more than its step’s weight', `${above}`, '0', above === 0),
      ...(guard === 'pause' ? [told('from the apply until the Service was pinned again', repins(rows))] : []),
      told('applied at', rows.flatMap((row) => row['stages'] as string[]).join(', ')),
      told('outcome', rows.map((row) => textOf(row, 'ending')).join(', ')),
    ];
  },
};

/** Begin, each step, bake, promotion. */
export async function duringGood(scene: Scene): Promise<Row> {
  const { name: version, ...next } = scene.nextVersion();
  const stages: string[] = [];
  const fromMs = await scene.git.release(next);
  const applyAt = async (name: string) => {
    stages.push(name);
    await scene.git.applyAll();
  };
  await untilStage(scene, version, 'begin', undefined, 30_000);
  await scene.watcher.until('pods of the canary', () => scene.watcher.setOf(version), 30_000);
  await applyAt('begin');
  for (const [step, weight] of [10, 25, 50].entries()) {
    await untilStage(scene, version, 'step', step, 150_000);
    await untilWeight(scene, weight, 30_000);
    await sleep(1500);
    await applyAt(`${weight}%`);
  }
  await untilStage(scene, version, 'bake', undefined, 150_000);
  await untilWeight(scene, 100, 30_000);
  await applyAt('bake');
  await untilStage(scene, version, 'promote', undefined, 150_000);
  await applyAt('promote');
  return conclude(scene, version, fromMs, stages, 'promoted');
}

/** The way back, and the rest after it. */
async function duringBad(scene: Scene): Promise<Row> {
  const { name: version, ...next } = scene.nextVersion(0.5);
  const stages: string[] = [];
  const fromMs = await scene.git.release(next);
  await untilStage(scene, version, 'retreat', undefined, 150_000);
  stages.push('going back');
  await scene.git.applyAll();
  await untilEnded(scene, version, 150_000);
  stages.push('rolled back');
  await scene.git.applyAll();
  await sleep(15_000);
  return conclude(scene, version, fromMs, stages, 'rolledBack');
}

async function conclude(
  scene: Scene,
  version: string,
  fromMs: number,
  stages: string[],
  expected: string,
): Promise<Row> {
  const checks = new Checks();
  const ending = await untilEnded(scene, version, 240_000);
  await sleep(1000);
  const toMs = Date.now();
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs }, checks);
  const above = aboveEntitlement(load, version, entitlements(momentsSince(scene, fromMs), fromMs, toMs));
  checks.expect(ending.kind === expected, `${version} was ${ending.kind}, ${expected} expected: ${ending.message}`);
  checks.expect(guard === 'pause' || above.length === 0, `more than its weight: ${above.join('; ')}`);
  const repinnedMs = repinsAfter(scene, fromMs);
  return { problems: checks.problems, ending: ending.kind, lost, above: above.length, stages, repinnedMs };
}

/** Milliseconds between each time the Service was seen without its pin and the next write by which Serin pins it. */
function repinsAfter(scene: Scene, fromMs: number): number[] {
  const pins = releaseWrites(scene.audit()).filter(
    (entry) =>
      entry.resource === 'services' &&
      entry.verb === 'patch' &&
      JSON.stringify(entry.request ?? '').includes('pod-template-hash'),
  );
  return scene.git.serviceAppliedAtMs
    .filter((atMs) => atMs >= fromMs)
    .flatMap((atMs) => {
      const next = pins.find(({ receivedAt }) => receivedAt >= atMs && receivedAt < atMs + 5000);
      return next === undefined ? [] : [next.receivedAt - atMs];
    });
}

function repins(rows: readonly Row[]): string {
  const all = rows.flatMap((row) => (row['repinnedMs'] as number[] | undefined) ?? []);
  return all.length === 0
    ? 'never taken off'
    : `${all.length} times, median ${Math.round(median(all))} ms, most ${Math.round(maximum(all))} ms`;
}

/** The gateway takes up a change within its throttle of 2 s and what is under way is answered: a lower weight counts after that. */
const takesUpMs = 4000;

/**
 * The weight that was decided is in status before any route is written, so at no time may the canary get more. Afterwards it
 * is entitled to its old weight until the gateway has taken up a lower one.
 */
export function entitlements(moments: readonly StatusMoment[], fromMs: number, toMs: number): Entitlement[] {
  const weights = [{ atMs: fromMs, weightPercent: 0 }, ...moments.map(entitled)];
  const stretches: Entitlement[] = [];
  let high = 0;
  for (const [index, { atMs, weightPercent }] of weights.entries()) {
    const endMs = weights[index + 1]?.atMs ?? toMs;
    const lowered = weightPercent < high;
    const begins = lowered ? Math.min(atMs + takesUpMs, endMs) : atMs;
    if (lowered) stretches.push({ fromMs: atMs, toMs: begins, weightPercent: high });
    stretches.push({ fromMs: begins, toMs: endMs, weightPercent });
    if (!lowered || begins < endMs) high = weightPercent;
  }
  return merged(stretches.filter((one) => one.toMs > one.fromMs));
}

/** After a promotion there is no attempt any more, and everything is the new version's. */
function entitled({ atMs, attempt, stage, weightPercent, phase }: StatusMoment): {
  atMs: number;
  weightPercent: number;
} {
  const isPromoted = attempt === undefined && (phase === 'Idle' || phase === 'Promoting');
  return { atMs, weightPercent: isPromoted || stage === 'promote' ? 100 : weightPercent };
}

/** Neighbours of the same weight are one: chance is judged over the whole of it. */
function merged(stretches: readonly Entitlement[]): Entitlement[] {
  const out: Entitlement[] = [];
  for (const stretch of stretches) {
    const last = out.at(-1);
    if (last?.weightPercent === stretch.weightPercent) out[out.length - 1] = { ...last, toMs: stretch.toMs };
    else out.push(stretch);
  }
  return out;
}
