/**
 * Lets a bounded number of calls to one flag source be under way at a time, so that one that hangs takes the turn of nobody
 * who calls another (S15).
 */
import { Turns } from './turns.ts';

/** Enough for many releases at once; few enough that a backend is not stormed when it comes back. */
const MOST_AT_ONCE = 4;

export class FlagTurns {
  readonly #sources = new Map<string, Turns>();

  /** Undefined when `signal` aborted before it was this call's turn. */
  async inTurn<T>(source: string, call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const turns = this.#sources.get(source) ?? new Turns(MOST_AT_ONCE);
    this.#sources.set(source, turns);
    try {
      return await turns.inTurn(call, signal);
    } finally {
      if (turns.isIdle) this.#sources.delete(source);
    }
  }
}
