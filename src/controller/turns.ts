/** Lets a bounded number of calls be under way at a time; the others wait, in the order in which they came. It knows nothing of what is called. */
export class Turns {
  readonly #most: number;
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#most = most;
    this.#free = most;
  }

  /** Nobody has a turn, and nobody waits for one. */
  get isIdle(): boolean {
    return this.#free === this.#most;
  }

  /** Undefined when `signal` aborted before it was this call's turn. */
  async inTurn<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (this.#free > 0) this.#free--;
    else if (!(await this.#handedOn(signal))) return undefined;
    try {
      return signal.aborted ? undefined : await call();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** True with the place of whoever is done; false when `signal` aborted before. */
  #handedOn(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (hasTurn: boolean): void => {
      this.#waiting.delete(take);
      signal.removeEventListener('abort', leave);
      resolve(hasTurn);
    };
    const take = (): void => end(true);
    const leave = (): void => end(false);
    this.#waiting.add(take);
    signal.addEventListener('abort', leave);
    return promise;
  }
}
