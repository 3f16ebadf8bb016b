/**
 * What a judge of an attempt has to know besides its spec: which of its judges it is, and what an observation asks of it.
 * Evidence is begun anew where the world was changed on purpose, so that what was seen before counts no more.
 */
import type { Attempt } from '../api/rollout-status.ts';
import { isClimbing } from './climbing.ts';

export interface FreshJudge {
  /** Behind the name of the attempt: empty for its first judge, then ".1", ".2". */
  readonly suffix: string;
  /** Samples of pods that ran before are baselines and never counted. */
  readonly beganAtMs: number;
  /** In an observation: at least half of this excess of bad requests (0 to 1) has to be gone, and no more need be shown. */
  readonly widen?: { readonly metric: string; readonly excess: number };
}

export function judgeOf(attempt: Attempt): FreshJudge {
  const { epoch, epochAtMs, beganAtMs, ladder } = attempt;
  const widen =
    isClimbing(attempt) && ladder?.observeFromMs !== undefined && ladder.before?.culprit !== undefined
      ? { metric: ladder.before.culprit, excess: ladder.before.excess }
      : undefined;
  return {
    suffix: epoch === undefined ? '' : `.${epoch}`,
    beganAtMs: epochAtMs ?? beganAtMs,
    ...(widen === undefined || widen.excess <= 0 ? {} : { widen }),
  };
}

/** From now on a fresh judge. */
export function judgedAnew(attempt: Attempt, nowMs: number): Attempt {
  return { ...attempt, epoch: (attempt.epoch ?? 0) + 1, epochAtMs: nowMs };
}
