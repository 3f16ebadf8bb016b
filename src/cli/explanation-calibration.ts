/** Words for what the judge has learned of the time before a release: how many errors come at once, and how well that was tried. */
import { type Calibration, mostClumping } from '../analysis/calibration.ts';
import { errorsName } from '../analysis/metric.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import { countWords, oddsWords } from '../analysis/words.ts';
// oxlint-disable-next-line no-restricted-imports -- the one definition of what status keeps; a second reader would drift from it
import type { Learned } from '../signals/learned.ts';
import { spanOf } from './table.ts';

/** `learned`: undefined where a Serin that did not ask the past has begun the attempt. */
export function calibrationLines(
  learned: Learned | undefined,
  { clumping }: Pick<JudgeSettings, 'clumping'>,
): string[] {
  if (learned === undefined) return [];
  return [
    ...learned.calibrations.map((one) => `calibration: ${learnedWords(one, clumping)}; ${pretendWords(one)}`),
    ...learned.unknown.map(
      ({ metric, why }) =>
        `calibration: ${whatOf(metric)} are taken to come ${clumping} at a time; nothing is known of their past: ${why}`,
    ),
  ];
}

/** "errors come 1.4 at a time (6h of history with 412 of them)" */
export function learnedWords({ metric, clumping, spanMs, errors }: Calibration, supposed: number): string {
  const what = whatOf(metric);
  const seen = `${spanOf(spanMs)} of history with ${countWords(errors)} of them`;
  if (clumping === supposed) return `${what} are taken to come ${clumping} at a time (${seen} says no better)`;
  const orMore = clumping >= mostClumping ? ' or more: pods differ from each other' : '';
  return `${what} come ${Number(clumping.toPrecision(2))} at a time${orMore} (${seen})`;
}

function pretendWords({ releases, logHighest }: Calibration): string {
  if (releases === 0) return 'no pretend release was possible';
  return `${releases} pretend releases, highest evidence ${oddsWords(logHighest)}`;
}

function whatOf(metric: string): string {
  return metric === errorsName ? 'errors' : `bad requests of ${metric}`;
}
