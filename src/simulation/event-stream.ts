/** One watch as lines of text, in order and each after its lag; it holds what the reader has not taken yet. */
import type { Clock, Timer } from '../kube/clock.ts';
import type { ApiServer } from './server/api-server.ts';
import type { Asked } from './server/asked.ts';
import type { WatchedEvent } from './server/watches.ts';

export interface EventStreamOptions {
  readonly server: ApiServer;
  readonly asked: Asked;
  readonly clock: Clock;
  readonly lagMs: () => number;
  /** Asked with each delivery: true ends the stream without a word. */
  readonly endsNow: () => boolean;
}

export class EventStream implements AsyncIterable<string> {
  readonly #options: EventStreamOptions;
  readonly #stop: () => void;
  #lines: string[] = [];
  #isOver = false;
  #wake: () => void = () => {};
  /** What is on its way, in order: nothing overtakes. */
  readonly #onTheWay: { readonly dueMs: number; readonly run: () => void }[] = [];
  #timer: Timer | undefined;

  /** Throws a Refusal when the watch is refused. Ends when `signal` aborts. */
  constructor(options: EventStreamOptions, signal: AbortSignal) {
    this.#options = options;
    const stop = options.server.watch(options.asked, {
      event: (event) => this.#after(() => this.#take(event)),
      end: () => this.#after(() => this.#end()),
    });
    this.#stop = stop;
    signal.addEventListener('abort', () => this.#end(), { once: true });
    if (signal.aborted) this.#end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    try {
      for (;;) {
        const lines = this.#lines;
        this.#lines = [];
        yield* lines;
        if (this.#lines.length > 0) continue;
        if (this.#isOver) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    } finally {
      this.#end();
    }
  }

  #after(run: () => void): void {
    const { clock, lagMs } = this.#options;
    this.#onTheWay.push({ dueMs: clock.monotonicMs() + lagMs(), run });
    if (this.#onTheWay.length === 1) this.#arrive();
  }

  #arrive(): void {
    const { clock } = this.#options;
    for (let next = this.#onTheWay[0]; next !== undefined; next = this.#onTheWay[0]) {
      const leftMs = next.dueMs - clock.monotonicMs();
      if (leftMs > 0) {
        this.#timer = clock.after(leftMs, () => this.#arrive());
        return;
      }
      this.#onTheWay.shift();
      next.run();
    }
  }

  #take(event: WatchedEvent): void {
    if (this.#isOver) return;
    if (this.#options.endsNow()) return this.#end();
    this.#lines.push(JSON.stringify(event));
    this.#wake();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    // The watch may end while it begins, before there is anything to stop.
    queueMicrotask(() => this.#stop());
    this.#wake();
  }
}
