// Owns how fast any judge at all could be: the least that has to be seen before a verdict of a given certainty is possible.
// It is a yardstick for people, and no verdict rests on it.
import type { Margin } from './errors.ts';

/** What is true of both versions while one waits. */
export interface Rates {
  /** Requests a second. */
  readonly canaryPerSecond: number;
  readonly stablePerSecond: number;
  /** Bad requests as a fraction of all. */
  readonly canaryRate: number;
  readonly stableRate: number;
}

const halvings = 100;

/**
 * Seconds that a test needs at the least, on average, to reach odds of `logOdds` against "canary rate ≤ ratio × stable rate
 * + excess", if it is to be wrong once in so many: logOdds / information per second. The information is the least over all
 * healthy worlds p of Nc · KL(pc ‖ ratio · p + excess) + Ns · KL(ps ‖ p) (Wald 1947 for tests that may stop at any time;
 * Lorden 1971 for a change at an unknown time). Infinity when the canary is within the margin.
 */
export function limitSeconds(rates: Rates, margin: Margin, logOdds: number): number {
  const { canaryPerSecond, stablePerSecond, canaryRate, stableRate } = rates;
  if (canaryRate <= margin.ratio * stableRate + margin.excess) return Infinity;
  const perSecond = (healthyRate: number) =>
    canaryPerSecond * divergence(canaryRate, margin.ratio * healthyRate + margin.excess) +
    stablePerSecond * divergence(stableRate, healthyRate);
  return logOdds / leastOf(perSecond, (canaryRate - margin.excess) / margin.ratio, stableRate);
}

/** The same for the shapes of two histograms with one set of buckets, each given as parts of 1: canary as stable is the null. */
export function shapeLimitSeconds(
  canary: readonly number[],
  stable: readonly number[],
  { canaryPerSecond, stablePerSecond }: Pick<Rates, 'canaryPerSecond' | 'stablePerSecond'>,
  logOdds: number,
): number {
  const weight = canaryPerSecond / (canaryPerSecond + stablePerSecond);
  let perSecond = 0;
  for (let bucket = 0; bucket < canary.length; bucket += 1) {
    const [ofCanary = 0, ofStable = 0] = [canary[bucket], stable[bucket]];
    const common = weight * ofCanary + (1 - weight) * ofStable;
    perSecond += canaryPerSecond * part(ofCanary, common) + stablePerSecond * part(ofStable, common);
  }
  return perSecond > 0 ? logOdds / perSecond : Infinity;
}

/** Kullback-Leibler divergence of two chances, in natural logarithms. */
function divergence(actual: number, supposed: number): number {
  return part(actual, supposed) + part(1 - actual, 1 - supposed);
}

function part(actual: number, supposed: number): number {
  if (actual <= 0) return 0;
  return supposed <= 0 ? Infinity : actual * Math.log(actual / supposed);
}

/** Of a convex function between two places. */
function leastOf(value: (at: number) => number, one: number, other: number): number {
  let [low, high] = [Math.min(one, other), Math.max(one, other)];
  for (let step = 0; step < halvings; step += 1) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (value(left) <= value(right)) high = right;
    else low = left;
  }
  return Math.min(value(low), value((low + high) / 2), value(high));
}
