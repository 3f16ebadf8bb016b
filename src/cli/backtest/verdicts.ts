/** Puts what the judge would have done beside what happened: one line a release, and what they come to together. Pure. */
import type { JudgeSettings } from '../../analysis/settings.ts';
import type { Recording, RecordedRelease } from './recording.ts';
import { type Looked, replay } from './replay.ts';

/** How a release turned out, for whoever looks back. */
export type Truth =
  /** Somebody went back to a revision that had run before. */
  | 'undone'
  /** It failed more than the Rollout rules out, by the plain rates. */
  | 'worse'
  | 'fine'
  /** Too few requests to say. */
  | 'unknown';

export interface PastVerdict {
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly truth: Truth;
  /** For how long the new revision ran; absent: it still does. */
  readonly ranMs?: number;
  /** Absent: nothing was counted. */
  readonly looked?: Looked;
}

export interface BacktestSummary {
  readonly releases: number;
  /** Of those that could be judged. */
  readonly bad: number;
  readonly badStopped: number;
  readonly good: number;
  readonly goodStopped: number;
  readonly goodBraked: number;
  readonly notCounted: number;
  /** Requests that bad releases failed in the time that was looked at, and how many of them before they would have been stopped. */
  readonly failed: number;
  readonly failedUntilStopped: number;
}

export function verdictsOf({ releases }: Recording, settings: JudgeSettings): readonly PastVerdict[] {
  return releases.map((release) => {
    const looked = release.counted && replay(release.counted, settings);
    return {
      at: new Date(release.atMs).toISOString(),
      from: release.from,
      to: release.to,
      truth: truthOf(release, looked),
      ...(release.endedAtMs === undefined ? {} : { ranMs: release.endedAtMs - release.atMs }),
      ...(looked === undefined ? {} : { looked }),
    };
  });
}

function truthOf({ isUndone }: RecordedRelease, looked: Looked | undefined): Truth {
  if (looked?.isWorse === true) return 'worse';
  if (isUndone) return 'undone';
  return looked?.isWorse === undefined ? 'unknown' : 'fine';
}

export function summaryOf(verdicts: readonly PastVerdict[]): BacktestSummary {
  const judged = verdicts.filter(({ looked }) => looked !== undefined);
  const bad = judged.filter(({ truth }) => truth === 'worse' || truth === 'undone');
  const good = judged.filter(({ truth }) => truth === 'fine' || truth === 'unknown');
  const stopped = (all: readonly PastVerdict[]) => all.filter(({ looked }) => looked?.stoppedAfterMs !== undefined);
  const failedIn = (all: readonly PastVerdict[], of: (looked: Looked) => number) =>
    all.reduce((sum, { looked }) => sum + (looked === undefined ? 0 : of(looked)), 0);
  return {
    releases: verdicts.length,
    bad: bad.length,
    badStopped: stopped(bad).length,
    good: good.length,
    goodStopped: stopped(good).length,
    goodBraked: good.filter(({ looked }) => looked?.brakedAfterMs !== undefined && looked.stoppedAfterMs === undefined)
      .length,
    notCounted: verdicts.length - judged.length,
    failed: failedIn(bad, ({ canary }) => canary.errors),
    failedUntilStopped: failedIn(bad, ({ canary, failedUntilStopped }) => failedUntilStopped ?? canary.errors),
  };
}
