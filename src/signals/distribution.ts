// Owns the counts of requests by how long they took, as the scrapes of one series showed them, and how they grew. It keeps
// to the boundaries that every series has in common: a request is never moved to a bucket that it was not counted in.
import type { IsBorn } from './increments.ts';
import type { Arm } from './presets/preset.ts';

/** One histogram of one target: all buckets of one set of labels. */
export interface Distribution {
  readonly arm: Arm;
  /** Seconds, ascending; the last is Infinity. */
  readonly upperBounds: readonly number[];
  /** In order of time. */
  readonly readings: readonly Reading[];
  /**
   * Each bucket only grows between restarts. Classic buckets are written one after the other, so a scrape in the middle may
   * show one that seems to shrink; what is below a boundary grows in them too.
   */
  readonly isExact: boolean;
}

interface Reading {
  readonly atMs: number;
  /** For each boundary, how many requests took at most that long. */
  readonly upTo: readonly number[];
}

/** The boundaries that all of them have; empty when they have no more than Infinity in common. */
export function commonBounds(all: readonly Distribution[]): readonly number[] {
  const [first, ...others] = all.map(({ upperBounds }) => upperBounds);
  if (!first) return [];
  // Hundreds of series have the same few sets of boundaries.
  const different = new Map(others.map((bounds) => [bounds.join(' '), bounds]));
  const sets = [...different.values()].map((bounds) => new Set(bounds));
  const common = first.filter((bound) => sets.every((bounds) => bounds.has(bound)));
  return common.length > 1 ? thinned(common) : [];
}

/** More than anybody needs to tell two versions apart; what exposes thousands of them must not fill memory and status. */
const mostBounds = 200;

/** Every nth of them, and the last. */
export function thinned(bounds: readonly number[]): readonly number[] {
  const every = Math.ceil(bounds.length / mostBounds);
  return every <= 1 ? bounds : bounds.filter((_, index) => (bounds.length - 1 - index) % every === 0);
}

/** The same requests by fewer boundaries. */
export function atBounds(distribution: Distribution, upperBounds: readonly number[]): Distribution {
  const { upperBounds: own } = distribution;
  if (own === upperBounds || own.length === upperBounds.length) return { ...distribution, upperBounds };
  const kept = upperBounds.map((bound) => own.indexOf(bound));
  return {
    ...distribution,
    upperBounds,
    readings: distribution.readings.map(({ atMs, upTo }) => ({ atMs, upTo: kept.map((index) => upTo[index] ?? 0) })),
  };
}

/**
 * New requests in each bucket, after `afterMs` (exclusive) up to `untilMs` (inclusive). As for counters: what is at or before
 * `afterMs` is where counting begins, without one the first reading counts in full if the series was born there, and after a
 * restart everything counts.
 */
export function grownBuckets(
  { readings, upperBounds, isExact }: Distribution,
  afterMs: number,
  untilMs: number,
  isBorn: IsBorn,
): readonly number[] {
  let grown: readonly number[] = upperBounds.map(() => 0);
  let previous: readonly number[] | undefined;
  for (const { atMs, upTo } of readings) {
    if (atMs > untilMs) break;
    const from = previous ?? (isBorn(atMs) ? upTo.map(() => 0) : upTo);
    if (atMs > afterMs) grown = sum(grown, inEach(isRestart(from, upTo, isExact) ? upTo : minus(upTo, from)));
    previous = upTo;
  }
  return grown;
}

export function sum(one: readonly number[], other: readonly number[]): readonly number[] {
  return one.map((count, index) => count + (other[index] ?? 0));
}

function isRestart(before: readonly number[], now: readonly number[], isExact: boolean): boolean {
  const [from, to] = isExact ? [inEach(before), inEach(now)] : [before, now];
  return to.some((count, index) => count < (from[index] ?? 0));
}

/** From "at most this long" to "in this bucket". */
function inEach(upTo: readonly number[]): readonly number[] {
  return upTo.map((count, index) => Math.max(0, count - (upTo[index - 1] ?? 0)));
}

function minus(one: readonly number[], other: readonly number[]): readonly number[] {
  return one.map((count, index) => count - (other[index] ?? 0));
}
