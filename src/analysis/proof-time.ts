// Owns how long given traffic takes to prove something about a version: an expectation, for people who plan. It shows the
// judge itself the windows that such traffic fills on average; no verdict rests on it.
import type { Counts, Margin } from './errors.ts';
import type { Window } from './engine.ts';
import { type JudgeState, judgeWindow, openJudge, startStep } from './judge.ts';
import { type CountMetric, type Metric, errorsName, weighted } from './metric.ts';
import type { JudgeSettings } from './settings.ts';
import { acceptMargin, harmMargins } from './tolerance.ts';
import { verdictOf } from './verdict.ts';

/** What is supposed of a step. Rates are bad requests as fractions of all, shares parts of all requests. */
export interface Supposed {
  /** Requests a second to both versions together. */
  readonly perSecond: number;
  readonly canaryShare: number;
  /** The canary's share from the brake on; the same where the brake does not act. */
  readonly brakedShare: number;
  readonly stableRate: number;
  readonly canaryRate: number;
  /** Groups of canary pods that can be told apart; 0 where none can. */
  readonly groups: number;
  /** Time between two looks of the judge. */
  readonly windowMs: number;
}

/** Seconds from the first request of a step, taken by itself. Undefined: not within the longest time, or never. */
export interface ProofTime {
  /** Until the step is acceptable; undefined too when the brake comes first. */
  readonly acceptSeconds: number | undefined;
  readonly brakeSeconds: number | undefined;
  readonly rollbackSeconds: number | undefined;
  /** Bad requests of the canary until the rollback. */
  readonly badRequests: number | undefined;
}

/** Longer windows say the same after a while: a part of the time gone by so far, and never so long that a look counts less. */
const finest = 32;
const longestWindowMs = 300_000;

/**
 * How long it takes, on average. Evidence grows by the information in a second of traffic, divided by `clumping`, so the time
 * is the logarithm of the needed odds over that information (Wald 1947); going through the judge's own bets adds what these
 * cost: wealth on other bets, wealth that returns, the cap per window, three windows, and the guard against a single bad pod.
 * A release meets chance as well: a third or twice as long is nothing special, and what is never proven on average may be.
 * Of several metrics the others are taken to say nothing: neither for harm nor against it. Undefined where errors are not
 * judged.
 */
export function proofTime(supposed: Supposed, settings: JudgeSettings, longestMs: number): ProofTime | undefined {
  const errors = settings.metrics.map(asCount).find(isErrors);
  if (errors === undefined) return undefined;
  const alone = { ...settings, metrics: weighted([errors]) };
  const isHarm = harmMargins(errors.tolerate).every((line) => isBeyond(line, supposed));
  const harm = isHarm
    ? harmTime(supposed, { ...settings, metrics: settings.metrics.map(asCount) }, longestMs)
    : { brakeSeconds: undefined, rollbackSeconds: undefined, badRequests: undefined };
  const untilMs = Math.min(longestMs, (harm.brakeSeconds ?? Infinity) * 1000);
  const isUnacceptable = isBeyond(acceptMargin(errors.ruleOut), supposed);
  return { ...harm, acceptSeconds: isUnacceptable ? undefined : acceptSeconds(supposed, alone, untilMs) };
}

function isErrors({ name }: Pick<Metric, 'name'>): boolean {
  return name === errorsName;
}

/** Evidence that the canary is beyond a line grows, on average, only if it is; and so does evidence that it is not. */
function isBeyond({ ratio, excess }: Margin, { canaryRate, stableRate }: Supposed): boolean {
  return canaryRate > ratio * stableRate + excess;
}

/** With its part in the whole evidence, and as something of which no window is ever seen. */
function asCount(metric: Metric): CountMetric {
  if (metric.kind === 'count') return metric;
  const { name, weight, ruleOut } = metric;
  return { kind: 'count', name, weight, tolerate: { ratio: metric.tolerateRatio, absolute: 0 }, ruleOut };
}

function acceptSeconds(supposed: Supposed, settings: JudgeSettings, untilMs: number): number | undefined {
  const start = { judge: openFor(settings), endMs: 0, bad: 0 };
  const moments = courseOf(supposed, supposed.canaryShare, start, settings, untilMs);
  const accepted = first(moments, ({ judge }) => verdictOf(judge, settings).isStepAcceptable);
  return accepted && accepted.endMs / 1000;
}

function harmTime(supposed: Supposed, settings: JudgeSettings, longestMs: number): Omit<ProofTime, 'acceptSeconds'> {
  const isBraked = ({ judge }: Moment) => !['calm', 'doubt'].includes(verdictOf(judge, settings).level);
  const start = { judge: openFor(settings), endMs: 0, bad: 0 };
  const brake = first(courseOf(supposed, supposed.canaryShare, start, settings, longestMs), isBraked);
  const rollback =
    brake &&
    first(courseOf(supposed, supposed.brakedShare, brake, settings, longestMs), ({ judge }) => judge.isHarmful);
  return {
    brakeSeconds: brake && brake.endMs / 1000,
    rollbackSeconds: rollback && rollback.endMs / 1000,
    badRequests: rollback?.bad,
  };
}

function openFor(settings: JudgeSettings): JudgeState {
  const readers = settings.metrics.map((metric) => ({
    name: isErrors(metric) ? ('app' as const) : (`query:${metric.name}` as const),
    hasLatency: false,
  }));
  return startStep(openJudge(readers, settings), 'step', 0);
}

function first(moments: Iterable<Moment>, isIt: (moment: Moment) => boolean): Moment | undefined {
  for (const moment of moments) if (isIt(moment)) return moment;
  return undefined;
}

interface Moment {
  readonly judge: JudgeState;
  readonly endMs: number;
  /** Bad requests of the canary so far. */
  readonly bad: number;
}

/** The judge now, and after each further window of average traffic. */
function* courseOf(
  supposed: Supposed,
  share: number,
  from: Moment,
  settings: JudgeSettings,
  untilMs: number,
): Generator<Moment, undefined> {
  let at = from;
  yield at;
  while (at.endMs < untilMs) {
    const lengthMs = Math.max(supposed.windowMs, Math.min(longestWindowMs, at.endMs / finest));
    const window = windowOf(supposed, share, at, lengthMs);
    const judge = judgeWindow(at.judge, 'app', window, settings);
    at = { judge, endMs: window.endMs, bad: at.bad + window.canary.errors };
    yield at;
  }
}

function windowOf(supposed: Supposed, share: number, { endMs: startMs, bad }: Moment, lengthMs: number): Window {
  const { perSecond, stableRate, canaryRate, groups } = supposed;
  const requests = (perSecond * lengthMs) / 1000;
  const counts = (part: number, rate: number): Counts => ({
    requests: requests * part,
    errors: requests * part * rate,
  });
  const canary = counts(share, canaryRate);
  const before = badOfGroups(bad, groups);
  const after = badOfGroups(bad + canary.errors, groups);
  return {
    startMs,
    endMs: startMs + lengthMs,
    lengthMs,
    canary,
    stable: counts(1 - share, stableRate),
    canaryGroups: after.map((errors, group) => ({
      requests: canary.requests / groups,
      errors: errors - (before[group] ?? 0),
    })),
  };
}

/** By how many standard deviations the largest of 2, 3 or 4 equal counts lies above their mean, on average. */
const largestOf: Readonly<Record<number, number>> = { 2: 0.564, 3: 0.846, 4: 1.029 };

/** Chance never spreads bad requests evenly, and the guard against a single bad pod waits for the pods that have fewer. */
function badOfGroups(bad: number, groups: number): readonly number[] {
  const even = bad / groups;
  const most = Math.min(bad, even + (largestOf[groups] ?? 0) * Math.sqrt(even));
  return Array.from({ length: groups }, (_, group) => (group === 0 ? most : (bad - most) / (groups - 1)));
}
