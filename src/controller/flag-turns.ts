/**
 * Lets a bounded number of calls to one flag source be under way at a time, so that one that hangs takes the turn of nobody
 * who calls another (S15). It knows nothing of what is called.
 */

/** Enough for many releases at once; few enough that a backend is not stormed when it comes back. */
const MOST_AT_ONCE = 4;

export class FlagTurns {
  readonly #sources = new Map<string, { free: number; readonly waiting: Set<() => void> }>();

  /** Undefined when `signal` aborted before it was this call's turn. */
  async inTurn<T>(source: string, call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const turns = this.#sources.get(source) ?? { free: MOST_AT_ONCE, waiting: new Set() };
    this.#sources.set(source, turns);
    if (turns.free > 0) turns.free--;
    else if (!(await handedOn(turns.waiting, signal))) return undefined;
    try {
      return signal.aborted ? undefined : await call();
    } finally {
      const [next] = turns.waiting;
      if (next === undefined) turns.free++;
      else next();
      if (turns.free === MOST_AT_ONCE) this.#sources.delete(source);
    }
  }
}

/** True with the place of whoever is done; false when `signal` aborted before. */
function handedOn(waiting: Set<() => void>, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const end = (hasTurn: boolean): void => {
    waiting.delete(take);
    signal.removeEventListener('abort', leave);
    resolve(hasTurn);
  };
  const take = (): void => end(true);
  const leave = (): void => end(false);
  if (signal.aborted) return Promise.resolve(false);
  waiting.add(take);
  signal.addEventListener('abort', leave);
  return promise;
}
