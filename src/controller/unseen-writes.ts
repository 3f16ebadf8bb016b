/**
 * Remembers what this process wrote for each Rollout until the stores show it, so that nothing is decided on a view
 * older than our own hand. It never decides what a write means.
 */
import { isKubeError } from '../kube/errors.ts';
import type { ObjectRef } from '../kube/resources.ts';
import type { Stored } from '../kube/store.ts';
import type { Clock } from '../kube/clock.ts';

export interface Written {
  readonly verb: 'create' | 'change' | 'delete';
  /** Plural name of the resource, such as `replicasets`. */
  readonly resource: string;
  readonly ref: ObjectRef;
  readonly uid: string;
  /** As the API server answered; absent when the object is gone. */
  readonly resourceVersion?: string;
}

export interface UnseenWritesOptions {
  readonly clock: Clock;
  /** What the store of a resource shows; undefined for resources that nobody watches: their writes need no waiting. */
  readonly stored: (resource: string, ref: ObjectRef) => { readonly object: Stored | undefined } | undefined;
  /** The object as it is now, from the API server. Throws NotFound when there is none. */
  readonly live: (resource: string, ref: ObjectRef, signal?: AbortSignal) => Promise<Stored>;
}

/** A watch usually shows a write within milliseconds; after this long the API server is asked instead. */
const overdueMs = 3_000;

interface Pending extends Written {
  askAtMs: number;
}

export class UnseenWrites {
  readonly #options: UnseenWritesOptions;
  readonly #pending = new Map<string, Pending[]>();

  constructor(options: UnseenWritesOptions) {
    this.#options = options;
  }

  note(rollout: string, written: Written): void {
    // What nobody watches is never shown.
    if (this.#options.stored(written.resource, written.ref) === undefined) return;
    const held = (this.#pending.get(rollout) ?? []).filter((one) => !isSameObject(one, written));
    this.#pending.set(rollout, [...held, { ...written, askAtMs: this.#options.clock.monotonicMs() + overdueMs }]);
  }

  /** The first write of this Rollout that the stores do not show yet. */
  first(rollout: string): Written | undefined {
    this.#keep(rollout, (one) => !this.#isSeen(one));
    return this.#pending.get(rollout)?.[0];
  }

  /**
   * Drops overdue writes whose object is gone or was replaced, which no store will ever show. A store that is behind
   * the API server keeps its writes pending: deciding on it would be deciding on the past.
   */
  async confirm(rollout: string, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const overdue = (this.#pending.get(rollout) ?? []).filter((one) => one.askAtMs <= nowMs);
    for (const one of overdue) {
      one.askAtMs = nowMs + overdueMs;
      const uid = await this.#liveUid(one, signal);
      if (uid !== one.uid) this.#keep(rollout, (other) => other !== one);
    }
  }

  forget(rollout: string): void {
    this.#pending.delete(rollout);
  }

  async #liveUid({ resource, ref }: Written, signal?: AbortSignal): Promise<string | undefined> {
    try {
      return (await this.#options.live(resource, ref, signal)).metadata.uid;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #keep(rollout: string, isKept: (one: Pending) => boolean): void {
    const kept = (this.#pending.get(rollout) ?? []).filter(isKept);
    if (kept.length === 0) this.#pending.delete(rollout);
    else this.#pending.set(rollout, kept);
  }

  #isSeen(written: Written): boolean {
    const store = this.#options.stored(written.resource, written.ref);
    if (store === undefined) return true;
    const { object } = store;
    if (written.verb === 'delete') return object === undefined || object.metadata.uid !== written.uid;
    // What was there to be changed and is not there any more was deleted since; a creation may just not have arrived.
    if (object === undefined) return written.verb === 'change';
    if (object.metadata.uid !== written.uid) return written.verb === 'change';
    return isAtLeast(object.metadata.resourceVersion, written.resourceVersion);
  }
}

function isSameObject(a: Written, b: Written): boolean {
  return a.resource === b.resource && a.ref.namespace === b.ref.namespace && a.ref.name === b.ref.name;
}

/** Versions of one resource are decimal numbers that grow; where they are not, only the very same one is a proof. */
export function isAtLeast(seen: string, wanted: string | undefined): boolean {
  if (wanted === undefined || seen === wanted) return true;
  const areNumbers = /^\d+$/.test(seen) && /^\d+$/.test(wanted);
  return areNumbers && BigInt(seen) >= BigInt(wanted);
}
