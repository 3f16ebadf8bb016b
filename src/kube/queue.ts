/** Decides which key is worked on next and never lets one key be worked on twice at once; it carries keys, never events, and does not know what a key means. */
import type { Clock, Timer } from './clock.ts';

/** `urgent`: rollbacks and brakes. `resync`: nobody waits for it. */
export type Priority = 'urgent' | 'normal' | 'resync';

export interface AddOptions {
  /** Default `normal`. A key that waits already keeps the higher of the two. */
  readonly priority?: Priority;
  /** Default 0. A key that waits already keeps the earlier of the two, so whoever wants a later look asks again after each. */
  readonly afterMs?: number;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** Works on one key. It gets the signal of the queue; when it throws, the key comes back with backoff. */
  readonly handler: (key: string, signal: AbortSignal) => Promise<void>;
  /** Told about each throw: how often in a row, and when the key comes back. */
  readonly onError: (key: string, error: unknown, failures: number, retryInMs: number) => void;
  /** Keys worked on at once, of any priority. Default 4. */
  readonly workers?: number;
  /** So many more take nothing but urgent keys. Default 1. */
  readonly urgentWorkers?: number;
  /** Backoff of a throwing key, doubled each time. Default 5 ms to 60 s. */
  readonly firstBackoffMs?: number;
  readonly longestBackoffMs?: number;
}

export interface QueueCounts {
  /** Keys whose time has come, by priority. */
  readonly ready: Readonly<Record<Priority, number>>;
  /** Keys that wait for their time, or for the end of the work on them. */
  readonly waiting: number;
  readonly working: number;
}

interface Entry {
  readonly priority: Priority;
  readonly dueMs: number;
  readonly timer: Timer | undefined;
}

const priorities: readonly Priority[] = ['urgent', 'normal', 'resync'];

export class KeyQueue {
  readonly #options: Required<QueueOptions>;
  /** What is asked for, at most once a key. A key being worked on may be asked for again. */
  readonly #entries = new Map<string, Entry>();
  /** Keys whose time has come and that nobody works on, first come first served. */
  readonly #ready: Record<Priority, Set<string>> = { urgent: new Set(), normal: new Set(), resync: new Set() };
  readonly #working = new Map<string, { readonly isReserved: boolean; readonly done: Promise<void> }>();
  readonly #failures = new Map<string, number>();
  #signal: AbortSignal | undefined;

  constructor(options: QueueOptions) {
    this.#options = { workers: 4, urgentWorkers: 1, firstBackoffMs: 5, longestBackoffMs: 60_000, ...options };
  }

  get counts(): QueueCounts {
    const { urgent, normal, resync } = this.#ready;
    const ready = { urgent: urgent.size, normal: normal.size, resync: resync.size };
    return {
      ready,
      waiting: this.#entries.size - urgent.size - normal.size - resync.size,
      working: this.#working.size,
    };
  }

  /** Asks for a look at `key`: one begins at or after this call, at the latest when asked (and a worker is free). */
  add(key: string, { priority = 'normal', afterMs = 0 }: AddOptions = {}): void {
    if (this.#signal?.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    const held = this.#entries.get(key);
    const dueMs = Math.min(held?.dueMs ?? Number.POSITIVE_INFINITY, nowMs + Math.max(0, afterMs));
    const wanted = held === undefined ? priority : higher(held.priority, priority);
    // Left where it is: moving it to the end for each event would starve a busy key.
    if (held !== undefined && held.dueMs === dueMs && held.priority === wanted) return;
    this.#withdraw(key);
    const timer = dueMs <= nowMs ? undefined : this.#options.clock.after(dueMs - nowMs, () => this.#due(key));
    this.#entries.set(key, { priority: wanted, dueMs, timer });
    if (timer === undefined) this.#due(key);
  }

  /** Drops a key that is gone: what is asked for and its count of failures. Work on it goes on to its end. */
  forget(key: string): void {
    this.#withdraw(key);
    this.#failures.delete(key);
  }

  /** Works until `signal` aborts, then waits for the handlers that run. Keys added before count. Throws when called twice. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#signal !== undefined) throw new Error('the queue was started twice');
    this.#signal = signal;
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stop(), { once: true });
    if (signal.aborted) stop();
    this.#dispatch();
    await stopped;
    for (const key of this.#entries.keys()) this.#withdraw(key);
    await Promise.all([...this.#working.values()].map(({ done }) => done));
  }

  #due(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.set(key, { ...entry, timer: undefined });
    // Asked for during the work on it: it becomes ready when that ends.
    if (this.#working.has(key)) return;
    this.#ready[entry.priority].add(key);
    this.#dispatch();
  }

  #withdraw(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.timer?.cancel();
    this.#entries.delete(key);
    this.#ready[entry.priority].delete(key);
  }

  #dispatch(): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    while (!signal.aborted) {
      const isReserved = this.#countWorking(false) >= this.#options.workers;
      if (isReserved && this.#countWorking(true) >= this.#options.urgentWorkers) return;
      const key = this.#next(isReserved ? ['urgent'] : priorities);
      if (key === undefined) return;
      const priority = this.#entries.get(key)?.priority ?? 'normal';
      this.#withdraw(key);
      const { promise: done, resolve } = Promise.withResolvers<void>();
      this.#working.set(key, { isReserved, done });
      void this.#work(key, priority, signal).then(resolve);
    }
  }

  #countWorking(isReserved: boolean): number {
    let count = 0;
    for (const work of this.#working.values()) if (work.isReserved === isReserved) count++;
    return count;
  }

  #next(allowed: readonly Priority[]): string | undefined {
    for (const priority of allowed) for (const key of this.#ready[priority]) return key;
    return undefined;
  }

  /** Never rejects: what a handler throws concerns its key only (S15). */
  async #work(key: string, priority: Priority, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.handler(key, signal);
      this.#failures.delete(key);
    } catch (error) {
      if (!signal.aborted) this.#comeBack(key, priority, error);
    }
    this.#working.delete(key);
    const again = this.#entries.get(key);
    if (again !== undefined && again.timer === undefined) this.#ready[again.priority].add(key);
    this.#dispatch();
  }

  #comeBack(key: string, priority: Priority, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const { firstBackoffMs, longestBackoffMs, onError } = this.#options;
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
    const retryInMs = Math.max(backoffMs, askedPatienceMs(error));
    this.add(key, { priority, afterMs: retryInMs });
    try {
      onError(key, error, failures, retryInMs);
    } catch {
      // A reporter that throws must not take the worker with it; the key is queued already.
    }
  }
}

function higher(a: Priority, b: Priority): Priority {
  return priorities.indexOf(a) < priorities.indexOf(b) ? a : b;
}

/** `retryAfterMs` of a KubeError: what the server asked for. */
function askedPatienceMs(error: unknown): number {
  const asked = typeof error === 'object' && error !== null && 'retryAfterMs' in error ? error.retryAfterMs : 0;
  return typeof asked === 'number' ? asked : 0;
}
