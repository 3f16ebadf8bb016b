// Owns the chance of the simulations: a seeded stream of numbers, so that every run of a test sees the same world.

/** Numbers in [0, 1) from a seed (mulberry32). */
export type Dice = () => number;

export function diceFrom(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many events happen when `mean` are expected. */
export function poisson(dice: Dice, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(dice)));
  let product = dice();
  let count = 0;
  for (const limit = Math.exp(-mean); product > limit; count += 1) product *= dice();
  return count;
}

/** How many of `trials` succeed; for rare successes by jumping from one to the next. */
export function binomial(dice: Dice, trials: number, rate: number): number {
  if (rate <= 0 || trials <= 0) return 0;
  if (rate >= 1) return trials;
  if (rate > 0.5) return trials - binomial(dice, trials, 1 - rate);
  const logMiss = Math.log1p(-rate);
  let successes = 0;
  for (let at = jump(dice, logMiss); at <= trials; at += jump(dice, logMiss)) successes += 1;
  return successes;
}

function jump(dice: Dice, logMiss: number): number {
  return 1 + Math.floor(Math.log(1 - dice()) / logMiss);
}

function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice());
}
