/**
 * The end of an attempt that went back: pins off, the canary Service away, the record closed, and of a rejected revision
 * one empty ReplicaSet left that shows its template. Only for an attempt whose pods are gone.
 */
import type { ReleaseOutcome } from '../../api/release-record.ts';
import type { Attempt, Retreat } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision, latches, withoutAttempt } from '../plan.ts';
import { liveIsStable } from '../views.ts';
import type { ReplicaSetView, World } from '../world.ts';
import { unpinning } from './pins.ts';
import { surgeBack } from './surge.ts';

export function closing(world: World, attempt: Attempt, cause: Retreat, canary: ReplicaSetView | undefined): Decision {
  const say = (effects: readonly Effect[]): Decision =>
    decision(world.memory, report(world, attempt, cause), { effects });
  const pins = unpinning(world);
  if (pins.length > 0) return say(pins);
  if (world.canaryService?.ours === true) return say([{ kind: 'deleteCanaryService', uid: world.canaryService.uid }]);
  const surge = surgeBack(world.deployment, attempt.maxSurge);
  if (surge.length > 0) return say(surge);
  const left = settlingWitness(world, attempt, cause, canary);
  if (left.length > 0) return say(left);
  if (world.records.some((record) => record.name === attempt.record))
    return say([
      {
        kind: 'endRecord',
        record: attempt.record,
        outcome: outcomeOf(cause.why),
        reason: cause.reason as Report['reason'],
        message: cause.message,
      },
    ]);
  return decision(withoutAttempt(world.memory), report(world, attempt, cause), { wakeAfterMs: 0 });
}

/**
 * A rejected revision leaves one empty ReplicaSet of ours that shows its template, every other leaves none. One that was
 * rejected before it had a ReplicaSet gets it now, from the live template: without it nobody could tell a fixed template
 * from the rejected one, and every release after it would wait for a person.
 */
function settlingWitness(
  world: World,
  attempt: Attempt,
  cause: Retreat,
  canary: ReplicaSetView | undefined,
): readonly Effect[] {
  const isRejected = latches(cause.why) && world.memory.quarantined.some((entry) => entry.hash === attempt.hash);
  const spent = [canary, namesake(world, attempt)].find((set) => set !== undefined && isSpent(set, cause, isRejected));
  if (spent !== undefined) return [{ kind: 'deleteReplicaSet', uid: spent.uid, name: spent.name }];
  const hasWitness = world.replicaSets.some((set) => set.owner === 'ours' && set.hash === attempt.hash);
  const isLive = world.deployment?.liveHash === attempt.hash && !liveIsStable(world);
  const isFree = attempt.replicaSet !== '' && namesake(world, attempt) === undefined;
  if (!isRejected || hasWitness || !isLive || !isFree || world.rollout.deleting) return [];
  const { record, number, hash, replicaSet: name } = attempt;
  return world.records.some((one) => one.name === record)
    ? [{ kind: 'createCanary', name, hash, record, replicas: 0 }]
    : [{ kind: 'createRecord', record, attempt: number, revision: hash }];
}

/** A ReplicaSet that has the name of the canary and is not ours, or not any more. */
function namesake(world: World, attempt: Attempt): ReplicaSetView | undefined {
  return world.replicaSets.find((set) => set.name === attempt.replicaSet && set.owner !== 'ours');
}

/** Shows nothing any more; one that escaped could be brought back by the Deployment controller with the rejected revision. */
function isSpent(set: ReplicaSetView, cause: Retreat, isRejected: boolean): boolean {
  if (set.deleting || set.replicas > 0 || set.podsLeft > 0) return false;
  if (set.owner === 'ours') return !isRejected;
  return set.owner !== 'other' && (cause.why === 'escaped' || set.carriesOurMark);
}

function outcomeOf(why: Retreat['why']): ReleaseOutcome {
  switch (why) {
    case 'superseded':
      return 'Superseded';
    case 'cancelled':
      return 'Cancelled';
    case 'detached':
      return 'Detached';
    case 'aborted':
      return 'Aborted';
    case 'notJudged':
      return 'NotJudged';
    case 'bypassed':
      return 'Bypassed';
    case 'escaped':
      return 'Escaped';
    case 'unknownPast':
      return 'Unknown';
    case 'harm':
    case 'check':
    case 'crash':
    case 'notReady':
      return 'RolledBack';
    default:
      return why satisfies never;
  }
}

export function report(world: World, attempt: Attempt, cause: Retreat): Report {
  return {
    phase: world.rollout.deleting ? 'Detaching' : 'RollingBack',
    reason: cause.reason as Report['reason'],
    message: `Revision ${attempt.hash} goes back: ${cause.message}`,
    stalled: false,
    verdict: cause.reason,
  };
}
