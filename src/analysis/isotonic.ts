// Owns the nearest non-decreasing sequence. It knows nothing of what the numbers mean.

/**
 * Weighted isotonic regression by pooling adjacent violators (Ayer et al. 1955): of all non-decreasing sequences the one
 * with the least Σ weight · (value − result)². Weights are above 0.
 */
export function nonDecreasing(values: readonly number[], weights: readonly number[]): number[] {
  const means: number[] = [];
  const masses: number[] = [];
  const sizes: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    let [mean, mass, size] = [values[index] ?? 0, weights[index] ?? 0, 1];
    while ((means.at(-1) ?? -Infinity) > mean) {
      const [before = 0, beforeMass = 0] = [means.pop(), masses.pop()];
      mean = (before * beforeMass + mean * mass) / (beforeMass + mass);
      mass += beforeMass;
      size += sizes.pop() ?? 0;
    }
    means.push(mean);
    masses.push(mass);
    sizes.push(size);
  }
  return means.flatMap((mean, pool) => Array.from({ length: sizes[pool] ?? 0 }, () => mean));
}
