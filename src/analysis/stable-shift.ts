// Owns the question whether the old version alone got worse than it was before a flag was turned on for both: one series
// against its own rate of before, with the detectors of the bake. It never speaks about the new version.
import { type Detectors, baselineOf, detectorsAfter, logAlarm, openDetectors } from './bake.ts';
import type { Counts } from './errors.ts';
import { errorsName } from './metric.ts';
import { type JudgeSettings, type Terms, logRollback, termsOf } from './settings.ts';
import { countWords, oddsWords, percentWords } from './words.ts';

/** Plain data: kept with the evidence, so that a restarted operator goes on from it. */
export interface StableShift {
  /** Of the old version, before. */
  readonly before: Counts;
  /** Of the old version, since. */
  readonly since: Counts;
  readonly detectors: Detectors;
  /** Usual time between two counts. */
  readonly windowMs: number;
  readonly atMs: number;
  /** Once it is harmful it stays so: what is done about it must not depend on who asks when. */
  readonly isHarmful: boolean;
  readonly logEvidence: number;
}

const shortestWindowMs = 1_000;

/** Undefined without anything to compare with. */
export function openShift(before: Counts, nowMs: number): StableShift | undefined {
  if (before.requests <= 0) return undefined;
  const since = { requests: 0, errors: 0 };
  const detectors = openDetectors();
  return { before, since, detectors, windowMs: 5_000, atMs: nowMs, isHarmful: false, logEvidence: 0 };
}

/** `since`: all that was counted since; counts that went back are those of somebody else and change nothing. */
export function shiftAfter(shift: StableShift, since: Counts, nowMs: number, settings: JudgeSettings): StableShift {
  const terms = errorTerms(settings);
  const baseline = terms && baselineOf(shift.before, terms);
  const grown = { requests: since.requests - shift.since.requests, errors: since.errors - shift.since.errors };
  if (terms === undefined || baseline === undefined || grown.requests <= 0 || grown.errors < 0) return shift;
  const windowMs = Math.max(shortestWindowMs, nowMs - shift.atMs);
  const detectors = detectorsAfter(shift.detectors, grown, baseline, windowMs, terms);
  const logEvidence = logAlarm(detectors, windowMs, terms);
  const isHarmful = shift.isHarmful || (logEvidence >= logRollback(settings) && since.errors >= settings.minimumErrors);
  return { ...shift, since, detectors, windowMs, atMs: nowMs, isHarmful, logEvidence };
}

/** What a judge's answer says of it. */
export function shiftAnswer({ before, since, isHarmful, logEvidence }: StableShift): {
  readonly harmful: boolean;
  readonly sentence: string;
} {
  const share = ({ requests, errors }: Counts) => percentWords(requests === 0 ? 0 : errors / requests);
  const counts = ({ requests, errors }: Counts) => `${countWords(errors)} of ${countWords(requests)}`;
  return {
    harmful: isHarmful,
    sentence: `the old version fails ${share(since)} of requests since then, ${counts(since)}; before ${share(before)}, ${counts(before)}; evidence ${oddsWords(logEvidence)}.`,
  };
}

/** Undefined where errors are not judged. */
function errorTerms(settings: JudgeSettings): Terms | undefined {
  const errors = settings.metrics.find((metric) => metric.kind === 'count' && metric.name === errorsName);
  return errors?.kind === 'count' ? termsOf(errors, settings) : undefined;
}
