/** Cuts the weight at once because of doubt, and keeps it there; knows nothing of what comes after it. */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision, remembering, withAttempt } from '../plan.ts';
import { isBakeOfRoutes } from '../sharing.ts';
import { exposedPercent, routedPercent } from '../views.ts';
import { brakeWeight, percent } from '../weights.ts';
import type { World } from '../world.ts';
import { shift } from './shift.ts';

export const SESSIONS = 'The route keeps sessions, so a smaller weight would not take anybody off it.';

/** A smaller weight does not move sessions: where they are kept, braking cannot help anybody. */
export function keepsSessions(world: World): boolean {
  return routedPercent(world) > 0 && world.routes.some((route) => route.exists && route.sessionPersistence);
}

export function braked(world: World, attempt: Attempt, why: string, crash: boolean, nowMs: number): Decision {
  const next = withBrake(world, attempt, why, crash, nowMs);
  const message = brakedWords(next);
  const events = attempt.brake === undefined ? [{ type: 'Warning', reason: 'Braked', message } as const] : [];
  const report: Report = { phase: 'Braked', reason: 'Braked', message, stalled: false, verdict: 'Doubt' };
  const effects = cutting(world, next, nowMs);
  return decision(withAttempt(world.memory, next), report, { effects, events, wakeAfterMs: 0 });
}

export function withBrake(world: World, attempt: Attempt, why: string, crash: boolean, nowMs: number): Attempt {
  const before = Math.max(exposedPercent(world, attempt), attempt.brake?.weightPercent ?? attempt.weightPercent);
  const rate = world.answer.kind === 'judged' ? world.answer.totalRequestsPerSecond : 0;
  const weightPercent = attempt.brake?.weightPercent ?? (before > 0 ? brakeWeight(before, rate) : 0);
  const sinceMs = attempt.brake?.sinceMs ?? nowMs;
  const isAnother = attempt.brake === undefined && isBakeOfRoutes(attempt);
  const brake = { sinceMs, weightPercent, message: why, crash };
  return isAnother
    ? { ...withoutHaste(attempt), brake, bakeBrakes: (attempt.bakeBrakes ?? 0) + 1 }
    : { ...attempt, brake };
}

/** The cut goes out in the same look as the decision: here every second counts. */
export function cutting(world: World, attempt: Attempt, nowMs: number): readonly Effect[] {
  const weightPercent = attempt.brake?.weightPercent ?? attempt.weightPercent;
  const seen = remembering(world, withAttempt(world.memory, attempt));
  const moved = shift(seen, attempt, { weightPercent, mayRise: false }, nowMs);
  return 'effects' in moved ? moved.effects : [];
}

export function brakedWords({ brake }: Attempt): string {
  return `Braked at ${percent(brake?.weightPercent ?? 0)}: ${brake?.message ?? ''}`;
}

/** Whoever asked to go faster had not seen this: after the brake it takes its time. */
export function withoutHaste(attempt: Attempt): Attempt {
  const { promotedBy: _promoted, skippedStep: _skipped, ...rest } = attempt;
  return rest;
}

/** After a brake in the bake it gets all the traffic only once more: what fails under full load alone would come back for ever. */
export function hasHadItsChance(attempt: Attempt): boolean {
  return isBakeOfRoutes(attempt) && (attempt.bakeBrakes ?? 0) > 1;
}

/**
 * In the bake nothing was there to compare with, so an incident of everything looks like harm. Braked, the version has to
 * prove itself beside the old one; what it showed before the bake does not count.
 */
export function isCleared({ answer }: World, attempt: Attempt): boolean {
  if (answer.kind !== 'judged' || answer.level !== 'calm') return false;
  return answer.brakeReleasable && (answer.stepAcceptable || !isBakeOfRoutes(attempt));
}
