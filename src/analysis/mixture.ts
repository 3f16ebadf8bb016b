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

// Bound here because a look-up of a global costs more than the logarithm in some hosts.
const { exp, expm1, log, log1p, max, min } = Math;

/** Part of the wealth that is never bet: it keeps the evidence from sinking to nothing while all is well. */
const cash = 0.2;

/** Part of the wealth that returns to the opening bets in a quarter of a minute: it finds a regression that starts late. */
const returned = { fraction: 0.01, perMs: 15_000 };

/** A gap in the samples counts as at most this much time. */
const longestWindowMs = 300_000;

/** Comparisons of logarithms forgive this much: three times a third of ln 1000 is below ln 1000 in floating point. */
export const slack = 1e-9;

export function openWealth(bets: number): Wealth {
  return { logShares: openingShares(bets).map((share) => log(share)), logEvidence: 0, logUncapped: 0 };
}

/** What is left of the wealth after one window, given each bet's log factor, in the order of the opening. */
export function afterWindow(
  wealth: Wealth,
  logFactors: readonly number[],
  lengthMs: number,
  { logWindowCap, logCeiling }: Limits,
): Wealth {
  const grown = returnSome(wealth.logShares, lengthMs);
  for (let bet = 1; bet < grown.length; bet += 1) grown[bet] = (grown[bet] ?? 0) + (logFactors[bet - 1] ?? 0);
  const logGrowth = logSum(grown);
  return {
    logShares: grown.map((logShare) => logShare - logGrowth),
    logEvidence: wealth.logEvidence + min(logGrowth, logWindowCap),
    logUncapped: min(wealth.logUncapped + logGrowth, logCeiling),
  };
}

/** ln Σ exp(x), summed in order, so that a replay gives the same bits. */
export function logSum(logs: readonly number[]): number {
  let largest = -Infinity;
  for (const each of logs) largest = max(largest, each);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (const each of logs) sum += exp(each - largest);
  return largest + log(sum);
}

/** ln of the average of exp(x): how independent views of one question are combined. */
export function logMean(logs: readonly number[]): number {
  return logSum(logs) - log(logs.length);
}

/** `count` numbers from `first` to `last`, in equal ratios. */
export function logSpaced(first: number, last: number, count: number): readonly number[] {
  const ratio = log(last / first) / (count - 1);
  return Array.from({ length: count }, (_, index) => first * exp(ratio * index));
}

function openingShares(bets: number): readonly number[] {
  return [cash, ...Array.from({ length: bets }, () => (1 - cash) / bets)];
}

/** A bet that has lost everything is worth this much, so that every number stays finite. */
const smallestShare = 1e-300;

function returnSome(logShares: readonly number[], lengthMs: number): number[] {
  const boundedMs = min(max(lengthMs, 0), longestWindowMs);
  const logKept = (boundedMs / returned.perMs) * log1p(-returned.fraction);
  const kept = exp(logKept);
  const back = -expm1(logKept);
  const toEach = (back * (1 - cash)) / (logShares.length - 1);
  const returnedTo = (bet: number) => (bet === 0 ? back * cash : toEach);
  return logShares.map((logShare, bet) => log(kept * exp(logShare) + returnedTo(bet) + smallestShare));
}
