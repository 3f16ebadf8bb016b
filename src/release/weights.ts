/** Turns shares of traffic into pods and back; knows nothing of time or of the cluster. */

const HUNDRED = 100;

/** Pods that are asked for at a weight: at least two, so that one bad pod is told from a bad version; never more than N. */
export function canarySize(weightPercent: number, replicas: number): number {
  return Math.min(replicas, Math.max(2, podsForShare(weightPercent, replicas)));
}

/** The weight that the first pods are made for: checks before it need no more. */
export function firstWeight(steps: readonly { readonly weightPercent: number }[]): number {
  return steps.find((step) => step.weightPercent > 0)?.weightPercent ?? HUNDRED;
}

/** Ready pods that a share of the traffic needs, when N pods carry all of it (S1). With N = 0 no share can be carried: one pod is always missing. */
export function podsForShare(weightPercent: number, replicas: number): number {
  if (weightPercent <= 0) return 0;
  return Math.max(1, Math.min(replicas, Math.ceil((weightPercent * replicas) / HUNDRED - 1e-9)));
}

/** The largest share that so many ready pods may carry; a tenth of a percent is the resolution that people read. */
export function shareOfPods(ready: number, replicas: number): number {
  if (ready <= 0 || replicas <= 0) return 0;
  return Math.min(HUNDRED, Math.floor((ready * 1000) / replicas) / 10);
}

/**
 * Weight under the brake: enough for about two canary requests a second, so that evidence keeps flowing, at least 1
 * percent and at most a fifth of what it was.
 */
export function brakeWeight(weightPercent: number, totalRequestsPerSecond: number): number {
  const forTwoPerSecond = totalRequestsPerSecond > 0 ? (2 * HUNDRED) / totalRequestsPerSecond : weightPercent;
  const wanted = Math.max(1, forTwoPerSecond);
  const ceiling = weightPercent / 5;
  return Math.max(0.01, Math.round(Math.min(wanted, ceiling) * HUNDRED) / HUNDRED);
}

/** "5%", "0.25%" */
export function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}
