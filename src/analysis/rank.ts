// Owns the evidence that pods give by the order of one value (CPU for a request, memory): whether those of the new version stand
// higher among all of them than chance puts them. It never looks at how far apart values are, so one outlier cannot carry it.
import { type Limits, type Wealth, afterWindow, openWealth } from './mixture.ts';

/** One pod in one block of time. */
export interface RankedPod {
  readonly isCanary: boolean;
  readonly value: number;
}

/** Stakes per step of the order, from a slight lean to a certainty. */
export const rankBets: readonly number[] = [1, 2, 4, 8, 16];

const { exp, log, max } = Math;

export function openRank(): Wealth {
  return openWealth(rankBets.length);
}

/** After one block. What goes back to the opening bets is 2 % of the wealth in a block of half a minute. */
export function rankAfter(wealth: Wealth, pods: readonly RankedPod[], lengthMs: number, limits: Limits): Wealth {
  return afterWindow(wealth, logRankFactors(pods), lengthMs, limits);
}

/** For every bet in turn, the logarithm of what it is worth after the block. */
export function logRankFactors(pods: readonly RankedPod[]): readonly number[] {
  const scores = scoresOf(pods.map(({ value }) => value));
  return rankBets.map((bet) => logRankEvidence(scores, pods, bet));
}

/**
 * The logarithm of one block's e-value for one bet λ. P pods in all, n of them of the new version, mid-ranks r, s = r/P:
 *
 *     e = exp(λ·Σ s over the new version) / average over all ways to choose n of the P pods of exp(λ·Σ s over the chosen)
 *
 * H0: the block's values are those of exchangeable pods, the new version's times one factor of at most 1 (they are divided by what
 * is tolerated before they come here). With the factor 1, given the values without their owners every choice of n pods is as
 * likely as another, so E[e] = 1, whatever the distribution and however much all pods swing together. A smaller factor changes
 * only the order between pods of different versions: each such change takes d from the rank of one new pod and gives it to one
 * old pod. For every choice C', Σ(C') − Σ(new) then rises by d·(1 + [old in C'] − [new in C']) ≥ 0, so the average above, divided
 * by the numerator, rises and e falls. Hence E[e] ≤ 1. The average is the elementary symmetric polynomial of degree n of exp(λ·s),
 * divided by the number of choices. Replacing it by the n-th power of the mean of exp(λ·s) (Hoeffding 1963: drawing with
 * replacement is dominated) is valid too, and for 3 pods of 4 several times slower. Between blocks the product is an e-process as
 * long as each block's pods are exchangeable given the past: a lasting difference between pods of one version is for the caller to see.
 */
export function logRankEvidence(
  scores: readonly number[],
  pods: readonly Pick<RankedPod, 'isCanary'>[],
  bet: number,
): number {
  let chosen = 0;
  let sum = 0;
  pods.forEach(({ isCanary }, index) => {
    if (!isCanary) return;
    chosen += 1;
    sum += scores[index] ?? 0;
  });
  if (chosen === 0 || chosen === pods.length) return 0;
  return bet * sum - logAverageOfChoices(scores, chosen, bet);
}

/** Mid-ranks as parts of the number of pods: equal values share their places, so no chance decides between them. */
function scoresOf(values: readonly number[]): readonly number[] {
  return values.map((value) => {
    let below = 0;
    let equal = 0;
    for (const other of values) {
      if (other < value) below += 1;
      else if (other === value) equal += 1;
    }
    return (below + (equal + 1) / 2) / values.length;
  });
}

/** ln of the average of exp(bet · Σ scores) over all subsets of this size; as averages, so that no binomial overflows. */
function logAverageOfChoices(scores: readonly number[], size: number, bet: number): number {
  const top = scores.reduce((most, score) => max(most, score), 0);
  // averages[k]: over subsets of k of the pods so far. A subset of k of m pods holds the newest with chance k/m.
  const averages = [1, ...Array.from({ length: size }, () => 0)];
  scores.forEach((score, index) => {
    const weight = exp(bet * (score - top));
    for (let k = Math.min(size, index + 1); k >= 1; k -= 1) {
      const isIn = k / (index + 1);
      averages[k] = (1 - isIn) * (averages[k] ?? 0) + isIn * weight * (averages[k - 1] ?? 0);
    }
  });
  return size * bet * top + log(averages[size] ?? 1);
}
