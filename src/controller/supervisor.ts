/** Runs the loops of the operator side by side; one that ends before it is told to takes the whole process down, visibly. */

export interface Loop {
  readonly name: string;
  /** Works until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export class Supervisor {
  readonly #ended: string[] = [];

  /** Loops that ended although nobody told them to, each with the reason. */
  get ended(): readonly string[] {
    return this.#ended;
  }

  /**
   * Resolves when `signal` aborted and every loop ended. Throws what a loop threw, or that it ended too early, after
   * the others were stopped.
   */
  async run(loops: readonly Loop[], signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const failures: unknown[] = [];
    await Promise.all(
      loops.map(async ({ name, run }) => {
        try {
          await run(all);
          if (!all.aborted) throw new Error('it ended by itself');
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          if (!all.aborted) this.#ended.push(`${name}: ${why}`);
          failures.push(new Error(`${name} stopped: ${why}`, { cause: error }));
          stop.abort();
        }
      }),
    );
    if (failures.length > 0 && !signal.aborted) throw failures[0];
  }
}
