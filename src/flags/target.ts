/** Owns what every flag backend promises: to read, to write at most once per change, to look as the fleet looks, to give back. */

/** What is to be served: one variant of one flag, to everybody or to a share of those who ask. */
export interface FlagChange {
  /** Of this change and of no other, in `[-a-z0-9]`; the same after a restart. */
  readonly id: string;
  readonly flag: string;
  readonly variant: string;
  /** Share of those who ask, 0 to 100; absent: everybody. */
  readonly percent?: number;
  /** Of the Rollout. */
  readonly namespace: string;
}

export interface FlagPlan {
  /** All that `revert` needs, JSON of at most `longestPrevious` bytes: written down before anything is changed. */
  readonly previous: string;
  /** What is asked for is what is served already. */
  readonly isServed: boolean;
}

export interface Served {
  readonly served: boolean;
  /** What was seen, and where it is not what was asked for, whose move it is. Never a secret. */
  readonly sentence: string;
}

/** Each method throws a FlagError for what the world does to it, and nothing else but the reason of `signal`. */
export interface FlagTarget {
  /** Reads only. */
  plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan>;
  /**
   * Resolves when the backend has accepted the change. At most one effective write per change id: a second call sees that
   * it is done. Never writes over what is not `previous` any more, where the backend can tell.
   */
  apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void>;
  /** One look, as the fleet would evaluate. Whoever wants to wait asks again. */
  verify(change: FlagChange, signal: AbortSignal): Promise<Served>;
  /** Restores `previous`, but only what is still what `apply` wrote. `reverted` also when nothing had been written. */
  revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'>;
}

/** Bytes: it is kept in the status of the Rollout. */
export const longestPrevious = 2 * 1024;
