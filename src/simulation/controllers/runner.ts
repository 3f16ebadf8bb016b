/**
 * Runs controllers as a control plane does: each change wakes those whom it concerns, after a reaction time, one object at
 * a time. What a controller looks at and writes in one go is one moment; between two looks anything may happen.
 */
import type { Clock, Timer } from '../../kube/clock.ts';
import type { ApiServer } from '../server/api-server.ts';
import { Refusal } from '../server/refusals.ts';
import type { Change } from '../server/storage.ts';

export interface Controller {
  readonly name: string;
  /** Objects to look at again after this change, by a name of the controller's own choice. */
  concerns(change: Change): readonly string[];
  /** Everything to look at at the start. */
  all(): readonly string[];
  /**
   * Looks and writes once. A Refusal that it throws is tried again; a number asks for another look after so many
   * milliseconds.
   */
  sync(key: string): number | undefined;
}

export interface RunnerOptions {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly reactionMs: () => number;
  readonly controllers: readonly Controller[];
}

/** A controller that was refused tries again after this, then twice as long, up to the longest. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 30_000;

/** Until `signal` aborts. Rejects with what a controller threw that is no Refusal: that is a fault of the double. */
export async function runControllers(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const queues = options.controllers.map((controller) => new Queue(controller, options, over.reject));
  const unlisten = options.server.storage.listen((change) => {
    for (const queue of queues) queue.hear(change);
  });
  for (const queue of queues) queue.start();
  signal.addEventListener('abort', () => over.resolve(), { once: true });
  if (signal.aborted) over.resolve();
  try {
    await over.promise;
  } finally {
    unlisten();
    for (const queue of queues) queue.stop();
  }
}

/** What waits for one controller: each key once. */
class Queue {
  readonly #controller: Controller;
  readonly #options: RunnerOptions;
  readonly #onFault: (error: unknown) => void;
  readonly #due = new Map<string, { readonly timer: Timer; readonly atMs: number }>();
  readonly #failures = new Map<string, number>();
  #isStopped = false;

  constructor(controller: Controller, options: RunnerOptions, onFault: (error: unknown) => void) {
    this.#controller = controller;
    this.#options = options;
    this.#onFault = onFault;
  }

  start(): void {
    for (const key of this.#controller.all()) this.#wake(key, this.#options.reactionMs());
  }

  hear(change: Change): void {
    for (const key of this.#controller.concerns(change)) this.#wake(key, this.#options.reactionMs());
  }

  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#due.values()) timer.cancel();
    this.#due.clear();
  }

  /** The earlier of two wake-ups is kept. */
  #wake(key: string, afterMs: number): void {
    if (this.#isStopped) return;
    const atMs = this.#options.clock.monotonicMs() + afterMs;
    const waiting = this.#due.get(key);
    if (waiting !== undefined && waiting.atMs <= atMs) return;
    waiting?.timer.cancel();
    const timer = this.#options.clock.after(afterMs, () => this.#run(key));
    this.#due.set(key, { timer, atMs });
  }

  #run(key: string): void {
    this.#due.delete(key);
    try {
      const againMs = this.#controller.sync(key);
      this.#failures.delete(key);
      if (againMs !== undefined) this.#wake(key, againMs);
    } catch (error) {
      if (error instanceof Refusal) this.#retry(key);
      else this.#onFault(error);
    }
  }

  #retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#wake(key, Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS));
  }
}
