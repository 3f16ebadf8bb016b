/** Keeps a store equal to one resource of the cluster by list and watch, for ever; it never decides, never writes, and never trusts a silent connection. */
import type { KubeClient } from './client.ts';
import type { Clock, Random } from './clock.ts';
import { isKubeError, type KubeError } from './errors.ts';
import { keyOf, type KubeObject, type ResourceKind } from './resources.ts';
import type { Store, Stored } from './store.ts';
import { Watch, type WatchEvent } from './watch.ts';

export interface ReflectorOptions<T extends Stored> {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly kind: ResourceKind;
  readonly store: Store<T>;
  /** Keeps of each object what is needed, on the way in. It should drop managedFields: they are a fifth of the memory. */
  readonly project: (object: KubeObject) => T;
  /** Left out: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Without a line for this long the watch is opened anew at the same place. Default 90 000: bookmarks come about every minute. */
  readonly livenessMs?: number;
  /**
   * A cluster may do without this kind. Where it does not know it at first, there is nothing to keep and that is all there
   * is to know; it is asked again and again. Once it was known, its absence is trouble like any other.
   */
  readonly mayBeAbsent?: boolean;
  /** Told about everything that went wrong: lists, watches, objects that `project` choked on. */
  readonly onError?: (error: unknown) => void;
}

export interface ReflectorCounts {
  lists: number;
  watches: number;
  failures: number;
  /** Objects that `project` threw on; the store keeps what it had of them. */
  unreadable: number;
}

const firstBackoffMs = 800;
const longestBackoffMs = 30_000;
/** After so many failures in a row without one event the place we resume at may itself be the problem. */
const failuresBeforeRelist = 5;

export class Reflector<T extends Stored> {
  readonly #options: ReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<boolean>();
  readonly #counts: ReflectorCounts = { lists: 0, watches: 0, failures: 0, unreadable: 0 };
  #isStarted = false;
  #hasSynced = false;
  /** It was listed once, so the cluster knows the kind. */
  #wasKnown = false;
  #lastContactMs: number | undefined;
  /** Where the next watch resumes; undefined: list first. */
  #place: string | undefined;
  /** What the next list may show: '0' anything at first, then never older than what we saw; undefined asks for the most recent. */
  #notOlderThan: string | undefined = '0';
  #failuresInARow = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** True once a first complete list is in the store, or the kind is absent; it stays true through every later trouble. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** True when the first list is in the store, false when the reflector was stopped before. Never rejects. */
  get synced(): Promise<boolean> {
    return this.#synced.promise;
  }

  /** Monotonic time of the last sign of life from the server; for readiness. */
  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  get counts(): Readonly<ReflectorCounts> {
    return this.#counts;
  }

  /** Runs until `signal` aborts, then resolves with nothing left open. Throws only when called a second time. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isStarted) throw new Error(`the reflector of ${this.#options.kind.plural} was started twice`);
    this.#isStarted = true;
    while (!signal.aborted) {
      try {
        if (this.#place === undefined) await this.#list(signal);
        else await this.#confirm(this.#place, signal);
        await this.#watch(this.#place ?? '', signal);
      } catch (error) {
        if (signal.aborted) break;
        if (this.#isAbsent(error)) await this.#options.clock.sleep(longestBackoffMs, signal);
        else await this.#recover(error, signal);
      }
    }
    this.#synced.resolve(false);
  }

  #isAbsent(error: unknown): boolean {
    const isUnknown = this.#options.mayBeAbsent === true && isKubeError(error, 'NotFound') && !this.#wasKnown;
    if (!isUnknown) return false;
    this.#heard();
    this.#hasSynced = true;
    this.#synced.resolve(true);
    return true;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, kind, namespace, labelSelector, fieldSelector, store } = this.#options;
    this.#counts.lists++;
    const objects: T[] = [];
    const unreadable = new Set<string>();
    const query = { namespace, labelSelector, fieldSelector, resourceVersion: this.#notOlderThan, timeoutMs: 60_000 };
    let place = '';
    for await (const page of client.pages(kind, query, signal)) {
      for (const object of page.items) {
        const projected = this.#project(object);
        if (projected === undefined) unreadable.add(keyOf(object.metadata));
        else objects.push(projected);
      }
      place = page.resourceVersion;
      this.#heard();
    }
    if (signal.aborted) return;
    const kept = store.all().filter((object) => unreadable.has(keyOf(object.metadata)));
    store.replaceAll([...objects, ...kept]);
    this.#reached(place);
    this.#wasKnown = true;
    this.#hasSynced = true;
    this.#synced.resolve(true);
  }

  /**
   * Throws when the server has not reached our place, which means that its storage was set back. A watch from there
   * would be accepted, and silent about everything until the counter has passed that place again.
   */
  async #confirm(place: string, signal: AbortSignal): Promise<void> {
    const { client, kind, namespace } = this.#options;
    await client.pages(kind, { namespace, resourceVersion: place, pageSize: 1 }, signal).next();
    this.#heard();
  }

  async #watch(place: string, signal: AbortSignal): Promise<void> {
    this.#counts.watches++;
    const { client, clock, random, kind, namespace, labelSelector, fieldSelector, livenessMs } = this.#options;
    const watch = new Watch({ transport: client.transport, clock, random, livenessMs: livenessMs ?? 90_000 });
    const what = { kind, namespace, labelSelector, fieldSelector, resourceVersion: place };
    for await (const event of watch.events(what, () => this.#heard(), signal)) {
      this.#take(event);
      this.#failuresInARow = 0;
    }
    // An ordinary end, even of a watch that had nothing to say; a list alone proves nothing about watches.
    this.#failuresInARow = 0;
  }

  #take(event: WatchEvent): void {
    const { metadata } = event.object;
    if (event.type === 'DELETED') this.#options.store.remove(keyOf(metadata));
    if (event.type === 'ADDED' || event.type === 'MODIFIED') {
      const projected = this.#project(event.object);
      if (projected !== undefined) this.#options.store.put(projected);
    }
    this.#reached(metadata.resourceVersion);
  }

  /** S15: an object that nobody foresaw must not stop the others; what the store has of it stays. */
  #project(object: KubeObject): T | undefined {
    try {
      return this.#options.project(object);
    } catch (error) {
      this.#counts.unreadable++;
      this.#options.onError?.(error);
      return undefined;
    }
  }

  #heard(): void {
    this.#lastContactMs = this.#options.clock.monotonicMs();
  }

  #reached(place: string): void {
    this.#place = place;
    this.#notOlderThan = place;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    this.#counts.failures++;
    this.#failuresInARow++;
    this.#options.onError?.(error);
    const isLost = isPlaceLost(error);
    if (isLost) this.#notOlderThan = undefined;
    if (isLost || this.#failuresInARow % failuresBeforeRelist === 0) this.#place = undefined;
    // An expired place is ordinary after a long silence: list at once, unless it comes again and again.
    if (isLost && this.#failuresInARow === 1) return;
    await this.#options.clock.sleep(this.#backoffMs(error), signal);
  }

  #backoffMs(error: unknown): number {
    const ceilingMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (this.#failuresInARow - 1));
    const jitteredMs = ceilingMs * (0.5 + this.#options.random() / 2);
    return Math.max(jitteredMs, isKubeError(error) ? (error.retryAfterMs ?? 0) : 0);
  }
}

/** The server cannot go on from our resourceVersion: too old, unknown, or from a future that a restored etcd does not have. */
function isPlaceLost(error: unknown): boolean {
  if (isKubeError(error, 'Gone', 'Invalid')) return true;
  return isKubeError(error, 'Timeout') && isFromTheFuture(error);
}

function isFromTheFuture(error: KubeError): boolean {
  return (
    error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge') ||
    error.message.includes('Too large resource version')
  );
}
