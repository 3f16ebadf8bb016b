/**
 * A step that calls pods of the new version and goes on when every answer is as expected. Wrong answers for the whole of
 * `within` are harm; pods that cannot be asked at all are an outage, which is never a verdict (S7).
 */
import type { EffectiveCheck } from '../../api/effective.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Report } from '../decision.ts';
import { decision } from '../plan.ts';
import { canarySet, isDoubtful, presentCheck } from '../views.ts';
import type { CheckAnswer, World } from '../world.ts';
import { place } from './moving.ts';
import { enterRetreat } from './retreat.ts';
import { checkWords, enterStep, heldBack, nextStep, heldFor } from './step.ts';
import { isSilent, outage } from './verdict.ts';

/** In case an answer wakes nobody. */
const AGAIN_MS = 10_000;

/** The judge of a step with a check. A person's skip stands for the check, a promotion only for one that nobody answers. */
export function judgeCheck(world: World, attempt: Attempt, nowMs: number): Decision {
  const check = presentCheck(attempt);
  const { check: answer } = world;
  if (check === undefined || attempt.skippedStep === attempt.step) return onwards(world, attempt, nowMs);
  switch (answer?.kind) {
    case undefined:
      return starting(world, attempt, check, nowMs);
    case 'passed':
      return onwards(world, attempt, nowMs);
    case 'failed':
      if (answer.forMs < check.withinMs) break;
      return enterRetreat(world, nowMs, { why: 'check', reason: 'CheckFailed', message: answer.sentence });
    case 'unreachable':
      if (attempt.promotedBy !== undefined) return onwards(world, attempt, nowMs);
      if (answer.forMs < check.withinMs) break;
      return decision(world.memory, unanswered(attempt, answer.sentence), { wakeAfterMs: AGAIN_MS });
    case 'asked':
      break;
    default:
      return answer satisfies never;
  }
  return decision(world.memory, checking(attempt, check, answer, nowMs), { wakeAfterMs: AGAIN_MS });
}

function starting(world: World, attempt: Attempt, check: EffectiveCheck, nowMs: number): Decision {
  const uid = canarySet(world, attempt)?.uid;
  const { number, step } = attempt;
  return decision(world.memory, checking(attempt, check, undefined, nowMs), {
    effects: uid === undefined ? [] : [{ kind: 'check', attempt: number, step, uid }],
    wakeAfterMs: AGAIN_MS,
  });
}

/** What comes after a check is a rise like any other: not on a doubt, and not while nobody would see what it does (S4). */
function onwards(world: World, attempt: Attempt, nowMs: number): Decision {
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  const isFree = !isDoubtful(world) && (isAsked || !isSilent(world));
  if (isFree) return heldFor(world, attempt) ?? enterStep(world, attempt, nextStep(attempt), nowMs);
  const down = outage(world, attempt, nowMs);
  if (down !== undefined && 'memory' in down) return down;
  return heldBack(world, attempt, down, nowMs);
}

/** Answers that change their kind again and again are neither harm nor an outage, and yet no reason to wait in silence (S8). */
const LONGEST_WITHINS = 3;

function checking(attempt: Attempt, check: EffectiveCheck, answer: CheckAnswer | undefined, nowMs: number): Report {
  const isLong = nowMs - (attempt.convergedAtMs ?? nowMs) >= LONGEST_WITHINS * check.withinMs;
  const soFar =
    answer !== undefined && 'sentence' in answer
      ? ` So far: ${answer.sentence} It is tried again for ${Math.round(check.withinMs / 1000)}s.`
      : '';
  return {
    phase: 'Progressing',
    reason: 'Checking',
    message: `${place(attempt)}: ${checkWords(attempt, check)}.${soFar}${isLong ? UNDECIDED : ''}`,
    stalled: isLong,
    verdict: 'Checking',
  };
}

const UNDECIDED = ' It neither passes nor fails for good: see the pods, and abort or skip.';

function unanswered(attempt: Attempt, sentence: string): Report {
  return {
    phase: 'Progressing',
    reason: 'CheckUnanswered',
    message: `${place(attempt)}: holding, ${sentence} This says nothing about revision ${attempt.hash}: let the operator reach its pods, or correct check.port; skip goes on without this check.`,
    stalled: true,
    verdict: 'Checking',
  };
}
