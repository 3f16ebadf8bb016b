/**
 * Brings pods and routes to a weight. Up: pods first, then one route after the other, each converged before the next.
 * Down: all routes at once. The weight never exceeds what the ready canary pods can carry (S1, S17). Without routes the
 * pods themselves are the weight.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Effect } from '../decision.ts';
import {
  CONVERGE_DEADLINE_MS,
  canaryReady,
  canarySet,
  convergesInMs,
  isConverged,
  presentCheck,
  servingRoutes,
  stableSet,
} from '../views.ts';
import { sharedPods, sharingOf } from '../sharing.ts';
import { canarySize, podsForShare, shareOfPods } from '../weights.ts';
import type { ReplicaSetView, RouteView, World } from '../world.ts';
import { pinning } from './pins.ts';

export type Shift =
  | { readonly kind: 'working'; readonly effects: readonly Effect[]; readonly wakeAfterMs?: number }
  | { readonly kind: 'starting'; readonly ready: number; readonly needed: number; readonly effects: readonly Effect[] }
  | { readonly kind: 'lowCapacity'; readonly weightPercent: number; readonly effects: readonly Effect[] }
  | { readonly kind: 'converging'; readonly late: boolean; readonly wakeAfterMs: number }
  /** A route would have to rise, and this is no moment for it. */
  | { readonly kind: 'held' }
  /** No route is left that could carry anything. */
  | { readonly kind: 'unrouted' }
  | { readonly kind: 'converged' };

export interface Wish {
  readonly weightPercent: number;
  /** False: routes may go down and stay, and none goes up. */
  readonly mayRise: boolean;
}

export function shift(world: World, attempt: Attempt, wish: Wish, nowMs: number): Shift {
  return sharingOf(attempt.spec) === 'routes' ? byRoutes(world, attempt, wish, nowMs) : byPods(world, attempt, wish);
}

/** Without routes the number of pods is the weight, so it is exact in both directions; one pod is the smallest share. */
function byPods(world: World, attempt: Attempt, wish: Wish): Shift {
  const { replicas = 0 } = world.deployment ?? {};
  const canary = canarySet(world, attempt);
  const wanted = Math.max(sharedPods(wish.weightPercent, replicas), asksPods(attempt, replicas));
  const { effects, isHeld } = towards(world, attempt, canary, wanted, wish.mayRise);
  const { ready = 0, podsLeft = 0 } = canary ?? {};
  if (ready < wanted && !isHeld) return { kind: 'starting', ready, needed: wanted, effects };
  // At 0 replicas nothing carries anything: one pod is always missing.
  if (replicas === 0) return { kind: 'starting', ready: 0, needed: 1, effects };
  if (effects.length > 0) return { kind: 'working', effects, wakeAfterMs: 1000 };
  if (isHeld) return { kind: 'held' };
  return podsLeft > wanted ? { kind: 'converging', late: false, wakeAfterMs: 1000 } : { kind: 'converged' };
}

/** Pins and pods on the way to a size. Opening the Service to both is a rise like any other, and so are more pods. */
function towards(
  world: World,
  attempt: Attempt,
  canary: ReplicaSetView | undefined,
  wanted: number,
  mayRise: boolean,
): { readonly effects: readonly Effect[]; readonly isHeld: boolean } {
  const pins = pinning(world, attempt).effects;
  // Where stable has no pods opening is no rise, but a last resort.
  const isOpening = (stableSet(world)?.ready ?? 0) > 0 && pins.some((effect) => effect.kind === 'unpin');
  const isGrowing = canary !== undefined && canary.replicas < wanted;
  const isHeld = !mayRise && (isOpening || isGrowing);
  const kept = isHeld && isOpening ? pins.filter((effect) => effect.kind !== 'unpin') : pins;
  const isSized = canary === undefined || canary.deleting || canary.replicas === wanted || isHeld;
  if (isSized) return { effects: kept, isHeld };
  return { effects: [...kept, { kind: 'scale', uid: canary.uid, name: canary.name, replicas: wanted }], isHeld };
}

function byRoutes(world: World, attempt: Attempt, wish: Wish, nowMs: number): Shift {
  const { weightPercent } = wish;
  const repairs = repairing(world, attempt);
  const replicas = world.deployment?.replicas ?? 0;
  const needed = Math.max(podsForShare(weightPercent, replicas), asksPods(attempt, replicas));
  // Scaled to zero, nothing may carry traffic, and pods of the canary end like all the others.
  const ready = replicas === 0 ? 0 : canaryReady(world, attempt);
  const carried = ready >= needed ? weightPercent : Math.min(weightPercent, shareOfPods(ready, replicas));
  const lowering = routesAbove(world, carried);
  if (lowering.length > 0) {
    const effects = [...lowering.map((route) => split(route, carried)), ...repairs];
    return carried < weightPercent
      ? { kind: 'lowCapacity', weightPercent: carried, effects }
      : { kind: 'working', effects };
  }
  const sizing = scaling(world, attempt, weightPercent, replicas);
  if (ready < needed) return { kind: 'starting', ready, needed, effects: [...repairs, ...sizing] };
  if (repairs.length + sizing.length > 0) return { kind: 'working', effects: [...repairs, ...sizing] };
  return raising(world, attempt, wish, nowMs);
}

/** A check needs somebody to ask, also before the first weight. */
function asksPods(attempt: Attempt, replicas: number): number {
  return replicas > 0 && presentCheck(attempt) !== undefined ? 1 : 0;
}

function split(route: RouteView, weightPercent: number): Effect {
  return { kind: 'split', route: route.name, weightPercent };
}

function routesAbove(world: World, weightPercent: number): readonly RouteView[] {
  return world.routes.filter((route) => route.exists && (route.canaryWeightPercent ?? 0) > weightPercent + 1e-6);
}

/** One route at a time; one that somebody edited is split again, not restored. */
function raising(world: World, attempt: Attempt, { weightPercent, mayRise }: Wish, nowMs: number): Shift {
  const late = nowMs - attempt.weightSinceMs > CONVERGE_DEADLINE_MS + attempt.spec.strategy.podsReadyWithinMs;
  const routes = servingRoutes(world);
  if (routes.length === 0) return { kind: 'unrouted' };
  for (const route of routes) {
    const isThere = route.uniform && Math.abs((route.canaryWeightPercent ?? -1) - weightPercent) < 0.006;
    if (!isThere && !mayRise && (route.canaryWeightPercent ?? 0) < weightPercent) return { kind: 'held' };
    if (!isThere) return { kind: 'working', effects: [split(route, weightPercent)], wakeAfterMs: 1000 };
    if (!isConverged(route, attempt)) return { kind: 'converging', late, wakeAfterMs: convergesInMs(route, attempt) };
  }
  return { kind: 'converged' };
}

/** Never smaller during the steps: pods that are warm cost less than requests that are lost. At 100 percent exactly N. */
function scaling(world: World, attempt: Attempt, weightPercent: number, replicas: number): readonly Effect[] {
  const canary = canarySet(world, attempt);
  const isExact = weightPercent >= 100 || replicas === 0;
  const wanted = isExact ? replicas : canarySize(weightPercent, replicas);
  if (canary === undefined || canary.deleting) return [];
  const isWrong = isExact ? canary.replicas !== wanted : canary.replicas < wanted;
  return isWrong ? [{ kind: 'scale', uid: canary.uid, name: canary.name, replicas: wanted }] : [];
}

/** What a forced apply or a careless hand took away is put back; pins come first, they keep users off the canary. */
function repairing(world: World, attempt: Attempt): readonly Effect[] {
  const service: readonly Effect[] = world.canaryService === undefined ? [{ kind: 'createCanaryService' }] : [];
  return [...pinning(world, attempt).effects, ...service];
}
