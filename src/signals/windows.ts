// Cuts the samples of an attempt into windows: each scrape counted once, in order of the samples' own time stamps, so
// that a restarted operator cuts the same windows again. It never waits for a fixed time, only for samples that are due.
import type { Window } from '../analysis/engine.ts';
import { type Counts, addCounts, noCounts } from '../analysis/errors.ts';
import { growth, isNewSince } from './increments.ts';
import { latencyUntil } from './latency-windows.ts';
import type { Arm } from './presets/preset.ts';
import type { Counter, KnownPod, Target } from './picture.ts';

/** What of an attempt has been counted; all times are the metric source's. */
export interface Ledger {
  /** Samples at or before this are not the attempt's. */
  readonly beganMs: number;
  readonly cutMs: number | undefined;
  /** For each target, up to which scrape it is counted. */
  readonly countedMs: ReadonlyMap<number, number>;
  readonly intervalMs: number | undefined;
  /** To which of at most four groups each canary pod's target belongs. */
  readonly groups: ReadonlyMap<number, number>;
}

/** What a source shows, and how it is to be cut. */
export interface Sight {
  readonly targets: readonly Target[];
  /** Learned from the samples; undefined while it is not known. */
  readonly intervalMs: number | undefined;
  /** The samples reach back to here. */
  readonly fromMs: number;
  readonly nowMs: number;
  /** A window waits for stable's samples too. */
  readonly needsStable: boolean;
  /** Those that run now. */
  readonly pods: readonly KnownPod[];
  /** No window is shorter. Default: 5 s. */
  readonly shortestMs?: number;
}

export interface Cut {
  readonly ledger: Ledger;
  readonly windows: readonly Window[];
}

const mostGroups = 4;
const shortestWindowMs = 5_000;
const unknownIntervalMs = 15_000;
/** Longer than any range that is read again. */
const forgottenAfterMs = 1_200_000;
/** Scrapes come a little early at times. */
const punctual = 0.9;

export function openLedger(beganMs: number): Ledger {
  return { beganMs, cutMs: undefined, countedMs: new Map(), intervalMs: undefined, groups: new Map() };
}

/**
 * Every window that can be closed by now. A window closes when each canary target (each target, where a target counts for
 * both versions) has a new sample or is an interval late, and with `needsStable` when stable has one too. Targets that no
 * longer exist are counted, but not waited for.
 */
export function cutWindows(before: Ledger, sight: Sight): Cut {
  const learned = { ...before, intervalMs: sight.intervalMs ?? before.intervalMs };
  let ledger = admitted(learned, sight.targets, sight.fromMs);
  const targets = sight.targets.filter(({ key }) => ledger.countedMs.has(key));
  const windows: Window[] = [];
  for (;;) {
    const cutMs = nextCut(ledger, targets, sight);
    if (cutMs === undefined) return { ledger, windows };
    windows.push(windowUntil(cutMs, ledger, targets, sight.pods));
    ledger = counted(ledger, targets, cutMs);
  }
}

/** When the next window can close at the earliest, so that nobody asks before; undefined when nothing is known yet. */
export function nextDueMs(
  ledger: Ledger,
  targets: readonly Target[],
  shortestMs = shortestWindowMs,
): number | undefined {
  const awaitedMs = targets
    .filter(isGating)
    .map(({ key }) => (ledger.countedMs.get(key) ?? -Infinity) + intervalOf(ledger));
  const soonestMs = soonestCut(ledger, shortestMs);
  return awaitedMs.length === 0 ? undefined : Math.max(soonestMs, ...awaitedMs);
}

/** Usual time between two cuts. */
export function windowLength(ledger: Ledger, shortestMs = shortestWindowMs): number {
  return Math.max(intervalOf(ledger), shortestMs);
}

function intervalOf({ intervalMs }: Ledger): number {
  return intervalMs ?? unknownIntervalMs;
}

/**
 * A pod whose whole life is in the samples counts from its start, because its first errors are born with their series.
 * Any other target counts from its first scrape within the attempt that is not behind the last cut, so that nothing older
 * gets in, and nothing twice when the same requests are read from other targets.
 */
function admitted(ledger: Ledger, targets: readonly Target[], fromMs: number): Ledger {
  const countedMs = new Map(ledger.countedMs);
  const groups = new Map(ledger.groups);
  // In the order in which an operator that was always there has met them, for groups are given out in turn.
  const met = targets.toSorted((one, other) => (one.scrapesMs[0] ?? 0) - (other.scrapesMs[0] ?? 0));
  for (const { key, pod, arm, scrapesMs } of met) {
    const [firstMs] = scrapesMs;
    const baselineMs = scrapesMs.find((atMs) => atMs >= Math.max(ledger.beganMs, ledger.cutMs ?? -Infinity));
    if (firstMs === undefined || baselineMs === undefined) continue;
    const isWhole =
      pod !== undefined && pod.startedAtMs >= Math.max(fromMs, ledger.beganMs) && pod.startedAtMs < firstMs;
    if (!countedMs.has(key)) countedMs.set(key, isWhole ? pod.startedAtMs : baselineMs);
    if (arm === 'canary' && !groups.has(key)) groups.set(key, groups.size % mostGroups);
  }
  return { ...ledger, countedMs, groups };
}

function nextCut(ledger: Ledger, targets: readonly Target[], sight: Sight): number | undefined {
  const { nowMs, needsStable, shortestMs = shortestWindowMs } = sight;
  const gates = targets.filter(isGating);
  const awaited = whenSampled(gates, ledger, nowMs);
  if (awaited === undefined) return undefined;
  const firstMs = awaited.length > 0 ? Math.max(...awaited) : firstUncounted(gates, ledger);
  if (firstMs === undefined) return undefined;
  const bothMs = needsStable ? withStable(firstMs, targets, ledger, nowMs) : firstMs;
  return bothMs === undefined ? undefined : longEnough(bothMs, gates, ledger, shortestMs);
}

/** For each target that is not late, its next scrape; undefined while one of them may still come in time. */
function whenSampled(gates: readonly Target[], ledger: Ledger, nowMs: number): readonly number[] | undefined {
  const sampledMs: number[] = [];
  for (const target of gates) {
    const lateMs = (ledger.countedMs.get(target.key) ?? 0) + 2 * intervalOf(ledger);
    const atMs = uncounted(target, ledger)[0];
    if (atMs === undefined && nowMs <= lateMs) return undefined;
    if (atMs !== undefined && atMs <= lateMs) sampledMs.push(atMs);
  }
  return sampledMs;
}

function firstUncounted(targets: readonly Target[], ledger: Ledger): number | undefined {
  const firstMs = targets.flatMap((target) => uncounted(target, ledger).slice(0, 1));
  return firstMs.length === 0 ? undefined : Math.min(...firstMs);
}

/** A window without stable requests would say nothing: one stable target must have been scraped, if any is in time. */
function withStable(cutMs: number, targets: readonly Target[], ledger: Ledger, nowMs: number): number | undefined {
  const stable = targets.filter(({ arm, pod }) => arm === 'stable' && pod?.isLive === true);
  const sampledMs = stable.flatMap((target) => {
    const atMs = uncounted(target, ledger)[0];
    const lateMs = (ledger.countedMs.get(target.key) ?? 0) + 2 * intervalOf(ledger);
    if (atMs === undefined) return nowMs <= lateMs ? [Infinity] : [];
    return atMs <= lateMs ? [atMs] : [];
  });
  const soonestMs = Math.min(...sampledMs);
  if (sampledMs.length === 0) return cutMs;
  return soonestMs === Infinity ? undefined : Math.max(cutMs, soonestMs);
}

function longEnough(cutMs: number, gates: readonly Target[], ledger: Ledger, shortestMs: number): number | undefined {
  const soonestMs = soonestCut(ledger, shortestMs);
  if (cutMs >= soonestMs) return cutMs;
  const later = gates.flatMap((target) =>
    uncounted(target, ledger)
      .filter((atMs) => atMs >= soonestMs)
      .slice(0, 1),
  );
  return later.length === 0 ? undefined : Math.min(...later);
}

/** A new scrape of every target makes a window long enough, unless they are scraped more often than that. */
function soonestCut(ledger: Ledger, shortestMs: number): number {
  const isFast = intervalOf(ledger) < punctual * shortestMs;
  return isFast ? (ledger.cutMs ?? -Infinity) + punctual * shortestMs : -Infinity;
}

function windowUntil(cutMs: number, ledger: Ledger, targets: readonly Target[], pods: readonly KnownPod[]): Window {
  const canaryGroups: Counts[] = Array.from({ length: Math.min(ledger.groups.size, mostGroups) }, () => noCounts);
  const arms = { canary: noCounts, stable: noCounts };
  let startMs = cutMs;
  for (const target of targets) {
    const sinceMs = ledger.countedMs.get(target.key) ?? cutMs;
    const seen = {
      canary: grown(target, 'canary', sinceMs, cutMs, ledger),
      stable: grown(target, 'stable', sinceMs, cutMs, ledger),
    };
    arms.canary = addCounts(arms.canary, seen.canary);
    arms.stable = addCounts(arms.stable, seen.stable);
    const group = ledger.groups.get(target.key);
    if (group !== undefined) canaryGroups[group] = addCounts(canaryGroups[group] ?? noCounts, seen.canary);
    if (target.arm !== 'stable' && uncounted(target, ledger).some((atMs) => atMs <= cutMs))
      startMs = Math.min(startMs, sinceMs);
  }
  const latency = latencyUntil(
    cutMs,
    { ...ledger, intervalMs: intervalOf(ledger), groupCount: canaryGroups.length },
    targets,
    pods,
  );
  const lengthMs = cutMs - (ledger.cutMs ?? startMs);
  return { ...arms, startMs, endMs: cutMs, lengthMs, canaryGroups, ...(latency ? { latency } : {}) };
}

function grown(target: Target, arm: Arm, sinceMs: number, untilMs: number, ledger: Ledger): Counts {
  const isBorn = (firstMs: number) =>
    (target.pod !== undefined && target.pod.startedAtMs >= sinceMs) ||
    isNewSince(target.scrapesMs, firstMs, intervalOf(ledger));
  return target.counters
    .filter((counter) => counter.arm === arm)
    .map((counter) => countsOf(counter, growth(counter.samples, sinceMs, untilMs, isBorn)))
    .reduce(addCounts, noCounts);
}

function countsOf({ isBad, counts }: Counter, grownBy: number): Counts {
  return { requests: counts === 'requests' ? grownBy : 0, errors: isBad ? grownBy : 0 };
}

function counted(ledger: Ledger, targets: readonly Target[], cutMs: number): Ledger {
  const countedMs = new Map(ledger.countedMs);
  for (const { key, scrapesMs } of targets) {
    const lastMs = scrapesMs.findLast((atMs) => atMs <= cutMs);
    if (lastMs !== undefined && lastMs > (countedMs.get(key) ?? -Infinity)) countedMs.set(key, lastMs);
  }
  forget(countedMs, targets, cutMs);
  return { ...ledger, countedMs, cutMs };
}

/** Pods come and go for as long as an attempt waits for a person. */
function forget(countedMs: Map<number, number>, targets: readonly Target[], cutMs: number): void {
  const present = new Set(targets.map(({ key }) => key));
  for (const [key, atMs] of countedMs) {
    if (!present.has(key) && atMs < cutMs - forgottenAfterMs) countedMs.delete(key);
  }
}

function uncounted({ key, scrapesMs }: Target, ledger: Ledger): readonly number[] {
  const sinceMs = ledger.countedMs.get(key) ?? -Infinity;
  return scrapesMs.filter((atMs) => atMs > sinceMs);
}

function isGating({ arm, pod }: Target): boolean {
  return arm === 'both' || (arm === 'canary' && pod?.isLive === true);
}
