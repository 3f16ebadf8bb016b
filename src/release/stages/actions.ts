/** What people ask for, one object per act: what is granted changes the memory, everything gets an answer. Abort outranks promote. */
import type { Attempt } from '../../api/rollout-status.ts';
import { isClimbing } from '../climbing.ts';
import type { Decision, Effect } from '../decision.ts';
import { withAttempt, withJournal } from '../plan.ts';
import { epochMsOf } from '../time.ts';
import type { ActionView, Memory, World } from '../world.ts';
import { canarySet } from '../views.ts';
import { crashWords } from './health.ts';
import { quarantineOf, withoutWitness } from './rest.ts';
import { enterRetreat } from './retreat.ts';

const REMEMBERED = 8;

type Granted = { readonly granted: true; readonly memory: Memory; readonly message: string };
type Refused = { readonly granted: false; readonly message: string };
type Ruling = Granted | Refused;

const refused = (message: string): Refused => ({ granted: false, message });
const granted = (memory: Memory, message: string): Granted => ({ granted: true, memory, message });

export interface Answered {
  readonly memory: Memory;
  readonly effects: readonly Effect[];
  /** An abort that was granted is a decision of its own. */
  readonly abort?: Decision;
}

export function answerActions(world: World, nowMs: number): Answered {
  const ranked = world.actions.toSorted((a, b) => rank(a) - rank(b) || a.createdAtMs - b.createdAtMs);
  let memory = world.memory;
  const effects: Effect[] = [];
  for (const action of ranked) {
    const seen = { ...world, memory };
    const isRepeat = memory.journal.handledActions.includes(action.name);
    const ruling = isRepeat ? granted(memory, 'Done.') : rule(seen, action, nowMs);
    effects.push({
      kind: 'answerAction',
      name: action.name,
      state: ruling.granted ? 'Accepted' : 'Refused',
      message: ruling.message,
    });
    if (!ruling.granted || isRepeat) continue;
    memory = remembered(ruling.memory, action.name);
    if (action.action === 'abort') return { memory, effects, abort: aborting({ ...world, memory }, action, nowMs) };
  }
  return { memory, effects };
}

function rank(action: ActionView): number {
  return action.action === 'abort' ? 0 : 1;
}

/** None takes effect twice, although a crash may come between the effect and the answer. */
function remembered(memory: Memory, name: string): Memory {
  const handledActions = [name, ...memory.journal.handledActions].slice(0, REMEMBERED);
  return withJournal(memory, { ...memory.journal, handledActions });
}

function aborting(world: World, action: ActionView, nowMs: number): Decision {
  const why = action.reason === undefined || action.reason === '' ? '' : `: ${action.reason}`;
  return enterRetreat(world, nowMs, { why: 'aborted', reason: 'Aborted', message: `aborted by ${action.by}${why}.` });
}

function rule(world: World, action: ActionView, nowMs: number): Ruling {
  if (world.rollout.deleting) return refused('The Rollout is being deleted.');
  if (action.action === 'retry') return retrying(world, action);
  if (action.action === 'restoreFlags') return restoringFlags(world, nowMs);
  const { attempt } = world.memory.journal;
  if (attempt === undefined) return refused('No release is running.');
  if (isOlder(action, attempt.beganAtMs))
    return refused(`Stale: it is older than the release of ${attempt.hash}, which began later.`);
  if (action.revision !== undefined && action.revision !== attempt.hash)
    return refused(`It concerns revision ${action.revision}, and ${attempt.hash} is under release.`);
  if (attempt.stage === 'retreat') return refused(`Revision ${attempt.hash} already goes back.`);
  if (attempt.stage === 'promote')
    return refused(`Revision ${attempt.hash} is being handed to the Deployment; that is final.`);
  return ruleOnAttempt(world, attempt, action, nowMs);
}

/** Times of objects are whole seconds. */
function isOlder(action: ActionView, sinceMs: number): boolean {
  return action.createdAtMs + 999 < sinceMs;
}

function ruleOnAttempt(world: World, attempt: Attempt, action: ActionView, nowMs: number): Ruling {
  const { memory } = world;
  switch (action.action) {
    case 'abort':
      return granted(memory, `Revision ${attempt.hash} goes back.`);
    case 'pause':
      return granted(
        withAttempt(memory, { ...attempt, pausedBy: action.by }),
        `The weight of ${attempt.hash} does not grow until resume.`,
      );
    case 'resume':
      return resuming(memory, attempt, nowMs);
    case 'skip':
      return skipping(world, attempt, nowMs);
    case 'promote':
      return promoting(world, attempt, action, nowMs);
    case 'retry':
      return refused('Retry is for rejected revisions.');
    case 'restoreFlags':
      return restoringFlags(world, nowMs);
    default:
      return action.action satisfies never;
  }
}

function resuming(memory: Memory, attempt: Attempt, nowMs: number): Ruling {
  if (attempt.pausedBy === undefined) return refused('The release is not paused.');
  const { pausedBy: _over, ...rest } = attempt;
  const weightSinceMs = attempt.convergedAtMs === undefined ? nowMs : attempt.weightSinceMs;
  return granted(withAttempt(memory, { ...rest, weightSinceMs }), 'The release goes on.');
}

function skipping(world: World, attempt: Attempt, nowMs: number): Ruling {
  const harm = standingHarm(world, attempt, nowMs);
  if (harm !== undefined) return refused(harm);
  if (attempt.stage === 'begin') return refused('The first step has not begun; there is no waiting to skip.');
  return granted(
    withAttempt(world.memory, { ...attempt, skippedStep: attempt.step }),
    `The waiting of step ${attempt.step + 1} is skipped.`,
  );
}

function promoting(world: World, attempt: Attempt, action: ActionView, nowMs: number): Ruling {
  const harm = standingHarm(world, attempt, nowMs);
  if (harm !== undefined) return refused(harm);
  const { pausedBy: _over, ...rest } = attempt;
  return granted(
    withAttempt(world.memory, { ...rest, promotedBy: action.by }),
    `Revision ${attempt.hash} is promoted without further waiting.${leftOutWords(attempt)}`,
  );
}

/** Flags that were not turned on are a change of their own, which nobody would watch. */
function leftOutWords({ spec, step, stage }: Attempt): string {
  const first = stage === 'begin' ? 0 : step;
  const flags = spec.strategy.steps.flatMap(({ flag }, index) =>
    flag === undefined || index < first ? [] : [flag.name],
  );
  return flags.length === 0 ? '' : ` Flags of steps that were not taken are left as they are: ${flags.join(', ')}.`;
}

/** Promote and skip never outweigh what is done about harm, a brake, doubt about harm or crashes. */
function standingHarm(world: World, attempt: Attempt, nowMs: number): string | undefined {
  if (isClimbing(attempt)) return `It does harm, and onAnomaly is under way: ${attempt.ladder?.cause.message ?? ''}`;
  if (attempt.brake !== undefined) return `The brake is on: ${attempt.brake.message}`;
  const { answer } = world;
  if (answer.kind === 'judged' && answer.level !== 'calm') return `The judge has doubts: ${answer.sentence}`;
  const crashes = crashWords(canarySet(world, attempt), nowMs);
  return crashes === undefined ? undefined : `${crashes}.`;
}

/** What only a person may turn back: flags that were the cause of harm, and those that could not be turned back in time. */
function restoringFlags({ memory }: World, nowMs: number): Ruling {
  const { flags = [] } = memory.journal;
  const left = flags.filter(({ state }) => state === 'latched' || state === 'failed');
  if (left.length === 0) return refused('No flag is left as Serin changed it.');
  const journal = {
    ...memory.journal,
    flags: flags.map((entry) =>
      left.includes(entry) ? { ...entry, state: 'reverting' as const, sinceMs: nowMs } : entry,
    ),
  };
  const names = left.map(({ flag, source }) => `${flag} of ${source}`).join(', ');
  return granted({ ...memory, journal }, `Flag ${names} is put back.`);
}

function retrying(world: World, action: ActionView): Ruling {
  const { quarantined } = world.memory;
  const { attempt } = world.memory.journal;
  if (attempt !== undefined) return refused(`Revision ${attempt.hash} is still being handled; retry when it is over.`);
  // Without a name it is the one that keeps the live template from being released.
  const entry =
    action.revision === undefined
      ? (quarantineOf(world) ?? withoutWitness(world) ?? quarantined[0])
      : quarantined.find((one) => one.hash === action.revision);
  if (entry === undefined)
    return refused(
      action.revision === undefined ? 'No revision is quarantined.' : `Revision ${action.revision} is not quarantined.`,
    );
  if (isOlder(action, epochMsOf(entry.at)))
    return refused(`Stale: it is older than the rejection of ${entry.hash}, which came later.`);
  return granted(
    { ...world.memory, quarantined: quarantined.filter((one) => one !== entry) },
    `Revision ${entry.hash} may run again.`,
  );
}
