// Decides how much a counter grew between two moments, from raw samples alone: first per series, the sum is the
// caller's. It never extrapolates, and never counts a sample twice.
import type { Sample } from './series.ts';

/** Decides whether a series' first sample counts in full, or is only where counting begins. */
export type IsBorn = (firstAtMs: number) => boolean;

/**
 * Growth of one series after `afterMs` (exclusive) up to `untilMs` (inclusive), from samples in order. A value below
 * the one before is a restart from zero. A sample at or before `afterMs` is where counting begins; without one the
 * first sample counts in full if the series was born there, because an error's series begins with the first error.
 */
export function growth(samples: readonly Sample[], afterMs: number, untilMs: number, isBorn: IsBorn): number {
  let previous: number | undefined;
  let grown = 0;
  for (const { atMs, value } of samples) {
    if (atMs > untilMs) break;
    if (atMs > afterMs) grown += step(previous, value, () => isBorn(atMs));
    previous = value;
  }
  return grown;
}

/**
 * Whether the series was not there at the scrape before its first sample. If that scrape is more than three intervals
 * older, nobody knows when the series began: then only later growth counts.
 */
export function isNewSince(scrapesMs: readonly number[], firstAtMs: number, intervalMs: number): boolean {
  const before = scrapesMs.findLast((atMs) => atMs < firstAtMs);
  return before !== undefined && firstAtMs - before <= 3 * intervalMs;
}

function step(previous: number | undefined, value: number, isBorn: () => boolean): number {
  if (previous === undefined) return isBorn() ? value : 0;
  return value < previous ? value : value - previous;
}
