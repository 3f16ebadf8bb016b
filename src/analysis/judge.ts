// Decides how bad the canary looks from everything that was counted: state and window in, state out; state in, verdict
// out. It takes time as data and never looks at a clock.
import type { Level } from './answer.ts';
import { logAlarm, logAlarmUncapped } from './bake.ts';
import { type EngineState, type Window, afterLone, afterTwoArms, beginStep, endBake, openEngine } from './engine.ts';
import type { Counts } from './errors.ts';
import { logHarm, logHarmUncapped } from './harm.ts';
import { logMean, slack } from './mixture.ts';
import { type JudgeSettings, logBrake, logDoubt, logFinalAccept, logRollback, logStepAccept } from './settings.ts';

/** Ways to count the same errors. They are averaged, never summed: one error seen twice is one error. */
export type EngineName = 'gateway' | 'app';

export type Mode = 'twoArms' | 'bake';

export interface JudgeState {
  /** Fixed before the first window of the attempt, for the average must not choose its winners. */
  readonly engines: readonly NamedEngine[];
  readonly mode: Mode;
  readonly modeSinceMs: number;
  readonly stepKey: string | undefined;
  readonly stepSinceMs: number;
  /** A verdict of harm stays for the rest of the attempt (S5). */
  readonly isHarmful: boolean;
}

export interface NamedEngine {
  readonly name: EngineName;
  readonly state: EngineState;
}

/** Odds are natural logarithms. */
export interface Verdict {
  readonly level: Level;
  readonly logHarm: number;
  readonly logHarmUncapped: number;
  readonly logAccept: number;
  readonly logStepAccept: number;
  readonly isStepAcceptable: boolean;
  readonly isFinalAcceptable: boolean;
  readonly isBrakeReleasable: boolean;
}

export function openJudge(names: readonly EngineName[], settings: JudgeSettings): JudgeState {
  return {
    engines: names.map((name) => ({ name, state: openEngine(settings) })),
    mode: 'twoArms',
    modeSinceMs: 0,
    stepKey: undefined,
    stepSinceMs: 0,
    isHarmful: false,
  };
}

/** Takes one engine's next window into account. Windows of one engine come in order; a name that is not judged is ignored. */
export function judgeWindow(state: JudgeState, name: EngineName, window: Window, settings: JudgeSettings): JudgeState {
  const isLone = state.mode === 'bake' && window.startMs >= state.modeSinceMs;
  const countsForStep = window.startMs >= state.stepSinceMs;
  const after = isLone ? afterLone : afterTwoArms;
  const next = changed(state, (engine) =>
    engine.name === name ? after(engine.state, window, countsForStep, settings) : engine.state,
  );
  return { ...next, isHarmful: next.isHarmful || verdictOf(next, settings).level === 'harmful' };
}

/** From here on, evidence of health counts for this step. The same key again changes nothing. */
export function startStep(state: JudgeState, stepKey: string, atMs: number): JudgeState {
  if (state.stepKey === stepKey) return state;
  return { ...changed(state, (engine) => beginStep(engine.state)), stepKey, stepSinceMs: atMs };
}

/** Says which judge speaks from here on. The same mode again changes nothing. */
export function armJudge(state: JudgeState, mode: Mode, atMs: number): JudgeState {
  if (state.mode === mode) return state;
  return { ...changed(state, (engine) => endBake(engine.state)), mode, modeSinceMs: atMs };
}

export function verdictOf(state: JudgeState, settings: JudgeSettings): Verdict {
  const engines = speaking(state);
  const odds = {
    logHarm: averaged(engines, (engine) => engineHarm(engine, state.mode, settings)),
    logHarmUncapped: averaged(engines, (engine) => engineHarmUncapped(engine, state.mode, settings)),
    logAccept: averaged(engines, (engine) => engine.accept.logEvidence),
    logStepAccept: averaged(engines, (engine) => engine.stepAccept.logEvidence),
  };
  const level = state.isHarmful ? 'harmful' : levelOf(odds, engines, state.mode, settings);
  const isCalm = level === 'calm' && engines.length > 0;
  const isFinal = reaches(odds.logAccept, logFinalAccept);
  return {
    ...odds,
    level,
    isStepAcceptable: isCalm && reaches(odds.logStepAccept, logStepAccept),
    isFinalAcceptable: isCalm && isFinal,
    isBrakeReleasable: isCalm && isFinal,
  };
}

/** Engines that can say something now: in the bake only those that saw stable work before it. */
export function speaking(state: JudgeState): readonly EngineState[] {
  const all = state.engines.map((engine) => engine.state);
  return state.mode === 'bake' ? all.filter((engine) => engine.totals.stable.requests > 0) : all;
}

/** Evidence of harm of one engine, with the cap per window. */
export function engineHarm(engine: EngineState, mode: Mode, settings: JudgeSettings): number {
  if (mode === 'twoArms' || !engine.bake) return logHarm(engine.harm);
  return logAlarm(engine.bake.detectors, engine.windowMs, settings);
}

/** What the current judge holds against the canary: in the bake only what happened there. */
export function accused(engine: EngineState, mode: Mode): Counts {
  return mode === 'bake' && engine.bake ? engine.bake.canary : engine.totals.canary;
}

function levelOf(
  odds: Pick<Verdict, 'logHarm' | 'logHarmUncapped'>,
  engines: readonly EngineState[],
  mode: Mode,
  settings: JudgeSettings,
): Level {
  const canaryErrors = mostErrors(engines, mode);
  if (reaches(odds.logHarm, logRollback(settings)) && canaryErrors >= settings.minimumErrors) {
    return engines.every((engine) => isSharedByPods(engine, canaryErrors, mode, settings)) ? 'harmful' : 'onePod';
  }
  if (reaches(odds.logHarmUncapped, logBrake(settings))) return 'brake';
  return reaches(Math.max(odds.logHarm, odds.logHarmUncapped), logDoubt) ? 'doubt' : 'calm';
}

/**
 * Leaves out one group of canary pods after the other. What remains must still be clear (as clear as for the brake),
 * else the fault may be that of one pod: at most 1 in 100 faulty pods passes for a faulty version. An engine that sees
 * less than half of the errors cannot tell whose they are, and has no say.
 */
function isSharedByPods(engine: EngineState, canaryErrors: number, mode: Mode, settings: JudgeSettings): boolean {
  const groups = (mode === 'bake' && engine.bake ? engine.bake.groups : engine.groups).map((group) => group.requests);
  if (groups.filter((requests) => requests > 0).length < 2) return true;
  if (accused(engine, mode).errors * 2 < canaryErrors) return true;
  return groups.every(
    (requests, group) => requests === 0 || reaches(harmWithout(engine, group, mode, settings), logBrake(settings)),
  );
}

function harmWithout(engine: EngineState, group: number, mode: Mode, settings: JudgeSettings): number {
  if (mode === 'bake' && engine.bake) {
    const detectors = engine.bake.detectorsWithout[group];
    return detectors ? logAlarm(detectors, engine.windowMs, settings) : 0;
  }
  const evidence = engine.harmWithout[group];
  return evidence ? logHarm(evidence) : 0;
}

function engineHarmUncapped(engine: EngineState, mode: Mode, settings: JudgeSettings): number {
  if (mode === 'twoArms' || !engine.bake) return logHarmUncapped(engine.harm);
  return logAlarmUncapped(engine.bake.detectors, engine.windowMs, settings);
}

function mostErrors(engines: readonly EngineState[], mode: Mode): number {
  return engines.reduce((most, engine) => Math.max(most, accused(engine, mode).errors), 0);
}

function averaged(engines: readonly EngineState[], odds: (engine: EngineState) => number): number {
  return engines.length === 0 ? 0 : logMean(engines.map(odds));
}

function reaches(logOdds: number, logGoal: number): boolean {
  return logOdds >= logGoal - slack;
}

function changed(state: JudgeState, next: (engine: NamedEngine) => EngineState): JudgeState {
  return { ...state, engines: state.engines.map((engine) => ({ name: engine.name, state: next(engine) })) };
}
