// Owns the bankroll of a set of bets: how windows multiply into evidence that is valid at every moment. It does not
// know what the bets are about.

/**
 * A test martingale over several bets and some cash. `logShares` is how the wealth is spread (cash first; sums to 1),
 * `logEvidence` the wealth itself with each window's growth capped, `logUncapped` without that cap but with a ceiling.
 */
export interface Wealth {
  readonly logShares: readonly number[];
  readonly logEvidence: number;
  readonly logUncapped: number;
}

/** Bounds that make evidence smaller; an e-value made smaller is still one, so they cost nothing but time. */
export interface Limits {
  /** The most that one window may add to `logEvidence`: with a third of the goal, three windows are needed. */
  readonly logWindowCap: number;
  /** `logUncapped` never rises above this, so that a single outburst can be lived down. */
  readonly logCeiling: number;
}

export const unlimited: Limits = { logWindowCap: Infinity, logCeiling: Infinity };

/** Part of the wealth that is never bet: it keeps the evidence from sinking to nothing while all is well. */
const cash = 0.2;

/** Part of the wealth that returns to the opening bets in a quarter of a minute: it finds a regression that starts late. */
const returned = { fraction: 0.01, perMs: 15_000 };

/** A gap in the samples counts as at most this much time. */
const longestWindowMs = 300_000;

/** Comparisons of logarithms forgive this much: three times a third of ln 1000 is below ln 1000 in floating point. */
export const slack = 1e-9;

export function openWealth(bets: number): Wealth {
  return { logShares: openingShares(bets), logEvidence: 0, logUncapped: 0 };
}

/** What is left of the wealth after one window, given each bet's log factor, in the order of the opening. */
export function afterWindow(
  wealth: Wealth,
  logFactors: readonly number[],
  lengthMs: number,
  { logWindowCap, logCeiling }: Limits,
): Wealth {
  const spread = returnSome(wealth.logShares, lengthMs);
  const grown = spread.map((logShare, bet) => (bet === 0 ? logShare : logShare + (logFactors[bet - 1] ?? 0)));
  const logGrowth = logSum(grown);
  return {
    logShares: grown.map((logShare) => logShare - logGrowth),
    logEvidence: wealth.logEvidence + Math.min(logGrowth, logWindowCap),
    logUncapped: Math.min(wealth.logUncapped + logGrowth, logCeiling),
  };
}

/** ln Σ exp(x), summed in order, so that a replay gives the same bits. */
export function logSum(logs: readonly number[]): number {
  const largest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}

/** ln of the average of exp(x): how independent views of one question are combined. */
export function logMean(logs: readonly number[]): number {
  return logSum(logs) - Math.log(logs.length);
}

/** `count` numbers from `first` to `last`, in equal ratios. */
export function logSpaced(first: number, last: number, count: number): readonly number[] {
  const ratio = Math.log(last / first) / (count - 1);
  return Array.from({ length: count }, (_, index) => first * Math.exp(ratio * index));
}

function openingShares(bets: number): readonly number[] {
  const each = Math.log((1 - cash) / bets);
  return [Math.log(cash), ...Array.from({ length: bets }, () => each)];
}

function returnSome(logShares: readonly number[], lengthMs: number): readonly number[] {
  const boundedMs = Math.min(Math.max(lengthMs, 0), longestWindowMs);
  const logKept = (boundedMs / returned.perMs) * Math.log1p(-returned.fraction);
  const logReturned = Math.log(-Math.expm1(logKept));
  const opening = openingShares(logShares.length - 1);
  return logShares.map((logShare, bet) => logSum([logShare + logKept, (opening[bet] ?? -Infinity) + logReturned]));
}
