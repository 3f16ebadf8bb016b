/** What a demo is told on, and what runs until its end. It knows neither which cluster it is nor what is told. */
import type { KubeClient } from '../kube/client.ts';
import type { Load } from './load.ts';
import type { Mirrors } from './mirrors.ts';
import type { Manifest, Shop } from './shop.ts';
import type { WeightLog } from './weights.ts';

/** A cluster with everything that a release needs but the application and its Rollout. */
export interface Stage {
  readonly shop: Shop;
  /** As the person who plays the demo. */
  readonly client: KubeClient;
  readonly mirrors: Mirrors;
  readonly weights: WeightLog;
  /** The version of every pod that was created, in order. */
  readonly pods: readonly string[];
  /** What is applied to attach Serin. */
  readonly attachment: readonly Manifest[];
  /** Options with which another terminal sees this cluster: "-n shop --kubeconfig …". */
  readonly look: string;
  /** Longest time for each part of a story. */
  readonly patienceMs: number;
  /** Rejects with what went wrong in one of the parts; it never resolves. */
  readonly broken: Promise<never>;
  /** Sees to it that an operator looks after the shop. */
  startOperator(): Promise<void>;
  /** Whether a request through the gateway reaches a pod of the shop. */
  isServing(signal: AbortSignal): Promise<boolean>;
  /** Requests to the application, through the gateway. The function ends them and waits for the last answer. */
  startLoad(ratePerSecond: number): { readonly load: Load; readonly end: () => Promise<void> };
  /** Leaves nothing behind: no object, no process, no port, no file. */
  close(): Promise<void>;
}

/** What runs until the end, and what was seen to break. */
export class Parts {
  readonly #end = new AbortController();
  readonly #runs: Promise<void>[] = [];
  readonly #broken = Promise.withResolvers<never>();

  constructor() {
    this.#broken.promise.catch(() => undefined);
  }

  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  run(part: (signal: AbortSignal) => Promise<void>): void {
    this.#runs.push(part(this.signal).catch((error: unknown) => this.break(error)));
  }

  break(error: unknown): void {
    this.#broken.reject(error);
  }

  /** Requests from `load`, for as long as the stage is there. */
  runLoad(load: Load): { readonly load: Load; readonly end: () => Promise<void> } {
    const end = new AbortController();
    const running = load.run(end.signal, this.signal);
    this.run(() => running);
    return { load, end: () => (end.abort(), running) };
  }

  async end(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#runs);
  }
}
