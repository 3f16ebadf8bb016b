/** Makes sure, as far as one Lease can, that one process of several leads; it never trusts another machine's clock. What it cannot exclude, resourceVersion guards must (S12). */
import type { KubeClient } from './client.ts';
import type { Clock, Random, Timer } from './clock.ts';
import { linkTo } from './deadline.ts';
import { isKubeError } from './errors.ts';
import { type KubeObject, leases, type ObjectRef } from './resources.ts';

export interface ElectorOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** The Lease, with its namespace. */
  readonly lease: ObjectRef;
  /** Unique to this process: two processes of one identity would both lead. */
  readonly identity: string;
  /** The work of the leader. Its signal aborts when leadership ends; it should then settle soon. */
  readonly onStartedLeading: (signal: AbortSignal) => Promise<void>;
  /** Called at once when leadership ends, before the work has settled. */
  readonly onStoppedLeading?: (why: TermEnd) => void;
  /** Told about each failed try; the elector goes on. */
  readonly onError?: (error: unknown) => void;
  /** How long others wait for a silent leader. Default 15 000. */
  readonly durationMs?: number;
  /** How long the leader leads without a successful renewal; less than `durationMs`. Default 10 000. */
  readonly renewDeadlineMs?: number;
  /** Between two tries. Default 2 000. */
  readonly retryMs?: number;
}

/** How a term of leadership ends. */
export type TermEnd = 'stopped' | 'lost' | 'finished';

interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

export class LeaderElector {
  readonly #options: ElectorOptions;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  #isStarted = false;
  #isLeader = false;
  /** The Lease as last seen, and when on our clock we first saw it like this. */
  #seen: { readonly lease: LeaseObject; readonly sinceMs: number } | undefined;
  #renewedAtMs = 0;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#durationMs = options.durationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2_000;
    if (this.#renewDeadlineMs >= this.#durationMs || this.#retryMs >= this.#renewDeadlineMs) {
      throw new Error('a lease needs retryMs < renewDeadlineMs < durationMs, or two could lead at once');
    }
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Who holds the Lease, as last seen. */
  get leader(): string | undefined {
    return this.#seen?.lease.spec?.holderIdentity || undefined;
  }

  /**
   * Waits for the Lease, leads once, and resolves with how that ended: `stopped` by the signal (the Lease is
   * released), `finished` when the work returned, `lost` when it could not be renewed: then the process should exit.
   * Rejects with what the work threw.
   */
  async run(signal: AbortSignal): Promise<TermEnd> {
    if (this.#isStarted) throw new Error('the elector was started twice');
    this.#isStarted = true;
    while (!signal.aborted) {
      if (await this.#tryToHold(signal)) return this.#lead(signal);
      await this.#options.clock.sleep(this.#retryMs * (1 + this.#options.random() * 0.2), signal);
    }
    return 'stopped';
  }

  async #lead(signal: AbortSignal): Promise<TermEnd> {
    const term = linkTo(signal);
    this.#isLeader = true;
    const work = supervise(this.#options.onStartedLeading(term.controller.signal));
    const why = await this.#renewUntilOver(work.settled, signal);
    this.#isLeader = false;
    term.controller.abort();
    term.release();
    this.#options.onStoppedLeading?.(why);
    // Others may lead from the release on, so it waits for our work; if that hangs, the Lease runs out by itself.
    const settled = new AbortController();
    void work.settled.then(() => settled.abort());
    await this.#options.clock.sleep(this.#renewDeadlineMs, settled.signal);
    if (why !== 'lost' && work.isSettled()) await this.#release();
    work.throwIfFailed();
    return why;
  }

  async #renewUntilOver(workSettled: Promise<void>, signal: AbortSignal): Promise<TermEnd> {
    const { clock } = this.#options;
    const over = new AbortController();
    let why: TermEnd = 'stopped';
    const stop = (end: TermEnd) => {
      if (!over.signal.aborted) why = end;
      over.abort();
    };
    const onAbort = () => stop('stopped');
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    void workSettled.then(() => stop('finished'));
    let deadline = this.#deadline(() => stop('lost'));
    while (!over.signal.aborted) {
      await clock.sleep(this.#retryMs, over.signal);
      if (over.signal.aborted || !(await this.#tryToHold(over.signal))) {
        if (!over.signal.aborted && this.#isHeldByAnother()) stop('lost');
        continue;
      }
      deadline.cancel();
      deadline = this.#deadline(() => stop('lost'));
    }
    deadline.cancel();
    signal.removeEventListener('abort', onAbort);
    return why;
  }

  /** One try to get or keep the Lease; false when it is another's, or nobody could tell. */
  async #tryToHold(signal: AbortSignal): Promise<boolean> {
    // From before the request: the server may have taken it at any moment since.
    const startMs = this.#options.clock.monotonicMs();
    try {
      const held = this.#isLeader ? this.#seen?.lease : await this.#read(signal);
      const lease = held === undefined ? await this.#create(signal) : await this.#take(held, signal);
      if (lease === undefined) return false;
      this.#see(lease);
      this.#renewedAtMs = startMs;
      return true;
    } catch (error) {
      if (!signal.aborted) this.#options.onError?.(error);
      // What we believe of the Lease was refused: look at it again before the next try.
      if (this.#isLeader && isKubeError(error, 'Conflict', 'NotFound')) await this.#lookAgain(signal);
      return false;
    }
  }

  async #lookAgain(signal: AbortSignal): Promise<void> {
    try {
      await this.#read(signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onError?.(error);
    }
  }

  async #read(signal: AbortSignal): Promise<LeaseObject | undefined> {
    const { client, lease } = this.#options;
    const read = await client.find<LeaseObject>(leases, lease, { timeoutMs: this.#requestMs }, signal);
    if (read === undefined) this.#seen = undefined;
    else this.#see(read);
    return read;
  }

  #create(signal: AbortSignal): Promise<LeaseObject> {
    const { client, lease, identity } = this.#options;
    const draft = { metadata: { ...metaOf(lease) }, spec: this.#specFor(identity, 0, true) };
    return client.create<LeaseObject>(leases, draft, { timeoutMs: this.#requestMs }, signal);
  }

  async #take(held: LeaseObject, signal: AbortSignal): Promise<LeaseObject | undefined> {
    const { client, lease, identity } = this.#options;
    const isOurs = held.spec?.holderIdentity === identity;
    if (!isOurs && !this.#isFree(held)) return undefined;
    const transitions = (held.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1);
    const spec = this.#specFor(identity, transitions, !isOurs);
    const guard = { resourceVersion: held.metadata.resourceVersion, timeoutMs: this.#requestMs };
    return client.mergePatch<LeaseObject>(leases, lease, { spec }, guard, signal);
  }

  /** Gives the Lease back. A renewal that was cut off may have changed it, so a Conflict is looked at once. */
  async #release(): Promise<void> {
    const { client, lease, identity, onError } = this.#options;
    const spec = { holderIdentity: '', leaseDurationSeconds: 1 };
    const timeoutMs = this.#requestMs;
    try {
      for (
        let held = this.#seen?.lease;
        held?.spec?.holderIdentity === identity;
        held = await client.find(leases, lease, { timeoutMs })
      ) {
        try {
          await client.mergePatch(
            leases,
            lease,
            { spec },
            { resourceVersion: held.metadata.resourceVersion, timeoutMs },
          );
          return;
        } catch (error) {
          if (!isKubeError(error, 'Conflict')) throw error;
        }
      }
    } catch (error) {
      // It runs out by itself.
      onError?.(error);
    }
  }

  /** Calls `onOver` when the last renewal is too old to go on leading. */
  #deadline(onOver: () => void): Timer {
    const { clock } = this.#options;
    return clock.after(this.#renewedAtMs + this.#renewDeadlineMs - clock.monotonicMs(), onOver);
  }

  /** Nobody's, or unchanged for its whole duration by *our* clock since we first saw it so. */
  #isFree(held: LeaseObject): boolean {
    if (!held.spec?.holderIdentity) return true;
    const durationMs = (held.spec.leaseDurationSeconds ?? this.#durationMs / 1000) * 1000;
    const sinceMs = this.#seen?.sinceMs ?? this.#options.clock.monotonicMs();
    return this.#options.clock.monotonicMs() - sinceMs > durationMs;
  }

  #isHeldByAnother(): boolean {
    return this.leader !== undefined && this.leader !== this.#options.identity;
  }

  #see(lease: LeaseObject): void {
    if (this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#seen = { lease, sinceMs: this.#options.clock.monotonicMs() };
  }

  /** Half of the time that is left at worst, so that one lost packet does not cost the leadership. */
  get #requestMs(): number {
    return this.#renewDeadlineMs / 2;
  }

  #specFor(identity: string, leaseTransitions: number, isNew: boolean): object {
    // MicroTime: the API server insists on six digits.
    const now = new Date(this.#options.clock.nowMs()).toISOString().replace('Z', '000Z');
    const leaseDurationSeconds = Math.ceil(this.#durationMs / 1000);
    return {
      holderIdentity: identity,
      leaseDurationSeconds,
      leaseTransitions,
      renewTime: now,
      ...(isNew ? { acquireTime: now } : {}),
    };
  }
}

function metaOf({ namespace, name }: ObjectRef): { name: string; namespace?: string } {
  return namespace === undefined ? { name } : { name, namespace };
}

/** Watches over the work without letting its rejection go unhandled. */
function supervise(work: Promise<void>) {
  let state:
    | { readonly kind: 'running' }
    | { readonly kind: 'done' }
    | { readonly kind: 'failed'; readonly error: unknown } = { kind: 'running' };
  const settled = work.then(
    () => void (state = { kind: 'done' }),
    (error: unknown) => void (state = { kind: 'failed', error }),
  );
  return {
    settled,
    isSettled: () => state.kind !== 'running',
    throwIfFailed: () => {
      if (state.kind === 'failed') throw state.error;
    },
  };
}
