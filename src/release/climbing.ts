/** Whether something is being done about harm, and what: the one place that reads the ladder of an attempt. */
import type { EffectiveRung } from '../api/effective.ts';
import type { Attempt } from '../api/rollout-status.ts';

/** Before the rungs of the Rollout: flag steps that this attempt took are undone, if there are any. */
export const STEP_FLAGS = -1;

/** What has happened since the verdict and is not over. */
export type PresentRung = EffectiveRung | { readonly kind: 'stepFlags' };

export function isClimbing({ ladder }: Attempt): boolean {
  return ladder !== undefined && ladder.endedAtMs === undefined;
}

export function presentRung({ ladder, spec }: Attempt): PresentRung | undefined {
  if (ladder === undefined || ladder.endedAtMs !== undefined) return undefined;
  return ladder.rung === STEP_FLAGS ? { kind: 'stepFlags' } : spec.onAnomaly[ladder.rung];
}
