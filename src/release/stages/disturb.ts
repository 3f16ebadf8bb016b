/** What ends an attempt from outside, the most dangerous first; until the handover, whatever stage it is in. */
import type { Attempt } from '../../api/rollout-status.ts';
import { bypassingRoll, canarySet, liveIsStable } from '../views.ts';
import type { DeploymentView, World } from '../world.ts';
import type { Cause } from './retreat.ts';

export function disturbance(world: World, attempt: Attempt): Cause | undefined {
  const { deployment } = world;
  const lost = targetLost(world, attempt);
  if (lost !== undefined || deployment === undefined) return lost;
  return (
    rollingByItself(world, attempt) ??
    canaryLost(world, attempt) ??
    unwanted(world, attempt, deployment) ??
    overtaken(world, attempt, deployment)
  );
}

/** The Deployment that the attempt is about is not there any more. */
export function targetLost({ deployment }: World, attempt: Attempt): Cause | undefined {
  const target = `Deployment ${attempt.spec.target.name}`;
  if (deployment === undefined) return { why: 'bypassed', reason: 'TargetMissing', message: `${target} was deleted.` };
  if (deployment.uid !== attempt.targetUid)
    return { why: 'bypassed', reason: 'TargetReplaced', message: `${target} was deleted and created again.` };
  return undefined;
}

function rollingByItself(world: World, attempt: Attempt): Cause | undefined {
  const roll = bypassingRoll(world);
  if (roll === undefined || roll.uid === attempt.replicaSetUid) return undefined;
  return {
    why: 'bypassed',
    reason: 'GuardBypassed',
    message: `revision ${roll.hash} rolls out by itself although Deployment ${attempt.spec.target.name} is attached.`,
  };
}

/** Its ReplicaSet, or the record that keeps the garbage collector off it, is not what it was. */
function canaryLost(world: World, attempt: Attempt): Cause | undefined {
  const canary = canarySet(world, attempt);
  if (canary === undefined)
    return attempt.replicaSetUid === undefined
      ? undefined
      : escaped(`ReplicaSet ${attempt.replicaSet} was deleted before it was promoted.`);
  if (canary.owner !== 'ours') return escaped(`ReplicaSet ${canary.name} lost its owner before it was promoted.`);
  if (!world.records.some((record) => record.name === attempt.record))
    return escaped(`ReleaseRecord ${attempt.record} is gone, and without it the pods of ${attempt.hash} will end.`);
  return undefined;
}

function unwanted(world: World, attempt: Attempt, deployment: DeploymentView): Cause | undefined {
  if (world.rollout.deleting) return { why: 'detached', reason: 'Detaching', message: 'the Rollout is being deleted.' };
  if (deployment.attached === 'released')
    return {
      why: 'detached',
      reason: 'Released',
      message: `Deployment ${attempt.spec.target.name} was labelled serin.dev/attached=released.`,
    };
  return undefined;
}

function overtaken(world: World, attempt: Attempt, deployment: DeploymentView): Cause | undefined {
  if (liveIsStable(world))
    return { why: 'cancelled', reason: 'Cancelled', message: 'the template went back to the stable one.' };
  return isSuperseded(world, attempt, deployment)
    ? { why: 'superseded', reason: 'Superseded', message: `template ${deployment.liveHash} replaced it.` }
    : undefined;
}

/** Compared as templates once the canary exists; its hash is only a name. */
function isSuperseded(world: World, attempt: Attempt, deployment: DeploymentView): boolean {
  const canary = canarySet(world, attempt);
  return canary === undefined ? deployment.liveHash !== attempt.hash : !canary.sameAsLive;
}

function escaped(message: string): Cause {
  return { why: 'escaped', reason: 'CanaryEscaped', message };
}
