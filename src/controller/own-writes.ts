/** Gives out the clients through which this process writes: each write is logged with its purpose, awaited in the stores, and refused without the Lease. */
import { KubeClient } from '../kube/client.ts';
import type { KubeObject, ObjectRef } from '../kube/resources.ts';
import type { LoopOptions } from './loop-options.ts';
import { isWatched, kindsWatched, type Stores, storedIn } from './stores.ts';
import { UnseenWrites } from './unseen-writes.ts';
import { type Purpose, watchedWrites } from './watched-writes.ts';

export class OwnWrites {
  readonly unseen: UnseenWrites;
  readonly #options: LoopOptions;
  readonly #reading: KubeClient;

  constructor(options: LoopOptions, stores: Stores) {
    this.#options = options;
    this.#reading = new KubeClient({ transport: options.transport });
    this.unseen = new UnseenWrites({
      clock: options.clock,
      stored: (resource, ref) => storedIn(stores, resource, ref),
      live: this.#live,
    });
  }

  readonly clientFor = (purpose: Purpose): KubeClient => {
    const { transport, log, mayWrite, metrics } = this.#options;
    const parts = { transport, unseen: this.unseen, log, mayWrite, onConflict: () => metrics.writeConflict() };
    return new KubeClient({ transport: watchedWrites(parts, purpose) });
  };

  readonly #live = (resource: string, ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject> => {
    if (!isWatched(resource)) throw new Error(`${resource} are not watched`);
    return this.#reading.get(kindsWatched[resource], ref, {}, signal);
  };
}
