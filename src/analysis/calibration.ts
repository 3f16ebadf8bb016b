// Decides with how many errors at once a metric is judged, from what the old version's pods did before the release began. It
// is decided once, before the first window of an attempt, and never looks at the new version.
import { dispersionOf } from './dispersion.ts';
import type { CountMetric } from './metric.ts';
import { type Past, blocksIn } from './past.ts';
import { type Pretended, pretendReleases } from './pretend.ts';
import { type JudgeSettings, type Terms, logRollback, termsOf } from './settings.ts';

/** What was learned about one metric; plain JSON, pinned with the evidence of the attempt. */
export interface Calibration {
  readonly metric: string;
  /** All evidence about it is taken to this root. */
  readonly clumping: number;
  /** How much of the past was seen. */
  readonly spanMs: number;
  readonly pods: number;
  readonly errors: number;
  /** Releases that were played with the old version's own pods, and the highest evidence that any of them reached. */
  readonly releases: number;
  readonly logHighest: number;
}

/** More at once would make the judge blind; where more come, pods differ, and the guard against a single bad pod is left. */
export const mostClumping = 16;
/** Evidence shrinks as this grows, so the next try is about right; and it is a step. */
const leastStep = 1.1;

/** `canaryPods`: of how many pods a release has at first. */
export function calibrationOf(
  metric: CountMetric,
  past: Past,
  canaryPods: number,
  settings: JudgeSettings,
): Calibration {
  const terms = termsOf({ ...metric, clumping: settings.clumping }, settings);
  const { clumping: seen, errors } = dispersionOf(past, terms.clumping);
  const { clumping, releases, logHighest } = raisedUntilCalm(past, canaryPods, terms, Math.min(seen, mostClumping));
  const spanMs = blocksIn(past) * past.blockMs;
  return { metric: metric.name, clumping, spanMs, pods: past.pods.length, errors, releases, logHighest };
}

/** No release that never was may look like one to roll back. */
function raisedUntilCalm(
  past: Past,
  canaryPods: number,
  terms: Terms,
  from: number,
): Pretended & { readonly clumping: number } {
  let clumping = hundredths(from);
  for (;;) {
    const pretended = pretendReleases(past, canaryPods, { ...terms, clumping });
    const excess = pretended.logHighest / logRollback(terms);
    if (excess < 1 || clumping >= mostClumping) return { ...pretended, clumping };
    clumping = hundredths(Math.min(mostClumping, clumping * Math.max(leastStep, excess)));
  }
}

/** Upwards, for people. */
function hundredths(number: number): number {
  return Math.ceil(number * 100 - 1e-9) / 100;
}

/** The settings of an attempt with what was learned; a metric of which nothing was learned stays as it is. */
export function calibrated(settings: JudgeSettings, learned: readonly Calibration[]): JudgeSettings {
  const metrics = settings.metrics.map((metric) => {
    const own = learned.find((one) => one.metric === metric.name);
    return metric.kind === 'count' && own ? { ...metric, clumping: own.clumping } : metric;
  });
  return { ...settings, metrics };
}
