/** Questions that several stages ask of a world, each answered in one place. */
import type { EffectiveCheck, EffectiveFlagStep } from '../api/effective.ts';
import type { Attempt } from '../api/rollout-status.ts';
import { isOpenToBoth, shareOfShared, sharingOf } from './sharing.ts';
import type { ReplicaSetView, RouteView, ServiceView, World } from './world.ts';

/** How long a gateway may take to say that it took up a route, before the wait ends by itself. */
export const CONVERGE_DEADLINE_MS = 120_000;

export function stableSet(world: World): ReplicaSetView | undefined {
  return world.replicaSets.find((set) => set.uid === world.memory.stable?.uid);
}

/** The check that the attempt stands at, if it does. */
export function presentCheck(attempt: Attempt): EffectiveCheck | undefined {
  return attempt.stage === 'step' ? attempt.spec.strategy.steps[attempt.step]?.check : undefined;
}

/** The flag that the attempt's step turns on, if it does. */
export function presentFlag(attempt: Attempt): EffectiveFlagStep | undefined {
  return attempt.stage === 'step' ? attempt.spec.strategy.steps[attempt.step]?.flag : undefined;
}

/** By UID once it was seen; before that by its deterministic name and our marks, even if it has lost its owner since. */
export function canarySet(world: World, attempt: Attempt): ReplicaSetView | undefined {
  return world.replicaSets.find((set) =>
    attempt.replicaSetUid === undefined
      ? set.name === attempt.replicaSet && set.carriesOurMark && set.attempt === attempt.number && set.owner !== 'other'
      : set.uid === attempt.replicaSetUid,
  );
}

/** Canary pods that can take requests: Ready, and endpoints of a canary Service that is Serin's own (S1). */
export function canaryReady(world: World, attempt: Attempt): number {
  const { canaryService } = world;
  const { ready = 0 } = canarySet(world, attempt) ?? {};
  // Without routes the pods take their share by themselves, through no Service of ours.
  if (sharingOf(attempt.spec) !== 'routes') return ready;
  return canaryService?.ours === true ? Math.min(canaryService.ready, ready) : 0;
}

/** The share of the requests that the canary has now: of its routes, or of the pods behind a Service that is open to both. */
export function exposedPercent(world: World, attempt: Attempt): number {
  if (sharingOf(attempt.spec) === 'routes') return routedPercent(world);
  return isOpenToBoth(attempt) ? shareOfShared(canaryReady(world, attempt), stableSet(world)?.ready ?? 0) : 0;
}

/** The handover took place: from here on the Deployment controller decides about the pods of the canary. */
export function isHandedOver(world: World, attempt: Attempt): boolean {
  const canary = canarySet(world, attempt);
  return attempt.stage === 'promote' && canary !== undefined && canary.owner !== 'ours';
}

/** Another tool or another Rollout holds the workload and this one never did: nothing that is seen is ours to touch. */
export function isForeign(world: World): boolean {
  const { stable, journal } = world.memory;
  return world.deployment?.heldByOther !== undefined && stable === undefined && journal.attempt === undefined;
}

/** ReplicaSets of the Deployment's own that have pods. */
export function nativeActive(world: World): readonly ReplicaSetView[] {
  return world.replicaSets.filter((set) => set.owner === 'deployment' && set.replicas > 0 && !set.deleting);
}

export function liveIsStable(world: World): boolean {
  return stableSet(world)?.sameAsLive === true;
}

/** The user's own Services that are pinned to a revision now. */
export function pinnedServices(world: World): readonly ServiceView[] {
  return world.services.filter((service) => service.exists && service.pinnedTo !== undefined);
}

/** The largest share that any route sends to the canary. */
export function routedPercent(world: World): number {
  return Math.max(0, ...world.routes.map((route) => route.canaryWeightPercent ?? 0));
}

/** Gateways of the route that are asked: those that served it when the attempt began. */
function asked(route: RouteView, attempt: Attempt) {
  return route.parents.filter((parent) => attempt.parents.includes(parentKey(route, parent.key)));
}

export function parentKey(route: RouteView, key: string): string {
  return `${route.name} ${key}`;
}

/**
 * Has every gateway that served the route taken up its present generation, and `extraMs` passed beyond the time it
 * needs to settle? A route that is gone serves nobody and so has converged.
 */
export function isConverged(route: RouteView, attempt: Attempt, extraMs = 0): boolean {
  if (!route.exists) return true;
  const parents = asked(route, attempt);
  return (
    (parents.length > 0 || attempt.parents.length === 0) &&
    parents.every((parent) => parent.accepted && parent.acceptedForMs >= parent.settleMs + extraMs)
  );
}

/** Milliseconds until `isConverged` can become true by time alone; a full second when something must change first. */
export function convergesInMs(route: RouteView, attempt: Attempt, extraMs = 0): number {
  const waits = asked(route, attempt).map((parent) =>
    parent.accepted ? parent.settleMs + extraMs - parent.acceptedForMs : 1000,
  );
  return Math.max(100, ...waits);
}

/** The longest time that a gateway of these routes needs to settle. */
export function longestSettleMs(world: World, attempt: Attempt): number {
  return Math.max(0, ...world.routes.flatMap((route) => asked(route, attempt).map((parent) => parent.settleMs)));
}

/** Routes that are there and have a rule to split. */
export function servingRoutes(world: World): readonly RouteView[] {
  return world.routes.filter((route) => route.exists && route.serves);
}

/** Every route that serves sends all of its requests to the canary, and there is one; without routes nothing more can. */
export function isAllOnCanary(world: World, attempt: Attempt): boolean {
  if (sharingOf(attempt.spec) !== 'routes') return true;
  const routes = servingRoutes(world);
  return routes.length > 0 && routes.every((route) => route.uniform && (route.canaryWeightPercent ?? 0) > 99.99);
}

/** The judge has anything but a calm word: no weight may rise, whoever asks. */
export function isDoubtful(world: World): boolean {
  return world.answer.kind === 'judged' && world.answer.level !== 'calm';
}

/** Endpoints of a ReplicaSet in any Service that callers use, ready or not. */
export function endpointsLeft(world: World, uid: string): number {
  const inServices = world.services.reduce((sum, service) => sum + (service.anyOf[uid] ?? 0), 0);
  return inServices + (world.canaryService?.ours === true ? world.canaryService.any : 0);
}

/** Pods of the live template that the Deployment made by itself: neither stable nor what Serin handed over. */
export function nativeRoll(world: World): ReplicaSetView | undefined {
  const { attempt } = world.memory.journal;
  const adopted = attempt?.stage === 'promote' ? attempt.replicaSetUid : undefined;
  return nativeActive(world).find(
    (set) => set.sameAsLive && set.uid !== world.memory.stable?.uid && set.uid !== adopted,
  );
}

/**
 * The guard was evaded and there is no stopping it: the Deployment rolls, or its controller counts the rollout as done and
 * ends the old pods, paused or not. Whoever held on to stable then would fight the controller and lose.
 */
export function bypassingRoll(world: World): ReplicaSetView | undefined {
  const { deployment } = world;
  const roll = nativeRoll(world);
  if (roll === undefined || deployment === undefined) return undefined;
  const { replicas, paused } = deployment;
  // One with our mark was never handed over: it escaped, and its controller does not count it as done.
  const isWhole = !roll.carriesOurMark && replicas > 0 && roll.replicas >= replicas && roll.available >= replicas;
  return !paused || isWhole || hasReplaced(world, roll) ? roll : undefined;
}

/** It is the only one of the Deployment's own with pods, so it serves whatever Serin remembers (a handover whose memory was lost). */
export function hasReplaced(world: World, roll: ReplicaSetView): boolean {
  return nativeActive(world).every((set) => set.uid === roll.uid) && (stableSet(world)?.pods ?? 0) === 0;
}
