/**
 * What is done about harm that was judged, rung by rung, as `onAnomaly` says. The weight is cut first and stays cut; no rung
 * lasts longer than it says, whatever a flag backend does, and the last one always comes (S14).
 */
import type { EffectiveRung } from '../../api/effective.ts';
import type { Attempt, FlagEntry, Ladder } from '../../api/rollout-status.ts';
import { isClimbing, type PresentRung, presentRung, STEP_FLAGS } from '../climbing.ts';
import type { Decision, Note, Report } from '../decision.ts';
import {
  answerTo,
  flagsIn,
  isLatched,
  MOST_FLAGS,
  newFlag,
  rungChangeId,
  steppedFlags,
  turnedWords,
  withFlag,
  withFlags,
  withinMsOf,
  withTurnedBack,
} from '../flags.ts';
import { judgedAnew } from '../fresh-judge.ts';
import { after, decision, remembering, withAttempt } from '../plan.ts';
import type { Memory, World } from '../world.ts';
import {
  brakedWords,
  cutting,
  hasHadItsChance,
  isCleared,
  keepsSessions,
  SESSIONS,
  withBrake,
  withoutHaste,
} from './brake.ts';
import { type Harm, harmNow } from './harm.ts';
import {
  bounded,
  causeWords,
  changedWords,
  climbingReport,
  countsOf,
  goneWords,
  longestMs,
  notTheCauseWords,
} from './ladder-words.ts';
import { enterRetreat } from './retreat.ts';

/** What a look at the present rung leads to: a decision, or the stage goes on with the weight held. */
export type Climbed =
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'waiting'; readonly world: World; readonly attempt: Attempt; readonly events: readonly Note[] };

/** The verdict is harm: the brake, and the first rung that this attempt has not had. */
export function enterLadder(world: World, attempt: Attempt, nowMs: number, harm: Harm): Decision {
  const isSticky = keepsSessions(world);
  const message = isSticky && !harm.message.endsWith(SESSIONS) ? `${harm.message} ${SESSIONS}` : harm.message;
  const cause = { kind: harm.kind, reason: harm.reason, message };
  const before = countsOf(world.answer, culpritOf(world, harm));
  const ladder: Ladder = {
    ...startOf(world, attempt),
    beganAtMs: nowMs,
    sinceMs: nowMs,
    cause,
    ...(before === undefined ? {} : { before }),
    done: attempt.ladder?.done ?? [],
  };
  if (isOnlyWayBack(attempt, ladder)) return enterRetreat(world, nowMs, harm);
  const held = isSticky ? attempt : withBrake(world, attempt, message, false, nowMs);
  const isNew = attempt.brake === undefined && held.brake !== undefined;
  const events = isNew ? [{ type: 'Warning', reason: 'Braked', message: brakedWords(held) } as const] : [];
  const taken = take(world, { ...held, ladder }, ladder.rung, nowMs);
  if (taken.kind === 'decided') return taken.decision;
  const effects = cutting(taken.world, taken.attempt, nowMs);
  const all = [...events, ...taken.events];
  return decision(taken.world.memory, climbingReport(taken.attempt), { effects, events: all, wakeAfterMs: 0 });
}

function culpritOf({ answer }: World, { kind }: Harm): string | undefined {
  return kind === 'judge' && answer.kind === 'judged' ? (answer.culprit ?? 'errors') : undefined;
}

/** Flag steps are undone first; then what was not tried before in this attempt. */
function startOf(world: World, attempt: Attempt): Pick<Ladder, 'rung' | 'next'> {
  const next = attempt.ladder?.next ?? 0;
  return { rung: steppedFlags(world.memory, attempt).length > 0 ? STEP_FLAGS : next, next };
}

/** Nothing is tried first, so nothing is worth a brake. */
function isOnlyWayBack({ spec }: Attempt, { rung }: Ladder): boolean {
  return rung !== STEP_FLAGS && (spec.onAnomaly[rung]?.kind ?? 'rollback') === 'rollback';
}

/** Looks at the rung that is under way. Undefined when none is, or the handover is (which is final). */
export function climb(world: World, attempt: Attempt, nowMs: number): Climbed | undefined {
  const rung = presentRung(attempt);
  const { ladder, stage } = attempt;
  if (ladder === undefined || !isClimbing(attempt) || stage === 'promote' || stage === 'retreat') return undefined;
  if (rung === undefined) return take(world, attempt, ladder.next, nowMs);
  if (rung.kind === 'hold') return { kind: 'waiting', world, attempt, events: [] };
  return ladder.observeFromMs === undefined
    ? turning(world, attempt, rung, nowMs)
    : looking(world, attempt, rung, nowMs);
}

/** Nothing is observed before flags were seen to be what they should be. */
function turning(world: World, attempt: Attempt, rung: PresentRung, nowMs: number): Climbed {
  const sinceMs = attempt.ladder?.sinceMs ?? nowMs;
  const { memory } = world;
  const entries = flagsOfRung(world, attempt, rung);
  const [entry] = entries;
  if (rung.kind === 'flag' && entry?.state === 'served' && entry.previous === undefined)
    return nextRung(world, attempt, rung, `${rung.name} was ${rung.variant} already, so it is not the cause.`, nowMs);
  const isDone = entries.every(({ state }) => state === 'served' || state === 'reverted' || state === 'kept');
  const isOver = nowMs - sinceMs >= longestMs(rung);
  if (isDone && !isOver && (rung.kind !== 'flag' || entry?.state === 'served'))
    return observing(world, attempt, rung, nowMs);
  const withinMs = rungLastsMs(world, attempt, rung);
  if (nowMs - sinceMs < withinMs) return { kind: 'waiting', world: remembering(world, memory), attempt, events: [] };
  const answer = entries.map((one) => answerTo(world, one)).find((one) => one?.kind === 'failed');
  const why =
    answer?.kind === 'failed'
      ? answer.sentence
      : 'it is not seen to be served; whoever runs the flag backend looks into it.';
  const names = entries.map(({ flag }) => flag).join(', ');
  const turned = rung.kind === 'flag' ? turnedWords(rung.variant) : 'turned back';
  const sentence = `flag ${names} could not be ${turned} within ${Math.round(withinMs / 1000)}s: ${why}`;
  return nextRung(world, attempt, rung, bounded(sentence), nowMs);
}

/** From its beginning until it gives way to the next one, if nothing comes of it before (S14). */
export function rungLastsMs(world: World, attempt: Attempt, rung: PresentRung): number {
  if (attempt.ladder?.observeFromMs !== undefined) return longestMs(rung);
  return Math.min(longestMs(rung), ...flagsOfRung(world, attempt, rung).map(({ id }) => withinMsOf(world, id)));
}

function flagsOfRung(world: World, attempt: Attempt, rung: PresentRung): readonly FlagEntry[] {
  const all = flagsIn(world.memory);
  if (rung.kind === 'flag') {
    const id = rungChangeId(world, attempt, attempt.ladder?.rung ?? 0);
    return all.filter((entry) => entry.id === id);
  }
  const { sinceMs = 0 } = attempt.ladder ?? {};
  return all.filter((one) => one.why === 'step' && one.attempt === attempt.number && one.sinceMs >= sinceMs);
}

function observing(world: World, attempt: Attempt, rung: PresentRung, nowMs: number): Climbed {
  const { ladder } = attempt;
  if (ladder === undefined) return { kind: 'waiting', world, attempt, events: [] };
  const next = judgedAnew({ ...attempt, ladder: { ...ladder, observeFromMs: nowMs } }, nowMs);
  const message =
    rung.kind === 'flag'
      ? `Flag ${rung.name} of ${rung.source} is ${turnedWords(rung.variant)} for everybody; fresh evidence is looked at.`
      : 'Flags that this release turned on are turned back; fresh evidence is looked at.';
  return waiting(world, world.memory, next, [{ type: 'Normal', reason: 'FlagTurned', message }]);
}

function waiting(world: World, memory: Memory, attempt: Attempt, events: readonly Note[]): Climbed {
  return { kind: 'waiting', world: remembering(world, withAttempt(memory, attempt)), attempt, events };
}

/** Fresh evidence: harm again, the harm is gone, or neither until the time of the rung is over. */
function looking(world: World, attempt: Attempt, rung: PresentRung, nowMs: number): Climbed {
  const { ladder } = attempt;
  const isOver = nowMs - (ladder?.sinceMs ?? nowMs) >= longestMs(rung);
  const isAgain = world.answer.kind === 'judged' && world.answer.level === 'harmful';
  if (!isAgain && isGone(world, attempt)) return { kind: 'decided', decision: goesOn(world, attempt, rung, nowMs) };
  if (!isAgain && !isOver) return { kind: 'waiting', world, attempt, events: [] };
  const changed = changedWords(attempt, rung, afterwards(world, attempt));
  return nextRung(world, attempt, rung, notTheCauseWords(rung, changed), nowMs);
}

/** An alert lasts longer than what it tells of, so it is no fresh harm; and yet nothing goes on while it fires. */
function isGone(world: World, attempt: Attempt): boolean {
  return !hasHadItsChance(attempt) && harmNow(world) === undefined && isCleared(world, attempt);
}

function afterwards({ answer }: World, { ladder }: Attempt): Ladder['after'] {
  const culprit = ladder?.before?.culprit;
  // Calm names no culprit; what it counts is still the metric that was named before.
  const same = answer.kind === 'judged' && culprit !== undefined && answer.culprit === undefined;
  return countsOf(same ? { ...answer, culprit } : answer, culprit);
}

/** The harm is gone: the brake comes off, and the step is judged anew where it was. */
function goesOn(world: World, attempt: Attempt, rung: PresentRung, nowMs: number): Decision {
  const counts = afterwards(world, attempt);
  const sentence = goneWords(rung, changedWords(attempt, rung, counts));
  // Whoever asked to go faster had not seen this.
  const { brake: _off, convergedAtMs: _stale, ...rest } = withoutHaste(told(attempt, rung, sentence, nowMs));
  const { ladder } = rest;
  const over =
    ladder === undefined ? {} : { ladder: { ...ladder, endedAtMs: nowMs, ...(counts && { after: counts }) } };
  const next = judgedAnew({ ...rest, ...over, weightSinceMs: nowMs }, nowMs);
  const latched = rung.kind === 'flag' ? flagsOfRung(world, attempt, rung) : [];
  const memory = latched.reduce(
    (all, { id }) => withFlag(all, id, (entry) => ({ ...entry, state: 'latched', sinceMs: nowMs, message: sentence })),
    world.memory,
  );
  const isFlag = rung.kind !== 'observe';
  const note = { type: isFlag ? 'Warning' : 'Normal', reason: isFlag ? 'FlagWasTheCause' : 'HarmGone' } as const;
  const message = `Revision ${attempt.hash}: ${sentence}`;
  const report: Report = { phase: 'Progressing', reason: note.reason, message, stalled: false };
  const effects = attempt.stage === 'begin' ? [] : cutting({ ...world, memory }, next, nowMs);
  return decision(withAttempt(memory, next), report, { effects, events: [{ ...note, message }], wakeAfterMs: 0 });
}

function nextRung(world: World, attempt: Attempt, rung: PresentRung, sentence: string, nowMs: number): Climbed {
  const memory = withTurnedBack(world.memory, flagsOfRung(world, attempt, rung), nowMs);
  const tried = told(attempt, rung, sentence, nowMs);
  const note: Note = { type: 'Warning', reason: 'NotTheCause', message: `Revision ${attempt.hash}: ${sentence}` };
  const taken = take({ ...world, memory }, tried, attempt.ladder?.next ?? 0, nowMs);
  return noted(taken, note);
}

/** With this told before all else. */
function noted(taken: Climbed, note: Note): Climbed {
  return taken.kind === 'decided'
    ? { kind: 'decided', decision: after({ events: [note] }, taken.decision) }
    : { ...taken, events: [note, ...taken.events] };
}

const MOST_TOLD = 8;

/** With what a rung did written down. */
function told(attempt: Attempt, { kind }: PresentRung, sentence: string, nowMs: number): Attempt {
  const { ladder } = attempt;
  if (ladder === undefined) return attempt;
  const one = { rung: ladder.rung, kind, atMs: nowMs, sentence: bounded(sentence) };
  return { ...attempt, ladder: { ...ladder, done: [...ladder.done, one].slice(-MOST_TOLD) } };
}

/** Takes the rung, and those after it as long as there is nothing to wait for. */
function take(world: World, attempt: Attempt, index: number, nowMs: number): Climbed {
  const rung: PresentRung =
    index === STEP_FLAGS ? { kind: 'stepFlags' } : (attempt.spec.onAnomaly[index] ?? { kind: 'rollback' });
  const at = standing(attempt, index, nowMs);
  switch (rung.kind) {
    case 'stepFlags':
      return undoing(world, at, nowMs);
    case 'flag':
      return turningFlag(world, at, rung, index, nowMs);
    case 'observe':
      return waiting(world, world.memory, judgedAnew(observed(at, nowMs), nowMs), []);
    case 'notify':
      return notifying(world, at, index, nowMs);
    case 'hold': {
      const message = `Revision ${attempt.hash} is held for a person: ${causeOf(at)}`;
      const held = told(at, rung, 'It is held for a person.', nowMs);
      return waiting(world, world.memory, held, [{ type: 'Warning', reason: 'HeldForPerson', message }]);
    }
    case 'rollback':
      return goingBack(world, told(at, rung, 'It was rolled back.', nowMs), nowMs);
    default:
      return rung satisfies never;
  }
}

function standing(attempt: Attempt, index: number, nowMs: number): Attempt {
  const { ladder } = attempt;
  if (ladder === undefined) return attempt;
  const { observeFromMs: _old, after: _before, ...rest } = ladder;
  const next = index === STEP_FLAGS ? ladder.next : index + 1;
  return { ...attempt, ladder: { ...rest, rung: index, next, sinceMs: nowMs } };
}

function observed(attempt: Attempt, nowMs: number): Attempt {
  return attempt.ladder === undefined ? attempt : { ...attempt, ladder: { ...attempt.ladder, observeFromMs: nowMs } };
}

function causeOf({ ladder }: Attempt): string {
  return ladder === undefined ? '' : causeWords(ladder).slice(0, 1500);
}

function undoing(world: World, attempt: Attempt, nowMs: number): Climbed {
  const memory = withTurnedBack(world.memory, steppedFlags(world.memory, attempt), nowMs);
  return waiting(world, memory, attempt, []);
}

type FlagRung = Extract<EffectiveRung, { kind: 'flag' }>;

function turningFlag(world: World, attempt: Attempt, rung: FlagRung, index: number, nowMs: number): Climbed {
  const { memory } = world;
  const pass = (sentence: string): Climbed => take(world, told(attempt, rung, sentence, nowMs), index + 1, nowMs);
  if (isLatched(memory, rung)) return pass(`${rung.name} was turned before, so it is not the cause.`);
  const flags = flagsIn(memory);
  if (flags.length >= MOST_FLAGS)
    return pass(`${rung.name} was not touched: ${MOST_FLAGS} other changes are not over.`);
  const entry = newFlag(attempt, rungChangeId(world, attempt, index), rung, 'anomaly', nowMs);
  return waiting(world, withFlags(memory, [...flags, entry]), attempt, []);
}

function notifying(world: World, attempt: Attempt, index: number, nowMs: number): Climbed {
  const message = `Revision ${attempt.hash} does harm: ${causeOf(attempt)}`;
  const taken = take(world, told(attempt, { kind: 'notify' }, 'People were told.', nowMs), index + 1, nowMs);
  const note: Note = { type: 'Warning', reason: 'Notified', message };
  return noted(taken, note);
}

function goingBack(world: World, attempt: Attempt, nowMs: number): Climbed {
  const { ladder } = attempt;
  const seen = remembering(world, withAttempt(world.memory, attempt));
  const reason = (ladder?.cause.reason ?? 'Errors') as Harm['reason'];
  const decided = enterRetreat(seen, nowMs, { why: 'harm', reason, message: causeOf(attempt) });
  return { kind: 'decided', decision: decided };
}
