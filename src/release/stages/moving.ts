/** What people are told, and when Serin looks again, while pods and routes are not yet where the decided weight wants them. */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Report } from '../decision.ts';
import { decision, withAttempt } from '../plan.ts';
import { percent } from '../weights.ts';
import type { Memory, World } from '../world.ts';
import { observedAnew, unhurried } from './health.ts';
import type { Shift } from './shift.ts';

export type Moving = Exclude<Shift, { kind: 'converged' | 'held' }>;

interface Told {
  readonly reason: Report['reason'];
  readonly message: string;
  readonly stalled?: boolean;
  readonly wakeAfterMs?: number | undefined;
}

export function moving(world: World, attempt: Attempt, weightPercent: number, moved: Moving, nowMs: number): Decision {
  const phase = attempt.brake !== undefined ? 'Braked' : attempt.pausedBy !== undefined ? 'Paused' : 'Progressing';
  const { wakeAfterMs, ...report } = told(world, attempt, weightPercent, moved, nowMs);
  return decision(
    meanwhile(world, attempt, moved, nowMs),
    { phase, stalled: false, ...report },
    {
      effects: 'effects' in moved ? moved.effects : [],
      wakeAfterMs,
    },
  );
}

/** Where the weight cannot be carried, the clocks of observation and, at 0 replicas, of starting pods stand still. */
function meanwhile(world: World, attempt: Attempt, moved: Moving, nowMs: number): Memory {
  if (moved.kind !== 'starting' && moved.kind !== 'lowCapacity') return world.memory;
  const next = world.deployment?.replicas === 0 ? unhurried(attempt, nowMs) : observedAnew(attempt, nowMs);
  return next === attempt ? world.memory : withAttempt(world.memory, next);
}

function told(world: World, attempt: Attempt, weightPercent: number, moved: Moving, nowMs: number): Told {
  const where = place(attempt);
  const isAtZero = world.deployment?.replicas === 0;
  switch (moved.kind) {
    case 'starting':
      return isAtZero
        ? { ...scaledToZero(world), wakeAfterMs: 60_000 }
        : starting(attempt, weightPercent, moved, nowMs);
    case 'lowCapacity':
      if (isAtZero) return { ...scaledToZero(world), wakeAfterMs: 1000 };
      return {
        reason: 'CapacityLow',
        message: `${where}: ${attempt.hash} lost ready pods and takes ${percent(moved.weightPercent)} until they are back.`,
        wakeAfterMs: 1000,
      };
    case 'unrouted':
      return {
        reason: 'RouteMissing',
        stalled: true,
        message: `${where}: no route is left that names Service ${attempt.spec.traffic.service}, so nothing can be sent to ${attempt.hash}; put the route back or abort.`,
        wakeAfterMs: 10_000,
      };
    case 'converging':
      return { ...converging(attempt, weightPercent, moved.late), wakeAfterMs: moved.wakeAfterMs };
    case 'working':
      return {
        reason: 'Shifting',
        message: `${where}: moving to ${percent(weightPercent)}.`,
        wakeAfterMs: moved.wakeAfterMs,
      };
    default:
      return moved satisfies never;
  }
}

function starting(
  attempt: Attempt,
  weightPercent: number,
  { ready, needed }: Extract<Moving, { kind: 'starting' }>,
  nowMs: number,
): Told {
  const leftMs = attempt.weightSinceMs + attempt.spec.strategy.podsReadyWithinMs - nowMs;
  const message = `${place(attempt)}: waiting for pods, ${ready} of the ${needed} that ${weightPercent > 0 ? percent(weightPercent) : 'the check'} needs are ready.`;
  return leftMs > 0
    ? { reason: 'PodsStarting', message, wakeAfterMs: Math.max(100, leftMs) }
    : { reason: 'CapacityLow', message, stalled: true, wakeAfterMs: 10_000 };
}

function converging(attempt: Attempt, weightPercent: number, isLate: boolean): Told {
  return isLate
    ? {
        reason: 'NotConverged',
        stalled: true,
        message: `${place(attempt)}: the gateway has not taken up the route; see the status of the route. The weight does not grow until it has.`,
      }
    : { reason: 'Shifting', message: `${place(attempt)}: the gateway is taking up ${percent(weightPercent)}.` };
}

export function scaledToZero(world: World): { readonly reason: 'ScaledToZero'; readonly message: string } {
  const { name } = world.spec.target;
  return {
    reason: 'ScaledToZero',
    message: `Deployment ${name} has 0 replicas; the release goes on when it has some.`,
  };
}

/** "Step 2 of 4": the bake counts as the last. */
export function place(attempt: Attempt): string {
  const { steps } = attempt.spec.strategy;
  return attempt.stage === 'bake' ? 'Bake' : `Step ${attempt.step + 1} of ${steps.length + 1}`;
}
