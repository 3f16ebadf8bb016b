/**
 * Status was lost (a restore, a migration) or something of an unknown attempt still serves: from the objects alone,
 * everything goes back to the old version and a person is asked. Never begins or continues a release (S18).
 */
import type { Attempt } from '../../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../../api/rollout-status.ts';
import type { Decision } from '../decision.ts';
import { withAttempt } from '../plan.ts';
import { nativeActive, routedPercent } from '../views.ts';
import type { DeploymentView, Memory, ReplicaSetView, World } from '../world.ts';
import { revisionOf } from './attach.ts';
import { enterRetreat } from './retreat.ts';

export function recover(world: World, nowMs: number): Decision | undefined {
  const { deployment } = world;
  const stray = strayCanary(world);
  const forgotten =
    !hasPast(world) && (deployment?.held === true || world.services.some((service) => service.pinnedTo !== undefined));
  if (stray === undefined && routedPercent(world) === 0 && !forgotten) return undefined;
  if (deployment === undefined) return undefined;
  const memory = world.memory.stable === undefined ? assumeStable(world, deployment, nowMs) : world.memory;
  if (memory === undefined) return undefined;
  const known = { ...world, memory: withAttempt(memory, unknownAttempt(world, memory, deployment, stray, nowMs)) };
  return enterRetreat(known, nowMs, {
    why: 'unknownPast',
    reason: 'UnknownPast',
    message: `The status of this Rollout was lost while revision ${deployment.liveHash} was held or being released; all traffic goes to ${memory.stable?.hash ?? 'stable'}.`,
  });
}

function hasPast(world: World): boolean {
  return world.memory.stable !== undefined;
}

/** A ReplicaSet of ours that still has pods although no attempt is known. */
function strayCanary(world: World): ReplicaSetView | undefined {
  return world.replicaSets
    .filter((set) => set.owner === 'ours' || (set.carriesOurMark && set.owner === 'nobody'))
    .filter((set) => set.replicas > 0 || set.podsLeft > 0)
    .sort((a, b) => (b.attempt ?? 0) - (a.attempt ?? 0))[0];
}

/** Stable is the Deployment's own active ReplicaSet with most ready pods. */
function assumeStable(world: World, deployment: DeploymentView, nowMs: number): Memory | undefined {
  const best = nativeActive(world).toSorted((a, b) => b.ready - a.ready || a.createdAtMs - b.createdAtMs)[0];
  if (best === undefined) return undefined;
  return {
    ...world.memory,
    stable: revisionOf(best, nowMs),
    journal: { ...world.memory.journal, version: JOURNAL_VERSION, targetUid: deployment.uid },
  };
}

function unknownAttempt(
  world: World,
  memory: Memory,
  deployment: DeploymentView,
  stray: ReplicaSetView | undefined,
  nowMs: number,
): Attempt {
  const record = world.records.find((one) => one.attempt === stray?.attempt) ?? world.records[0];
  const number = stray?.attempt ?? record?.attempt ?? memory.journal.attempts + 1;
  return {
    number,
    hash: stray?.hash ?? record?.revision ?? deployment.liveHash,
    image: stray?.image ?? deployment.liveImage,
    record: record?.name ?? '',
    replicaSet: stray?.name ?? '',
    ...(stray === undefined ? {} : { replicaSetUid: stray.uid }),
    targetUid: deployment.uid,
    spec: pinnable(world.spec),
    parents: world.routes.flatMap((route) => route.parents.map((parent) => `${route.name} ${parent.key}`)),
    beganAtMs: nowMs,
    stage: 'retreat',
    stageSinceMs: nowMs,
    step: 0,
    weightPercent: 0,
    weightSinceMs: nowMs,
    noSource: true,
  };
}

/** The part of a spec that an attempt pins, as plain mutable data for the journal. */
export function pinnable(spec: World['spec']): Attempt['spec'] {
  return {
    target: { ...spec.target },
    traffic: {
      ...spec.traffic,
      routes: spec.traffic.routes.map((route) => ({ ...route })),
      alsoReachable: [...spec.traffic.alsoReachable],
    },
    strategy: { ...spec.strategy, steps: spec.strategy.steps.map((step) => ({ ...step })) },
    analysis: {
      ...spec.analysis,
      errors: { ...spec.analysis.errors },
      whenUnsure: { ...spec.analysis.whenUnsure },
      onSourceDown: { ...spec.analysis.onSourceDown },
    },
  };
}
