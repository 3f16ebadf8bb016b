/**
 * Brings the changes of flags forward by what is known of them, and says what the backends are to be asked. A change whose
 * attempt does not go forward any more is turned back, unless it was the cause of harm: then only a person does (S5).
 */
import type { FlagEntry } from '../../api/rollout-status.ts';
import { isClimbing } from '../climbing.ts';
import type { Decision, Effect, Note } from '../decision.ts';
import { answerTo, flagsIn, taskOf, turnedBack, withFlags } from '../flags.ts';
import type { Memory, World } from '../world.ts';

/** Tried again for so long before a person is told. */
const RESTORE_MS = 600_000;
/** The deletion of a Rollout waits no longer than this for a backend that does not answer. */
const DETACH_MS = 60_000;

interface Settled {
  readonly memory: Memory;
  readonly events: readonly Note[];
}

export function settleFlags(world: World, memory: Memory, nowMs: number): Settled {
  const before = flagsIn(memory);
  if (before.length === 0) return { memory, events: [] };
  const events: Note[] = [];
  const after = before.flatMap((entry) => {
    const wanted = isForward(memory, entry) ? entry : left(entry, nowMs);
    return wanted === undefined ? [] : (settled(world, memory, wanted, nowMs, events) ?? []);
  });
  const isSame = after.length === before.length && after.every((entry, index) => entry === before[index]);
  return { memory: isSame ? memory : withFlags(memory, after), events };
}

/** Its attempt is under way and has not turned round. */
function isForward({ journal: { attempt } }: Memory, entry: FlagEntry): boolean {
  return attempt !== undefined && attempt.number === entry.attempt && attempt.stage !== 'retreat';
}

/** Nothing was written yet: a step turns no flag on while there is doubt, harm or a pause, whenever its backend comes back (S4). */
function isHeldBack({ journal: { attempt } }: Memory, { why, state }: FlagEntry): boolean {
  if (why !== 'step' || state !== 'planning' || attempt === undefined) return false;
  const { brake, pausedBy, flagHarm } = attempt;
  return isClimbing(attempt) || brake !== undefined || pausedBy !== undefined || flagHarm !== undefined;
}

function left(entry: FlagEntry, nowMs: number): FlagEntry | undefined {
  return entry.state === 'reverted' || entry.state === 'kept' ? undefined : turnedBack(entry, nowMs);
}

function settled(world: World, memory: Memory, entry: FlagEntry, nowMs: number, events: Note[]): FlagEntry | undefined {
  const answer = answerTo(world, entry);
  switch (answer?.kind) {
    case 'planned':
      if (isHeldBack(memory, entry)) return entry;
      // It serves that already, so nothing is written and nothing will have to be put back.
      return answer.isServed
        ? { ...entry, state: 'served', sinceMs: nowMs, servedAtMs: nowMs }
        : { ...entry, state: 'planned', previous: answer.previous, sinceMs: nowMs };
    case 'served':
      return { ...entry, state: 'served', sinceMs: nowMs, servedAtMs: nowMs };
    case 'reverted':
      events.push({
        type: 'Normal',
        reason: 'FlagRestored',
        message: `Flag ${nameOf(entry)} was put back to what it was before ${entry.variant}.`,
      });
      return isForward(memory, entry) ? { ...entry, state: 'reverted', sinceMs: nowMs } : undefined;
    case 'keptByOthers':
      events.push({
        type: 'Warning',
        reason: 'FlagKept',
        message: `Flag ${nameOf(entry)} was changed by somebody since, so it was left alone: ${answer.sentence}`,
      });
      return isForward(memory, entry) ? { ...entry, state: 'kept', sinceMs: nowMs } : undefined;
    case 'asked':
    case 'applied':
    case 'failed':
    case undefined:
      return late(world, entry, nowMs, events);
    default:
      return answer satisfies never;
  }
}

function late(world: World, entry: FlagEntry, nowMs: number, events: Note[]): FlagEntry | undefined {
  const longestMs = world.rollout.deleting ? DETACH_MS : RESTORE_MS;
  if (entry.state !== 'reverting' || nowMs - entry.sinceMs < longestMs) return entry;
  const answer = answerTo(world, entry);
  const why = answer?.kind === 'failed' ? answer.sentence : 'no answer came.';
  const message = `Flag ${nameOf(entry)} could not be put back and may still be at ${entry.variant}: ${why}`.slice(
    0,
    512,
  );
  events.push({ type: 'Warning', reason: 'FlagNotRestored', message });
  return { ...entry, state: 'failed', sinceMs: nowMs, message };
}

function nameOf({ flag, source }: FlagEntry): string {
  return `${flag} of ${source}`;
}

/** What is to be asked that was not, and what need not be known any more. */
export function flagEffects(world: World, memory: Memory): readonly Effect[] {
  const entries = flagsIn(memory);
  const spent = world.flags.filter(
    ({ id }) => !entries.some((entry) => entry.id === id && taskOf(entry) !== undefined),
  );
  return [
    ...[...new Set(spent.map(({ id }) => id))].map((id): Effect => ({ kind: 'dropFlag', id })),
    ...entries.flatMap((entry): Effect[] => {
      const task = taskOf(entry);
      const isAsked = task === undefined || answerTo(world, entry) !== undefined;
      return isAsked || isBlocked(entries, entry) ? [] : [{ kind: 'flag', task, entry }];
    }),
  ];
}

/** Changes of one flag are undone in the order opposite to that in which they were made, and none is made while one is undone. */
function isBlocked(entries: readonly FlagEntry[], entry: FlagEntry): boolean {
  const others = entries.filter((one) => one !== entry && one.source === entry.source && one.flag === entry.flag);
  if (entry.state !== 'reverting') return others.some(({ state }) => state === 'reverting');
  const later = others.filter((one) => entries.indexOf(one) > entries.indexOf(entry));
  return later.some(({ state }) => state === 'planned' || state === 'served' || state === 'reverting');
}

/** How soon to look again because of them, in case an answer wakes nobody. */
const AGAIN_MS = 5000;

/** The decision with the flags that go on beside it. Their effects come last: nothing waits for a backend (S14). */
export function withFlagsSettled(world: World, decided: Decision, nowMs: number): Decision {
  const { memory, events } = settleFlags(world, decided.memory, nowMs);
  const effects = flagEffects(world, memory);
  const isBusy = flagsIn(memory).some((entry) => taskOf(entry) !== undefined);
  const wakeAfterMs = isBusy ? Math.min(decided.wakeAfterMs ?? AGAIN_MS, AGAIN_MS) : decided.wakeAfterMs;
  return {
    ...decided,
    memory,
    report: { ...decided.report, ...leftWords(decided, memory, world.rollout.name) },
    effects: [...decided.effects, ...effects],
    events: [...decided.events, ...events],
    ...(wakeAfterMs === undefined ? {} : { wakeAfterMs }),
  };
}

/** Flags that are not as they were, which only a person changes: said as long as it is so. */
function leftWords({ report }: Decision, memory: Memory, rollout: string): Partial<Decision['report']> {
  const latched = flagsIn(memory).filter(({ state }) => state === 'latched');
  const failed = flagsIn(memory).filter(({ state }) => state === 'failed');
  if (latched.length + failed.length === 0) return {};
  const stays = latched.map(
    (entry) => ` Flag ${nameOf(entry)} stays at ${entry.variant}, because it was the cause of harm.`,
  );
  const lost = failed.map((entry) => ` ${entry.message ?? ''}`);
  const message = `${report.message}${[...stays, ...lost].join('')} serin restore-flags ${rollout} puts it back.`;
  return failed.length > 0 && report.phase === 'Idle'
    ? { message, reason: 'FlagNotRestored', stalled: true }
    : { message };
}

/** Said when Serin lets go: it does not touch them then. */
export function abandonedWords(memory: Memory): string {
  return flagsIn(memory)
    .filter(({ state }) => state === 'latched' || state === 'failed')
    .map((entry) => ` Flag ${nameOf(entry)} stays at ${entry.variant}; change it in its backend.`)
    .join('');
}
