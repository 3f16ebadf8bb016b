/** Small constructors for decisions; every stage ends in one of them. */
import type { Attempt, Journal, Retreat } from '../api/rollout-status.ts';
import type { Decision, Effect, Note, Report } from './decision.ts';
import type { Memory, World } from './world.ts';

export interface Extras {
  readonly effects?: readonly Effect[];
  readonly events?: readonly Note[];
  readonly wakeAfterMs?: number | undefined;
}

export function decision(memory: Memory, report: Report, extras: Extras = {}): Decision {
  return {
    memory,
    report,
    effects: extras.effects ?? [],
    events: extras.events ?? [],
    ...(extras.wakeAfterMs === undefined ? {} : { wakeAfterMs: extras.wakeAfterMs }),
  };
}

/** The same world with a memory that was just decided, so that the next stage can go on from it in the same look. */
export function remembering(world: World, memory: Memory): World {
  return { ...world, memory, hasJournal: true };
}

export function withJournal(memory: Memory, journal: Journal): Memory {
  return { ...memory, journal };
}

export function withAttempt(memory: Memory, attempt: Attempt): Memory {
  return withJournal(memory, { ...memory.journal, attempt });
}

export function withoutAttempt(memory: Memory): Memory {
  const { attempt: _ended, ...journal } = memory.journal;
  return withJournal(memory, journal);
}

/** Puts answers to people behind everything else: one that cannot be written must not hold up a brake or a rollback. */
export function answering(decided: Decision, answers: readonly Effect[]): Decision {
  return answers.length === 0 ? decided : { ...decided, effects: [...decided.effects, ...answers] };
}

/** Puts what a first part decided before what a second part decided from its outcome. */
export function after(first: Extras, second: Decision): Decision {
  return {
    ...second,
    effects: [...(first.effects ?? []), ...second.effects],
    events: [...(first.events ?? []), ...second.events],
  };
}

/** Retreats after which the revision is quarantined: it does not run again until a person says retry (S5). */
export function latches(why: Retreat['why']): boolean {
  return ['harm', 'check', 'crash', 'notReady', 'aborted', 'notJudged', 'escaped', 'unknownPast'].includes(why);
}
