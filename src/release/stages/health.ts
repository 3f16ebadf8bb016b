/** What pods say of a revision without any statistics: not ready in time, or crashing. */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Reason } from '../../api/reasons.ts';
import type { Decision } from '../decision.ts';
import { canarySet } from '../views.ts';
import type { ReplicaSetView, World } from '../world.ts';
import { enterRetreat } from './retreat.ts';

export const CRASH_GRACE_MS = 60_000;

/** Pods that were asked for and are not ready by the deadline are harm; the message has the kubelet's own words. */
export function podsLate(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const withinMs = attempt.spec.strategy.podsReadyWithinMs;
  if (attempt.convergedAtMs !== undefined || nowMs - attempt.weightSinceMs < withinMs) return undefined;
  const canary = canarySet(world, attempt);
  const isShort = canary === undefined || canary.ready < canary.replicas || (world.canaryService?.ready ?? 0) < 1;
  if (!isShort) return undefined;
  const reason: Reason = canary?.trouble?.reason ?? 'NotReady';
  const words = canary?.trouble === undefined ? '' : ` (${canary.trouble.words})`;
  return enterRetreat(world, nowMs, {
    why: 'notReady',
    reason,
    message: `${canary?.ready ?? 0} of ${canary?.replicas ?? 0} pods became ready within ${Math.round(withinMs / 1000)}s${words}.`,
  });
}

/** CrashLoopBackOff, or restarts in at least two pods (one pod may have had bad luck). */
export function crashWords(canary: ReplicaSetView | undefined): string | undefined {
  if (canary === undefined) return undefined;
  if (canary.crashLooping > 0) return `${canary.crashLooping} of ${canary.replicas} pods crash again and again`;
  if (canary.restartedPods >= 2) return `${canary.restartedPods} of ${canary.replicas} pods crashed and were restarted`;
  return undefined;
}
