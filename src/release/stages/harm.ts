/** What counts as harm that was judged, and what only keeps a weight from rising; in the words that people read. */
import type { Judged } from '../../analysis/answer.ts';
import type { Attempt, Ladder } from '../../api/rollout-status.ts';
import type { Report } from '../decision.ts';
import { place } from './moving.ts';
import type { World } from '../world.ts';
import type { Cause } from './retreat.ts';

export interface Harm extends Cause {
  readonly kind: Ladder['cause']['kind'];
}

/** Undefined when nothing says that it does harm. The judge is heard first, because his word has numbers. */
export function harmNow({ answer, alerts }: World): Harm | undefined {
  if (answer.kind === 'judged' && answer.level === 'harmful') return { kind: 'judge', ...harmBy(answer) };
  const alert = alerts.find((one) => one.do === 'rollback');
  if (alert !== undefined) return { kind: 'alert', why: 'harm', reason: 'Alert', message: alert.sentence };
  const cost = answer.kind === 'judged' ? answer.cost : undefined;
  if (cost?.state !== 'dearer' || cost.do !== 'rollback') return undefined;
  return { kind: 'cost', why: 'harm', reason: 'CostTooHigh', message: cost.sentence };
}

/** The verdict, with the metric that carries it as one word of the closed list. */
export function harmBy({ culprit = 'errors', sentence: message }: Judged): Cause {
  return {
    why: 'harm',
    reason: culprit === 'errors' ? 'Errors' : culprit === 'latency' ? 'Latency' : 'Metric',
    message,
  };
}

/** What the Rollout says to wait for, and what only a person's word passes. None of it is harm. */
export function heldBy(
  { answer, alerts }: World,
  attempt: Attempt,
): { readonly reason: Report['reason']; readonly message: string; readonly verdict: string } | undefined {
  if (attempt.flagHarm !== undefined) return { reason: 'FlagHarm', message: attempt.flagHarm.message, verdict: 'Flag' };
  const alert = alerts.find((one) => one.do === 'hold');
  if (alert !== undefined) return { reason: 'AlertFiring', message: alert.sentence, verdict: 'Alert' };
  const cost = answer.kind === 'judged' ? answer.cost : undefined;
  if (cost?.state !== 'dearer' || cost.do !== 'hold') return undefined;
  return { reason: 'CostTooHigh', message: cost.sentence, verdict: 'Cost' };
}

/** Whoever fires keeps every weight from rising that was not reached before. */
export function isAlarmed({ alerts }: World): boolean {
  return alerts.length > 0;
}

export function heldReport(attempt: Attempt, held: NonNullable<ReturnType<typeof heldBy>>): Report {
  const { reason, verdict } = held;
  const message = `${place(attempt)}: holding: ${held.message}`;
  return { phase: 'Progressing', reason, message, stalled: true, verdict };
}
