/** Owns what may be said of a probability after counting: exact bounds (Clopper and Pearson 1934), by halving. */

/** The largest probability under which so few of `trials` would still be seen with a chance of 5 %: the upper 95 % bound. */
export function upperBound(events: number, trials: number): number {
  if (events >= trials) return 1;
  let [low, high] = [events / trials, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (atMost(events, trials, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X ≤ events) for X binomial. The largest term first, so that nothing underflows where it matters. */
function atMost(events: number, trials: number, probability: number): number {
  if (probability <= 0) return 1;
  if (probability >= 1) return 0;
  const odds = Math.log(probability) - Math.log1p(-probability);
  let logTerm = trials * Math.log1p(-probability);
  let logSum = logTerm;
  for (let count = 1; count <= events; count += 1) {
    logTerm += Math.log(trials - count + 1) - Math.log(count) + odds;
    logSum = Math.max(logSum, logTerm) + Math.log1p(Math.exp(-Math.abs(logSum - logTerm)));
  }
  return Math.exp(logSum);
}

/** Of sorted numbers, the smallest that a part of them does not exceed. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const place = Math.max(0, Math.ceil(part * sorted.length) - 1);
  return sorted[place] ?? Number.NaN;
}

export function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length);
}
