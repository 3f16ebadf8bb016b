/** Owns every timer of the program, so that tests and the simulation can move time by hand; it never decides what time means. */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** A timer that has been set. Cancelling it twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only way to know or to wait for time outside the pure core. */
export interface Clock {
  /** Wall time in milliseconds since 1970; may jump. For timestamps that people and other programs read. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never jumps. For deadlines, expiry and ages. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. It never rejects: the caller looks at its signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms`. */
  after(ms: number, fn: () => void): Timer;
}

/** A number in [0, 1), as `Math.random`. Passed in, so that a run can be repeated from its seed. */
export type Random = () => number;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
  sleep: (ms, signal) => sleepOn(after, ms, signal),
};

/** Builds `sleep` from `after`, for every clock alike. */
export function sleepOn(set: Clock['after'], ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => {
    timer.cancel();
    signal?.removeEventListener('abort', wake);
    resolve();
  };
  const timer = set(ms, wake);
  signal?.addEventListener('abort', wake);
  return promise;
}

/** Resolves when `signal` aborts, or at once when it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

/** Longest delay that Node's timers hold; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

function after(ms: number, fn: () => void): Timer {
  let handle = setTimeout(step, Math.min(ms, longestTimerMs));
  const dueMs = performance.now() + ms;
  function step() {
    const leftMs = dueMs - performance.now();
    if (ms <= longestTimerMs || leftMs <= 0) fn();
    else handle = setTimeout(step, Math.min(leftMs, longestTimerMs));
  }
  return { cancel: () => clearTimeout(handle) };
}
