// Owns what one engine (one way of counting the same errors) has gathered in an attempt: a fold over its windows. It
// never decides; the judge reads it.
import { acceptAfter, acceptAfterLone, openAccept } from './accept.ts';
import { type Baseline, type Detectors, baselineOf, detectorsAfter, openDetectors } from './bake.ts';
import { type ArmCounts, type Counts, addCounts, noCounts, withoutCounts } from './errors.ts';
import { type HarmEvidence, harmAfter, openHarm } from './harm.ts';
import type { Wealth } from './mixture.ts';
import type { JudgeSettings } from './settings.ts';
import { type Tuple, withTuple } from './tuples.ts';

/** What happened between two cuts of the time line. Times are the metric source's, in milliseconds since the epoch. */
export interface Window extends ArmCounts {
  /** No request counted here is older. */
  readonly startMs: number;
  /** Every request up to here has been counted. */
  readonly endMs: number;
  /** Time since the cut before. */
  readonly lengthMs: number;
  /** The canary's counts by group of pods, at most four groups; empty where pods cannot be told apart. */
  readonly canaryGroups: readonly Counts[];
}

export interface EngineState {
  readonly harm: HarmEvidence;
  readonly accept: Wealth;
  readonly stepAccept: Wealth;
  /** The evidence of harm had each group of canary pods not existed: tells a bad pod from a bad version. */
  readonly harmWithout: readonly HarmEvidence[];
  readonly groups: readonly Counts[];
  readonly totals: ArmCounts;
  readonly windows: number;
  /** Usual time between cuts. */
  readonly windowMs: number;
  readonly tuples: readonly Tuple[];
  readonly bake: BakeState | undefined;
}

export interface BakeState {
  /** Undefined when stable had no request during the attempt. */
  readonly baseline: Baseline | undefined;
  readonly detectors: Detectors;
  readonly detectorsWithout: readonly Detectors[];
  readonly groups: readonly Counts[];
  readonly canary: Counts;
}

export function openEngine(settings: JudgeSettings): EngineState {
  return {
    harm: openHarm(settings),
    accept: openAccept(),
    stepAccept: openAccept(),
    harmWithout: [],
    groups: [],
    totals: { canary: noCounts, stable: noCounts },
    windows: 0,
    windowMs: 0,
    tuples: [],
    bake: undefined,
  };
}

/** After a window with traffic on both versions. `countsForStep`: it lies wholly within the current step. */
export function afterTwoArms(
  state: EngineState,
  window: Window,
  countsForStep: boolean,
  settings: JudgeSettings,
): EngineState {
  const { lengthMs } = window;
  return {
    ...afterAny(state, window),
    harm: harmAfter(state.harm, window, lengthMs, settings),
    harmWithout: window.canaryGroups.map((group, index) => {
      const rest = { canary: withoutCounts(window.canary, group), stable: window.stable };
      return harmAfter(state.harmWithout[index] ?? state.harm, rest, lengthMs, settings);
    }),
    groups: addGroups(state.groups, window.canaryGroups),
    accept: acceptAfter(state.accept, window, lengthMs, settings),
    stepAccept: countsForStep ? acceptAfter(state.stepAccept, window, lengthMs, settings) : state.stepAccept,
  };
}

/**
 * After a window of the bake. Evidence gathered with a control group stays as it was; what stable did until the first
 * window of the bake is what the canary is held against.
 */
export function afterLone(
  state: EngineState,
  window: Window,
  countsForStep: boolean,
  settings: JudgeSettings,
): EngineState {
  const bake = state.bake ?? openBake(state.totals.stable, settings);
  if (!bake.baseline) return { ...afterAny(state, window), bake };
  const { lowRate } = bake.baseline;
  const accepted = (wealth: Wealth) => acceptAfterLone(wealth, window.canary, lowRate, window.lengthMs, settings);
  return {
    ...afterAny(state, window),
    accept: accepted(state.accept),
    stepAccept: countsForStep ? accepted(state.stepAccept) : state.stepAccept,
    bake: bakeAfter(bake, bake.baseline, window, state.windowMs, settings),
  };
}

function openBake(stable: Counts, settings: JudgeSettings): BakeState {
  const baseline = baselineOf(stable, settings);
  return { baseline, detectors: openDetectors(), detectorsWithout: [], groups: [], canary: noCounts };
}

export function endBake(state: EngineState): EngineState {
  return { ...state, bake: undefined };
}

export function beginStep(state: EngineState): EngineState {
  return { ...state, stepAccept: openAccept() };
}

function bakeAfter(
  bake: BakeState,
  baseline: Baseline,
  window: Window,
  windowMs: number,
  settings: JudgeSettings,
): BakeState {
  const after = (detectors: Detectors, canary: Counts) =>
    detectorsAfter(detectors, canary, baseline, windowMs, settings);
  return {
    baseline,
    detectors: after(bake.detectors, window.canary),
    detectorsWithout: window.canaryGroups.map((group, index) =>
      after(bake.detectorsWithout[index] ?? bake.detectors, withoutCounts(window.canary, group)),
    ),
    groups: addGroups(bake.groups, window.canaryGroups),
    canary: addCounts(bake.canary, window.canary),
  };
}

function afterAny(state: EngineState, window: Window): EngineState {
  return {
    ...state,
    totals: {
      canary: addCounts(state.totals.canary, window.canary),
      stable: addCounts(state.totals.stable, window.stable),
    },
    windows: state.windows + 1,
    windowMs: state.windows < 2 ? window.lengthMs : state.windowMs * 0.8 + window.lengthMs * 0.2,
    tuples: withTuple(state.tuples, window),
  };
}

function addGroups(before: readonly Counts[], seen: readonly Counts[]): readonly Counts[] {
  return seen.map((counts, index) => addCounts(before[index] ?? noCounts, counts));
}
