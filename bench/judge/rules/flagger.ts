/**
 * Our re-implementation, from its public documentation, of how Flagger decides with its built-in metrics; it is not that
 * program. Each interval of a minute the success rate of the canary over the last minute must be at least 99 % (or, for
 * request-duration, the 99th percentile at most 500 ms); a minute without requests fails too. When `threshold` checks have
 * failed, the next tick rolls back.
 */
import { byInterval, type Interval, quantileOf } from './minutes.ts';
import type { Rule } from './rule.ts';

const intervalMs = 60_000;
const leastSuccess = 0.99;
const mostSeconds = 0.5;

export function flagger(threshold: number): Rule {
  return failing(`flagger-${threshold}`, `Flagger, threshold ${threshold}`, threshold, ({ canary }) => {
    return canary.requests > 0 && 1 - canary.errors / canary.requests >= leastSuccess;
  });
}

export function flaggerLatency(threshold: number): Rule {
  const label = `Flagger, request-duration ≤ 500 ms, threshold ${threshold}`;
  return failing(`flagger-latency-${threshold}`, label, threshold, ({ durations }) =>
    durations === undefined ? false : quantileOf(durations.canary, 0.99) <= mostSeconds,
  );
}

function failing(name: string, label: string, threshold: number, isPassed: (interval: Interval) => boolean): Rule {
  return {
    name,
    label,
    open() {
      const measured = byInterval(intervalMs);
      let failed = 0;
      return (window) => {
        const minute = measured(window);
        if (minute === undefined) return 'none';
        if (failed >= threshold) return 'back';
        if (!isPassed(minute)) failed += 1;
        return 'none';
      };
    },
  };
}
