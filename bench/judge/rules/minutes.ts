/** Owns the grouping of windows into whole intervals, as rules see the world that ask a query again and again. */
import type { Window } from '../../../src/analysis/engine.ts';
import { type ArmCounts, addCounts, noCounts } from '../../../src/analysis/errors.ts';
import { type Histogram, addHistograms } from '../../../src/analysis/histogram.ts';

export interface Interval extends ArmCounts {
  /** How long the requests took, where it was measured. */
  readonly durations: { readonly canary: Histogram; readonly stable: Histogram } | undefined;
}

const nothing: Interval = { canary: noCounts, stable: noCounts, durations: undefined };

/** Gives what happened in each interval when it is over, else undefined. Windows must not straddle interval ends. */
export function byInterval(intervalMs: number): (window: Window) => Interval | undefined {
  let seen = nothing;
  return ({ canary, stable, latency, endMs }) => {
    const { durations = latency } = seen;
    seen = {
      canary: addCounts(seen.canary, canary),
      stable: addCounts(seen.stable, stable),
      durations:
        latency && seen.durations
          ? {
              canary: addHistograms(seen.durations.canary, latency.canary),
              stable: addHistograms(seen.durations.stable, latency.stable),
            }
          : durations,
    };
    if (endMs % intervalMs !== 0) return undefined;
    const whole = seen;
    seen = nothing;
    return whole;
  };
}

/** As PromQL's histogram_quantile: within a bucket requests are spread evenly. NaN without requests. */
export function quantileOf({ upperBounds, counts }: Histogram, part: number): number {
  const wanted = part * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [at, count] of counts.entries()) {
    const [low, high] = [upperBounds[at - 1] ?? 0, upperBounds[at] ?? Infinity];
    if (count > 0 && below + count >= wanted)
      return high === Infinity ? low : low + ((high - low) * (wanted - below)) / count;
    below += count;
  }
  return Number.NaN;
}

/** Each request in the middle of its bucket. NaN without requests. */
export function meanOf({ upperBounds, counts }: Histogram): number {
  let [sum, all] = [0, 0];
  for (const [at, count] of counts.entries()) {
    const [low, high] = [upperBounds[at - 1] ?? 0, upperBounds[at] ?? Infinity];
    sum += count * (high === Infinity ? low : (low + high) / 2);
    all += count;
  }
  return sum / all;
}
