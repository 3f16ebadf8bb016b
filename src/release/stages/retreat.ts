/**
 * The way back, for whatever cause: traffic off the canary, converged, drained, its backend out, its pods gone, and
 * only then the pins off (S6). Unpinned first, the user's Service would take in rejected pods while they are Ready.
 */
import type { Attempt, Retreat } from '../../api/rollout-status.ts';
import type { Decision, Effect, EventReason } from '../decision.ts';
import { decision, latches, withAttempt } from '../plan.ts';
import { sharingOf } from '../sharing.ts';
import { isoTime } from '../time.ts';
import {
  CONVERGE_DEADLINE_MS,
  bypassingRoll,
  canarySet,
  convergesInMs,
  endpointsLeft,
  isConverged,
  liveIsStable,
  longestSettleMs,
  nativeActive,
  pinnedServices,
  stableSet,
} from '../views.ts';
import type { Memory, ReplicaSetView, World } from '../world.ts';
import { closing, report } from './closing.ts';
import { targetLost } from './disturb.ts';
import { pinning, unpinning } from './pins.ts';
import { surgeUp } from './surge.ts';

/** After this long, endpoints that are not ready any more (a dead node) no longer keep the pins on (S8). */
export const PODS_GONE_DEADLINE_MS = 300_000;
const WITNESSES = 5;

export interface Cause {
  readonly why: Retreat['why'];
  readonly reason: EventReason;
  readonly message: string;
}

/** Latches the decision in memory and begins to carry it out. `world` has an attempt. */
export function enterRetreat(world: World, nowMs: number, cause: Cause): Decision {
  const attempt = mustAttempt(world);
  const next: Attempt = {
    ...attempt,
    stage: 'retreat',
    stageSinceMs: nowMs,
    weightPercent: 0,
    weightSinceMs: nowMs,
    retreat: { ...cause, atMs: nowMs },
  };
  delete next.brake;
  delete next.convergedAtMs;
  const memory = withAttempt(quarantining(world, attempt, cause, nowMs), next);
  const note = {
    type: latches(cause.why) ? 'Warning' : 'Normal',
    reason: cause.reason,
    message: cause.message,
  } as const;
  const plan = retreat({ ...world, memory }, nowMs);
  return { ...plan, events: [note, ...plan.events] };
}

function quarantining(world: World, attempt: Attempt, cause: Cause, nowMs: number): Memory {
  const rejected = latches(cause.why) ? rejectedBy(world, attempt, cause) : [];
  if (rejected.length === 0) return world.memory;
  const entries = rejected.map((hash) => ({
    hash,
    reason: cause.reason,
    message: cause.message,
    at: isoTime(nowMs),
    record: attempt.record,
  }));
  const others = world.memory.quarantined.filter((one) => !rejected.includes(one.hash));
  return { ...world.memory, quarantined: [...entries, ...others].slice(0, WITNESSES) };
}

/** With an unknown past nobody knows what was said about the live template either, so that one waits for a person too (S18). */
function rejectedBy(world: World, attempt: Attempt, cause: Cause): readonly string[] {
  if (cause.why !== 'unknownPast') return [attempt.hash];
  const { deployment } = world;
  if (deployment === undefined || liveIsStable(world)) return [];
  const isLive = canarySet(world, attempt)?.sameAsLive === true;
  return isLive ? [attempt.hash] : [...new Set([attempt.hash, deployment.liveHash])];
}

function mustAttempt(world: World): Attempt {
  const { attempt } = world.memory.journal;
  if (attempt === undefined) throw new Error('a retreat needs an attempt');
  return attempt;
}

/** Goes on from whatever the world shows; every line is re-derived from objects, so a crash anywhere resumes here. */
export function retreat(world: World, nowMs: number): Decision {
  const attempt = mustAttempt(world);
  const cause = attempt.retreat ?? {
    why: 'aborted',
    reason: 'Aborted',
    message: 'The release was aborted.',
    atMs: nowMs,
  };
  const say = (extra: { effects?: readonly Effect[]; wakeAfterMs?: number }, memory = world.memory): Decision =>
    decision(memory, report(world, attempt, cause), extra);

  if (unpinsFirst(world, attempt, cause)) {
    const pins = unpinning(world);
    if (pins.length > 0) return say({ effects: [...pins, ...weightToZero(world)] });
  }
  const pins = [...keptPins(world, attempt, cause), ...straying(world, attempt)];
  const lowering = weightToZero(world);
  if (lowering.length > 0)
    return say({ effects: [...lowering, ...pins, ...strongStable(world, cause)], wakeAfterMs: 1000 });
  if (pins.length > 0) return say({ effects: pins, wakeAfterMs: 1000 });
  if (cause.zeroAtMs === undefined) {
    const noted = withAttempt(world.memory, { ...attempt, retreat: { ...cause, zeroAtMs: nowMs } });
    return say({ wakeAfterMs: 0 }, noted);
  }
  const strengthening = strongStable(world, cause);
  if (strengthening.length > 0) return say({ effects: strengthening, wakeAfterMs: 1000 });
  const drained = draining(world, attempt, cause.zeroAtMs, nowMs);
  if (drained !== undefined) return say(drained);
  const canary = canarySet(world, attempt);
  if (canary !== undefined && isTheirs(world, canary)) return closing(world, attempt, cause, undefined);
  if (canary !== undefined && isLastResort(world, canary)) return lastResort(world, attempt);
  if (canary !== undefined && canary.replicas > 0)
    return say({ effects: [{ kind: 'scale', uid: canary.uid, name: canary.name, replicas: 0 }], wakeAfterMs: 1000 });
  if (!arePodsGone(world, canary, nowMs - cause.zeroAtMs)) return say({ wakeAfterMs: 5000 });
  return closing(world, attempt, cause, canary);
}

/**
 * Until the canary's pods are gone the Services stay on stable, or go back to it: after a broken-off handover, or a
 * forced apply from Git, they would send requests to the rejected pods.
 */
function keptPins(world: World, attempt: Attempt, cause: Retreat): readonly Effect[] {
  const canary = canarySet(world, attempt);
  const isThere = canary !== undefined && (canary.replicas > 0 || canary.ready > 0);
  return isThere && !unpinsFirst(world, attempt, cause) ? pinning(world, attempt).effects : [];
}

/** With no canary to keep callers from, a pin to anything but stable's pods only cuts them off (S16). */
function straying(world: World, attempt: Attempt): readonly Effect[] {
  const canary = canarySet(world, attempt);
  if (canary !== undefined && (canary.replicas > 0 || canary.ready > 0)) return [];
  return pinnedServices(world)
    .filter((service) => service.pinnedTo !== stableSet(world)?.hash)
    .map((service) => ({ kind: 'unpin', service: service.name }));
}

/** The Deployment rolls with it, or runs nothing else: whoever scaled it down now would fight the controller. */
function isTheirs(world: World, canary: ReplicaSetView): boolean {
  if (canary.owner !== 'deployment') return false;
  const isRolled = canary.sameAsLive && world.deployment?.paused === false;
  return isRolled || nativeActive(world).every((set) => set.uid === canary.uid);
}

/** All routes at once. A route with sessions loses the backend itself: weight 0 would not move them. */
function weightToZero(world: World): readonly Effect[] {
  return world.routes
    .filter((route) => route.exists && (route.canaryWeightPercent ?? 0) > 0)
    .map(
      (route): Effect => ({ kind: 'split', route: route.name, weightPercent: route.sessionPersistence ? 'out' : 0 }),
    );
}

/** Nobody else has a ready pod: requests to a rejected revision are better than none (S16). */
function isLastResort(world: World, canary: ReplicaSetView): boolean {
  const isNeeded = (world.deployment?.replicas ?? 0) > 0 && canary.ready > 0;
  return isNeeded && !world.replicaSets.some((set) => set.uid !== canary.uid && set.ready > 0);
}

function lastResort(world: World, attempt: Attempt): Decision {
  const message = `Revision ${attempt.hash} is rejected, but ${world.memory.stable?.hash ?? 'stable'} has no ready pod; the rejected one goes on serving until it has.`;
  return decision(
    world.memory,
    { phase: 'RollingBack', reason: 'StableUnready', message, stalled: true },
    { effects: unpinning(world), wakeAfterMs: 5000 },
  );
}

/** An escaped canary may have taken pods from stable; they come back before anything is taken from the canary. */
function strongStable(world: World, cause: Retreat): readonly Effect[] {
  const stable = stableSet(world);
  const { deployment } = world;
  if (cause.why !== 'escaped' || stable === undefined || deployment === undefined) return [];
  if (stable.replicas >= deployment.replicas || bypassingRoll(world) !== undefined) return [];
  // Without room for both, the controller would take the pods away again.
  const { replicas } = deployment;
  return [...surgeUp(deployment), { kind: 'scale', uid: stable.uid, name: stable.name, replicas }];
}

/** What is still to wait for or to do until no request can reach the canary; undefined when that is so. */
function draining(
  world: World,
  attempt: Attempt,
  zeroAtMs: number,
  nowMs: number,
): { effects?: readonly Effect[]; wakeAfterMs?: number } | undefined {
  const { drainMs } = attempt.spec.traffic;
  // Without a Service nothing can be led past the pods; only their end takes the work off them.
  if (sharingOf(attempt.spec) === 'pods') return undefined;
  const sinceMs = nowMs - zeroAtMs;
  const atZero = world.routes.filter((route) => route.exists && route.canaryWeightPercent !== undefined);
  const late = sinceMs > CONVERGE_DEADLINE_MS + drainMs;
  const waiting = atZero.filter((route) => !late && !isConverged(route, attempt, drainMs));
  if (waiting.length > 0)
    return { wakeAfterMs: Math.max(...waiting.map((route) => convergesInMs(route, attempt, drainMs))) };
  if (atZero.length > 0)
    return {
      effects: atZero.map((route) => ({ kind: 'split', route: route.name, weightPercent: 'out' })),
      wakeAfterMs: 1000,
    };
  if (late && sinceMs > 2 * CONVERGE_DEADLINE_MS + drainMs) return undefined;
  const unsettled = world.routes.filter((route) => !isConverged(route, attempt));
  if (unsettled.length > 0)
    return { wakeAfterMs: Math.max(...unsettled.map((route) => convergesInMs(route, attempt))) };
  // A backend that somebody else took out was never seen at weight 0: then the drain begins when the gateway has settled.
  const leastMs = drainMs + longestSettleMs(world, attempt);
  return hadTraffic(world, attempt) && sinceMs < leastMs ? { wakeAfterMs: leastMs - sinceMs } : undefined;
}

/** Nothing was ever sent to a canary whose pods never served. */
function hadTraffic(world: World, attempt: Attempt): boolean {
  const canary = canarySet(world, attempt);
  return canary !== undefined && canary.podsLeft > 0;
}

function arePodsGone(world: World, canary: ReplicaSetView | undefined, sinceMs: number): boolean {
  const isLate = sinceMs > PODS_GONE_DEADLINE_MS;
  if (canary === undefined) return isLate || (world.canaryService?.ours === true ? world.canaryService.any : 0) === 0;
  if (isLate) return canary.ready === 0;
  return canary.podsLeft === 0 && endpointsLeft(world, canary.uid) === 0;
}

/**
 * Where stable's pods are no longer what serves (a native rollout, another Deployment), a pin would leave the Service
 * without endpoints: it goes before everything else (S16).
 */
function unpinsFirst(world: World, attempt: Attempt, cause: Retreat): boolean {
  const roll = bypassingRoll(world);
  const isNative = roll !== undefined && (roll.uid !== attempt.replicaSetUid || world.deployment?.paused === false);
  const isBypassed = cause.why === 'bypassed' || isNative || targetLost(world, attempt) !== undefined;
  return isBypassed || (stableSet(world)?.ready ?? 0) === 0;
}
