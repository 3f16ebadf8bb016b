/** Puts a backtest into words and columns for people; it decides nothing. */
import { countWords, percentWords } from '../../analysis/words.ts';
import { rate } from '../../analysis/errors.ts';
import { spanOf, tableOf } from '../table.ts';
import { type Terminal, painted } from '../terminal.ts';
import type { Recording } from './recording.ts';
import type { Looked } from './replay.ts';
import type { BacktestSummary, PastVerdict } from './verdicts.ts';

const HEADER = ['RELEASED', 'REVISION', 'REQUESTS', 'FAILED', 'BEFORE', 'SERIN', 'IN FACT'];

export function backtestLines(
  { namespace, deployment, fromMs, untilMs }: Recording,
  verdicts: readonly PastVerdict[],
  summary: BacktestSummary,
  terminal: Pick<Terminal, 'hasColour'>,
): readonly string[] {
  const what = `${namespace}/${deployment}, ${new Date(fromMs).toISOString().slice(0, 10)} to ${new Date(untilMs).toISOString().slice(0, 10)}`;
  if (verdicts.length === 0)
    return [
      `${what}: no release is seen. Only what the metric source still has of "up" by pod tells of releases: is its retention long enough, and are the pods scraped with the labels namespace and pod?`,
    ];
  const [header = '', ...lines] = tableOf(HEADER, verdicts.map(rowOf));
  return [
    painted(terminal, 'bold', what),
    '',
    header,
    ...lines.map((line, index) => coloured(line, verdicts[index], terminal)),
    '',
    ...summaryLines(summary),
    '',
    ...verdicts.flatMap(({ to, looked }) =>
      looked?.stoppedAfterMs === undefined ? [] : [`${to}: ${looked.sentence}`],
    ),
    ...(summary.badStopped + summary.goodStopped > 0 ? [''] : []),
    'The counts are those of the time, when the new pods got their share at once. With a small first weight the same evidence',
    'takes about as many failed requests, and more time. What came later than the time looked at is not judged.',
  ];
}

function rowOf({ at, to, truth, ranMs, looked }: PastVerdict): readonly (string | undefined)[] {
  const ran = ranMs === undefined ? 'still runs' : `ran ${spanOf(ranMs)}`;
  const fact = { undone: `undone, ${ran}`, worse: `failed more, ${ran}`, fine: ran, unknown: `${ran}, few requests` }[
    truth
  ];
  const when = at.slice(0, 16).replace('T', ' ');
  if (looked === undefined) return [when, to, undefined, undefined, undefined, 'nothing was counted', fact];
  const { canary, stable } = looked;
  return [
    when,
    to,
    countWords(canary.requests),
    canary.requests === 0 ? undefined : percentWords(rate(canary)),
    stable.requests === 0 ? undefined : percentWords(rate(stable)),
    actWords(looked),
    fact,
  ];
}

function actWords({ stoppedAfterMs, failedUntilStopped = 0, brakedAfterMs }: Looked): string {
  if (stoppedAfterMs !== undefined)
    return `rolled back after ${spanOf(stoppedAfterMs)}, ${countWords(failedUntilStopped)} failed`;
  return brakedAfterMs === undefined ? 'let it go' : `braked after ${spanOf(brakedAfterMs)}`;
}

function coloured(line: string, verdict: PastVerdict | undefined, terminal: Pick<Terminal, 'hasColour'>): string {
  const isStopped = verdict?.looked?.stoppedAfterMs !== undefined;
  const isBad = verdict?.truth === 'worse' || verdict?.truth === 'undone';
  if (isStopped && !isBad) return painted(terminal, 'red', line);
  return isStopped ? painted(terminal, 'green', line) : isBad ? painted(terminal, 'yellow', line) : line;
}

function summaryLines(summary: BacktestSummary): readonly string[] {
  const { releases, bad, badStopped, good, goodStopped, goodBraked, notCounted, failed, failedUntilStopped } = summary;
  return [
    `${releases} release${releases === 1 ? '' : 's'}.`,
    bad === 0
      ? 'None was undone or failed more than the Rollout rules out.'
      : `${bad} undone or worse: Serin would have rolled back ${badStopped} of them, after ${countWords(failedUntilStopped)} of the ${countWords(failed)} requests that they failed.`,
    `${good} without such a mark: ${goodStopped} would have been rolled back, ${goodBraked} braked for a while.`,
    ...(notCounted === 0 ? [] : [`Of ${notCounted} nothing was counted.`]),
  ];
}
