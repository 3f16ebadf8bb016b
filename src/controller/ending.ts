/** Puts together what a ReleaseRecord says about the end of its attempt, from the journal and the last answer of the judge. */
import type { Answer } from '../analysis/answer.ts';
import type { ReleaseRecordStatus } from '../api/release-record.ts';
import type { Effect } from '../release/decision.ts';
import { ladderTold } from '../release/ladder-told.ts';
import { isoTime } from '../release/time.ts';
import type { Ending } from '../workload/record.ts';
import type { Seen } from './observe.ts';

export function endingOf(effect: Extract<Effect, { readonly kind: 'endRecord' }>, seen: Seen, nowMs: number): Ending {
  const { name, uid } = seen.rollout.metadata;
  const { memory, answer } = seen.world;
  const { attempt } = memory.journal;
  const isCurrent = attempt?.record === effect.record;
  const timings = isCurrent ? timingsOf(attempt.retreat, nowMs) : undefined;
  const evidence = isCurrent ? countsOf(answer) : undefined;
  const ladder = isCurrent ? ladderTold(attempt) : undefined;
  const wouldHave = isCurrent ? foregoneIn(attempt.wouldHave) : undefined;
  return {
    outcome: effect.outcome,
    reason: effect.reason,
    message: effect.message,
    ...(isCurrent ? { startedAtMs: attempt.beganAtMs } : {}),
    endedAtMs: nowMs,
    ...(timings === undefined ? {} : { timings }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(wouldHave === undefined ? {} : { wouldHave }),
    ...(ladder === undefined ? {} : { ladder }),
    rollout: { name, uid },
  };
}

type Attempt = NonNullable<Seen['world']['memory']['journal']['attempt']>;

/** Mode observe: what the judge would have done. */
function foregoneIn(wouldHave: Attempt['wouldHave']): ReleaseRecordStatus['wouldHave'] {
  if (wouldHave === undefined) return undefined;
  const { braked, rolledBack } = wouldHave;
  return {
    ...(braked === undefined ? {} : { braked: foregone(braked) }),
    ...(rolledBack === undefined ? {} : { rolledBack: foregone(rolledBack) }),
  };
}

function foregone({ atMs, reason, message }: NonNullable<NonNullable<Attempt['wouldHave']>['braked']>) {
  return { at: isoTime(atMs), reason, message };
}

type Retreat = Attempt['retreat'];

function timingsOf(retreat: Retreat, nowMs: number): ReleaseRecordStatus['timings'] {
  if (retreat?.zeroAtMs === undefined) return undefined;
  return { actMs: Math.max(0, retreat.zeroAtMs - retreat.atMs), verifyMs: Math.max(0, nowMs - retreat.zeroAtMs) };
}

function countsOf(answer: Answer): ReleaseRecordStatus['evidence'] {
  if (answer.kind !== 'judged') return undefined;
  return {
    stable: { requests: Math.round(answer.stableRequests), failed: Math.round(answer.stableErrors) },
    canary: { requests: Math.round(answer.canaryRequests), failed: Math.round(answer.canaryErrors) },
  };
}
