/**
 * Promotion by adoption: the Deployment controller takes the canary's ReplicaSet as its own and scales the others away.
 * Each line is re-derived from the objects; the routes stay on the canary Service until the old pods are gone, because
 * the gateway may see an ended pod later than the pod stops answering.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { flagsIn, withFlags } from '../flags.ts';
import { decision, remembering, withAttempt, withoutAttempt } from '../plan.ts';
import {
  canaryReady,
  canarySet,
  convergesInMs,
  isAllOnCanary,
  isConverged,
  liveIsStable,
  routedPercent,
  stableSet,
} from '../views.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';
import { revisionOf } from './attach.ts';
import { judgeBake } from './bake.ts';
import { targetLost } from './disturb.ts';
import { unpinning } from './pins.ts';
import { enterRetreat, PODS_GONE_DEADLINE_MS } from './retreat.ts';
import { progress } from './step.ts';
import { surgeBack, surgeUp } from './surge.ts';

/** The controller adopts within seconds; after this long a person is told. The canary goes on serving. */
const ADOPTION_DEADLINE_MS = 60_000;

export function promote(world: World, attempt: Attempt, nowMs: number): Decision {
  const { deployment } = world;
  const canary = canarySet(world, attempt);
  const lost = targetLost(world, attempt);
  if (lost !== undefined) return enterRetreat(world, nowMs, lost);
  if (deployment === undefined || canary === undefined)
    return enterRetreat(world, nowMs, {
      why: 'escaped',
      reason: 'CanaryEscaped',
      message: `ReplicaSet ${attempt.replicaSet} was deleted while it was handed over.`,
    });
  if (canary.owner === 'ours') return handingOver(world, attempt, deployment, canary, nowMs);
  if (isTakenBack(world)) return takingBack(world, nowMs);
  return adopted(world, attempt, deployment, canary, nowMs);
}

function handingOver(
  world: World,
  attempt: Attempt,
  deployment: DeploymentView,
  canary: ReplicaSetView,
  nowMs: number,
): Decision {
  const say = saying(world);
  const { replicas } = deployment;
  const isWhole = replicas > 0 && canary.replicas === replicas && canary.current && canary.available >= replicas;
  if (!isWhole || canaryReady(world, attempt) < replicas || !isAllOnCanary(world, attempt))
    return backToBake(world, attempt, nowMs);
  if (!deployment.paused) return say([], 'The Deployment is being held before the handover.', 1000);
  const pins = unpinning(world);
  if (pins.length > 0) return say(pins, 'Services take in both revisions; the routes stay on the new one.');
  const surge = surgeUp(deployment, attempt.maxSurge);
  if (surge.length > 0) return say(surge, 'The Deployment is being made safe against a resize in the next second.');
  if (deployment.observedGeneration < deployment.generation)
    return say([], 'Waiting for the Deployment controller to see it.', 2000);
  return say(
    [{ kind: 'handOver', uid: canary.uid, name: canary.name, replicas }],
    `ReplicaSet ${canary.name} is handed over.`,
  );
}

/**
 * The stable template is live again and its pods are still there: the Deployment controller counts stable as the newest
 * revision and would scale the adopted one to zero, with all traffic on it. Going along with it loses nothing.
 */
function isTakenBack(world: World): boolean {
  return liveIsStable(world) && (stableSet(world)?.replicas ?? 0) > 0;
}

function takingBack(world: World, nowMs: number): Decision {
  return enterRetreat(world, nowMs, {
    why: 'cancelled',
    reason: 'Cancelled',
    message: 'the template went back to the stable one while the Deployment took over.',
  });
}

/** Resized, or pods were lost: nothing is final yet, so weight and pods are put in order where that is done, in the bake. */
function backToBake(world: World, attempt: Attempt, nowMs: number): Decision {
  const next: Attempt = { ...attempt, stage: 'bake' };
  return progress(remembering(world, withAttempt(world.memory, next)), next, nowMs, judgeBake);
}

function adopted(
  world: World,
  attempt: Attempt,
  deployment: DeploymentView,
  canary: ReplicaSetView,
  nowMs: number,
): Decision {
  const say = saying(world);
  const carried = world.canaryService === undefined && routedPercent(world) > 0;
  if (carried) return say([{ kind: 'createCanaryService' }], 'The canary Service is gone and is made again.');
  const others = world.replicaSets.filter((set) => set.owner === 'deployment' && set.uid !== canary.uid);
  const busy = others.filter((set) => set.replicas > 0);
  if (canary.owner !== 'deployment') return waitingForAdoption(world, attempt, deployment, canary, nowMs);
  // Adopted before Serin had made it ready, or undone since: what the handover needs comes first (S13, S16).
  const missing = [...unpinning(world), ...(busy.length > 0 ? surgeUp(deployment, attempt.maxSurge) : [])];
  if (missing.length > 0) return say(missing, 'Services and the Deployment are being made ready for both revisions.');
  const waitedMs = nowMs - attempt.stageSinceMs;
  const adoption = { deployment, canary, busy, isLate: waitedMs > ADOPTION_DEADLINE_MS };
  const sizing = sizedAfterResize(adoption);
  if (sizing.length > 0) return say(sizing, `Sizing ${attempt.hash} to ${deployment.replicas} pods.`);
  const ours = leftToEnd(adoption);
  if (ours.length > 0) return say(ours, 'The old pods end.');
  const isWhole = canary.replicas === deployment.replicas && canary.available === deployment.replicas && canary.current;
  const isEnded = busy.length === 0 && areGone(others, waitedMs);
  // Somebody who takes Serin off does not have to wait until pods work that Serin has no hand in any more (S8).
  if (isEnded && (isWhole || world.rollout.deleting)) return finishing(world, attempt, deployment, canary, nowMs);
  const message = `The old pods end; ${canary.available} of ${deployment.replicas} pods of ${attempt.hash} are available.`;
  return decision(
    world.memory,
    { ...promoting(message), stalled: waitedMs > 10 * ADOPTION_DEADLINE_MS },
    { wakeAfterMs: 5000 },
  );
}

interface Adoption {
  readonly deployment: DeploymentView;
  readonly canary: ReplicaSetView;
  /** The Deployment's other ReplicaSets that still want pods. */
  readonly busy: readonly ReplicaSetView[];
  readonly isLate: boolean;
}

/** Until the controller has spread a resize itself, sizing it too would make it spread pods that are there already. */
function sizedAfterResize({ deployment, canary, busy, isLate }: Adoption): readonly Effect[] {
  const { replicas } = deployment;
  const isSpread = canary.desired === replicas || isLate;
  if (canary.replicas >= replicas || busy.length === 0 || !isSpread) return [];
  return [{ kind: 'scale', uid: canary.uid, name: canary.name, replicas }];
}

/**
 * To the controller the adopted one is just another old one when a newer template is live, and never complete when it is too
 * large: then the rest is ours to end, and it is trimmed as the only one left.
 */
function leftToEnd({ deployment, canary, busy, isLate }: Adoption): readonly Effect[] {
  const { replicas } = deployment;
  const isEnough = canary.replicas >= replicas && canary.available >= replicas && canary.current;
  const isOurs = !canary.sameAsLive || canary.replicas > replicas || isLate;
  if (!isEnough || !isOurs) return [];
  return busy.map((set) => ({ kind: 'scale', uid: set.uid, name: set.name, replicas: 0 }));
}

/** Pods on a dead node stay for ever without being ready; after a while they are no reason to wait (S8). */
function areGone(sets: readonly ReplicaSetView[], waitedMs: number): boolean {
  const isLong = waitedMs > PODS_GONE_DEADLINE_MS;
  return sets.every((set) => set.podsLeft === 0 || (isLong && set.ready === 0));
}

function waitingForAdoption(
  world: World,
  attempt: Attempt,
  deployment: DeploymentView,
  canary: ReplicaSetView,
  nowMs: number,
): Decision {
  const isLate = nowMs - attempt.stageSinceMs > ADOPTION_DEADLINE_MS;
  // Nobody takes it over now, and its pods serve all the same: the routes go back and Serin lets go (S8).
  if (isLate && world.rollout.deleting) return finishing(world, attempt, deployment, canary, nowMs);
  const report: Report = isLate
    ? {
        phase: 'Promoting',
        reason: 'NotAdopted',
        stalled: true,
        message: `ReplicaSet ${canary.name} was handed over and the Deployment controller has not taken it; it goes on serving all traffic. See whether kube-controller-manager runs and whether the Deployment's selector was changed.`,
      }
    : promoting(`Waiting for the Deployment controller to take over ${canary.name}.`);
  return decision(world.memory, report, { wakeAfterMs: isLate ? 10_000 : 2000 });
}

function finishing(
  world: World,
  attempt: Attempt,
  deployment: DeploymentView,
  canary: ReplicaSetView,
  nowMs: number,
): Decision {
  const say = saying(world);
  const surge = surgeBack(deployment, attempt.maxSurge);
  if (surge.length > 0) return say(surge, 'The Deployment gets its own maxSurge back.');
  const split = world.routes.filter((route) => route.exists && route.canaryWeightPercent !== undefined);
  if (split.length > 0)
    return say(
      split.map((route) => ({ kind: 'split', route: route.name, weightPercent: 'out' })),
      'The routes get their original backend back.',
      1000,
    );
  const unsettled =
    world.canaryService?.ours === true ? world.routes.filter((route) => !isConverged(route, attempt)) : [];
  if (unsettled.length > 0)
    return say(
      [],
      'The gateway is taking up the original backend.',
      Math.max(...unsettled.map((route) => convergesInMs(route, attempt))),
    );
  if (world.canaryService?.ours === true)
    return say([{ kind: 'deleteCanaryService', uid: world.canaryService.uid }], 'The canary Service is being removed.');
  const message = `Revision ${attempt.hash} (${attempt.image}) is stable; its pods were created once.`;
  if (world.records.some((record) => record.name === attempt.record))
    return say(
      [{ kind: 'endRecord', record: attempt.record, outcome: 'Promoted', reason: 'Promoted', message }],
      'The record is being closed.',
    );
  // What its steps turned on belongs to the revision, which stays; what is being put back, or could not be, is not forgotten.
  const kept = flagsIn(world.memory).filter(
    ({ why, attempt: of, state }) =>
      why !== 'step' || of !== attempt.number || state === 'reverting' || state === 'failed',
  );
  const memory = { ...withFlags(withoutAttempt(world.memory), kept), stable: revisionOf(canary, nowMs) };
  return decision(
    memory,
    { phase: 'Promoting', reason: 'Promoted', message, stalled: false },
    {
      events: [{ type: 'Normal', reason: 'Promoted', message }],
      wakeAfterMs: 0,
    },
  );
}

/** Effects of the promotion, with the sentence that people read meanwhile. */
function saying(world: World) {
  return (effects: readonly Effect[], message: string, wakeAfterMs?: number): Decision =>
    decision(world.memory, promoting(message), { effects, wakeAfterMs });
}

function promoting(message: string): Report {
  return { phase: 'Promoting', reason: 'Promoting', message, stalled: false };
}
