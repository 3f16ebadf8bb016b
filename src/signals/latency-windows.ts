// Says how long the requests of one window took, by version. Pods that have just started are left out: they are slow for
// reasons that no version answers for. It never changes which requests are counted.
import type { LatencyWindow } from '../analysis/engine.ts';
import type { Histogram } from '../analysis/histogram.ts';
import { grownBuckets, sum } from './distribution.ts';
import { isNewSince } from './increments.ts';
import type { Arm } from './presets/preset.ts';
import type { KnownPod, Target } from './picture.ts';

/** What of the ledger is needed here. */
interface Counted {
  readonly countedMs: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
  readonly groupCount: number;
  readonly intervalMs: number;
}

/** Caches, connections and compilers are cold for about as long. */
const coldMs = 60_000;
/** A gateway does not say which pod answered: so much of a version may be cold before its times say nothing. */
const coldShare = 0.1;

/** Undefined when nothing was measured: no histogram, or cold pods only. `pods`: those that run. */
export function latencyUntil(
  cutMs: number,
  counted: Counted,
  targets: readonly Target[],
  pods: readonly KnownPod[],
): LatencyWindow | undefined {
  const upperBounds = targets.flatMap(({ latencies }) => latencies)[0]?.upperBounds;
  if (!upperBounds) return undefined;
  const none: Histogram = { upperBounds, counts: upperBounds.map(() => 0) };
  const arms = { canary: none, stable: none };
  const canaryGroups = Array.from({ length: counted.groupCount }, () => none);
  for (const target of targets) {
    const sinceMs = warmSince(target, counted.countedMs.get(target.key) ?? cutMs, cutMs, pods);
    if (sinceMs === undefined) continue;
    const seen = {
      canary: taken(target, 'canary', sinceMs, cutMs, counted),
      stable: taken(target, 'stable', sinceMs, cutMs, counted),
    };
    arms.canary = added(arms.canary, seen.canary);
    arms.stable = added(arms.stable, seen.stable);
    const group = counted.groups.get(target.key);
    if (group !== undefined) canaryGroups[group] = added(canaryGroups[group] ?? none, seen.canary);
  }
  const isEmpty = [arms.canary, arms.stable].every(({ counts }) => counts.every((count) => count === 0));
  return isEmpty ? undefined : { ...arms, canaryGroups };
}

/** Where counting begins in this window; undefined when all of it is to be left out. */
function warmSince(
  { pod, scrapesMs }: Target,
  sinceMs: number,
  cutMs: number,
  pods: readonly KnownPod[],
): number | undefined {
  if (pod === undefined)
    return isCold('canary', sinceMs, cutMs, pods) || isCold('stable', sinceMs, cutMs, pods) ? undefined : sinceMs;
  // From a scrape: what was counted between two of them has no time of its own.
  const warmMs = scrapesMs.find((atMs) => atMs >= pod.startedAtMs + coldMs);
  return warmMs === undefined || warmMs >= cutMs ? undefined : Math.max(sinceMs, warmMs);
}

function isCold(arm: Arm, sinceMs: number, cutMs: number, pods: readonly KnownPod[]): boolean {
  const own = pods.filter((pod) => pod.arm === arm);
  const cold = own.filter(({ startedAtMs }) => startedAtMs <= cutMs && startedAtMs + coldMs > sinceMs);
  return cold.length > coldShare * own.length;
}

function taken(
  target: Target,
  arm: Arm,
  sinceMs: number,
  untilMs: number,
  { intervalMs }: Counted,
): readonly (readonly number[])[] {
  const isBorn = (firstMs: number) => isNewSince(target.scrapesMs, firstMs, intervalMs);
  const own = target.latencies.filter((distribution) => distribution.arm === arm);
  return own.map((distribution) => grownBuckets(distribution, sinceMs, untilMs, isBorn));
}

function added({ upperBounds, counts }: Histogram, all: readonly (readonly number[])[]): Histogram {
  return { upperBounds, counts: all.reduce(sum, counts) };
}
