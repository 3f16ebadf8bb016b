// Owns the watch over a version that already has all the traffic: one series against the rate that stable had. There
// is no control group any more, so it only bets on large effects: at least twice the rate that is allowed.
import { type Counts, rate } from './errors.ts';
import { forBrake, logMean, logSpaced } from './mixture.ts';
import { harmLimits } from './harm.ts';
import type { Terms } from './settings.ts';

/** What stable did before it lost its traffic. Without a stable request there is nothing to compare with. */
export interface Baseline {
  /** The highest error rate that is still fine, as a fraction of requests. */
  readonly allowedRate: number;
  /** A low guess of stable's rate, for the evidence of health. */
  readonly lowRate: number;
}

/** One detector for each suspected ratio. Each forgets the past as soon as the past speaks for health. */
export interface Detectors {
  readonly logEvidence: readonly number[];
  readonly logUncapped: readonly number[];
}

const tilts = logSpaced(2, 64, 16);

/** Stable's error count is itself uncertain: three more errors are the usual upper bound when none was seen. */
const unseenErrors = 3;

export function baselineOf(stable: Counts, terms: Terms): Baseline | undefined {
  if (stable.requests <= 0) return undefined;
  const highRate = (stable.errors + unseenErrors) / stable.requests;
  const lowErrors = Math.max(0, stable.errors - 2 * Math.sqrt(stable.errors));
  return {
    allowedRate: Math.min(1, highRate * 1.25 + allowedExcess(rate(stable), terms)),
    lowRate: lowErrors / stable.requests,
  };
}

export function openDetectors(): Detectors {
  const nothing = tilts.map(() => 0);
  return { logEvidence: nothing, logUncapped: nothing };
}

/** `windowMs`: the usual length of a window, which says how many of them the bake has. */
export function detectorsAfter(
  detectors: Detectors,
  canary: Counts,
  baseline: Baseline,
  windowMs: number,
  terms: Terms,
): Detectors {
  const logCrowd = logWindowsOf(windowMs, terms);
  const limits = harmLimits(terms);
  const logWindowCap = logCrowd / 3 + limits.logWindowCap;
  const logBrakeGoal = logCrowd + limits.logBrakeGoal;
  const logCeiling = logCrowd + limits.logCeiling;
  const logFactors = tilts.map(
    (tilt) => (canary.errors * Math.log(tilt) - canary.requests * baseline.allowedRate * (tilt - 1)) / terms.clumping,
  );
  return {
    logEvidence: logFactors.map((log, bet) => fromHere(detectors.logEvidence[bet]) + Math.min(log, logWindowCap)),
    logUncapped: logFactors.map((log, bet) =>
      Math.min(fromHere(detectors.logUncapped[bet]) + forBrake(log, logBrakeGoal), logCeiling),
    ),
  };
}

/**
 * The average detector, measured against as many windows as the bake has: a detector that may start anew at every
 * window raises at most one false alarm in as many windows as its threshold. So odds of 1000 : 1 here mean the same
 * as for the evidence that was gathered with a control group.
 */
export function logAlarm(detectors: Detectors, windowMs: number, terms: Terms): number {
  return logMean(detectors.logEvidence) - logWindowsOf(windowMs, terms);
}

export function logAlarmUncapped(detectors: Detectors, windowMs: number, terms: Terms): number {
  return logMean(detectors.logUncapped) - logWindowsOf(windowMs, terms);
}

function logWindowsOf(windowMs: number, { bakeMs }: Terms): number {
  return Math.log(Math.max(1, bakeMs / Math.max(windowMs, 1)));
}

function fromHere(logEvidence = 0): number {
  return Math.max(logEvidence, 0);
}

function allowedExcess(stableRate: number, { tolerate }: Terms): number {
  return Math.max((tolerate.ratio - 1) * stableRate, tolerate.absolute);
}
