/** All traffic is on the canary and the old pods are warm: a rollback is still one route write. Ends in the promotion. */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Report } from '../decision.ts';
import { decision, withAttempt } from '../plan.ts';
import { sharingOf } from '../sharing.ts';
import { canarySet, isDoubtful } from '../views.ts';
import type { World } from '../world.ts';
import { impatient, judgingReport, heldFor } from './step.ts';

export function judgeBake(world: World, attempt: Attempt, nowMs: number): Decision {
  const { bakeMs } = attempt.spec.strategy;
  const bakedMs = nowMs - (attempt.convergedAtMs ?? nowMs);
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  // A person's word stands for missing evidence, never for evidence of harm.
  if (isAsked && !isDoubtful(world)) return enterPromote(world, attempt, nowMs);
  const held = heldFor(world, attempt);
  if (held !== undefined) return held;
  if (bakedMs < bakeMs) return decision(world.memory, bakingReport(attempt, nowMs), { wakeAfterMs: bakeMs - bakedMs });
  const { answer } = world;
  if (answer.kind === 'judged' && answer.level === 'calm' && answer.finalAcceptable && answer.cost?.waits === undefined)
    return enterPromote(world, attempt, nowMs);
  return impatient(world, attempt, nowMs, () => enterPromote(world, attempt, nowMs));
}

function bakingReport(attempt: Attempt, nowMs: number): Report {
  const endsAtMs = (attempt.convergedAtMs ?? nowMs) + attempt.spec.strategy.bakeMs;
  return {
    phase: 'Progressing',
    reason: 'Baking',
    message: `Bake: ${sharingOf(attempt.spec) === 'routes' ? `all traffic goes to ${attempt.hash}` : `half of the pods run ${attempt.hash}`}; the old pods stay warm until ${Math.round(attempt.spec.strategy.bakeMs / 1000)}s have passed.`,
    stalled: false,
    verdict: 'Baking',
    nextTransitionAtMs: endsAtMs,
  };
}

/** The decision that is final: from here, going back is another release. Needs all pods of the canary available, no more and no less. */
function enterPromote(world: World, attempt: Attempt, nowMs: number): Decision {
  const canary = canarySet(world, attempt);
  const { deployment } = world;
  if (deployment === undefined || canary === undefined)
    return decision(world.memory, judgingReport(world, attempt, nowMs), { wakeAfterMs: 1000 });
  // 0 of 0 pods are all of them, and yet nothing was shown to work.
  const isWhole =
    deployment.replicas > 0 &&
    canary.replicas === deployment.replicas &&
    canary.available === deployment.replicas &&
    canary.current;
  if (!isWhole)
    return decision(
      world.memory,
      {
        phase: 'Progressing',
        reason: 'PodsStarting',
        message: `Ready to promote ${attempt.hash}; ${canary.available} of ${deployment.replicas} pods are available.`,
        stalled: false,
      },
      { wakeAfterMs: 5000 },
    );
  const next: Attempt = {
    ...attempt,
    stage: 'promote',
    stageSinceMs: nowMs,
    maxSurge: attempt.maxSurge ?? deployment.maxSurgeBefore ?? deployment.maxSurge,
    replicaSetUid: canary.uid,
  };
  const message = `The Deployment takes over revision ${attempt.hash}; no pod is created twice.`;
  return decision(
    withAttempt(world.memory, next),
    { phase: 'Promoting', reason: 'Promoting', message, stalled: false },
    {
      events: [{ type: 'Normal', reason: 'Promoting', message }],
      wakeAfterMs: 0,
    },
  );
}
