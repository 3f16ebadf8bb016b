/**
 * Our re-implementation, from its public documentation, of how Argo Rollouts decides; it is not that program. A measurement
 * every minute over the last minute succeeds while at least 99 % of the canary's answers do (or, for latency, while the 99th
 * percentile is at most 500 ms, just above what it usually is here). The run fails once more measurements failed than
 * `failureLimit`, whose default is 0. A minute without requests gives NaN, which the documentation advises to let pass.
 */
import { byInterval, type Interval, quantileOf } from './minutes.ts';
import type { Rule } from './rule.ts';

const intervalMs = 60_000;
const leastSuccess = 0.99;
const mostSeconds = 0.5;

export function argoRollouts(failureLimit: number): Rule {
  return failing(`argo-${failureLimit}`, `Argo Rollouts, failureLimit ${failureLimit}`, failureLimit, ({ canary }) => {
    return canary.requests > 0 && 1 - canary.errors / canary.requests < leastSuccess;
  });
}

export function argoLatency(failureLimit: number): Rule {
  const name = `argo-latency-${failureLimit}`;
  const label = `Argo Rollouts, p99 ≤ 500 ms, failureLimit ${failureLimit}`;
  // Not a number is never above anything.
  return failing(name, label, failureLimit, ({ durations }) =>
    durations === undefined ? false : quantileOf(durations.canary, 0.99) > mostSeconds,
  );
}

function failing(name: string, label: string, failureLimit: number, isFailed: (interval: Interval) => boolean): Rule {
  return {
    name,
    label,
    open() {
      const measured = byInterval(intervalMs);
      let failed = 0;
      return (window) => {
        const minute = measured(window);
        if (minute !== undefined && isFailed(minute)) failed += 1;
        return failed > failureLimit ? 'back' : 'none';
      };
    },
  };
}
