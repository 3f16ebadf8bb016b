// Owns the e-value of one window of requests: how much one window speaks for or against the canary. It never looks
// back: what earlier windows said is the mixture's business.

/** Requests and how many of them failed, in one window or in total. */
export interface Counts {
  readonly requests: number;
  readonly errors: number;
}

/** The same stretch of time, seen in both versions. */
export interface ArmCounts {
  readonly canary: Counts;
  readonly stable: Counts;
}

/** A line through the plane of error rates: canary rate = ratio × stable rate + excess. */
export interface Margin {
  /** At least 1. */
  readonly ratio: number;
  /** Additional error rate, as a fraction of requests: 0.0001 is 0.01pp. */
  readonly excess: number;
}

export const noCounts: Counts = { requests: 0, errors: 0 };

// Bound here because a look-up of a global costs more than the logarithm in some hosts.
const { log } = Math;

/**
 * The logarithm of a window's e-value for one bet. With `tilt > ratio` it bets on harm, and its expected value is at
 * most 1 while canary rate ≤ ratio × stable rate + excess; with `tilt < ratio` it bets on health, and its expected
 * value is at most 1 while canary rate ≥ that line. Both hold for any stable rate, also a moving one, and for any
 * split of the traffic, because the stakes come from this window's own exposures:
 * ratio · Nc · (a − 1) = Ns · (1 − b), so whatever the stable rate adds on one side it takes on the other.
 * Without requests in both versions a window says nothing.
 */
export function logWindowEvidence(seen: ArmCounts, margin: Margin, tilt: number): number {
  const { canary, stable } = seen;
  if (canary.requests <= 0 || stable.requests <= 0) return 0;
  const perStableError =
    (margin.ratio * canary.requests + stable.requests) / (tilt * canary.requests + stable.requests);
  const perCanaryError = (tilt / margin.ratio) * perStableError;
  return (
    canary.errors * log(perCanaryError) +
    stable.errors * log(perStableError) -
    margin.excess * canary.requests * (perCanaryError - 1)
  );
}

/**
 * The same bet when no request reaches stable and its error rate is taken as known (the bake): the limit of many
 * stable requests that fail at exactly `stableRate`.
 */
export function logLoneEvidence(canary: Counts, stableRate: number, margin: Margin, tilt: number): number {
  const perError = tilt / margin.ratio;
  const lineRate = margin.ratio * stableRate + margin.excess;
  return canary.errors * log(perError) - canary.requests * lineRate * (perError - 1);
}

export function addCounts(one: Counts, other: Counts): Counts {
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}

/** What remains of `whole` without `part`; never below nothing. */
export function withoutCounts(whole: Counts, part: Counts): Counts {
  return {
    requests: Math.max(0, whole.requests - part.requests),
    errors: Math.max(0, whole.errors - part.errors),
  };
}

/** Failed requests as a fraction of all; 0 when there were none. */
export function rate(counts: Counts): number {
  return counts.requests > 0 ? counts.errors / counts.requests : 0;
}
