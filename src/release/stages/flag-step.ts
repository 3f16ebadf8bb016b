/**
 * A step that turns a flag on at the weight of the step before it, and is judged like a weight once the flag is served. A
 * backend that does not answer holds the step and is no verdict about the revision (S7).
 */
import type { EffectiveFlagStep } from '../../api/effective.ts';
import type { Attempt, FlagEntry } from '../../api/rollout-status.ts';
import type { Decision, Report } from '../decision.ts';
import {
  answerTo,
  flagsIn,
  isLatched,
  MOST_FLAGS,
  newFlag,
  stepChangeId,
  turnedBack,
  turnedWords,
  withFlag,
  withFlags,
  withinMsOf,
} from '../flags.ts';
import { judgedAnew } from '../fresh-judge.ts';
import { after, decision, remembering, withAttempt } from '../plan.ts';
import { isDoubtful, presentFlag } from '../views.ts';
import type { World } from '../world.ts';
import { place } from './moving.ts';
import { enterStep, heldBack, judgeStep, nextStep, heldFor } from './step.ts';
import { isSilent, outage } from './verdict.ts';

const AGAIN_MS = 10_000;

/** The judge of a step with a flag. */
export function judgeFlagStep(world: World, attempt: Attempt, nowMs: number): Decision {
  const flag = presentFlag(attempt);
  const id = stepChangeId(world, attempt, attempt.step);
  const entry = flagsIn(world.memory).find((one) => one.id === id);
  if (flag === undefined) return judgeStep(world, attempt, nowMs);
  if (entry !== undefined && isOver(entry)) return judged(world, attempt, flag, entry, nowMs);
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  if ((isAsked && !isDoubtful(world)) || isLatched(world.memory, flag)) return leftOut(world, attempt, flag, nowMs);
  return entry === undefined
    ? beginning(world, attempt, flag, id, nowMs)
    : decision(world.memory, turning(world, attempt, flag, entry, nowMs), { wakeAfterMs: AGAIN_MS });
}

/** It is served, or it was and is not any more: either way only time and evidence are missing. */
function isOver({ state }: FlagEntry): boolean {
  return state === 'served' || state === 'reverted' || state === 'kept' || state === 'reverting' || state === 'failed';
}

/** What is seen from here on is compared anew, and the time of the step counts from here. */
function judged(world: World, attempt: Attempt, flag: EffectiveFlagStep, entry: FlagEntry, nowMs: number): Decision {
  const isNew = entry.servedAtMs !== undefined && (attempt.epochAtMs ?? 0) < entry.servedAtMs;
  if (entry.state !== 'served' || !isNew) return judgeStep(world, attempt, nowMs);
  const next: Attempt = { ...judgedAnew(attempt, nowMs), weightSinceMs: nowMs, convergedAtMs: nowMs };
  const already = entry.previous === undefined ? ' It was so before.' : '';
  const message = `${place(attempt)}: flag ${flag.name} of ${flag.source} is ${turnedWords(flag.variant, flag.percent)}.${already}`;
  const report: Report = { phase: 'Progressing', reason: 'FlagTurned', message, stalled: false, verdict: 'NotEnough' };
  return decision(withAttempt(world.memory, next), report, {
    events: [{ type: 'Normal', reason: 'FlagTurned', message }],
    wakeAfterMs: 0,
  });
}

/** A person goes on without it, or it was the cause of harm before: then it is for a person to turn it on. */
function leftOut(world: World, attempt: Attempt, flag: EffectiveFlagStep, nowMs: number): Decision {
  const id = stepChangeId(world, attempt, attempt.step);
  const memory = withFlag(world.memory, id, (entry) => turnedBack(entry, nowMs));
  const why = isLatched(memory, flag) ? 'it was the cause of harm' : 'a person goes on without it';
  const message = `${place(attempt)}: flag ${flag.name} of ${flag.source} is left out, because ${why}.`;
  const seen = remembering(world, memory);
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  const held = isAsked ? undefined : (notNow(seen, attempt, nowMs) ?? heldFor(seen, attempt));
  if (held !== undefined) return held;
  return after(
    { events: [{ type: 'Normal', reason: 'FlagLeftOut', message }] },
    enterStep(seen, attempt, attempt.promotedBy === undefined ? attempt.step + 1 : nextStep(attempt), nowMs),
  );
}

/** Turning on is a rise like any other: not on a doubt, and not while nobody would see what it does (S4). */
function notNow(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  if (!isDoubtful(world) && !isSilent(world)) return undefined;
  const down = outage(world, attempt, nowMs);
  if (down !== undefined && 'memory' in down) return down;
  return heldBack(world, attempt, down, nowMs);
}

function beginning(world: World, attempt: Attempt, flag: EffectiveFlagStep, id: string, nowMs: number): Decision {
  const held = notNow(world, attempt, nowMs) ?? heldFor(world, attempt);
  if (held !== undefined) return held;
  const flags = flagsIn(world.memory);
  const entry = newFlag(attempt, id, flag, 'step', nowMs);
  const isFull = flags.length >= MOST_FLAGS;
  const memory = isFull ? world.memory : withFlags(world.memory, [...flags, entry]);
  return decision(memory, turning(remembering(world, memory), attempt, flag, entry, nowMs), { wakeAfterMs: AGAIN_MS });
}

function turning(world: World, attempt: Attempt, flag: EffectiveFlagStep, entry: FlagEntry, nowMs: number): Report {
  const answer = answerTo(world, entry);
  // One that found no room in memory waits since the step began.
  const isKept = flagsIn(world.memory).some(({ id }) => id === entry.id);
  const sinceMs = isKept ? entry.sinceMs : (attempt.convergedAtMs ?? nowMs);
  const isLate = nowMs - sinceMs >= withinMsOf(world, entry.id);
  const why = answer?.kind === 'failed' ? ` ${answer.sentence}` : ' It is not seen to be served.';
  const message = `${place(attempt)}: flag ${flag.name} of ${flag.source} is being ${turnedWords(flag.variant, flag.percent)}.`;
  return {
    phase: 'Progressing',
    reason: isLate ? 'FlagNotServed' : 'TurningFlag',
    message: isLate
      ? `${message}${why} This says nothing about revision ${attempt.hash}; serin skip goes on without it.`
      : message,
    stalled: isLate,
    verdict: 'Flag',
  };
}
