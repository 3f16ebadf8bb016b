/**
 * From a held template to ready canary pods that no user reaches yet: record, pins, canary Service, ReplicaSet, and the
 * canary backend in every route at weight 0. A gateway that has not seen the Service would answer 500 for its share.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Effect } from '../decision.ts';
import { decision, withAttempt } from '../plan.ts';
import { isClimbing } from '../climbing.ts';
import { CONVERGE_DEADLINE_MS, canaryReady, canarySet, convergesInMs, isConverged, stableSet } from '../views.ts';
import { sharingOf } from '../sharing.ts';
import { canarySize, firstWeight } from '../weights.ts';
import type { ReplicaSetView, RouteView, World } from '../world.ts';
import { podsLate, unhurried } from './health.ts';
import { pinning, unpinning } from './pins.ts';
import { surgeBack, surgeUp } from './surge.ts';
import { scaledToZero } from './moving.ts';
import { enterStep, heldBack } from './step.ts';
import { brakeReleased, harmed, mayRise, outage } from './verdict.ts';

export function begin(world: World, attempt: Attempt, nowMs: number): Decision {
  return (
    unpinningDead(world) ??
    clearing(world, attempt, nowMs) ??
    cleared(world) ??
    anchoring(world, attempt) ??
    pinningFirst(world, attempt, nowMs) ??
    obstructed(world, attempt, nowMs) ??
    troubled(world, attempt, nowMs) ??
    creating(world, attempt) ??
    waiting(world, attempt, nowMs)
  );
}

/** Nothing is more urgent than a pin on pods that are not there (S16). */
function unpinningDead(world: World): Decision | undefined {
  const pins = (stableSet(world)?.ready ?? 0) === 0 ? unpinning(world) : [];
  return pins.length === 0 ? undefined : preparing(world, 'Services are taken off pods that are not ready.', pins);
}

function preparing(world: World, message: string, effects: readonly Effect[], wakeAfterMs?: number): Decision {
  return decision(
    world.memory,
    { phase: 'Progressing', reason: 'Preparing', message, stalled: false },
    { effects, wakeAfterMs },
  );
}

/**
 * ReplicaSets that would get in the way: one with an equal template, which the controller would adopt or revive instead
 * of the canary, and pods of any other revision of the Deployment's own. Pods are first given back to stable.
 */
function clearing(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const stable = stableSet(world);
  const others = world.replicaSets.filter(
    (set) => !set.deleting && set.uid !== stable?.uid && isInTheWay(set, attempt, stable),
  );
  if (others.length === 0) return undefined;
  const message = `Other ReplicaSets are cleared away before ${attempt.hash} starts.`;
  const crowded = others.filter((set) => set.replicas > 0 || set.pods > 0);
  const replicas = world.deployment?.replicas ?? 0;
  const isWeak = stable !== undefined && crowded.length > 0 && stable.ready < replicas;
  if (isWeak && stable.replicas < replicas) {
    // Without room for both, the controller would take the pods away again.
    const room = world.deployment === undefined ? [] : surgeUp(world.deployment);
    return preparing(world, message, [...room, { kind: 'scale', uid: stable.uid, name: stable.name, replicas }], 1000);
  }
  if (isWeak) return weak(world, attempt, stable, replicas, nowMs);
  return preparing(
    world,
    message,
    others.map(
      (set): Effect =>
        set.replicas > 0 || set.pods > 0
          ? { kind: 'scale', uid: set.uid, name: set.name, replicas: 0 }
          : { kind: 'deleteReplicaSet', uid: set.uid, name: set.name },
    ),
    1000,
  );
}

/** The room that was made for the clearing goes when it is over. */
function cleared(world: World): Decision | undefined {
  const surge = surgeBack(world.deployment);
  return surge.length === 0
    ? undefined
    : preparing(world, 'The Deployment gets its own maxSurge back after the clearing.', surge);
}

/** The others may be all that serves, so stable comes first, however long it takes. */
function weak(world: World, attempt: Attempt, stable: ReplicaSetView, replicas: number, nowMs: number): Decision {
  const isLong = nowMs - attempt.stageSinceMs >= attempt.spec.strategy.podsReadyWithinMs;
  const message = `${stable.ready} of ${replicas} pods of ${stable.hash} are ready; before all are, the others that the Deployment runs are not taken away for ${attempt.hash}.`;
  return decision(
    unhurrying(world, attempt, nowMs),
    { phase: 'Waiting', reason: isLong ? 'StableUnready' : 'Preparing', message, stalled: isLong },
    { wakeAfterMs: 5000 },
  );
}

function isInTheWay(set: ReplicaSetView, attempt: Attempt, stable: ReplicaSetView | undefined): boolean {
  if (set.owner === 'deployment') return set.sameAsLive || (set.replicas > 0 && stable !== undefined);
  return set.owner === 'ours' && set.attempt !== attempt.number && (set.sameAsLive || set.name === attempt.replicaSet);
}

function anchoring(world: World, attempt: Attempt): Decision | undefined {
  if (world.records.some((record) => record.name === attempt.record)) return undefined;
  return preparing(world, `Revision ${attempt.hash} is being prepared.`, [
    { kind: 'createRecord', record: attempt.record, attempt: attempt.number, revision: attempt.hash },
  ]);
}

function pinningFirst(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const { effects, refusal } = pinning(world, attempt);
  if (refusal !== undefined)
    return decision(unhurrying(world, attempt, nowMs), refusal, { effects, wakeAfterMs: 5000 });
  if (effects.length === 0) return undefined;
  return preparing(world, `Services are being pinned to ${world.memory.stable?.hash ?? 'stable'}.`, effects);
}

/** What only a person can put out of the way. */
function obstructed(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  if (world.deployment?.replicas === 0)
    return decision(
      unhurrying(world, attempt, nowMs),
      { phase: 'Waiting', stalled: false, ...scaledToZero(world) },
      { wakeAfterMs: 60_000 },
    );
  const taken = nameTaken(world, attempt);
  if (taken === undefined) return undefined;
  return decision(
    unhurrying(world, attempt, nowMs),
    { phase: 'Waiting', reason: 'NameTaken', message: taken, stalled: true },
    { wakeAfterMs: 10_000 },
  );
}

/** Waiting for a person is not the pods' delay. */
function unhurrying(world: World, attempt: Attempt, nowMs: number): World['memory'] {
  const next = unhurried(attempt, nowMs);
  return next === attempt ? world.memory : withAttempt(world.memory, next);
}

function nameTaken(world: World, attempt: Attempt): string | undefined {
  const service = world.canaryService;
  if (service?.ours === false)
    return `Service ${service.name} exists and is not Serin's, and the release needs that name; rename or delete it.`;
  if (canarySet(world, attempt) !== undefined) return undefined;
  const other = world.replicaSets.find((set) => set.name === attempt.replicaSet && set.owner !== 'ours');
  return other === undefined
    ? undefined
    : `ReplicaSet ${other.name} exists and is not Serin's, and the release needs that name; delete it if nothing needs it.`;
}

function troubled(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const bad = harmed(world, attempt, nowMs) ?? podsLate(world, attempt, nowMs);
  if (bad !== undefined) return bad;
  const calmed = brakeReleased(world, attempt, nowMs);
  if (calmed === undefined) return undefined;
  const memory = withAttempt(world.memory, calmed);
  return { ...preparing(world, `Pods of ${attempt.hash} no longer crash.`, [], 0), memory };
}

/** Canary Service, then ReplicaSet and, beside it, the backend in each route at weight 0. */
function creating(world: World, attempt: Attempt): Decision | undefined {
  const effects = missingParts(world, attempt);
  return effects.length === 0
    ? undefined
    : preparing(world, `The first pods of ${attempt.hash} are being created.`, effects);
}

function missingParts(world: World, attempt: Attempt): readonly Effect[] {
  const isRouted = sharingOf(attempt.spec) === 'routes';
  if (isRouted && world.canaryService === undefined) return [{ kind: 'createCanaryService' }];
  const canary = canarySet(world, attempt);
  const first = firstWeight(attempt.spec.strategy.steps);
  // Where pods are the weight, the first one is as little as there can be.
  const replicas = isRouted ? canarySize(first, world.deployment?.replicas ?? 1) : 1;
  const { hash, record, replicaSet: name } = attempt;
  const join = world.routes
    .filter((route) => route.exists && route.serves && route.canaryWeightPercent === undefined)
    .map((route): Effect => ({ kind: 'split', route: route.name, weightPercent: 0 }));
  if (canary === undefined) return [{ kind: 'createCanary', name, hash, record, replicas }, ...join];
  // It was sized for a smaller Deployment.
  const grow = !canary.deleting && canary.replicas < replicas;
  return grow ? [{ kind: 'scale', uid: canary.uid, name: canary.name, replicas }, ...join] : join;
}

/** Until pods are ready and every gateway knows the canary backend at weight 0; then the first step, unless something holds it. */
function waiting(world: World, attempt: Attempt, nowMs: number): Decision {
  if (attempt.brake !== undefined || attempt.pausedBy !== undefined || isClimbing(attempt))
    return heldBack(world, attempt, undefined, nowMs);
  if (canaryReady(world, attempt) < 1) return starting(world, attempt, nowMs);
  const unsettled = world.routes.filter((route) => !isConverged(route, attempt));
  if (unsettled.length > 0) return joining(world, attempt, unsettled, nowMs);
  const down = outage(world, attempt, nowMs);
  if (down !== undefined && 'memory' in down) return down;
  // A check needs no metric source: no user meets the version by it.
  const isCheck = attempt.spec.strategy.steps[0]?.check !== undefined;
  if (!isCheck && !mayRise(world, attempt)) return heldBack(world, attempt, down, nowMs);
  return enterStep(world, attempt, 0, nowMs);
}

function starting(world: World, attempt: Attempt, nowMs: number): Decision {
  const canary = canarySet(world, attempt);
  const why = canary?.trouble === undefined ? '' : ` (${canary.trouble.words})`;
  const message = `Waiting for pods of ${attempt.hash} to become ready, ${canary?.ready ?? 0} of ${canary?.replicas ?? 0} are${why}.`;
  const leftMs = Math.max(100, attempt.weightSinceMs + attempt.spec.strategy.podsReadyWithinMs - nowMs);
  return decision(
    world.memory,
    { phase: 'Progressing', reason: 'PodsStarting', message, stalled: false, nextTransitionAtMs: nowMs + leftMs },
    { wakeAfterMs: leftMs },
  );
}

function joining(world: World, attempt: Attempt, unsettled: readonly RouteView[], nowMs: number): Decision {
  const wakeAfterMs = Math.max(...unsettled.map((route) => convergesInMs(route, attempt)));
  const message = `Pods of ${attempt.hash} are ready; the gateway is taking up the canary backend at weight 0.`;
  const lateMs = CONVERGE_DEADLINE_MS + attempt.spec.strategy.podsReadyWithinMs;
  if (nowMs - attempt.stageSinceMs <= lateMs)
    return decision(
      world.memory,
      { phase: 'Progressing', reason: 'PodsStarting', message, stalled: false },
      { wakeAfterMs },
    );
  const names = unsettled.map((route) => `${route.kind} ${route.name}`).join(', ');
  return decision(
    world.memory,
    {
      phase: 'Progressing',
      reason: 'NotConverged',
      message: `The gateway has not taken up the canary backend of ${attempt.hash} in ${names}; see its status. No request goes there until it has.`,
      stalled: true,
    },
    { wakeAfterMs },
  );
}
