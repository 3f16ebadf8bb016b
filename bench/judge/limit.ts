/**
 * Owns the physical limit: no test that is wrong with probability α at most can answer earlier on average (Wald 1945; for a
 * change at an unknown time Lorden 1971 has the same form). It depends on the world alone and on no rule.
 */

import { lawOf, usualSpeed } from '../../src/simulation/release/durations.ts';
import { canaryRate, type Scenario } from './scenario.ts';
import { medianSeconds } from './worlds.ts';

/** The limit of a scenario in seconds. `alpha`: the false alarms that are allowed. */
export function limitOf(scenario: Scenario, alpha: number): number {
  const { perSecond, weight, stableRate, slowness } = scenario;
  const [canary, stable] = slowness
    ? [lawOf(slowness, medianSeconds), lawOf(usualSpeed, medianSeconds)]
    : [failing(canaryRate(scenario)), failing(stableRate)];
  return limitSeconds(canary, stable, weight, perSecond * weight, alpha);
}

/** How requests of one version turn out: the probability of each outcome; both versions list the same outcomes. */
type Law = readonly number[];

/**
 * Seconds, on average, until `canaryPerSecond` requests can prove that `canary` is worse than `stable`, of which `weight` (0
 * to 1) of all requests go to the canary: ln(1/α) / (R·w·I), where I = KL(c‖m) + ((1−w)/w)·KL(s‖m) is what one canary request
 * tells at most against the mixture m = w·c + (1−w)·s, the closest world in which nothing is wrong.
 */
export function limitSeconds(canary: Law, stable: Law, weight: number, canaryPerSecond: number, alpha: number): number {
  return Math.log(1 / alpha) / (canaryPerSecond * informationOf(canary, stable, weight));
}

/** The two outcomes of a request that fails with this probability. */
function failing(rate: number): Law {
  return [rate, 1 - rate];
}

function informationOf(canary: Law, stable: Law, weight: number): number {
  const mixture = canary.map((probability, outcome) => weight * probability + (1 - weight) * (stable[outcome] ?? 0));
  return divergence(canary, mixture) + ((1 - weight) / weight) * divergence(stable, mixture);
}

/** Kullback and Leibler's, in natural units. */
function divergence(law: Law, from: Law): number {
  return law.reduce(
    (sum, probability, outcome) =>
      sum + (probability > 0 ? probability * Math.log(probability / (from[outcome] ?? 0)) : 0),
    0,
  );
}
