/** A clock for tests and the simulation: time moves only when it is told to. It never touches a real timer. */
import { type Clock, sleepOn, type Timer } from './clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
}

export class ManualClock implements Clock {
  readonly #startedAtMs: number;
  #elapsedMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** `startMs` is the wall time at the start; the monotonic time starts at 0. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startedAtMs = startMs;
  }

  /** How many timers are set; 0 after everything was stopped proves that nothing leaks. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  nowMs(): number {
    return this.#startedAtMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(ms: number, fn: () => void): Timer {
    const timer: Pending = { dueMs: this.#elapsedMs + Math.max(0, ms), order: this.#order++, fn };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((delayMs, fn) => this.after(delayMs, fn), ms, signal);
  }

  /**
   * Moves time forward by `ms`, running every timer that becomes due in order of time (then of setting),
   * and letting promises settle after each, so that what a timer started may set the next timer.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#pending.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.fn();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  /** Moves to the earliest timer and runs it; false when no timer is set. */
  async advanceToNext(): Promise<boolean> {
    await settle();
    const next = this.#nextDue(Number.POSITIVE_INFINITY);
    if (next === undefined) return false;
    await this.advance(Math.max(0, next.dueMs - this.#elapsedMs));
    return true;
  }

  #nextDue(untilMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs > untilMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Lets every promise that can settle without a timer or the network do so: a macrotask runs after all microtasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
