// Owns the bankroll of a set of bets: how windows multiply into evidence that is valid at every moment. It does not
// know what the bets are about.

/**
 * A test martingale over several bets and some cash. `shares` is how the wealth is spread, in proportion, cash first; they
 * are of single precision, so that they can be written down briefly, and what rounding does to them is one more way to spread
 * the wealth before the next window. `logEvidence` is the wealth itself with each window's growth capped, `logUncapped`
 * without that cap, for the brake: two windows are enough for it, and an overwhelming one, and it has a ceiling.
 */
export interface Wealth {
  readonly shares: readonly number[];
  readonly logEvidence: number;
  readonly logUncapped: number;
  /** The largest growth of one window in `logEvidence`, at least 0: how much would be missing without that window. */
  readonly logStrongest: number;
}

/** Bounds that make evidence smaller; an e-value made smaller is still one, so they cost nothing but time. */
export interface Limits {
  /** The most that one window may add to `logEvidence`: with a third of the goal, three windows are needed. */
  readonly logWindowCap: number;
  /** What the brake needs: `logUncapped` grows as `forBrake` says. */
  readonly logBrakeGoal: number;
  /** `logUncapped` never rises above this, so that a single outburst can be lived down. */
  readonly logCeiling: number;
}

export const unlimited: Limits = { logWindowCap: Infinity, logBrakeGoal: Infinity, logCeiling: Infinity };

// Bound here because a look-up of a global costs more than the logarithm in some hosts.
const { exp, expm1, fround, log, log1p, max, min } = Math;

/** Part of the wealth that is never bet: it keeps the evidence from sinking to nothing while all is well. */
const cash = 0.2;

/** Part of the wealth that returns to the opening bets in a quarter of a minute: it finds a regression that starts late. */
const returned = { fraction: 0.01, perMs: 15_000 };

/** A gap in the samples counts as at most this much time. */
const longestWindowMs = 300_000;

/** Comparisons of logarithms forgive this much: three times a third of ln 1000 is below ln 1000 in floating point. */
export const slack = 1e-9;

/** A bet that has lost everything is worth this much, so that every number stays finite. */
const smallestShare = 1e-30;

export function openWealth(bets: number): Wealth {
  const each = (1 - cash) / bets;
  const shares = Array.from({ length: bets + 1 }, (_, bet) => fround(bet === 0 ? cash : each));
  return { shares, logEvidence: 0, logUncapped: 0, logStrongest: 0 };
}

/** What is left of the wealth after one window, given each bet's log factor, in the order of the opening. */
export function afterWindow(
  wealth: Wealth,
  logFactors: readonly number[],
  lengthMs: number,
  { logWindowCap, logBrakeGoal, logCeiling }: Limits,
): Wealth {
  const before = wealth.shares;
  const bets = before.length - 1;
  const logKept = (min(max(lengthMs, 0), longestWindowMs) / returned.perMs) * log1p(-returned.fraction);
  let whole = 0;
  for (const share of before) whole += share;
  const kept = exp(logKept) / whole;
  const back = -expm1(logKept);
  const toEach = (back * (1 - cash)) / bets + smallestShare;
  let largest = 0;
  for (let bet = 0; bet < bets; bet += 1) largest = max(largest, logFactors[bet] ?? 0);
  const grown = [(kept * (before[0] ?? 0) + back * cash + smallestShare) * exp(-largest)];
  let sum = grown[0] ?? 0;
  for (let bet = 1; bet <= bets; bet += 1) {
    const worth = (kept * (before[bet] ?? 0) + toEach) * exp((logFactors[bet - 1] ?? 0) - largest);
    grown.push(worth);
    sum += worth;
  }
  const logGrowth = largest + log(sum);
  for (let bet = 0; bet <= bets; bet += 1) grown[bet] = fround((grown[bet] ?? 0) / sum);
  const logCapped = min(logGrowth, logWindowCap);
  return {
    shares: grown,
    logEvidence: wealth.logEvidence + logCapped,
    logStrongest: max(wealth.logStrongest, logCapped),
    logUncapped: min(wealth.logUncapped + forBrake(logGrowth, logBrakeGoal), logCeiling),
  };
}

/** One window is worth two thirds of what the brake needs, so that a single clump of errors does not reach it, … */
const partOfBrake = 2 / 3;
/** … unless its logarithm is twice that, 10,000 to one where 100 are needed: then there is no time to lose. */
const overwhelming = 2;

/** What a window counts for the brake. Never more than it says, so that what is evidence stays evidence. */
export function forBrake(logGrowth: number, logGoal: number): number {
  return logGrowth >= overwhelming * logGoal ? logGrowth : min(logGrowth, partOfBrake * logGoal);
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
