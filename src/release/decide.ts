/**
 * The one place where it is decided what happens to a Rollout: the world and the time in, a decision out. Serves the
 * operator, `serin plan`, the model check and the simulation alike. No I/O, no clock, no chance.
 */
import type { Attempt } from '../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../api/rollout-status.ts';
import { isClimbing, presentRung } from './climbing.ts';
import type { Decision, Effect } from './decision.ts';
import { after, answering, decision, remembering, withAttempt } from './plan.ts';
import { answerActions } from './stages/actions.ts';
import { attach } from './stages/attach.ts';
import { begin } from './stages/begin.ts';
import { judgeBake } from './stages/bake.ts';
import { judgeCheck } from './stages/check.ts';
import { detach } from './stages/detach.ts';
import { disturbance, targetLost } from './stages/disturb.ts';
import { flagHarmed } from './stages/flag-harm.ts';
import { judgeFlagStep } from './stages/flag-step.ts';
import { settleFlags, withFlagsSettled } from './stages/flags.ts';
import { climb, type Climbed, rungLastsMs } from './stages/ladder.ts';
import { climbingReport } from './stages/ladder-words.ts';
import { observed, observing } from './stages/observing.ts';
import { promote } from './stages/promote.ts';
import { cleared, rest } from './stages/rest.ts';
import { enterRetreat, retreat } from './stages/retreat.ts';
import { judgeStep, progress } from './stages/step.ts';
import { canarySet, isHandedOver, liveIsStable, nativeRoll, presentCheck, presentFlag } from './views.ts';
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
  const settled = settleFlags(world, world.memory, nowMs);
  const current = { ...world, memory: settled.memory };
  const answered = answerActions(current, nowMs);
  const decided = answered.abort ?? live(remembering(current, answered.memory), world.hasJournal, nowMs);
  const flagged = withFlagsSettled(current, decided, nowMs);
  return after({ events: [...events, ...settled.events] }, observed(answering(flagged, answered.effects), seen));
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
  const harmed = flagHarmed(noted, seen, nowMs) ?? { world: noted, attempt: seen, events: [] };
  const climbed = climb(harmed.world, harmed.attempt, nowMs) ?? { kind: 'waiting', ...harmed };
  const decided = climbed.kind === 'decided' ? climbed.decision : held(climbed, nowMs);
  return after({ effects: holding(noted) }, decided);
}

/** The stage goes on; while something is done about harm that is all that people are shown. */
function held({ world, attempt, events }: Extract<Climbed, { kind: 'waiting' }>, nowMs: number): Decision {
  const staged = after({ events }, inStage(world, attempt, nowMs));
  const { attempt: next } = staged.memory.journal;
  if (next === undefined || !isClimbing(next) || next.stage === 'retreat') return staged;
  const wakeAfterMs = Math.min(staged.wakeAfterMs ?? Number.POSITIVE_INFINITY, rungEndsInMs(world, next, nowMs));
  return { ...staged, report: climbingReport(next), ...(Number.isFinite(wakeAfterMs) ? { wakeAfterMs } : {}) };
}

/** So that no rung lasts longer than it says (S14). */
function rungEndsInMs(world: World, attempt: Attempt, nowMs: number): number {
  const { ladder } = attempt;
  const rung = presentRung(attempt);
  if (ladder === undefined || rung === undefined || rung.kind === 'hold') return Number.POSITIVE_INFINITY;
  return Math.max(100, ladder.sinceMs + rungLastsMs(world, attempt, rung) - nowMs);
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

function judgeOfStep(attempt: Attempt): typeof judgeStep {
  if (presentCheck(attempt) !== undefined) return judgeCheck;
  return presentFlag(attempt) === undefined ? judgeStep : judgeFlagStep;
}

function inStage(world: World, attempt: Attempt, nowMs: number): Decision {
  switch (attempt.stage) {
    case 'begin':
      return begin(world, attempt, nowMs);
    case 'step':
      return progress(world, attempt, nowMs, judgeOfStep(attempt));
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
