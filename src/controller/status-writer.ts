/**
 * Decides when a status is worth a write and writes it guarded by the resourceVersion that was observed (S11): journal
 * and phase at once, words and counts at most every 30 s (S9). It never writes over a status that it has not seen.
 */
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { Clock } from '../kube/clock.ts';
import { isEqual, mergePatchFrom } from './merge-patch.ts';

export const WORDS_EVERY_MS = 30_000;

export type StatusChange =
  | { readonly kind: 'none' }
  /** Only words and counts changed, and they were written a moment ago. */
  | { readonly kind: 'later'; readonly inMs: number }
  | { readonly kind: 'write'; readonly patch: object };

export class StatusWriter {
  readonly #clock: Clock;
  readonly #writtenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is to be done so that `before`, the status as observed, becomes `after`. Keys that `after` leaves out go, except kept ones. */
  changeOf(rollout: string, before: unknown, after: RolloutStatus, kept: readonly (keyof RolloutStatus)[]): StatusChange {
    const old = isRecord(before) ? before : {};
    const wanted = { ...Object.fromEntries(kept.filter((key) => after[key] === undefined).map((key) => [key, old[key]])), ...after };
    const patch = mergePatchFrom(old, wanted);
    if (patch === undefined) return { kind: 'none' };
    if (!isEqual(significant(old), significant(wanted))) return { kind: 'write', patch };
    const lastMs = this.#writtenAtMs.get(rollout);
    const inMs = lastMs === undefined ? 0 : lastMs + WORDS_EVERY_MS - this.#clock.monotonicMs();
    return inMs > 0 ? { kind: 'later', inMs } : { kind: 'write', patch };
  }

  written(rollout: string): void {
    this.#writtenAtMs.set(rollout, this.#clock.monotonicMs());
  }

  forget(rollout: string): void {
    this.#writtenAtMs.delete(rollout);
  }
}

/** The part of a status whose change is news: what machines act on and what a restart needs. */
function significant(status: Record<string, unknown>): unknown {
  const { message: _words, evidence: _counts, nextTransitionAt: _time, canary, conditions, ...rest } = status;
  return {
    ...rest,
    canary: isRecord(canary) ? { hash: canary['hash'], step: canary['step'], steps: canary['steps'] } : undefined,
    conditions: Array.isArray(conditions) ? conditions.map(significantCondition) : undefined,
  };
}

function significantCondition(condition: unknown): unknown {
  if (!isRecord(condition)) return condition;
  return { type: condition['type'], status: condition['status'], reason: condition['reason'] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
