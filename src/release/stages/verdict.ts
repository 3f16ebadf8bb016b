/**
 * What the judge's answer, crashes and outages mean for a release that is under way: go back, brake, release the brake,
 * hold, or nothing. An outage is never a verdict (S7).
 */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Reason } from '../../api/reasons.ts';
import type { Decision, Report } from '../decision.ts';
import { isClimbing } from '../climbing.ts';
import { canarySet, isDoubtful } from '../views.ts';
import type { World } from '../world.ts';
import { braked, brakedWords, hasHadItsChance, isCleared, keepsSessions, SESSIONS } from './brake.ts';
import { harmBy, harmNow, isAlarmed } from './harm.ts';
import { CRASH_GRACE_MS, crashWords, isSpotless } from './health.ts';
import { enterLadder } from './ladder.ts';
import { enterRetreat } from './retreat.ts';

/** A brake that nobody resolved for this long needs a person; it never becomes a rollback by itself. */
export const UNRESOLVED_MS = 600_000;

/** Going back or braking for harm; undefined when there is no reason to. */
export function harmed(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const isOnLadder = isClimbing(attempt);
  const harm = isOnLadder ? undefined : harmNow(world);
  if (harm !== undefined) return enterLadder(world, attempt, nowMs, harm);
  const crashes = crashWords(canarySet(world, attempt), nowMs);
  const crash = crashes === undefined ? undefined : crashed(world, attempt, crashes, nowMs);
  if (crash !== undefined) return crash;
  return isOnLadder ? undefined : doubted(world, attempt, nowMs);
}

/** A brake that crashes put on becomes the judge's when the judge says so too: then time alone takes it off no more (S4). */
function doubted(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const { answer } = world;
  const isMeant = answer.kind === 'judged' && (answer.level === 'brake' || answer.level === 'onePod');
  if (!isMeant || attempt.brake?.crash === false) return undefined;
  // A smaller weight does not move sessions: where they are kept, braking cannot help anybody.
  if (keepsSessions(world))
    return enterLadder(world, attempt, nowMs, {
      kind: 'judge',
      ...harmBy(answer),
      message: `${answer.sentence} ${SESSIONS}`,
    });
  return braked(world, attempt, answer.sentence, false, nowMs);
}

function crashed(world: World, attempt: Attempt, words: string, nowMs: number): Decision | undefined {
  const { brake } = attempt;
  const canary = canarySet(world, attempt);
  if (keepsSessions(world))
    return enterRetreat(world, nowMs, { why: 'crash', reason: 'Crashes', message: `${words}. ${SESSIONS}` });
  if (brake === undefined) return braked(world, attempt, `${words}.`, true, nowMs);
  // The judge's brake stays the judge's. Restarts are not new reason to go back then, pods that never stay up are.
  const isGiven = !brake.crash && (canary?.crashLooping ?? 0) === 0;
  if (isGiven || nowMs - brake.sinceMs < CRASH_GRACE_MS) return undefined;
  return enterRetreat(world, nowMs, {
    why: 'crash',
    reason: 'Crashes',
    message: `${words}, for ${CRASH_GRACE_MS / 1000}s.`,
  });
}

/** The brake comes off when crashes stopped, or the evidence for harm is gone and that for health is strong. */
export function brakeReleased(world: World, attempt: Attempt, nowMs: number): Attempt | undefined {
  const { brake } = attempt;
  if (brake === undefined || isClimbing(attempt)) return undefined;
  if (hasHadItsChance(attempt) || crashWords(canarySet(world, attempt), nowMs) !== undefined) return undefined;
  const isCalm = brake.crash
    ? nowMs - brake.sinceMs >= CRASH_GRACE_MS && !isDoubtful(world)
    : isCleared(world, attempt);
  if (!isCalm) return undefined;
  const { brake: _off, convergedAtMs: _stale, ...rest } = attempt;
  return { ...rest, weightSinceMs: nowMs };
}

export function brakeReport(attempt: Attempt, nowMs: number): Report {
  const { brake } = attempt;
  const isLong = brake !== undefined && nowMs - brake.sinceMs >= UNRESOLVED_MS;
  const isSecond =
    (attempt.bakeBrakes ?? 0) > 1 ? ' It had to be braked at 100% twice, so it does not rise again.' : '';
  const message = `${brakedWords(attempt)}${isSecond}`;
  return {
    phase: 'Braked',
    reason: isLong ? 'Unresolved' : 'Braked',
    message: isLong
      ? `${message} The evidence has decided neither way for ${Math.round(UNRESOLVED_MS / 60_000)} minutes; abort or apply a fix.`
      : message,
    stalled: isLong,
    verdict: 'Doubt',
  };
}

/**
 * An outage of the source: hold, or go back where the Rollout says so; undefined when the source answers, and while something
 * is done about harm that was judged before: that has a deadline of its own.
 */
export function outage(world: World, attempt: Attempt, nowMs: number): Decision | Report | undefined {
  const { answer } = world;
  if (answer.kind !== 'sourceDown' || isClimbing(attempt)) return undefined;
  const { afterMs, do: wish } = attempt.spec.analysis.onSourceDown;
  if (wish === 'rollback' && answer.everAnswered && nowMs - answer.sinceMs >= afterMs)
    return enterRetreat(world, nowMs, {
      why: 'notJudged',
      reason: 'NotJudged',
      message: `${answer.sentence} onSourceDown says rollback; nothing is known against the revision.`,
    });
  const reason: Reason = answer.everAnswered ? 'SourceDown' : 'SourceNeverAnswered';
  return {
    phase: 'Progressing',
    reason,
    message: `Holding: ${answer.sentence} This says nothing about revision ${attempt.hash}.`,
    stalled: nowMs - answer.sinceMs >= afterMs,
    verdict: 'SourceDown',
  };
}

/**
 * May a route go up to the weight that was decided? What was decided on good evidence still rests on it until the weight
 * was reached once: a source that falls silent, a doubt, an alert or a pause in between stops the rise where it stands (S4, S7).
 */
export function mayRise(world: World, attempt: Attempt): boolean {
  if (attempt.pausedBy !== undefined) return false;
  if (attempt.brake !== undefined || attempt.convergedAtMs !== undefined) return true;
  return !isDoubtful(world) && ((!isSilent(world) && !isAlarmed(world)) || isAskedFor(attempt));
}

/** An outage, or a source that has not answered so far: nobody would see what a weight does. */
export function isSilent({ answer }: World): boolean {
  return answer.kind === 'sourceDown' || (answer.kind === 'noEvidence' && answer.reason === 'unanswered');
}

/** A person asked for this weight, so it does not wait for evidence. */
export function isAskedFor(attempt: Attempt): boolean {
  return attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step - 1;
}

export type Patience = 'wait' | 'proceed' | 'hold' | 'rollback';

/** What is to be done at this moment when the evidence does not say "acceptable". Counted from convergence. */
export function whenUnsure(world: World, attempt: Attempt, nowMs: number): Patience {
  const { answer } = world;
  const { afterMs, do: wish } = attempt.spec.analysis.whenUnsure;
  if (attempt.convergedAtMs === undefined || nowMs - attempt.convergedAtMs < afterMs) return 'wait';
  if (answer.kind === 'noSource' && !attempt.noSource) return 'hold';
  // Requests that do not go where they were sent are no lack of them: a larger weight would not help (S4).
  if (answer.kind === 'judged' && answer.splitOff !== undefined) return 'hold';
  // Mode observe: the judge would have stopped it, so what is missing is no traffic, and nothing is done about the rest.
  if (answer.kind === 'judged' && wish === 'rollback' && attempt.wouldHave !== undefined) return 'hold';
  if (answer.kind === 'judged' && answer.level === 'calm') return wish;
  if (answer.kind === 'noSource') return wish === 'proceed' && !isSpotless(canarySet(world, attempt)) ? 'hold' : wish;
  // A source that has never given a number for this attempt: doubt means hold (S4, S7).
  return 'hold';
}
