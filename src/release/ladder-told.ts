/** What the record of a release says of the ladder: each rung with its moment and its sentence. */
import type { ReleaseRecordStatus } from '../api/release-record.ts';
import type { Attempt } from '../api/rollout-status.ts';
import { isoTime } from './time.ts';

/** Undefined when nothing was done about harm. */
export function ladderTold({ ladder }: Attempt): ReleaseRecordStatus['ladder'] {
  if (ladder === undefined || ladder.done.length === 0) return undefined;
  return ladder.done.map(({ kind, atMs, sentence }) => ({ rung: kind, at: isoTime(atMs), sentence }));
}
