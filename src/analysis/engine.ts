// Owns what one engine (one way of counting the same requests, good and bad) has gathered in an attempt: a fold over its
// windows. It never decides; the judge reads it.
import { acceptAfter, acceptAfterLone, openAccept } from './accept.ts';
import { type Baseline, type Detectors, baselineOf, detectorsAfter, openDetectors } from './bake.ts';
import { type ArmCounts, type Counts, addCounts, noCounts, withoutCounts } from './errors.ts';
import { type HarmEvidence, harmAfter, limitsWithoutGroup, openHarm } from './harm.ts';
import type { Histogram } from './histogram.ts';
import type { Wealth } from './mixture.ts';
import type { Terms } from './settings.ts';
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
  /** How long requests took, where a histogram is exposed. All of one window have the same bounds. */
  readonly latency?: LatencyWindow;
  /** Which part of the requests the route sent to the canary all through the window; from 0 to 1. */
  readonly plannedShare?: number;
}

export interface LatencyWindow {
  readonly canary: Histogram;
  readonly stable: Histogram;
  /** The same groups of pods as in `canaryGroups`; empty where pods cannot be told apart. */
  readonly canaryGroups: readonly Histogram[];
}

/** What is counted in a window: of one metric. */
export type CountWindow = Pick<Window, 'canary' | 'stable' | 'canaryGroups' | 'lengthMs'>;

export interface CountState {
  readonly kind: 'count';
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

export function openCount(terms: Terms): CountState {
  return {
    kind: 'count',
    harm: openHarm(terms),
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
export function afterTwoArms(state: CountState, window: CountWindow, countsForStep: boolean, terms: Terms): CountState {
  const { lengthMs } = window;
  const limits = limitsWithoutGroup(terms);
  return {
    ...afterAny(state, window),
    harm: harmAfter(state.harm, window, lengthMs, terms),
    harmWithout: window.canaryGroups.map((group, index) => {
      const rest = { canary: withoutCounts(window.canary, group), stable: window.stable };
      return harmAfter(state.harmWithout[index] ?? state.harm, rest, lengthMs, terms, limits);
    }),
    groups: addGroups(state.groups, window.canaryGroups),
    accept: acceptAfter(state.accept, window, lengthMs, terms),
    stepAccept: countsForStep ? acceptAfter(state.stepAccept, window, lengthMs, terms) : state.stepAccept,
  };
}

/**
 * After a window of the bake. Evidence gathered with a control group stays as it was; what stable did until the first
 * window of the bake is what the canary is held against.
 */
export function afterLone(state: CountState, window: CountWindow, countsForStep: boolean, terms: Terms): CountState {
  const bake = state.bake ?? openBake(state.totals.stable, terms);
  if (!bake.baseline) return { ...afterAny(state, window), bake };
  const { lowRate } = bake.baseline;
  const accepted = (wealth: Wealth) => acceptAfterLone(wealth, window.canary, lowRate, window.lengthMs, terms);
  return {
    ...afterAny(state, window),
    accept: accepted(state.accept),
    stepAccept: countsForStep ? accepted(state.stepAccept) : state.stepAccept,
    bake: bakeAfter(bake, bake.baseline, window, state.windowMs, terms),
  };
}

function openBake(stable: Counts, terms: Terms): BakeState {
  const baseline = baselineOf(stable, terms);
  return { baseline, detectors: openDetectors(), detectorsWithout: [], groups: [], canary: noCounts };
}

export function endBake(state: CountState): CountState {
  return { ...state, bake: undefined };
}

export function beginStep(state: CountState): CountState {
  return { ...state, stepAccept: openAccept() };
}

function bakeAfter(
  bake: BakeState,
  baseline: Baseline,
  window: CountWindow,
  windowMs: number,
  terms: Terms,
): BakeState {
  const after = (detectors: Detectors, canary: Counts) => detectorsAfter(detectors, canary, baseline, windowMs, terms);
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

function afterAny(state: CountState, window: CountWindow): CountState {
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
