/** Sets up the queue of Rollouts to look at, and what is logged of a look that failed; what a look does is not its business. */
import type { Clock } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { KeyQueue } from '../kube/queue.ts';
import { type Log, stackOf, wordsOf } from './log.ts';

export interface LookQueueParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly look: (key: string, signal: AbortSignal) => Promise<void>;
  /** Rollouts looked at at once, besides urgent ones. */
  readonly workers: number | undefined;
}

/** After an outage of the API server a rollback goes on this soon. */
const LONGEST_BACKOFF_MS = 10_000;

export function lookQueue({ clock, log, look, workers }: LookQueueParts): KeyQueue {
  return new KeyQueue({
    clock,
    handler: look,
    onError: (key, error, failures, retryInMs) => {
      const fields = { rollout: key, failures, retryInMs: Math.round(retryInMs), error: wordsOf(error) };
      // Somebody wrote at the same time: ordinary, and the next look sees it.
      if (isKubeError(error, 'Conflict')) log.debug(fields, 'Looking again, the object changed.');
      else log.warn({ ...fields, ...stackOf(error) }, 'A look failed and is repeated.');
    },
    longestBackoffMs: LONGEST_BACKOFF_MS,
    ...(workers === undefined ? {} : { workers }),
  });
}
