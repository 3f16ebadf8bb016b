// Puts the judge's state into the figures that status and audit show. It never decides.
import { logClosed } from './combine.ts';
import type { Level } from './answer.ts';
import type { CountState } from './engine.ts';
import { type EngineState, type Mode, accusedGroups, countsIn, engineHarm, engineHarmWithout } from './engines.ts';
import { type Counts, rate } from './errors.ts';
import { secondsToAccept } from './forecast.ts';
import { type Range, excessRange, ratioRange, ruledOutExcess } from './interval.ts';
import type { EngineName, JudgeState } from './judge.ts';
import { limitSeconds } from './limit.ts';
import type { Metric } from './metric.ts';
import { type JudgeSettings, type Terms, logFinalAccept, logRollback } from './settings.ts';
import { harmMargins } from './tolerance.ts';
import { type Opinion, opinionsOf, verdictOf } from './verdict.ts';
import { oddsWords } from './words.ts';

/** What status shows of the evidence; rates are fractions of requests, odds are in words. */
export interface EvidenceView {
  readonly judge: Mode;
  readonly level: Level;
  /** Odds that the canary is worse than tolerated, "412 : 1"; a rollback needs `needed`. */
  readonly evidence: string;
  readonly needed: string;
  /** Odds that it is not unacceptable: over the attempt, and in this step. */
  readonly accepted: string;
  readonly acceptedInStep: string;
  readonly culprit: string | undefined;
  readonly notJudged: readonly string[];
  readonly metrics: readonly MetricView[];
  readonly engines: readonly EngineView[];
  readonly split: SplitView | undefined;
  /** From the first request of the canary to the verdict of harm, or to the newest window while there is none. */
  readonly secondsSinceFirstRequest: number | undefined;
  /** The end of the newest window, on the metric source's clock. */
  readonly newestMs: number | undefined;
}

export interface MetricView {
  readonly name: string;
  /** Its part in the evidence, from 0 to 1. */
  readonly weight: number;
  readonly evidence: string;
  /** Odds that stay valid although this metric was picked after the fact. */
  readonly evidenceAlone: string;
  readonly accepted: string;
  readonly acceptedInStep: string;
  /** About how long until it is acceptable, at the current traffic; undefined when it cannot be at the current rates. */
  readonly secondsToStep: number | undefined;
  readonly secondsToFinal: number | undefined;
  /**
   * The least that any test of this certainty needs on average for what was counted: for latency, by the share of slow
   * requests. Undefined while the canary is within what is tolerated.
   */
  readonly limitSeconds: number | undefined;
}

export interface EngineView {
  readonly metric: string;
  readonly name: EngineName;
  /** For latency, `errors` are the requests that took longer than this many seconds. */
  readonly boundarySeconds?: number;
  readonly canary: Counts;
  readonly stable: Counts;
  readonly canaryRate: number;
  readonly stableRate: number;
  /** Canary rate : stable rate; undefined while stable has no error. */
  readonly ratio: number | undefined;
  /** Ratios that the windows so far allow, as certain as a verdict; no `high` while nothing bounds it. */
  readonly ratioRange: OpenRange;
  /** Bad requests of the canary beyond what stable's rate would have brought, and how many it may be. */
  readonly served: { readonly extra: number; readonly range: OpenRange };
  /** The smallest extra error rate that is ruled out (95 %); undefined while there is none. */
  readonly ruledOutExcess: number | undefined;
  readonly evidence: string;
  /** What of it would remain without the window that says most; undefined in the bake. */
  readonly evidenceWithoutWindow: string | undefined;
  /** … and without the group of pods that says most; undefined where there are no two groups. */
  readonly evidenceWithoutPods: string | undefined;
  readonly windows: number;
  readonly windowMs: number;
}

export interface OpenRange {
  readonly low: number;
  readonly high?: number;
}

export interface SplitView {
  readonly planned: number;
  readonly observed: number;
  readonly requests: number;
  readonly fault: string | undefined;
}

/** Costs some milliseconds: for status and audit, not for every look. */
export function evidenceView(state: JudgeState, settings: JudgeSettings): EvidenceView {
  const verdict = verdictOf(state, settings);
  const opinions = opinionsOf(state, settings);
  const closed = logClosed(opinions.map(({ logHarm }) => logHarm));
  const seconds = secondsIn(state);
  return {
    judge: state.mode,
    level: verdict.level,
    evidence: oddsWords(verdict.logHarm),
    needed: oddsWords(logRollback(settings)),
    accepted: oddsWords(verdict.logAccept),
    acceptedInStep: oddsWords(verdict.logStepAccept),
    culprit: verdict.culprit,
    notJudged: verdict.notJudged,
    metrics: opinions.map((opinion, index) => metricView(opinion, closed[index] ?? 0, state.mode, seconds)),
    engines: settings.metrics.flatMap((metric) => enginesOf(metric, state, opinions)),
    split: splitView(state, verdict.splitOff),
    secondsSinceFirstRequest: seconds,
    newestMs: state.newestMs,
  };
}

function enginesOf(metric: Metric, state: JudgeState, opinions: readonly Opinion[]): readonly EngineView[] {
  const terms = opinions.find((opinion) => opinion.metric === metric)?.terms;
  const engines = state.metrics.find(({ name }) => name === metric.name)?.engines ?? [];
  return terms ? engines.map(({ name, state: engine }) => engineView(metric, name, engine, state.mode, terms)) : [];
}

function metricView(opinion: Opinion, logAlone: number, mode: Mode, seconds: number | undefined): MetricView {
  const { metric, terms, engines } = opinion;
  const [engine] = engines;
  return {
    name: metric.name,
    weight: metric.weight,
    evidence: oddsWords(opinion.logHarm),
    evidenceAlone: oddsWords(logAlone),
    accepted: oddsWords(opinion.logAccept),
    acceptedInStep: oddsWords(opinion.logStepAccept),
    secondsToStep: finite(secondsToAccept(opinion, mode, 'step')),
    secondsToFinal: finite(secondsToAccept(opinion, mode, 'final')),
    limitSeconds: engine && seconds ? finite(limitOf(countsIn(engine), terms, seconds)) : undefined,
  };
}

/** Whichever line of what is tolerated the canary is closest to takes longest to be told from. */
function limitOf({ totals: { canary, stable } }: CountState, terms: Terms, seconds: number): number {
  const rates = {
    canaryPerSecond: canary.requests / seconds,
    stablePerSecond: stable.requests / seconds,
    canaryRate: rate(canary),
    stableRate: rate(stable),
  };
  return Math.max(...harmMargins(terms.tolerate).map((margin) => limitSeconds(rates, margin, logRollback(terms))));
}

function engineView(metric: Metric, name: EngineName, engine: EngineState, mode: Mode, terms: Terms): EngineView {
  const { totals, tuples, windows, windowMs } = countsIn(engine);
  const { canary, stable } = totals;
  const excess = excessRange(tuples, terms.clumping, logRollback(terms));
  return {
    metric: metric.name,
    name,
    ...(engine.kind === 'latency' && engine.boundary !== undefined ? { boundarySeconds: engine.boundary } : {}),
    canary,
    stable,
    canaryRate: rate(canary),
    stableRate: rate(stable),
    ratio: stable.errors > 0 ? rate(canary) / rate(stable) : undefined,
    ratioRange: bounded(ratioRange(tuples, terms.clumping, logRollback(terms))),
    served: {
      extra: Math.max(0, canary.errors - canary.requests * rate(stable)),
      range: bounded({
        low: excess.low * canary.requests,
        high: Math.min(excess.high * canary.requests, excess.high === Infinity ? Infinity : canary.errors),
      }),
    },
    ruledOutExcess: finite(ruledOutExcess(tuples, terms.ruleOut.ratio, terms.clumping, logFinalAccept)),
    evidence: oddsWords(engineHarm(engine, mode, metric, terms)),
    evidenceWithoutWindow: withoutWindow(engine, mode, metric, terms),
    evidenceWithoutPods: withoutPods(engine, mode, metric, terms),
    windows,
    windowMs,
  };
}

/** The same engine with what its strongest window brought taken from each bankroll. */
function withoutWindow(engine: EngineState, mode: Mode, metric: Metric, terms: Terms): string | undefined {
  const counts = countsIn(engine);
  if (mode === 'bake' && counts.bake) return undefined;
  const harm = counts.harm.map((line) => ({ ...line, logEvidence: line.logEvidence - line.logStrongest }));
  const weaker: EngineState =
    engine.kind === 'count'
      ? { ...engine, harm }
      : {
          ...engine,
          slow: { ...engine.slow, harm },
          speed: { ...engine.speed, logEvidence: engine.speed.logEvidence - engine.speed.logStrongest },
        };
  return oddsWords(engineHarm(weaker, mode, metric, terms));
}

function withoutPods(engine: EngineState, mode: Mode, metric: Metric, terms: Terms): string | undefined {
  const groups = accusedGroups(engine, mode)
    .map(({ requests }, group) => ({ requests, group }))
    .filter(({ requests }) => requests > 0);
  if (groups.length < 2) return undefined;
  return oddsWords(Math.min(...groups.map(({ group }) => engineHarmWithout(engine, group, mode, metric, terms))));
}

function splitView({ split }: JudgeState, fault: string | undefined): SplitView | undefined {
  const requests = (split?.canary.requests ?? 0) + (split?.stable.requests ?? 0);
  if (split?.planned === undefined || requests <= 0) return undefined;
  return { planned: split.planned, observed: split.canary.requests / requests, requests, fault };
}

function secondsIn({ firstRequestMs, harmfulMs, newestMs }: JudgeState): number | undefined {
  const untilMs = harmfulMs ?? newestMs;
  return firstRequestMs === undefined || untilMs === undefined ? undefined : (untilMs - firstRequestMs) / 1000;
}

function bounded({ low, high }: Range): OpenRange {
  return Number.isFinite(high) ? { low, high } : { low };
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}
