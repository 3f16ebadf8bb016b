// Owns the numbers that decide when the judge speaks. They are pinned for an attempt: evidence gathered under one set
// means nothing under another.
import type { Tolerance } from './tolerance.ts';

export interface JudgeSettings {
  /** Differences up to this are never a reason to roll back. */
  readonly tolerate: Tolerance;
  /** A step forward waits until this much damage is ruled out. */
  readonly ruleOut: Tolerance;
  /** 99.9: at most 1 in 1000 healthy releases is rolled back. Below 100. */
  readonly confidencePercent: number;
  /** The same for the brake, which only costs time. Below 100. */
  readonly brakeConfidencePercent: number;
  /**
   * How many errors come at once, at worst, for one cause (retries, a bad second). At least 1; all evidence is taken
   * to this root. 2 when nothing is known of the service's history.
   */
  readonly clumping: number;
  /** Never a rollback on fewer failed canary requests. */
  readonly minimumErrors: number;
  /** How long the bake lasts: its false alarms are counted over this time. */
  readonly bakeMs: number;
}

export const defaultSettings: JudgeSettings = {
  tolerate: { ratio: 1.1, absolute: 0.0001 },
  ruleOut: { ratio: 2, absolute: 0.002 },
  confidencePercent: 99.9,
  brakeConfidencePercent: 99,
  clumping: 2,
  minimumErrors: 3,
  bakeMs: 300_000,
};

/** Evidence of harm from which no step forward is made, and below which a brake may be released. */
export const logDoubt = Math.log(5);
/** Evidence of health, gathered in one step, that lets the next step begin. */
export const logStepAccept = Math.log(5);
/** Evidence of health, over the whole attempt, that lets a release be promoted or a brake be released. */
export const logFinalAccept = Math.log(20);

/** Odds, in logarithms, that a rollback needs: 99.9 percent is 1000 : 1. */
export function logRollback(settings: JudgeSettings): number {
  return logOdds(settings.confidencePercent);
}

/** Odds, in logarithms, that the brake needs: 99 percent is 100 : 1. */
export function logBrake(settings: JudgeSettings): number {
  return logOdds(settings.brakeConfidencePercent);
}

function logOdds(confidencePercent: number): number {
  return -Math.log1p(-confidencePercent / 100);
}
