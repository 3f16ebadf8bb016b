/**
 * Promotion by adoption: the Deployment controller takes the canary's ReplicaSet as its own and scales the others away.
 * Each line is re-derived from the objects; the routes stay on the canary Service until the old pods are gone, because
 * the gateway may see an ended pod later than the pod stops answering.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision, withAttempt, withoutAttempt } from '../plan.ts';
import { canarySet, convergesInMs, isConverged, pinnedServices } from '../views.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';
import { revisionOf } from './attach.ts';
import { enterRetreat } from './retreat.ts';

/** The controller adopts within seconds; after this long a person is told. The canary goes on serving. */
const ADOPTION_DEADLINE_MS = 60_000;
/** With it a resize in the second of the handover cannot take pods from the canary. */
const HANDOVER_SURGE = '100%';

export function promote(world: World, attempt: Attempt, nowMs: number): Decision {
  const { deployment } = world;
  const canary = canarySet(world, attempt);
  if (deployment === undefined)
    return enterRetreat(world, nowMs, {
      why: 'bypassed',
      reason: 'TargetMissing',
      message: `Deployment ${world.spec.target.name} is gone.`,
    });
  if (deployment.uid !== attempt.targetUid)
    return enterRetreat(world, nowMs, {
      why: 'bypassed',
      reason: 'TargetReplaced',
      message: `Deployment ${world.spec.target.name} was deleted and created again.`,
    });
  if (canary === undefined)
    return enterRetreat(world, nowMs, {
      why: 'escaped',
      reason: 'CanaryEscaped',
      message: `ReplicaSet ${attempt.replicaSet} was deleted before it was handed over.`,
    });
  if (canary.owner === 'ours') return handingOver(world, attempt, deployment, canary);
  return adopted(world, attempt, deployment, canary, nowMs);
}

function handingOver(world: World, attempt: Attempt, deployment: DeploymentView, canary: ReplicaSetView): Decision {
  const say = (effects: readonly Effect[], message: string, wakeAfterMs?: number): Decision =>
    decision(world.memory, promoting(message), { effects, ...(wakeAfterMs === undefined ? {} : { wakeAfterMs }) });
  const { replicas } = deployment;
  if (replicas === 0)
    return say([], `Deployment ${world.spec.target.name} was scaled to 0; the handover waits until it has replicas.`);
  if (canary.replicas !== replicas || !canary.current || canary.available < replicas)
    return backToBake(world, attempt, canary, replicas);
  const pins = pinnedServices(world);
  if (pins.length > 0)
    return say(
      pins.map((service) => ({ kind: 'unpin', service: service.name })),
      'Services take in both revisions; the routes stay on the new one.',
    );
  if (deployment.strategyType !== 'Recreate' && (deployment.maxSurge !== HANDOVER_SURGE || deployment.maxSurgeBefore === undefined))
    return say(
      [{ kind: 'setMaxSurge', value: HANDOVER_SURGE, before: attempt.maxSurge ?? deployment.maxSurge }],
      'The Deployment is being made safe against a resize in the next second.',
    );
  if (deployment.observedGeneration < deployment.generation)
    return say([], 'Waiting for the Deployment controller to see it.', 2000);
  return say(
    [{ kind: 'handOver', uid: canary.uid, name: canary.name, replicas }],
    `ReplicaSet ${canary.name} is handed over.`,
  );
}

/** Resized, or pods were lost: nothing is final yet, so weight and pods are put in order where that is done, in the bake. */
function backToBake(world: World, attempt: Attempt, canary: ReplicaSetView, replicas: number): Decision {
  const message = `${canary.available} of ${replicas} pods of ${attempt.hash} are available; it bakes on until all are.`;
  return decision(
    withAttempt(world.memory, { ...attempt, stage: 'bake' }),
    { phase: 'Progressing', reason: 'Baking', message, stalled: false },
    { wakeAfterMs: 0 },
  );
}

function adopted(
  world: World,
  attempt: Attempt,
  deployment: DeploymentView,
  canary: ReplicaSetView,
  nowMs: number,
): Decision {
  const say = (effects: readonly Effect[], message: string, wakeAfterMs?: number): Decision =>
    decision(world.memory, promoting(message), { effects, ...(wakeAfterMs === undefined ? {} : { wakeAfterMs }) });
  const others = world.replicaSets.filter((set) => set.owner === 'deployment' && set.uid !== canary.uid);
  const busy = others.filter((set) => set.replicas > 0);
  if (canary.owner !== 'deployment') return waitingForAdoption(world, attempt, canary, nowMs);
  if (canary.replicas < deployment.replicas && busy.length > 0)
    return say(
      [{ kind: 'scale', uid: canary.uid, name: canary.name, replicas: deployment.replicas }],
      `Sizing ${attempt.hash} to ${deployment.replicas} pods.`,
    );
  const isWhole = canary.replicas === deployment.replicas && canary.available === deployment.replicas && canary.current;
  // A newer template is live: to the controller the adopted one is just another old one, so the rest is ours to end.
  const ours = !canary.sameAsLive && isWhole ? busy : [];
  if (ours.length > 0)
    return say(
      ours.map((set) => ({ kind: 'scale', uid: set.uid, name: set.name, replicas: 0 })),
      'The old pods end.',
    );
  if (!isWhole || others.some((set) => set.replicas > 0 || set.podsLeft > 0)) {
    const isLate = nowMs - attempt.stageSinceMs > 10 * ADOPTION_DEADLINE_MS;
    return decision(
      world.memory,
      {
        ...promoting(
          `The old pods end; ${canary.available} of ${deployment.replicas} pods of ${attempt.hash} are available.`,
        ),
        stalled: isLate,
      },
      { wakeAfterMs: 5000 },
    );
  }
  return finishing(world, attempt, deployment, canary, nowMs);
}

function waitingForAdoption(world: World, attempt: Attempt, canary: ReplicaSetView, nowMs: number): Decision {
  const isLate = nowMs - attempt.stageSinceMs > ADOPTION_DEADLINE_MS;
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
  const say = (effects: readonly Effect[], message: string, wakeAfterMs?: number): Decision =>
    decision(world.memory, promoting(message), { effects, ...(wakeAfterMs === undefined ? {} : { wakeAfterMs }) });
  const before = attempt.maxSurge ?? '25%';
  if (deployment.maxSurge !== before || deployment.maxSurgeBefore !== undefined)
    return say([{ kind: 'setMaxSurge', value: before }], 'The Deployment gets its own maxSurge back.');
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
  const memory = { ...withoutAttempt(world.memory), stable: revisionOf(canary, nowMs) };
  return decision(
    memory,
    { phase: 'Promoting', reason: 'Promoted', message, stalled: false },
    {
      events: [{ type: 'Normal', reason: 'Promoted', message }],
      wakeAfterMs: 0,
    },
  );
}

function promoting(message: string): Report {
  return { phase: 'Promoting', reason: 'Promoting', message, stalled: false };
}
