/** What pods say of a revision without any statistics: not ready in time, or crashing. */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, EventReason } from '../decision.ts';
import { canaryReady, canarySet } from '../views.ts';
import type { ReplicaSetView, World } from '../world.ts';
import { enterRetreat } from './retreat.ts';

export const CRASH_GRACE_MS = 60_000;
const OBSERVED_STRIDE_MS = 30_000;

/** Pods that were asked for and are not ready by the deadline are harm; the message has the kubelet's own words. */
export function podsLate(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const withinMs = attempt.spec.strategy.podsReadyWithinMs;
  const canary = canarySet(world, attempt);
  if (world.deployment?.replicas === 0) return undefined;
  if (attempt.convergedAtMs !== undefined || nowMs - askedSinceMs(attempt, canary) < withinMs) return undefined;
  if (areReady(world, attempt, canary)) return undefined;
  const reason: EventReason = canary?.trouble?.reason ?? 'NotReady';
  const message = lateWords(attempt, canary, `${Math.round(withinMs / 1000)}s`);
  return enterRetreat(world, nowMs, { why: 'notReady', reason, message });
}

function lateWords(attempt: Attempt, canary: ReplicaSetView | undefined, within: string): string {
  if (canary === undefined)
    return `ReplicaSet ${attempt.replicaSet} could not be created within ${within}; the Events of the Rollout say why.`;
  return `${canary.ready} of ${canary.replicas} pods became ready within ${within}${troubleWords(canary)}.`;
}

function troubleWords({ trouble }: ReplicaSetView): string {
  return trouble === undefined ? '' : ` (${trouble.words})`;
}

function areReady(world: World, attempt: Attempt, canary: ReplicaSetView | undefined): boolean {
  return canary !== undefined && canary.ready >= canary.replicas && canaryReady(world, attempt) >= 1;
}

/** Time that passed before there was a ReplicaSet is not its pods' fault. */
function askedSinceMs(attempt: Attempt, canary: ReplicaSetView | undefined): number {
  return Math.max(attempt.weightSinceMs, canary?.createdAtMs ?? 0);
}

/**
 * Time in which the pods cannot do what is asked of them counts neither as their delay nor as time under observation.
 * Moved on in large strides, because each is a write of the status.
 */
export function unhurried(attempt: Attempt, nowMs: number): Attempt {
  const isOld = nowMs - attempt.weightSinceMs >= attempt.spec.strategy.podsReadyWithinMs / 2;
  return observedAnew(
    isOld && attempt.convergedAtMs === undefined ? { ...attempt, weightSinceMs: nowMs } : attempt,
    nowMs,
  );
}

/** The weight is not carried now, so time under observation (`atLeast`, `bake`, `whenUnsure`) begins again. */
export function observedAnew(attempt: Attempt, nowMs: number): Attempt {
  const { convergedAtMs } = attempt;
  const isOld = convergedAtMs !== undefined && nowMs - convergedAtMs >= OBSERVED_STRIDE_MS;
  return isOld ? { ...attempt, convergedAtMs: nowMs } : attempt;
}

/**
 * CrashLoopBackOff, or restarts in at least two pods (one pod may have had bad luck) of which the last was a moment ago:
 * pods that needed a second start and have worked since are no reason to go back.
 */
export function crashWords(canary: ReplicaSetView | undefined, nowMs: number): string | undefined {
  if (canary === undefined) return undefined;
  const why = canary.trouble?.reason === 'NotReady' ? troubleWords(canary) : '';
  if (canary.crashLooping > 0) return `${canary.crashLooping} of ${canary.replicas} pods crash again and again${why}`;
  const isFresh = nowMs - (canary.lastRestartAtMs ?? nowMs) < CRASH_GRACE_MS;
  if (canary.restartedPods >= 2 && isFresh)
    return `${canary.restartedPods} of ${canary.replicas} pods crashed and were restarted${why}`;
  return undefined;
}

/** All pods that were asked for are ready and none was ever restarted: all that can be known without a metric source (S4). */
export function isSpotless(canary: ReplicaSetView | undefined): boolean {
  return (
    canary !== undefined && canary.ready >= canary.replicas && canary.crashLooping === 0 && canary.restartedPods === 0
  );
}
