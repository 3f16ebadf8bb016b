/**
 * Mode observe: what the judge holds against a revision is told and kept, and nothing is done about it. To every stage the
 * judge then seems to have no objection, and no word for it either, so that steps go on by time. Outages stay what they are.
 */
import type { Judged } from '../../analysis/answer.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Note } from '../decision.ts';
import { withAttempt } from '../plan.ts';
import { exposedPercent } from '../views.ts';
import { percent } from '../weights.ts';
import type { World } from '../world.ts';
import { harmBy } from './verdict.ts';

export interface Observing {
  /** With a calm answer, and with what would have been done remembered. */
  readonly world: World;
  /** Told once each. */
  readonly events: readonly Note[];
}

export function observing(world: World, nowMs: number): Observing {
  const { attempt } = world.memory.journal;
  const { answer } = world;
  if (attempt?.spec.analysis.mode !== 'observe' || answer.kind !== 'judged' || answer.level === 'calm')
    return { world, events: [] };
  const calm = { ...world, answer: calmed(answer) };
  const isOn = attempt.stage === 'begin' || attempt.stage === 'step' || attempt.stage === 'bake';
  return isOn ? noting(calm, attempt, answer, nowMs) : { world: calm, events: [] };
}

function calmed(answer: Judged): Judged {
  return { ...answer, level: 'calm', stepAcceptable: false, finalAcceptable: false, brakeReleasable: false };
}

type WouldHave = NonNullable<Attempt['wouldHave']>;

function noting(world: World, attempt: Attempt, answer: Judged, nowMs: number): Observing {
  const { reason, message } = harmBy(answer);
  const foregone = { atMs: nowMs, reason, message };
  const before: WouldHave = attempt.wouldHave ?? {};
  const isBraked = answer.level === 'brake' || answer.level === 'onePod';
  if (answer.level === 'harmful' && before.rolledBack === undefined)
    return told(world, attempt, { ...before, rolledBack: foregone }, (said) => ({
      type: 'Warning',
      reason: 'WouldHaveRolledBack',
      message: said,
    }));
  if (isBraked && before.braked === undefined && before.rolledBack === undefined)
    return told(world, attempt, { ...before, braked: foregone }, (said) => ({
      type: 'Warning',
      reason: 'WouldHaveBraked',
      message: said,
    }));
  return { world, events: [] };
}

function told(world: World, attempt: Attempt, wouldHave: WouldHave, note: (said: string) => Note): Observing {
  const message = `${words(wouldHave)} ${percent(exposedPercent(world, attempt))} of requests go to ${attempt.hash}.`;
  return {
    world: { ...world, memory: withAttempt(world.memory, { ...attempt, wouldHave }) },
    events: [note(message)],
  };
}

function words({ braked, rolledBack }: WouldHave): string {
  return rolledBack === undefined
    ? `Mode observe: the weight would have been cut, and was not: ${braked?.message ?? ''}`
    : `Mode observe: it would have been rolled back, and was not: ${rolledBack.message}`;
}

/** What people are shown of a release that goes on although the judge would have stopped it. */
export function observed(decided: Decision, { answer }: World): Decision {
  const { attempt } = decided.memory.journal;
  const { report } = decided;
  if (attempt?.wouldHave === undefined || attempt.stage === 'retreat') return decided;
  const isDoubt = answer.kind === 'judged' && answer.level !== 'calm' && report.verdict !== undefined;
  const { rolledBack } = attempt.wouldHave;
  const said = { verdict: rolledBack === undefined ? 'WouldBrake' : 'WouldRollBack' };
  return {
    ...decided,
    report: {
      ...report,
      message: `${report.message} ${words(attempt.wouldHave)}`,
      ...(isDoubt ? said : {}),
    },
  };
}
