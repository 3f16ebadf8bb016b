/**
 * From a held template to ready canary pods that no user reaches yet: record, pins, canary Service, ReplicaSet, and the
 * canary backend in every route at weight 0. A gateway that has not seen the Service would answer 500 for its share.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision, withAttempt } from '../plan.ts';
import { canarySet, convergesInMs, isConverged, parentKey, stableSet } from '../views.ts';
import { canarySize } from '../weights.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';
import { pinning } from './pins.ts';
import { pinnable } from './recover.ts';
import { enterStep, pausedReport } from './step.ts';
import { brakeReleased, brakeReport, harmed } from './verdict.ts';
import { podsLate } from './health.ts';

export function startAttempt(world: World, deployment: DeploymentView, nowMs: number): Decision {
  const number = world.memory.journal.attempts + 1;
  const attempt: Attempt = {
    number,
    hash: deployment.liveHash,
    image: deployment.liveImage,
    record: recordName(world.spec.target.name, deployment.liveHash, number),
    replicaSet: canaryName(world.spec.target.name, deployment.liveHash),
    targetUid: deployment.uid,
    spec: pinnable(world.spec),
    parents: world.routes.flatMap((route) =>
      route.parents.filter((parent) => parent.accepted).map((parent) => parentKey(route, parent.key)),
    ),
    beganAtMs: nowMs,
    stage: 'begin',
    stageSinceMs: nowMs,
    step: 0,
    weightPercent: 0,
    weightSinceMs: nowMs,
    noSource: world.answer.kind === 'noSource',
  };
  if (attempt.parents.length === 0)
    return decision(
      world.memory,
      {
        phase: 'Waiting',
        reason: 'RouteNotAccepted',
        message: `No gateway has accepted ${world.routes.map((route) => `${route.kind} ${route.name}`).join(', ')}; see its status, the release begins when one has.`,
        stalled: true,
      },
      { wakeAfterMs: 5000 },
    );
  const memory = withAttempt(
    { ...world.memory, journal: { ...world.memory.journal, version: JOURNAL_VERSION, attempts: number } },
    attempt,
  );
  const message = `Release of revision ${attempt.hash} (${attempt.image}) began; ${world.memory.stable?.hash ?? ''} is stable.`;
  return decision(
    memory,
    { phase: 'Progressing', reason: 'ReleaseStarted', message, stalled: false },
    {
      events: [{ type: 'Normal', reason: 'ReleaseStarted', message }],
      wakeAfterMs: 0,
    },
  );
}

/** `<deployment>-<hash>-<attempt>`, the Deployment's part cut so that the whole stays a valid name. */
export function recordName(deployment: string, hash: string, attempt: number): string {
  const tail = `-${hash}-${attempt}`;
  return `${cut(deployment, 253 - tail.length)}${tail}`;
}

export function canaryName(deployment: string, hash: string): string {
  return `${cut(deployment, 252 - hash.length)}-${hash}`;
}

function cut(name: string, length: number): string {
  return name.slice(0, length).replace(/[-.]+$/, '');
}

export function begin(world: World, attempt: Attempt, nowMs: number): Decision {
  const say = (extra: { effects?: readonly Effect[]; wakeAfterMs?: number }, message: string): Decision =>
    decision(world.memory, preparing(message), extra);
  const obstacle = equalSet(world, attempt);
  if (obstacle !== undefined)
    return say(
      { effects: obstacle, wakeAfterMs: 1000 },
      `Older ReplicaSets with the template of ${attempt.hash} are being removed.`,
    );
  if (!world.records.some((record) => record.name === attempt.record))
    return say(
      { effects: [{ kind: 'createRecord', record: attempt.record, attempt: attempt.number, revision: attempt.hash }] },
      `Revision ${attempt.hash} is being prepared.`,
    );
  const pins = pinning(world, attempt);
  if (pins.refusal !== undefined)
    return decision(world.memory, pins.refusal, { effects: pins.effects, wakeAfterMs: 5000 });
  if (pins.effects.length > 0)
    return say({ effects: pins.effects }, `Services are being pinned to ${world.memory.stable?.hash ?? 'stable'}.`);
  const missing = missingParts(world, attempt);
  if (missing.taken !== undefined)
    return decision(
      world.memory,
      { phase: 'Waiting', reason: 'NameTaken', message: missing.taken, stalled: true },
      { wakeAfterMs: 10_000 },
    );
  const bad = harmed(world, attempt, nowMs) ?? podsLate(world, attempt, nowMs);
  if (bad !== undefined) return bad;
  const calmed = brakeReleased(world, attempt, nowMs);
  if (calmed !== undefined)
    return decision(withAttempt(world.memory, calmed), preparing(`Pods of ${attempt.hash} no longer crash.`), {
      wakeAfterMs: 0,
    });
  if (missing.effects.length > 0)
    return say({ effects: missing.effects }, `The first pods of ${attempt.hash} are being created.`);
  return waiting(world, attempt, nowMs);
}

function waiting(world: World, attempt: Attempt, nowMs: number): Decision {
  const canary = canarySet(world, attempt);
  const unsettled = world.routes.filter((route) => !isConverged(route, attempt));
  const isReady = canary !== undefined && canary.ready >= 1 && (world.canaryService?.ready ?? 0) >= 1;
  if (isReady && unsettled.length === 0 && attempt.brake === undefined && attempt.pausedBy === undefined)
    return enterStep(world, attempt, 0, nowMs);
  const message = isReady
    ? `Pods of ${attempt.hash} are ready; the gateway is taking up the canary backend at weight 0.`
    : `Waiting for pods of ${attempt.hash} to become ready, ${canary?.ready ?? 0} of ${canary?.replicas ?? 0} are${canary?.trouble === undefined ? '' : ` (${canary.trouble.words})`}.`;
  if (attempt.brake !== undefined) return decision(world.memory, brakeReport(attempt, nowMs), { wakeAfterMs: 10_000 });
  if (attempt.pausedBy !== undefined) return decision(world.memory, pausedReport(attempt), { wakeAfterMs: 60_000 });
  const deadlineMs = attempt.stageSinceMs + attempt.spec.strategy.podsReadyWithinMs - nowMs;
  const wakeAfterMs =
    unsettled.length > 0
      ? Math.max(...unsettled.map((route) => convergesInMs(route, attempt)))
      : Math.max(100, deadlineMs);
  return decision(
    world.memory,
    {
      phase: 'Progressing',
      reason: 'PodsStarting',
      message,
      stalled: false,
      nextTransitionAtMs: nowMs + Math.max(0, deadlineMs),
    },
    { wakeAfterMs },
  );
}

/**
 * ReplicaSets with an equal template that are not this attempt's canary: the controller would adopt or revive them
 * instead. One with pods first gives them back to stable.
 */
function equalSet(world: World, attempt: Attempt): readonly Effect[] | undefined {
  const stable = stableSet(world);
  const equal = world.replicaSets.filter((set) => !set.deleting && set.uid !== stable?.uid && isStale(set, attempt));
  if (equal.length === 0) return undefined;
  const replicas = world.deployment?.replicas ?? 0;
  const lowStable: readonly Effect[] =
    stable !== undefined && stable.replicas < replicas
      ? [{ kind: 'scale', uid: stable.uid, name: stable.name, replicas }]
      : [];
  return [
    ...lowStable,
    ...equal.map(
      (set): Effect =>
        set.replicas > 0 || set.pods > 0
          ? { kind: 'scale', uid: set.uid, name: set.name, replicas: 0 }
          : { kind: 'deleteReplicaSet', uid: set.uid, name: set.name },
    ),
  ];
}

function isStale(set: ReplicaSetView, attempt: Attempt): boolean {
  if (set.owner === 'deployment') return set.sameAsLive;
  return set.owner === 'ours' && set.attempt !== attempt.number && (set.sameAsLive || set.name === attempt.replicaSet);
}

interface Parts {
  readonly effects: readonly Effect[];
  readonly taken?: string;
}

/** Canary Service, then ReplicaSet and, beside it, the backend in each route at weight 0. */
function missingParts(world: World, attempt: Attempt): Parts {
  const service = world.canaryService;
  if (service?.ours === false)
    return {
      effects: [],
      taken: `Service ${service.name} exists and is not Serin's, and the release needs that name; rename or delete it.`,
    };
  if (service === undefined) return { effects: [{ kind: 'createCanaryService' }] };
  const canary = canarySet(world, attempt);
  const other = canary === undefined ? world.replicaSets.find((set) => set.name === attempt.replicaSet) : undefined;
  if (other !== undefined)
    return {
      effects: [],
      taken: `ReplicaSet ${other.name} exists and is not Serin's, and the release needs that name; delete it if nothing needs it.`,
    };
  const first = attempt.spec.strategy.steps[0]?.weightPercent ?? 100;
  const replicas = canarySize(first, world.deployment?.replicas ?? 1);
  const create: readonly Effect[] =
    canary === undefined
      ? [{ kind: 'createCanary', name: attempt.replicaSet, hash: attempt.hash, record: attempt.record, replicas }]
      : [];
  const join = world.routes
    .filter((route) => route.exists && route.canaryWeightPercent === undefined)
    .map((route): Effect => ({ kind: 'split', route: route.name, weightPercent: 0 }));
  return { effects: [...create, ...join] };
}

function preparing(message: string): Report {
  return { phase: 'Progressing', reason: 'Preparing', message, stalled: false };
}
