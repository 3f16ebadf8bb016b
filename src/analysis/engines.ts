// Owns what all engines have in common, whatever they count: how they take a window, and what they say now, under the
// judge that speaks. It never combines engines.
import { logAlarm, logAlarmUncapped } from './bake.ts';
import { type CountState, type Window, afterLone, afterTwoArms, beginStep, endBake, openCount } from './engine.ts';
import type { Counts } from './errors.ts';
import { logHarm, logHarmUncapped } from './harm.ts';
import { type LatencyState, latencyAfterLone, latencyAfterTwoArms, openLatency } from './latency.ts';
import type { LatencyMetric, Metric } from './metric.ts';
import { logMean } from './mixture.ts';
import { type JudgeSettings, type Terms, termsOf } from './settings.ts';

export type EngineState = CountState | LatencyState;

/** Traffic on both versions, or the bake, when stable has none any more. */
export type Mode = 'twoArms' | 'bake';

export function openEngine(metric: Metric, settings: JudgeSettings): EngineState {
  const terms = metricTerms(metric, settings);
  return metric.kind === 'count' ? openCount(terms) : openLatency(terms);
}

/** `isLone`: stable has no traffic any more. `countsForStep`: the window lies wholly within the current step. */
export function engineAfter(
  engine: EngineState,
  window: Window,
  isLone: boolean,
  countsForStep: boolean,
  metric: Metric,
  settings: JudgeSettings,
): EngineState {
  const terms = metricTerms(metric, settings);
  if (engine.kind === 'count') return (isLone ? afterLone : afterTwoArms)(engine, window, countsForStep, terms);
  if (!window.latency || metric.kind === 'count') return engine;
  const seen = { ...window.latency, lengthMs: window.lengthMs };
  return isLone
    ? latencyAfterLone(engine, seen, countsForStep, terms)
    : latencyAfterTwoArms(engine, seen, countsForStep, metric, terms);
}

/** The same engine with what it counts changed, where latency counts slow requests. */
function counting(engine: EngineState, change: (counts: CountState) => CountState): EngineState {
  return engine.kind === 'count' ? change(engine) : { ...engine, slow: change(engine.slow) };
}

export function engineInNewStep(engine: EngineState): EngineState {
  return counting(engine, beginStep);
}

export function engineInNewMode(engine: EngineState): EngineState {
  return counting(engine, endBake);
}

/** What it counts: all requests, and the bad ones (for latency the slow ones) as `errors`. */
export function countsIn(engine: EngineState): CountState {
  return engine.kind === 'count' ? engine : engine.slow;
}

/** On which terms the bad requests of a metric are judged. */
export function metricTerms(metric: Metric, settings: JudgeSettings): Terms {
  return termsOf(metric.kind === 'count' ? metric : slowShare(metric), settings);
}

/**
 * For the share of slow requests. It may grow by twice the tolerated ratio, or by half a percentage point: where a
 * boundary cuts through the bulk of the requests, a little more time moves a larger part of them across.
 */
function slowShare({ weight, tolerateRatio, ruleOut }: LatencyMetric): Pick<Terms, 'weight' | 'tolerate' | 'ruleOut'> {
  return { weight, tolerate: { ratio: 1 + 2 * (tolerateRatio - 1), absolute: 0.005 }, ruleOut };
}

/**
 * Evidence of harm, with the cap per window. With a threshold, the share of slow requests and the shape of the histogram
 * have an equal say about latency; without one, and with traffic on both versions, only the shape has.
 */
export function engineHarm(engine: EngineState, mode: Mode, metric: Metric, terms: Terms): number {
  const counts = countsIn(engine);
  if (mode === 'bake' && counts.bake) return logAlarm(counts.bake.detectors, counts.windowMs, terms);
  const ofCounts = () => logHarm(counts.harm);
  return engine.kind === 'count' ? ofCounts() : withThreshold(metric, engine.speed.logEvidence, ofCounts);
}

/** The same without the cap of the rollback, for the brake. */
export function engineHarmUncapped(engine: EngineState, mode: Mode, metric: Metric, terms: Terms): number {
  const counts = countsIn(engine);
  if (mode === 'bake' && counts.bake) return logAlarmUncapped(counts.bake.detectors, counts.windowMs, terms);
  const ofCounts = () => logHarmUncapped(counts.harm);
  return engine.kind === 'count' ? ofCounts() : withThreshold(metric, engine.speed.logUncapped, ofCounts);
}

/** Evidence of harm had this group of canary pods not existed. */
export function engineHarmWithout(
  engine: EngineState,
  group: number,
  mode: Mode,
  metric: Metric,
  terms: Terms,
): number {
  const counts = countsIn(engine);
  if (mode === 'bake' && counts.bake) {
    const detectors = counts.bake.detectorsWithout[group];
    return detectors ? logAlarm(detectors, counts.windowMs, terms) : 0;
  }
  const ofCounts = () => logHarm(counts.harmWithout[group] ?? []);
  if (engine.kind === 'count') return counts.harmWithout[group] ? ofCounts() : 0;
  return withThreshold(metric, engine.speedWithout[group]?.logEvidence ?? 0, ofCounts);
}

function withThreshold(metric: Metric, logSpeed: number, logShare: () => number): number {
  const hasThreshold = metric.kind === 'latency' && metric.thresholdSeconds !== undefined;
  return hasThreshold ? logMean([logSpeed, logShare()]) : logSpeed;
}

/** What the current judge holds against the canary: in the bake only what happened there. */
export function accused(engine: EngineState, mode: Mode): Counts {
  const { bake, totals } = countsIn(engine);
  return mode === 'bake' && bake ? bake.canary : totals.canary;
}

/** The canary's counts by group of pods, as far as the current judge holds them against it. */
export function accusedGroups(engine: EngineState, mode: Mode): readonly Counts[] {
  const { bake, groups } = countsIn(engine);
  return mode === 'bake' && bake ? bake.groups : groups;
}

/** In the bake only an engine that saw stable work before it can say something. */
export function canSpeak(engine: EngineState, mode: Mode): boolean {
  return mode === 'twoArms' || countsIn(engine).totals.stable.requests > 0;
}
