/** Bounds how long something may take: by a deadline of ours and by the caller's signal; it never leaves a timer or a listener behind. */
import type { Clock } from './clock.ts';

/** The reason of the inner signal when the deadline, not the caller, ended the work. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`no answer within ${afterMs / 1000} s`);
    this.afterMs = afterMs;
  }
}

/**
 * Runs `work` with a signal that aborts after `ms` or with the caller's. It rejects with that signal's reason at
 * once, even if `work` does not look at its signal.
 */
export async function withDeadline<R>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R> {
  const link = linkTo(signal);
  const timer = clock.after(ms, () => link.controller.abort(new DeadlineExceeded(ms)));
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(link.controller.signal.reason);
  link.controller.signal.addEventListener('abort', onAbort);
  if (link.controller.signal.aborted) onAbort();
  try {
    return await Promise.race([ended.promise, work(link.controller.signal)]);
  } finally {
    timer.cancel();
    link.controller.signal.removeEventListener('abort', onAbort);
    link.release();
  }
}

/** A controller that also aborts with `signal`. `release` ends the link; unlike AbortSignal.any it leaves nothing on a long-lived signal. */
export function linkTo(signal: AbortSignal | undefined): { readonly controller: AbortController; release(): void } {
  const controller = new AbortController();
  if (signal === undefined) return { controller, release: () => {} };
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  return { controller, release: () => signal.removeEventListener('abort', onAbort) };
}
