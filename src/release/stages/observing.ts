/**
 * Mode observe: what the judge holds against a revision is told and kept, and nothing is done about it. To every stage the
 * judge then seems to have no objection, and no word for it either, so that steps go on by time. Outages stay what they are.
 */
import type { Answer } from '../../analysis/answer.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Note } from '../decision.ts';
import { withAttempt } from '../plan.ts';
import { exposedPercent } from '../views.ts';
import { percent } from '../weights.ts';
import type { World } from '../world.ts';
import { type Harm, harmBy, harmNow, heldBy } from './harm.ts';
import { rungWords } from './ladder-words.ts';
import type { Cause } from './retreat.ts';

export interface Observing {
  /** With a calm answer, and with what would have been done remembered. */
  readonly world: World;
  /** Told once each. */
  readonly events: readonly Note[];
}

export function observing(world: World, nowMs: number): Observing {
  const { attempt } = world.memory.journal;
  if (attempt?.spec.analysis.mode !== 'observe') return { world, events: [] };
  const harm = harmNow(world);
  const calm = { ...world, answer: calmed(world.answer), alerts: [] };
  const isOn = attempt.stage === 'begin' || attempt.stage === 'step' || attempt.stage === 'bake';
  return isOn ? noting(calm, attempt, world.answer, harm, nowMs) : { world: calm, events: [] };
}

/** Without what costs and without what a flag did: nothing is done about any of it. */
function calmed(answer: Answer): Answer {
  if (answer.kind !== 'judged') return answer;
  const { cost: _cost, stableShift: _shift, ...rest } = answer;
  if (answer.level === 'calm') return rest;
  return { ...rest, level: 'calm', stepAcceptable: false, finalAcceptable: false, brakeReleasable: false };
}

type WouldHave = NonNullable<Attempt['wouldHave']>;

function noting(world: World, attempt: Attempt, answer: Answer, harm: Harm | undefined, nowMs: number): Observing {
  const before: WouldHave = attempt.wouldHave ?? {};
  if (harm !== undefined && before.rolledBack === undefined)
    return told(world, attempt, { ...before, rolledBack: foregone(harm, nowMs) }, (said) => ({
      type: 'Warning',
      reason: 'WouldHaveRolledBack',
      message: said,
    }));
  const isBraked = answer.kind === 'judged' && (answer.level === 'brake' || answer.level === 'onePod');
  if (isBraked && before.braked === undefined && before.rolledBack === undefined)
    return told(world, attempt, { ...before, braked: foregone(harmBy(answer), nowMs) }, (said) => ({
      type: 'Warning',
      reason: 'WouldHaveBraked',
      message: said,
    }));
  return { world, events: [] };
}

function foregone({ reason, message }: Cause, nowMs: number): NonNullable<WouldHave['braked']> {
  return { atMs: nowMs, reason, message };
}

function told(world: World, attempt: Attempt, wouldHave: WouldHave, note: (said: string) => Note): Observing {
  const message = `${words(attempt, wouldHave)} ${percent(exposedPercent(world, attempt))} of requests go to ${attempt.hash}.`;
  return {
    world: { ...world, memory: withAttempt(world.memory, { ...attempt, wouldHave }) },
    events: [note(message)],
  };
}

function words({ spec }: Attempt, { braked, rolledBack }: WouldHave): string {
  if (rolledBack === undefined)
    return `Mode observe: the weight would have been cut, and was not: ${braked?.message ?? ''}`;
  const [first] = spec.onAnomaly;
  return first === undefined || first.kind === 'rollback'
    ? `Mode observe: it would have been rolled back, and was not: ${rolledBack.message}`
    : `Mode observe: onAnomaly would have begun (${spec.onAnomaly.map(rungWords).join(', then ')}), and did not: ${rolledBack.message}`;
}

/** What people are shown of a release that goes on although the judge would have stopped it. */
export function observed(decided: Decision, seen: World): Decision {
  const { attempt } = decided.memory.journal;
  const { report } = decided;
  if (attempt?.spec.analysis.mode !== 'observe' || attempt.stage === 'retreat') return decided;
  const held = heldBy(seen, attempt);
  const waits = held === undefined ? '' : ` Mode observe: it would have been held: ${held.message}`;
  if (attempt.wouldHave === undefined)
    return waits === '' ? decided : { ...decided, report: { ...report, message: `${report.message}${waits}` } };
  const { answer } = seen;
  const isDoubt = answer.kind === 'judged' && answer.level !== 'calm' && report.verdict !== undefined;
  const { rolledBack } = attempt.wouldHave;
  const said = { verdict: rolledBack === undefined ? 'WouldBrake' : 'WouldRollBack' };
  return {
    ...decided,
    report: {
      ...report,
      message: `${report.message} ${words(attempt, attempt.wouldHave)}${waits}`,
      ...(isDoubt ? said : {}),
    },
  };
}
