/** Counts looks that failed in a row and decides when people are told by an Event; it retries nothing. */
import type { Note } from '../release/decision.ts';
import type { Rollout } from './stores.ts';

/** Failures in a row before people are told by an Event. */
const TOLD_AFTER = 3;

export class Failures {
  readonly #inARow = new Map<string, number>();

  /** @returns what people are to be told about it, once for each row of failures. */
  note(key: string, rollout: Rollout | undefined, error: unknown): Note | undefined {
    const count = (this.#inARow.get(key) ?? 0) + 1;
    this.#inARow.set(key, count);
    if (count !== TOLD_AFTER || rollout === undefined) return undefined;
    const words = error instanceof Error ? error.message : String(error);
    return {
      type: 'Warning',
      reason: 'Hindered',
      message: `Serin could not go on and keeps trying: ${words}`,
    };
  }

  forget(key: string): void {
    this.#inARow.delete(key);
  }
}
