/**
 * Lets the judge look at the windows of a release of the past, as it would have looked at them then. Pure: the same windows
 * and settings give the same verdict, and no step, brake or pause is played, because nobody's requests are moved any more.
 */
import type { Window } from '../../analysis/engine.ts';
import { type Counts, addCounts, noCounts, rate } from '../../analysis/errors.ts';
import { judgedAnswer } from '../../analysis/explain.ts';
import { type EngineName, type JudgeState, armJudge, judgeWindow, openJudge } from '../../analysis/judge.ts';
import { defaultErrors } from '../../analysis/metric.ts';
import type { JudgeSettings } from '../../analysis/settings.ts';

/** What was counted around one release, in order of time. */
export interface PastWindows {
  readonly reader: EngineName;
  readonly windows: readonly Window[];
}

export interface Looked {
  /** Requests of the new revision, as long as it was looked at. */
  readonly canary: Counts;
  /** Requests of the old one, from before the release until its last pod. */
  readonly stable: Counts;
  /** From the first request of the new revision to each of these; absent: it never came to it. */
  readonly brakedAfterMs?: number;
  readonly stoppedAfterMs?: number;
  /** Requests of the new revision that had failed when it would have been stopped. */
  readonly failedUntilStopped?: number;
  /** What the judge would have said: when it would have gone back, else at the end. */
  readonly sentence: string;
  /** It fails more than the Rollout rules out. Undefined: too few requests to say so. */
  readonly isWorse: boolean | undefined;
  /** For so long after its first request the new revision was looked at. */
  readonly lookedMs: number;
}

/** Fewer requests say nothing about a version, nor do fewer failures. */
const LEAST_REQUESTS = 100;
const LEAST_FAILED = 5;

/** Undefined when the new revision had no request. */
export function replay({ reader, windows }: PastWindows, settings: JudgeSettings): Looked | undefined {
  const firstMs = windows.find(({ canary }) => canary.requests > 0)?.startMs;
  const lastMs = windows.at(-1)?.endMs;
  if (firstMs === undefined || lastMs === undefined) return undefined;
  let judge = openJudge([{ name: reader, hasLatency: windows.some(({ latency }) => latency !== undefined) }], settings);
  let totals = { canary: noCounts, stable: noCounts };
  const reached: Partial<Record<'braked' | 'stopped', { readonly afterMs: number; readonly failed: number }>> = {};
  let sentence: string | undefined;
  const lastCompared = windows.findLastIndex(({ stable }) => stable.requests > 0);
  for (const [index, window] of windows.entries()) {
    judge = judgeWindow(index > lastCompared ? alone(judge, window) : judge, reader, window, settings);
    totals = { canary: addCounts(totals.canary, window.canary), stable: addCounts(totals.stable, window.stable) };
    const { level, sentence: said } = judgedAnswer(judge, settings, window.endMs, true);
    const seen = { afterMs: window.endMs - firstMs, failed: totals.canary.errors };
    if (level === 'brake' || level === 'onePod' || level === 'harmful') reached.braked ??= seen;
    if (level === 'harmful' && reached.stopped === undefined) [reached.stopped, sentence] = [seen, said];
  }
  const { braked, stopped } = reached;
  return {
    ...totals,
    ...(braked === undefined ? {} : { brakedAfterMs: braked.afterMs }),
    ...(stopped === undefined ? {} : { stoppedAfterMs: stopped.afterMs, failedUntilStopped: stopped.failed }),
    sentence: sentence ?? judgedAnswer(judge, settings, lastMs, true).sentence,
    isWorse: isWorse(totals.canary, totals.stable, settings),
    lookedMs: lastMs - firstMs,
  };
}

/** After the last request of the old revision there is nothing to compare with any more: the judge of the bake speaks. */
function alone(judge: JudgeState, { startMs }: Window): JudgeState {
  return armJudge(judge, 'bake', startMs);
}

/** By the plain rates, with no statistics: what somebody sees who looks back. */
function isWorse(canary: Counts, stable: Counts, { metrics }: JudgeSettings): boolean | undefined {
  if (canary.requests < LEAST_REQUESTS || stable.requests < LEAST_REQUESTS) return undefined;
  const { ruleOut } = metrics.find(({ name }) => name === defaultErrors.name) ?? defaultErrors;
  return canary.errors >= LEAST_FAILED && rate(canary) > ruleOut.ratio * rate(stable) + ruleOut.absolute;
}
