/** Owns the requests of a simulated release: how many reach each version in a stretch of time, and which of them fail or take long. */
import { type Dice, binomial, poisson } from '../../analysis/dice.ts';
import { type Counts, addCounts, noCounts } from '../../analysis/errors.ts';
import { type Histogram, addHistograms, requestsIn } from '../../analysis/histogram.ts';
import { drawnFrom, type Law, lawOf, mixed, type Slowness, usualSpeed } from './durations.ts';
import { type Coverage, incidentIn, type Span, spellsOf, swing } from './noise.ts';
import type { Scenario } from './scenario.ts';

/** Requests, those that failed, and how long they took where it is measured. */
export interface Served extends Counts {
  readonly durations?: Histogram;
}

export interface Arrived {
  /** By group of pods, at most four. */
  readonly canary: readonly Served[];
  readonly stable: Served;
}

export const noneServed: Served = noCounts;

export function served(one: Served, other: Served): Served {
  const durations =
    one.durations && other.durations
      ? addHistograms(one.durations, other.durations)
      : (one.durations ?? other.durations);
  return { ...addCounts(one, other), ...(durations ? { durations } : {}) };
}

export type Arrivals = (span: Span, share: number, canaryPods: number, isBad: boolean) => Arrived;

/** What trouble adds, as fractions of requests, and how errors clump. */
const added = { incident: 0.05, spell: 0.1, lemon: 0.05, lemonShare: 0.03, clumpMean: 5 };
const mostGroups = 4;
/** Beyond this time nothing new goes wrong. */
const troubledMinutes = 24 * 60;

/** `share`: of the requests, from 0 to 1, that go to the new version; it fails more only while it `isBad`. */
export function arrivalsOf(scenario: Scenario, dice: Dice): Arrivals {
  const incident = scenario.noise === 'incidents' ? incidentIn(dice, troubledMinutes) : () => 0;
  const own = podTrouble(scenario, dice);
  const drawn = (mean: number, rate: number, law: Law | undefined): Served => {
    const durations = law && drawnFrom(dice, law, mean);
    const requests = durations ? requestsIn(durations) : poisson(dice, mean);
    const errors = failed(scenario, dice, requests, Math.min(1, rate));
    return { requests, errors, ...(durations ? { durations } : {}) };
  };
  const lawFor = (slowness: Slowness, trouble: number): Law | undefined =>
    scenario.latency && speedOf(slowness, scenario.latency.medianSeconds, trouble);
  return (span, share, canaryPods, isBad) => {
    const factor = scenario.noise === 'swing' ? swing((span.fromMs + span.toMs) / 2) : 1;
    const requests = (scenario.perSecond * factor * (span.toMs - span.fromMs)) / 1000;
    const trouble = incident(span);
    const common = added.incident * trouble;
    const canaryRate = (isBad ? scenario.canaryRate : scenario.stableRate) * factor + common;
    const eachMean = (requests * share) / Math.max(1, canaryPods);
    const law = lawFor((isBad ? scenario.latency?.slowness : undefined) ?? usualSpeed, trouble);
    const groups: Served[] = [];
    const serving = share > 0 ? canaryPods : 0;
    for (let pod = 0; pod < serving; pod += 1) {
      const group = pod % mostGroups;
      const one = drawn(eachMean, canaryRate + own(scenario.pods + pod, span), law);
      groups[group] = served(groups[group] ?? noneServed, one);
    }
    const stableRate = scenario.stableRate * factor + common + meanOver(scenario.pods, (pod) => own(pod, span));
    return { canary: groups, stable: drawn(requests * (1 - share), stableRate, lawFor(usualSpeed, trouble)) };
  };
}

/** An incident makes everything take twice as long. */
function speedOf(slowness: Slowness, medianSeconds: number, incident: number): Law {
  return mixed(lawOf(slowness, medianSeconds), lawOf(slowness, 2 * medianSeconds), incident);
}

/** What each pod adds by itself; the new version's pods are counted after the old one's. */
function podTrouble({ noise, pods }: Scenario, dice: Dice): (pod: number, span: Span) => number {
  const each = <T>(make: () => T): readonly T[] => Array.from({ length: 2 * pods }, make);
  if (noise === 'lemons') {
    const lemons = each(() => dice() < added.lemonShare);
    return (pod) => (lemons[pod] ? added.lemon : 0);
  }
  if (noise !== 'spells') return () => 0;
  const spells: readonly Coverage[] = each(() => spellsOf(dice, troubledMinutes));
  return (pod, span) => added.spell * (spells[pod]?.(span) ?? 0);
}

function failed({ noise }: Scenario, dice: Dice, requests: number, rate: number): number {
  if (noise !== 'clumps' || rate >= 1) return binomial(dice, requests, rate);
  let errors = 0;
  for (let left = poisson(dice, (requests * rate) / added.clumpMean); left > 0; left -= 1)
    errors += 1 + Math.floor(Math.log(1 - dice()) / Math.log1p(-1 / added.clumpMean));
  return Math.min(requests, errors);
}

function meanOver(count: number, value: (index: number) => number): number {
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += value(index);
  return sum / count;
}
