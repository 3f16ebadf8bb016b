// Owns the numbers that decide when the judge speaks. They are pinned for an attempt: evidence gathered under one set
// means nothing under another.
import { type CountMetric, type Metric, defaultErrors } from './metric.ts';

export interface JudgeSettings extends Certainty {
  /** What is judged, at least one; names are distinct, weights sum to 1. Every one of them was asked for. */
  readonly metrics: readonly Metric[];
}

/** What all metrics have in common. */
export interface Certainty {
  /** 99.9: at most 1 in 1000 healthy releases is rolled back. Below 100. */
  readonly confidencePercent: number;
  /** The same for the brake, which only costs time. Below 100. */
  readonly brakeConfidencePercent: number;
  /**
   * How many errors come at once, at worst, for one cause (retries, a bad second). At least 1; all evidence is taken
   * to this root. 2 when nothing is known of the service's history; a metric of which something is known has its own.
   */
  readonly clumping: number;
  /** Never a rollback on fewer failed canary requests. */
  readonly minimumErrors: number;
  /** How long the bake lasts: its false alarms are counted over this time. */
  readonly bakeMs: number;
}

/** The terms on which one kind of bad requests is judged. */
export interface Terms extends Certainty, Pick<CountMetric, 'weight' | 'tolerate' | 'ruleOut'> {}

export const defaultSettings: JudgeSettings = {
  metrics: [defaultErrors],
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
export function logRollback(settings: Certainty): number {
  return logOdds(settings.confidencePercent);
}

/** Odds, in logarithms, that the brake needs: 99 percent is 100 : 1. */
export function logBrake(settings: Certainty): number {
  return logOdds(settings.brakeConfidencePercent);
}

/**
 * Odds, in logarithms, that must remain without each group of canary pods for a rollback: half of the rollback's logarithm,
 * 31.6 : 1 at 99.9 percent and 10 : 1 at 99. What remains is evidence against "all other groups are fine", so of the
 * single faulty groups that there are, at most 1 in 31.6 (3.2 percent; at 99 1 in 10) ever passes for a faulty version.
 */
export function logWithoutGroup(settings: Certainty): number {
  return logRollback(settings) / 2;
}

export function termsOf(
  { weight, tolerate, ruleOut, clumping: own }: Pick<CountMetric, 'weight' | 'tolerate' | 'ruleOut' | 'clumping'>,
  { confidencePercent, brakeConfidencePercent, clumping: supposed, minimumErrors, bakeMs }: Certainty,
): Terms {
  const clumping = own ?? supposed;
  return { confidencePercent, brakeConfidencePercent, clumping, minimumErrors, bakeMs, weight, tolerate, ruleOut };
}

function logOdds(confidencePercent: number): number {
  return -Math.log1p(-confidencePercent / 100);
}
