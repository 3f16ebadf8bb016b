// Owns what one engine has gathered about how long requests take: a fold over its windows of histograms. It never decides;
// the judge reads it.
import { type CountState, type CountWindow, type LatencyWindow, afterLone, afterTwoArms, openCount } from './engine.ts';
import {
  type Histogram,
  addHistograms,
  commonBuckets,
  growthFactor,
  haveSameBounds,
  nearestOnGrid,
  requestsIn,
  slowerThan,
} from './histogram.ts';
import { harmLimits, limitsWithoutGroup } from './harm.ts';
import type { LatencyMetric } from './metric.ts';
import { type Limits, type Wealth, afterWindow, openWealth } from './mixture.ts';
import type { Terms } from './settings.ts';
import { type SpeedBets, boundsAt, logSpeedFactors, speedBets, speedBetsFrom, tallied } from './speed.ts';

export interface LatencyState {
  readonly kind: 'latency';
  /** Requests, and as `errors` those slower than the boundary: what acceptance and the bake rest on. */
  readonly slow: CountState;
  /** Seconds; once chosen it stays for the attempt. Undefined until enough of stable was seen. */
  readonly boundary: number | undefined;
  /** Stable's requests so far. */
  readonly reference: Histogram | undefined;
  /** The same when there were half as many, or more: what the bets are chosen from, anew at each doubling. */
  readonly basis: Histogram | undefined;
  readonly speed: Wealth;
  /** The evidence had each group of canary pods not existed. */
  readonly speedWithout: readonly Wealth[];
}

/** Fewer requests do not tell where nine tenths of them end. */
const enoughForBoundary = 50;
/** Without a threshold a request is slow beyond the boundary next above stable's p90. */
const slowPart = [0.1];

export function openLatency(terms: Terms): LatencyState {
  const speed = openWealth(speedBets);
  return {
    kind: 'latency',
    slow: openCount(terms),
    boundary: undefined,
    reference: undefined,
    basis: undefined,
    speed,
    speedWithout: [],
  };
}

/** After a window with traffic on both versions. `countsForStep`: it lies wholly within the current step. */
export function latencyAfterTwoArms(
  state: LatencyState,
  { lengthMs, ...seen }: TimedWindow,
  countsForStep: boolean,
  metric: LatencyMetric,
  terms: Terms,
): LatencyState {
  const basis = state.basis && basisFor(state.basis, seen);
  const bets = basis && betsOn(basis, metric.tolerateRatio);
  const boundary = state.boundary ?? boundaryFor(metric, basis, seen.stable);
  const slow = slowIn(seen, boundary, lengthMs);
  const reference = state.reference ? addHistograms(state.reference, seen.stable) : seen.stable;
  return {
    ...state,
    boundary,
    slow: slow ? afterTwoArms(state.slow, slow, countsForStep, terms) : state.slow,
    reference,
    basis: basis && requestsIn(reference) < 2 * requestsIn(basis) ? basis : reference,
    ...(bets ? afterBets(state, bets, { lengthMs, ...seen }, terms) : {}),
  };
}

/** After a window of the bake: only the share of slow requests is held against what stable's was. */
export function latencyAfterLone(
  state: LatencyState,
  { lengthMs, ...seen }: TimedWindow,
  countsForStep: boolean,
  terms: Terms,
): LatencyState {
  const slow = slowIn(seen, state.boundary, lengthMs);
  return slow ? { ...state, slow: afterLone(state.slow, slow, countsForStep, terms) } : state;
}

export interface TimedWindow extends LatencyWindow {
  readonly lengthMs: number;
}

/** Buckets of one window may be coarser than those before it. */
function basisFor(basis: Histogram, { canary, stable }: LatencyWindow): Histogram {
  if (haveSameBounds(basis.upperBounds, stable.upperBounds)) return basis;
  const [growth, newGrowth] = [growthFactor(basis), growthFactor(stable)];
  if (growth !== undefined && newGrowth !== undefined && newGrowth < growth * 1.0001) return basis;
  return commonBuckets([basis, stable, canary])[0] ?? basis;
}

/** Choosing bets costs more than a window of them, and the same basis gives the same. */
const chosen = new WeakMap<Histogram, { readonly tolerateRatio: number; readonly bets: SpeedBets | undefined }>();

function betsOn(basis: Histogram, tolerateRatio: number): SpeedBets | undefined {
  const known = chosen.get(basis);
  if (known?.tolerateRatio === tolerateRatio) return known.bets;
  const bets = speedBetsFrom(basis, tolerateRatio);
  chosen.set(basis, { tolerateRatio, bets });
  return bets;
}

function afterBets(
  state: LatencyState,
  bets: SpeedBets,
  seen: TimedWindow,
  terms: Terms,
): Pick<LatencyState, 'speed' | 'speedWithout'> {
  const limitsOfRest = limitsWithoutGroup(terms);
  const stable = tallied(bets, seen.stable, 'stable');
  const canary = tallied(bets, seen.canary, 'canary');
  const grown = (wealth: Wealth, counted: readonly number[], limits: Limits) => {
    const logFactors = logSpeedFactors(bets, counted, stable);
    return afterWindow(
      wealth,
      logFactors.map((log) => log / terms.clumping),
      seen.lengthMs,
      limits,
    );
  };
  return {
    speed: grown(state.speed, canary, harmLimits(terms)),
    speedWithout: seen.canaryGroups.map((group, index) => {
      const counted = tallied(bets, group, 'canary');
      const rest = canary.map((count, at) => Math.max(0, count - (counted[at] ?? 0)));
      return grown(state.speedWithout[index] ?? state.speed, rest, limitsOfRest);
    }),
  };
}

/** The exposed boundary that is nearest to the threshold; without one, decided by what stable did before this window. */
function boundaryFor(
  { thresholdSeconds }: LatencyMetric,
  basis: Histogram | undefined,
  stable: Histogram,
): number | undefined {
  if (thresholdSeconds !== undefined) return nearestBound(thresholdSeconds, basis ?? stable);
  if (!basis || requestsIn(basis) < enoughForBoundary) return undefined;
  return boundsAt(basis, slowPart)[0];
}

function nearestBound(seconds: number, histogram: Histogram): number | undefined {
  const growth = growthFactor(histogram);
  if (growth !== undefined) return nearestOnGrid(seconds, growth);
  const finite = histogram.upperBounds.filter((bound) => bound > 0 && bound < Infinity);
  const distance = (bound: number) => Math.abs(Math.log(bound / seconds));
  return finite.toSorted((one, other) => distance(one) - distance(other))[0];
}

function slowIn(seen: LatencyWindow, boundary: number | undefined, lengthMs: number): CountWindow | undefined {
  if (boundary === undefined) return undefined;
  const counts = [seen.canary, seen.stable, ...seen.canaryGroups].map((histogram) => {
    const errors = slowerThan(histogram, boundary);
    return errors === undefined ? undefined : { requests: requestsIn(histogram), errors };
  });
  const [canary, stable, ...canaryGroups] = counts.filter((one) => one !== undefined);
  if (!canary || !stable || canaryGroups.length < seen.canaryGroups.length) return undefined;
  return { lengthMs, canary, stable, canaryGroups };
}
