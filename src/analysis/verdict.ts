// Decides what all the evidence together means: one level, whose fault it is, and what may go on. It changes nothing.
import type { Level } from './answer.ts';
import { logAverage, logLeast } from './combine.ts';
import {
  type EngineState,
  type Mode,
  accused,
  accusedGroups,
  canSpeak,
  countsIn,
  engineHarm,
  engineHarmUncapped,
  engineHarmWithout,
  metricTerms,
} from './engines.ts';
import type { JudgeState, MetricState } from './judge.ts';
import type { Metric } from './metric.ts';
import { logMean, slack } from './mixture.ts';
import { splitFault } from './split.ts';
import {
  type JudgeSettings,
  type Terms,
  logBrake,
  logDoubt,
  logFinalAccept,
  logRollback,
  logStepAccept,
  logWithoutGroup,
} from './settings.ts';

/** Odds are natural logarithms. */
export interface Odds {
  readonly logHarm: number;
  readonly logHarmUncapped: number;
  readonly logAccept: number;
  readonly logStepAccept: number;
}

export interface Verdict extends Odds {
  readonly level: Level;
  /** The metric that has most against the canary; undefined while all is calm. */
  readonly suspect: string | undefined;
  /** The same, from the level of the brake on. */
  readonly culprit: string | undefined;
  /** That other requests reach the canary than the route says, in a sentence: no step rests on what is judged then. */
  readonly splitOff: string | undefined;
  /** Metrics that were asked for and that nobody counts: no step rests on what the others say. */
  readonly notJudged: readonly string[];
  readonly isStepAcceptable: boolean;
  readonly isFinalAcceptable: boolean;
  readonly isBrakeReleasable: boolean;
}

/** What one metric says, by all of its engines that can speak. */
export interface Opinion extends Odds {
  readonly metric: Metric;
  readonly terms: Terms;
  readonly engines: readonly EngineState[];
}

export function verdictOf(state: JudgeState, settings: JudgeSettings): Verdict {
  const opinions = opinionsOf(state, settings);
  const odds = combined(opinions);
  const loudest = loudestOf(opinions, odds, settings);
  const level = state.isHarmful ? 'harmful' : levelOf(odds, loudest, state.mode, settings);
  const suspect = level === 'calm' ? undefined : (state.culprit ?? loudest?.metric.name);
  const splitOff = state.split && splitFault(state.split);
  const isCalm = level === 'calm' && opinions.length === state.metrics.length && opinions.length > 0;
  const isSplitRight = splitOff === undefined;
  const isFinal = reaches(odds.logAccept, logFinalAccept);
  return {
    ...odds,
    level,
    suspect,
    culprit: level === 'doubt' ? undefined : suspect,
    splitOff,
    notJudged: state.metrics.filter(({ engines }) => engines.length === 0).map(({ name }) => name),
    isStepAcceptable: isCalm && isSplitRight && reaches(odds.logStepAccept, logStepAccept),
    isFinalAcceptable: isCalm && isSplitRight && isFinal,
    isBrakeReleasable: isCalm && isFinal,
  };
}

/** One for each metric that can say something now. */
export function opinionsOf(state: JudgeState, settings: JudgeSettings): readonly Opinion[] {
  return settings.metrics.flatMap((metric) => {
    const kept = state.metrics.find(({ name }) => name === metric.name);
    return kept ? opinionOf(kept, metric, state.mode, settings) : [];
  });
}

function opinionOf(kept: MetricState, metric: Metric, mode: Mode, settings: JudgeSettings): readonly Opinion[] {
  const engines = kept.engines.map(({ state }) => state).filter((engine) => canSpeak(engine, mode));
  if (engines.length === 0) return [];
  const terms = metricTerms(metric, settings);
  const averaged = (odds: (engine: EngineState) => number) => logMean(engines.map(odds));
  return [
    {
      metric,
      terms,
      engines,
      logHarm: averaged((engine) => engineHarm(engine, mode, metric, terms)),
      logHarmUncapped: averaged((engine) => engineHarmUncapped(engine, mode, metric, terms)),
      logAccept: averaged((engine) => countsIn(engine).accept.logEvidence),
      logStepAccept: averaged((engine) => countsIn(engine).stepAccept.logEvidence),
    },
  ];
}

/** Harm anywhere is harm, so evidence of it adds up; health is needed everywhere, so the least of it counts. */
function combined(opinions: readonly Opinion[]): Odds {
  const weights = opinions.map(({ metric }) => metric.weight);
  const average = (odds: keyof Odds) =>
    logAverage(
      opinions.map((opinion) => opinion[odds]),
      weights,
    );
  const least = (odds: keyof Odds) => logLeast(opinions.map((opinion) => opinion[odds]));
  return {
    logHarm: average('logHarm'),
    logHarmUncapped: average('logHarmUncapped'),
    logAccept: least('logAccept'),
    logStepAccept: least('logStepAccept'),
  };
}

/** By the evidence that the level will rest on. The closed form of the evidence has the same order. */
function loudestOf(opinions: readonly Opinion[], odds: Odds, settings: JudgeSettings): Opinion | undefined {
  const key = reaches(odds.logHarm, logRollback(settings)) ? 'logHarm' : 'logHarmUncapped';
  const [first, ...others] = opinions;
  return first && others.reduce((loudest, other) => (other[key] > loudest[key] ? other : loudest), first);
}

function levelOf(odds: Odds, loudest: Opinion | undefined, mode: Mode, settings: JudgeSettings): Level {
  if (!loudest) return 'calm';
  const badRequests = mostErrors(loudest.engines, mode);
  if (reaches(odds.logHarm, logRollback(settings)) && badRequests >= settings.minimumErrors) {
    const isShared = loudest.engines.every((engine) => isSharedByPods(engine, badRequests, mode, loudest));
    return isShared ? 'harmful' : 'onePod';
  }
  if (reaches(odds.logHarmUncapped, logBrake(settings))) return 'brake';
  return reaches(Math.max(odds.logHarm, odds.logHarmUncapped), logDoubt) ? 'doubt' : 'calm';
}

/**
 * Leaves out one group of canary pods after the other. What remains must still be clear (`logWithoutGroup`), else the fault
 * may be that of one pod. It keeps a bound per window: without any, errors that come five at a time made more than half of
 * the faulty pods pass for a faulty version within an hour, with it one in a hundred. An engine that sees less than half of
 * the errors cannot tell whose they are, and has no say.
 */
function isSharedByPods(engine: EngineState, badRequests: number, mode: Mode, { metric, terms }: Opinion): boolean {
  const groups = accusedGroups(engine, mode).map((group) => group.requests);
  if (groups.filter((requests) => requests > 0).length < 2) return true;
  if (accused(engine, mode).errors * 2 < badRequests) return true;
  return groups.every(
    (requests, group) =>
      requests === 0 || reaches(engineHarmWithout(engine, group, mode, metric, terms), logWithoutGroup(terms)),
  );
}

function mostErrors(engines: readonly EngineState[], mode: Mode): number {
  return engines.reduce((most, engine) => Math.max(most, accused(engine, mode).errors), 0);
}

function reaches(logOdds: number, logGoal: number): boolean {
  return logOdds >= logGoal - slack;
}
