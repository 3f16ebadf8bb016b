/**
 * The one place where it is decided what happens to a Rollout: the world and the time in, a decision out. Serves the
 * operator, `serin plan`, the model check and the simulation alike. No I/O, no clock, no chance.
 */
import type { Attempt } from '../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../api/rollout-status.ts';
import type { Decision, Effect } from './decision.ts';
import { after, answering, decision, remembering, withAttempt } from './plan.ts';
import { answerActions } from './stages/actions.ts';
import { attach } from './stages/attach.ts';
import { begin } from './stages/begin.ts';
import { judgeBake } from './stages/bake.ts';
import { judgeCheck } from './stages/check.ts';
import { detach } from './stages/detach.ts';
import { disturbance, targetLost } from './stages/disturb.ts';
import { observed, observing } from './stages/observing.ts';
import { promote } from './stages/promote.ts';
import { cleared, rest } from './stages/rest.ts';
import { enterRetreat, retreat } from './stages/retreat.ts';
import { judgeStep, progress } from './stages/step.ts';
import { canarySet, isHandedOver, liveIsStable, nativeRoll, presentCheck } from './views.ts';
import type { World } from './world.ts';

export function decide(seen: World, nowMs: number): Decision {
  const { version } = seen.memory.journal;
  if (version > JOURNAL_VERSION)
    return decision(seen.memory, {
      phase: 'Waiting',
      reason: 'NewerJournal',
      message: `A newer Serin wrote the status of this Rollout (journal ${version}, this one knows ${JOURNAL_VERSION}); install that version again, nothing moves until then.`,
      stalled: true,
    });
  const { world, events } = observing(seen, nowMs);
  const answered = answerActions(world, nowMs);
  const decided = answered.abort ?? live(remembering(world, answered.memory), world.hasJournal, nowMs);
  return after({ events }, observed(answering(decided, answered.effects), seen));
}

function live(world: World, hasJournal: boolean, nowMs: number): Decision {
  const { attempt } = world.memory.journal;
  if (attempt !== undefined) return attempting(world, attempt, nowMs);
  if (world.rollout.deleting) return detach(world, hasJournal, nowMs);
  const clearing = cleared(world, hasJournal, nowMs);
  if (clearing !== undefined) return clearing;
  return world.memory.stable === undefined ? attach(world, nowMs) : rest(world, nowMs);
}

function attempting(world: World, attempt: Attempt, nowMs: number): Decision {
  if (attempt.stage === 'retreat') return after({ effects: heldMeanwhile(world, attempt) }, retreat(world, nowMs));
  if (isHandedOver(world, attempt)) return promote(world, attempt, nowMs);
  const seen = known(world, attempt);
  const noted = seen === attempt ? world : remembering(world, withAttempt(world.memory, seen));
  const cause = disturbance(noted, seen);
  if (cause !== undefined) return enterRetreat(noted, nowMs, cause);
  return after({ effects: holding(noted) }, inStage(noted, seen, nowMs));
}

/** The UID is written down as soon as the ReplicaSet was seen: from then on no other of that name is taken for it. */
function known(world: World, attempt: Attempt): Attempt {
  const uid = attempt.replicaSetUid ?? canarySet(world, attempt)?.uid;
  return uid === attempt.replicaSetUid || uid === undefined ? attempt : { ...attempt, replicaSetUid: uid };
}

/** Somebody took the label off, or resumed the Deployment before its controller acted on it: put back at once. */
function holding({ deployment }: World): readonly Effect[] {
  if (deployment === undefined) return [];
  const label: readonly Effect[] = deployment.attached === 'no' ? [{ kind: 'attach' }] : [];
  return deployment.paused ? label : [...label, { kind: 'hold' }];
}

/** On the way back too: a template that was rejected must not roll out because somebody resumed the Deployment (S5). */
function heldMeanwhile(world: World, attempt: Attempt): readonly Effect[] {
  const { deployment } = world;
  if (deployment === undefined || targetLost(world, attempt) !== undefined || deployment.attached !== 'yes') return [];
  const isNative = attempt.retreat?.why === 'bypassed' || nativeRoll(world) !== undefined;
  return deployment.paused || isNative || liveIsStable(world) ? [] : [{ kind: 'hold' }];
}

function inStage(world: World, attempt: Attempt, nowMs: number): Decision {
  switch (attempt.stage) {
    case 'begin':
      return begin(world, attempt, nowMs);
    case 'step':
      return progress(world, attempt, nowMs, presentCheck(attempt) === undefined ? judgeStep : judgeCheck);
    case 'bake':
      return progress(world, attempt, nowMs, judgeBake);
    case 'promote':
      return promote(world, attempt, nowMs);
    case 'retreat':
      return retreat(world, nowMs);
    default:
      return attempt.stage satisfies never;
  }
}
