// Decides how restarts are told: they are counted over the time that pods ran, and not over requests.
import type { Counts } from './errors.ts';

/** "3 restarts in 1.2 pod-hours". `errors` are restarts, `requests` seconds of pods. */
export function restartsIn({ requests: seconds, errors }: Counts): string {
  const restarts = Math.round(errors);
  return `${restarts} ${restarts === 1 ? 'restart' : 'restarts'} in ${podTimeWords(seconds)}`;
}

/** Of restarts a second and pod: "one restart of a pod in 5m". */
export function restartRateWords(perPodSecond: number): string {
  return `one restart of a pod in ${perPodSecond > 0 ? timeBetween(1 / perPodSecond) : 'any time'}`;
}

/** How often the new version's pods are restarted, compared with the old one's, in one half of a sentence each. */
export function restartsCompared(canary: Counts, stable: Counts): string {
  const old = stable.requests <= 0 ? 'the old one had no pod to compare with' : `the old one ${restartsIn(stable)}`;
  return `The new version had ${restartsIn(canary)}; ${old}`;
}

function podTimeWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} pod-seconds`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} pod-minutes`;
  return `${Number((seconds / 3_600).toPrecision(2))} pod-hours`;
}

function timeBetween(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)}s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3_600)}h`;
}
