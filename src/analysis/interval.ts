// Owns the valid ranges that people see beside a verdict: which ratios and which extra error rates the windows so far
// are compatible with. They are valid at every moment, like the verdict, and never decide one.
import { type ArmCounts, type Margin, logWindowEvidence } from './errors.ts';
import { afterWindow, logSpaced, openWealth, unlimited } from './mixture.ts';
import type { Tuple } from './tuples.ts';

export interface Range {
  readonly low: number;
  /** Infinity while nothing bounds it. */
  readonly high: number;
}

const bets = 16;
const halvings = 30;

/** The ratios canary rate : stable rate that evidence of `logOdds` does not exclude. `clumping` as in the settings. */
export function ratioRange(tuples: readonly Tuple[], clumping: number, logOdds: number): Range {
  const excluded = (side: Side) => (logRatio: number) =>
    logEvidenceAgainst(tuples, { ratio: Math.exp(logRatio), excess: 0 }, side, clumping) >= logOdds;
  const [least, most] = [Math.log(1e-3), Math.log(1e4)];
  return {
    low: Math.exp(edge(least, most, excluded('harm'), 'below')),
    high: Math.exp(edge(least, most, excluded('health'), 'above')),
  };
}

/**
 * The smallest extra error rate, beyond `ratio` times stable's, that is ruled out with odds of `logOdds`: a fraction
 * of requests, or Infinity while nothing is ruled out.
 */
export function ruledOutExcess(tuples: readonly Tuple[], ratio: number, clumping: number, logOdds: number): number {
  const isExcluded = (logExcess: number) =>
    logEvidenceAgainst(tuples, { ratio, excess: Math.exp(logExcess) }, 'health', clumping) >= logOdds;
  return Math.exp(edge(Math.log(1e-7), 0, isExcluded, 'above'));
}

/** How many more of the canary's requests than of stable's may be bad, as fractions of all: what `logOdds` does not exclude. */
export function excessRange(tuples: readonly Tuple[], clumping: number, logOdds: number): Range {
  const excluded = (side: Side) => (logExcess: number) =>
    logEvidenceAgainst(tuples, { ratio: 1, excess: Math.exp(logExcess) }, side, clumping) >= logOdds;
  const [least, most] = [Math.log(1e-7), 0];
  return {
    low: Math.exp(edge(least, most, excluded('harm'), 'below')),
    high: Math.exp(edge(least, most, excluded('health'), 'above')),
  };
}

type Side = 'harm' | 'health';

function logEvidenceAgainst(windows: readonly Tuple[], margin: Margin, side: Side, clumping: number): number {
  const tilts =
    side === 'harm'
      ? logSpaced(1.15 * margin.ratio, 64 * margin.ratio, bets)
      : logSpaced(0.02 * margin.ratio, 0.9 * margin.ratio, bets);
  const bet = (seen: ArmCounts) => tilts.map((tilt) => logWindowEvidence(seen, margin, tilt) / clumping);
  const wealth = windows.reduce(
    (before, window) => afterWindow(before, bet(window), window.lengthMs, unlimited),
    openWealth(bets),
  );
  return wealth.logEvidence;
}

/**
 * Where exclusion ends. Excluded values lie `below` the edge or `above` it; if nothing is excluded the edge is
 * infinitely far away on that side.
 */
function edge(least: number, most: number, isExcluded: (at: number) => boolean, side: 'below' | 'above'): number {
  const [outermost, innermost] = side === 'below' ? [least, most] : [most, least];
  if (!isExcluded(outermost)) return side === 'below' ? -Infinity : Infinity;
  let [outside, inside] = [outermost, innermost];
  for (let step = 0; step < halvings; step += 1) {
    const middle = (outside + inside) / 2;
    if (isExcluded(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}
