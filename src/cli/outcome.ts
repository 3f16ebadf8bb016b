/**
 * Decides whether a release that is being watched has ended, and how; a pure fold over what was seen. It must not take an
 * old status for the outcome of a template that was applied a moment ago.
 */
import type { Retreat, RolloutStatus } from '../api/rollout-status.ts';
import { EXIT } from '../api/reasons.ts';
import type { RolloutObject } from './objects.ts';

/** Which template stands in the Deployment now: the stable one, a rejected one, another one, or nobody could tell. */
export type LiveTemplate = 'stable' | 'rejected' | 'other' | 'unknown';

/** What is remembered of the statuses that were seen so far. */
export interface Watched {
  readonly attempt: number | undefined;
  /** Why the last attempt went back, while no newer one began. */
  readonly wentBack: Pick<Retreat, 'reason' | 'message'> | undefined;
}

export const nothingWatched: Watched = { attempt: undefined, wentBack: undefined };

export interface Ending {
  readonly exitCode: number;
  readonly sentence: string;
}

/** A status that stops must stand for this long: one second of trouble is no outcome, nor is a status of before the change. */
const STANDS_MS = 5000;

export function watchedAfter(before: Watched, { status }: RolloutObject): Watched {
  const attempt = status?.journal?.attempt;
  if (attempt === undefined) return before;
  const wentBack = attempt.retreat ?? (attempt.number === before.attempt ? before.wentBack : undefined);
  return { attempt: attempt.number, wentBack };
}

/** Where a release stands still for a moment: only then the live template has to be known. */
export function mayHaveEnded(rollout: RolloutObject): boolean {
  const { status, metadata } = rollout;
  if (status?.phase === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  return status.phase === 'Idle' || status.phase === 'RolledBack' || isStalled(status);
}

/** `standsMs`: for how long phase and reason have been what they are now. Undefined: it goes on. */
export function endingOf(
  watched: Watched,
  rollout: RolloutObject,
  live: LiveTemplate,
  standsMs: number,
): Ending | undefined {
  if (!mayHaveEnded(rollout)) return undefined;
  const { status } = rollout;
  const sentence = status?.message ?? '';
  const hasStood = standsMs >= STANDS_MS;
  if (status?.phase === 'RolledBack') {
    const isAboutLive = live === 'rejected' || (live === 'unknown' && hasStood);
    return isAboutLive ? { exitCode: EXIT.rolledBack, sentence } : undefined;
  }
  if (isStalled(status)) return hasStood ? { exitCode: EXIT.needsPerson, sentence } : undefined;
  const isAboutLive = live === 'stable' || (live === 'unknown' && hasStood);
  if (!isAboutLive) return undefined;
  const { wentBack } = watched;
  return wentBack === undefined
    ? { exitCode: EXIT.done, sentence }
    : { exitCode: EXIT.rolledBack, sentence: `${wentBack.message} ${sentence}` };
}

export function isStalled(status: RolloutStatus | undefined): boolean {
  return status?.conditions?.some((one) => one.type === 'Stalled' && one.status === 'True') === true;
}
