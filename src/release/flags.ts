/** Changes of flags in memory: added, found and turned back. Writes nothing to any backend and knows none. */
import type { EffectiveFlagStep } from '../api/effective.ts';
import type { Attempt, FlagEntry } from '../api/rollout-status.ts';
import { withJournal } from './plan.ts';
import type { FlagAnswer, FlagTask, Memory, World } from './world.ts';

/** Entries that the journal has room for. */
export const MOST_FLAGS = 8;

/** For a source whose `verify.within` is not known. */
const WITHIN_MS = 10_000;
const STEPS_AT_MOST = 20;

export function flagsIn({ journal }: Memory): readonly FlagEntry[] {
  return journal.flags ?? [];
}

export function withFlags(memory: Memory, flags: readonly FlagEntry[]): Memory {
  const { flags: _old, ...journal } = memory.journal;
  return withJournal(memory, flags.length === 0 ? journal : { ...journal, flags: [...flags] });
}

/** Changed where the entry is this one; undefined takes it out. */
export function withFlag(memory: Memory, id: string, change: (entry: FlagEntry) => FlagEntry | undefined): Memory {
  return withFlags(
    memory,
    flagsIn(memory).flatMap((entry) => (entry.id === id ? (change(entry) ?? []) : [entry])),
  );
}

/** The same for every look, so that a change is written once whatever happens (S11). */
export function stepChangeId(world: World, attempt: Attempt, step: number): string {
  return `${world.rollout.uid.slice(0, 8)}-${attempt.number}-${step + 1}`;
}

export function rungChangeId(world: World, attempt: Attempt, rung: number): string {
  return `${world.rollout.uid.slice(0, 8)}-${attempt.number}-${STEPS_AT_MOST + rung + 1}`;
}

export function newFlag(
  attempt: Attempt,
  id: string,
  { source, name, variant, percent }: EffectiveFlagStep,
  why: FlagEntry['why'],
  nowMs: number,
): FlagEntry {
  return {
    id,
    source,
    flag: name,
    variant,
    ...(percent === undefined ? {} : { percent }),
    why,
    revision: attempt.hash,
    attempt: attempt.number,
    state: 'planning',
    sinceMs: nowMs,
  };
}

/** What is left of a change that is no longer wanted: nothing where nothing was written. */
export function turnedBack(entry: FlagEntry, nowMs: number): FlagEntry | undefined {
  if (entry.state === 'planned' || entry.state === 'served')
    return entry.previous === undefined ? undefined : { ...entry, state: 'reverting', sinceMs: nowMs };
  return entry.state === 'planning' ? undefined : entry;
}

/** The same for each of these changes. */
export function withTurnedBack(memory: Memory, changes: readonly FlagEntry[], nowMs: number): Memory {
  return changes.reduce((all, { id }) => withFlag(all, id, (entry) => turnedBack(entry, nowMs)), memory);
}

/** Flag steps of this attempt that are, or may be, in force. */
export function steppedFlags(memory: Memory, attempt: Attempt): readonly FlagEntry[] {
  return flagsIn(memory).filter(
    (entry) =>
      entry.why === 'step' &&
      entry.attempt === attempt.number &&
      entry.previous !== undefined &&
      (entry.state === 'planned' || entry.state === 'served'),
  );
}

/** A person has to decide about this flag before Serin changes it again. */
export function isLatched(memory: Memory, flag: { readonly source: string; readonly name: string }): boolean {
  return flagsIn(memory).some(
    (entry) => entry.state === 'latched' && entry.source === flag.source && entry.flag === flag.name,
  );
}

const TASKS: Readonly<Partial<Record<FlagEntry['state'], FlagTask>>> = {
  planning: 'plan',
  planned: 'apply',
  reverting: 'revert',
};

/** What the backend is to be asked now; undefined when nothing is under way. */
export function taskOf({ state }: FlagEntry): FlagTask | undefined {
  return TASKS[state];
}

export function answerTo(world: World, entry: FlagEntry): FlagAnswer | undefined {
  return world.flags.find(({ id, task }) => id === entry.id && task === taskOf(entry));
}

/** How long a source may take to serve a change. */
export function withinMsOf(world: World, id: string): number {
  return world.flags.find((answer) => answer.id === id)?.withinMs ?? WITHIN_MS;
}

/** "turned off", "turned on", "set to blue" */
export function turnedWords(variant: string, percent?: number): string {
  const share = percent === undefined || percent >= 100 ? '' : ` for ${percent}% of the users`;
  return `${variant === 'off' || variant === 'on' ? `turned ${variant}` : `set to ${variant}`}${share}`;
}
