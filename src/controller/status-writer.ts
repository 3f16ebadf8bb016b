/**
 * Decides when a status is worth a write (S9): what machines act on and what a restart needs at once, a mere turn of
 * events soon, words and counts now and then. What it lets wait is never lost: the caller is told when to ask again.
 */
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { Clock } from '../kube/clock.ts';
import { isEqual, mergePatchFrom } from './merge-patch.ts';

/** Words and counts are written at most so often. */
export const WORDS_EVERY_MS = 30_000;
/** So is a turn within a phase, such as from shifting to judging: most of them last only seconds. */
export const TURNS_EVERY_MS = 5_000;

export type StatusChange =
  | { readonly kind: 'none' }
  /** Nothing that cannot wait changed, and the status was written a moment ago. */
  | { readonly kind: 'later'; readonly inMs: number }
  | { readonly kind: 'write'; readonly patch: object };

export class StatusWriter {
  readonly #clock: Clock;
  readonly #writtenAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is to be done so that `before`, the status as observed, becomes `after`. Keys that `after` leaves out go, except kept ones. */
  changeOf(
    rollout: string,
    before: unknown,
    after: RolloutStatus,
    kept: readonly (keyof RolloutStatus)[],
  ): StatusChange {
    const old = isRecord(before) ? before : {};
    const wanted = {
      ...Object.fromEntries(kept.filter((key) => after[key] === undefined).map((key) => [key, old[key]])),
      ...after,
    };
    const patch = mergePatchFrom(old, wanted);
    if (patch === undefined) return { kind: 'none' };
    const everyMs = isEqual(newsIn(old), newsIn(wanted))
      ? isEqual(turnIn(old), turnIn(wanted))
        ? WORDS_EVERY_MS
        : TURNS_EVERY_MS
      : 0;
    const lastMs = this.#writtenAtMs.get(rollout);
    const inMs = lastMs === undefined ? 0 : lastMs + everyMs - this.#clock.monotonicMs();
    return inMs > 0 ? { kind: 'later', inMs } : { kind: 'write', patch };
  }

  written(rollout: string): void {
    this.#writtenAtMs.set(rollout, this.#clock.monotonicMs());
  }

  forget(rollout: string): void {
    this.#writtenAtMs.delete(rollout);
  }
}

type Part = Record<string, unknown>;

/** What machines act on and what a restart needs: the journal, the phase, and what kstatus reads. */
function newsIn(status: Part): unknown {
  const { journal, stable, quarantined, phase, observedGeneration, canary, conditions } = status;
  const { hash, step } = isRecord(canary) ? canary : {};
  const states = conditionsIn(conditions).filter(({ type }) => type !== 'Judged');
  return {
    journal,
    stable,
    quarantined,
    phase,
    observedGeneration,
    hash,
    step,
    states: states.map(({ type, status: state }) => ({ type, state })),
  };
}

/** The words of closed lists, by which people and dashboards follow what happens within a phase. */
function turnIn(status: Part): unknown {
  const { reason, verdict, conditions } = status;
  return {
    reason,
    verdict,
    claims: conditionsIn(conditions).map(({ type, status: state, reason: why }) => ({ type, state, why })),
  };
}

function conditionsIn(conditions: unknown): readonly Part[] {
  return Array.isArray(conditions) ? conditions.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
