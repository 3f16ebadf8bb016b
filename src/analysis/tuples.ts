// Owns the short history of windows that intervals and rates are read from. Old windows are folded together, so it is
// for display; no verdict rests on it.
import { type ArmCounts, addCounts } from './errors.ts';

/** One window, or several folded into one. */
export interface Tuple extends ArmCounts {
  readonly lengthMs: number;
}

export interface Rates {
  readonly canaryPerSecond: number;
  readonly stablePerSecond: number;
}

const most = 32;
/** The newest windows are never folded: the recent rates are read from them. */
const unfolded = 8;
const recentMs = 15_000;

export function withTuple(tuples: readonly Tuple[], { canary, stable, lengthMs }: Tuple): readonly Tuple[] {
  const all = [...tuples, { canary, stable, lengthMs }];
  return all.length > most ? foldShortest(all) : all;
}

/** Requests a second over the last quarter of a minute. */
export function recentRates(tuples: readonly Tuple[]): Rates {
  let taken: Tuple | undefined;
  for (const tuple of tuples.toReversed()) {
    if (taken && taken.lengthMs >= recentMs * 0.9) break;
    taken = taken ? fold(taken, tuple) : tuple;
  }
  const seconds = (taken?.lengthMs ?? 0) / 1000;
  if (!taken || seconds <= 0) return { canaryPerSecond: 0, stablePerSecond: 0 };
  return {
    canaryPerSecond: taken.canary.requests / seconds,
    stablePerSecond: taken.stable.requests / seconds,
  };
}

function foldShortest(tuples: readonly Tuple[]): readonly Tuple[] {
  let first = 0;
  let shortestMs = Infinity;
  for (let index = 0; index + 1 < tuples.length - unfolded; index += 1) {
    const togetherMs = (tuples[index]?.lengthMs ?? 0) + (tuples[index + 1]?.lengthMs ?? 0);
    if (togetherMs < shortestMs) [first, shortestMs] = [index, togetherMs];
  }
  const [one, other] = tuples.slice(first, first + 2);
  if (!one || !other) return tuples;
  return [...tuples.slice(0, first), fold(one, other), ...tuples.slice(first + 2)];
}

function fold(one: Tuple, other: Tuple): Tuple {
  return {
    lengthMs: one.lengthMs + other.lengthMs,
    canary: addCounts(one.canary, other.canary),
    stable: addCounts(one.stable, other.stable),
  };
}
