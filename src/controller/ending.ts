/** Puts together what a ReleaseRecord says about the end of its attempt, from the journal and the last answer of the judge. */
import type { Answer } from '../analysis/answer.ts';
import type { ReleaseRecordStatus } from '../api/release-record.ts';
import type { Effect } from '../release/decision.ts';
import type { Ending } from '../workload/record.ts';
import type { Seen } from './observe.ts';

export function endingOf(effect: Extract<Effect, { readonly kind: 'endRecord' }>, seen: Seen, nowMs: number): Ending {
  const { name, uid } = seen.rollout.metadata;
  const { memory, answer } = seen.world;
  const { attempt } = memory.journal;
  const isCurrent = attempt?.record === effect.record;
  const timings = isCurrent ? timingsOf(attempt.retreat, nowMs) : undefined;
  const evidence = isCurrent ? countsOf(answer) : undefined;
  return {
    outcome: effect.outcome,
    reason: effect.reason,
    message: effect.message,
    ...(isCurrent ? { startedAtMs: attempt.beganAtMs } : {}),
    endedAtMs: nowMs,
    ...(timings === undefined ? {} : { timings }),
    ...(evidence === undefined ? {} : { evidence }),
    rollout: { name, uid },
  };
}

type Retreat = NonNullable<Seen['world']['memory']['journal']['attempt']>['retreat'];

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
