/**
 * Owns the worlds in which releases are played: how traffic, errors and their noise come about. It knows no rule, and never
 * favours one: a window is drawn before anybody looks at it.
 */
import { type Dice, binomial, poisson } from '../../src/analysis/dice.ts';
import type { Window } from '../../src/analysis/engine.ts';
import type { Counts } from '../../src/analysis/errors.ts';
import { addHistograms, type Histogram } from '../../src/analysis/histogram.ts';
import { drawnFrom, lawOf, mixed, usualSpeed } from '../../src/simulation/release/durations.ts';
import { canaryRate, type Scenario } from './scenario.ts';
import { incidentIn, type Span, spellsOf, swing } from '../../src/simulation/release/noise.ts';

/** Draws the windows of one release in order. `weight` is the canary's part of the traffic in this window, from 0 to 1. */
export type Traffic = (index: number, weight: number) => Window;

/** Errors that come together where the world says that they do: sizes are geometric with this mean. */
const clumpMean = 5;
const lemonShare = 0.03;
const lemonRate = 0.05;
const spellRate = 0.1;
const incidentRate = 0.05;
/** In an incident everything takes twice as long. */
export const medianSeconds = 0.1;

export function trafficOf(scenario: Scenario, dice: Dice): Traffic {
  const { canary, all } = scenario.pods;
  const added = podNoise(scenario, dice);
  const incident = scenario.world === 'incident' ? incidentIn(dice, scenario.minutes) : () => 0;
  return (index, weight) => {
    const span = { fromMs: index * scenario.windowMs, toMs: (index + 1) * scenario.windowMs };
    const factor = scenario.world === 'diurnal' ? swing((span.fromMs + span.toMs) / 2) : 1;
    const trouble = incident(span);
    const isOn = span.fromMs >= scenario.onsetMinutes * 60_000;
    const requests = (scenario.perSecond * factor * scenario.windowMs) / 1000;
    const rate = (pod: number, own: number): number =>
      Math.min(1, own * factor + incidentRate * trouble + added(pod, span));
    const bad = isOn ? canaryRate(scenario) : scenario.stableRate;
    const arm = (mean: number, failing: number, slow: boolean): Drawn =>
      drawn(scenario, dice, { mean, failing, slow: slow && isOn, trouble });
    const groups = range(0, canary).map((pod) => arm((requests * weight) / canary, rate(pod, bad), true));
    const stableRate = isByPod(scenario)
      ? meanOf(range(canary, all).map((pod) => rate(pod, scenario.stableRate)))
      : rate(canary, scenario.stableRate);
    return windowOf(span, scenario, groups, arm(requests * (1 - weight), stableRate, false));
  };
}

/**
 * Draws what each of the old version's pods counts in a span of the hour before. `dice`: the release's, newly begun, so that a
 * bad node is the same; `own`: for all that is chance.
 */
export function podsOf(scenario: Scenario, dice: Dice, own: Dice): (span: Span) => readonly Counts[] {
  const { canary, all } = scenario.pods;
  const added = podNoise({ ...scenario, minutes: 60 }, scenario.world === 'lemon' ? dice : own);
  const incident = scenario.world === 'incident' ? incidentIn(own, 60) : () => 0;
  return (span) => {
    const factor = scenario.world === 'diurnal' ? swing((span.fromMs + span.toMs) / 2) : 1;
    const requests = (scenario.perSecond * factor * (span.toMs - span.fromMs)) / 1000 / (all - canary);
    const usual = scenario.stableRate * factor + incidentRate * incident(span);
    return range(canary, all).map((pod) => {
      const count = poisson(own, requests);
      return { requests: count, errors: failuresIn(scenario.world, own, count, Math.min(1, usual + added(pod, span))) };
    });
  };
}

interface Drawn extends Counts {
  readonly durations: Histogram | undefined;
}

function windowOf(span: Span, { windowMs }: Scenario, groups: readonly Drawn[], stable: Drawn): Window {
  const [first, ...others] = groups.flatMap(({ durations }) => durations ?? []);
  const counts = ({ requests, errors }: Counts): Counts => ({ requests, errors });
  return {
    startMs: span.fromMs,
    endMs: span.toMs,
    lengthMs: windowMs,
    canary: total(groups),
    stable: counts(stable),
    canaryGroups: groups.length > 1 ? groups.map(counts) : [],
    ...(first === undefined || stable.durations === undefined
      ? {}
      : {
          latency: {
            canary: others.reduce(addHistograms, first),
            stable: stable.durations,
            canaryGroups: others.length > 0 ? [first, ...others] : [],
          },
        }),
  };
}

/** Pods differ; else one of them stands for all, which is cheaper and the same. */
function isByPod({ world }: Scenario): boolean {
  return world === 'lemon' || world === 'spells';
}

/** What each pod adds to the error rate by itself, whichever version it runs. */
function podNoise({ world, pods, minutes }: Scenario, dice: Dice): (pod: number, span: Span) => number {
  if (world === 'lemon') {
    const lemons = range(0, pods.all).map(() => dice() < lemonShare);
    return (pod) => (lemons[pod] ? lemonRate : 0);
  }
  if (world !== 'spells') return () => 0;
  const spells = range(0, pods.all).map(() => spellsOf(dice, minutes));
  return (pod, span) => spellRate * (spells[pod]?.(span) ?? 0);
}

interface Arm {
  /** Requests that are expected. */
  readonly mean: number;
  readonly failing: number;
  /** It runs the new version, whatever that is. */
  readonly slow: boolean;
  /** Which part of the window lies in an incident. */
  readonly trouble: number;
}

function drawn(scenario: Scenario, dice: Dice, { mean, failing, slow, trouble }: Arm): Drawn {
  const { slowness, world } = scenario;
  const own = slow ? slowness : usualSpeed;
  const law = slowness && own && mixed(lawOf(own, medianSeconds), lawOf(own, 2 * medianSeconds), trouble);
  const durations = law && drawnFrom(dice, law, mean);
  const requests = durations ? durations.counts.reduce((sum, count) => sum + count, 0) : poisson(dice, mean);
  return { requests, errors: failuresIn(world, dice, requests, failing), durations };
}

function failuresIn(world: Scenario['world'], dice: Dice, requests: number, rate: number): number {
  return world === 'clumps' ? clumped(dice, requests, rate) : binomial(dice, requests, rate);
}

function clumped(dice: Dice, requests: number, rate: number): number {
  if (rate >= 1) return requests;
  let errors = 0;
  for (let left = poisson(dice, (requests * rate) / clumpMean); left > 0; left -= 1)
    errors += 1 + Math.floor(Math.log(1 - dice()) / Math.log1p(-1 / clumpMean));
  return Math.min(requests, errors);
}

function total(groups: readonly Counts[]): Counts {
  return groups.reduce<Counts>(
    (sum, { requests, errors }) => ({ requests: sum.requests + requests, errors: sum.errors + errors }),
    { requests: 0, errors: 0 },
  );
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
