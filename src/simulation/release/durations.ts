/**
 * Owns how long simulated requests take: log-normal, 99 % of them within four times the median, counted in the buckets of a
 * native histogram (eight to every doubling).
 */
import { type Dice, poisson } from '../../analysis/dice.ts';
import type { Histogram } from '../../analysis/histogram.ts';

/** A part of the requests takes so many times as long, or so much longer. */
export interface Slowness {
  /** From 0 to 1. */
  readonly share: number;
  readonly factor: number;
  readonly addedSeconds: number;
}

/** Nothing is slower. */
export const usualSpeed: Slowness = { share: 0, factor: 1, addedSeconds: 0 };

const spread = 0.6;
const perDoubling = 8;
/** From a millisecond to half a minute. */
const [lowest, highest] = [-10 * perDoubling, 5 * perDoubling];

const upperBounds: readonly number[] = [
  ...Array.from({ length: highest - lowest + 1 }, (_, at) => 2 ** ((lowest + at) / perDoubling)),
  Infinity,
];

/** The probability of each bucket. */
export type Law = readonly number[];

const laws = new Map<string, Law>();

/** Half of the usual requests take at most `medianSeconds`. */
export function lawOf({ share, factor, addedSeconds }: Slowness, medianSeconds: number): Law {
  const key = `${share}/${factor}/${addedSeconds}/${medianSeconds}`;
  const known = laws.get(key);
  if (known) return known;
  const within = (seconds: number): number =>
    (1 - share) * usualWithin(seconds / medianSeconds) +
    share * usualWithin((seconds - addedSeconds) / factor / medianSeconds);
  const law = upperBounds.map((bound, at) => within(bound) - (at === 0 ? 0 : within(upperBounds[at - 1] ?? 0)));
  laws.set(key, law);
  return law;
}

/** `part` of the second. */
export function mixed(one: Law, other: Law, part: number): Law {
  return part === 0 ? one : one.map((probability, at) => (1 - part) * probability + part * (other[at] ?? 0));
}

/** So many requests on average, each bucket by itself: together they are as many as a stream of requests has. */
export function drawnFrom(dice: Dice, law: Law, mean: number): Histogram {
  return { upperBounds, counts: law.map((probability) => poisson(dice, mean * probability)) };
}

function usualWithin(medians: number): number {
  if (medians <= 0) return 0;
  return medians === Infinity ? 1 : normalBelow(Math.log(medians) / spread);
}

/** The normal distribution function by the series of Marsaglia (2004). */
function normalBelow(x: number): number {
  if (x < -8) return 0;
  if (x > 8) return 1;
  let [sum, term] = [x, x];
  for (let index = 3; Math.abs(term) > 1e-17; index += 2) {
    term = (term * x * x) / index;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x - 0.918_938_533_204_672_7);
}
