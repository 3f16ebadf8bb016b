/** The demo's node: runs a real server for every pod, reports its status, and ends it with care. It creates and chooses no pods. */
import { type Dice, diceFrom } from '../analysis/dice.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Clock, untilAborted } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { pathOf, pods as podKind } from '../kube/resources.ts';
import type { Change, Store } from '../kube/store.ts';
import type { Pod } from '../workload/objects.ts';
import { type Application, serveApplication } from './application.ts';
import type { PodNetwork } from './network.ts';
import { envOf, namedPort, type PodSpec, runningStatus } from './pod-status.ts';

export interface KubeletOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly network: PodNetwork;
  /** Kept equal to the cluster by somebody else. */
  readonly pods: Store<Pod>;
  /** Which requests fail is drawn from it, for each pod anew. */
  readonly seed: number;
  /** From the start of a pod until it is ready. */
  readonly readyAfterMs?: number;
  /** How long a pod that is to end goes on serving at least: everybody has to learn of it first. */
  readonly lingerMs?: number;
  /** For so long nobody must have asked it anything before it ends, but it waits no longer than its grace period. */
  readonly quietMs?: number;
}

/** One pod that was started here. */
export interface StartedPod {
  readonly name: string;
  readonly version: string;
}

const partMs = 100;

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #ends = new Map<string, AbortController>();
  readonly #lives = new Set<Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #seeds: Dice;
  /** Every pod that was ever started, in order. */
  readonly started: StartedPod[] = [];

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#seeds = diceFrom(options.seed);
    // Who runs it looks at the failure; nobody else has to.
    this.#failed.promise.catch(() => undefined);
  }

  /** Until `signal` aborts, then with every server closed. Rejects when a pod could not be run for a reason nobody foresaw. */
  async run(signal: AbortSignal): Promise<void> {
    const { pods } = this.#options;
    const stopListening = pods.onChange((change) => this.#see(change, signal));
    for (const pod of pods.all()) this.#start(pod, signal);
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stopped.resolve(), { once: true });
    if (signal.aborted) stopped.resolve();
    try {
      await Promise.race([stopped.promise, this.#failed.promise]);
    } finally {
      stopListening();
      for (const end of this.#ends.values()) end.abort();
      await Promise.all(this.#lives);
    }
  }

  #see(change: Change<Pod>, signal: AbortSignal): void {
    const { uid, deletionTimestamp } = change.object.metadata;
    if (change.kind === 'added') this.#start(change.object, signal);
    if (change.kind === 'deleted' || deletionTimestamp !== undefined) this.#ends.get(uid)?.abort();
  }

  #start(pod: Pod, signal: AbortSignal): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (this.#ends.has(uid) || signal.aborted) return;
    const end = new AbortController();
    this.#ends.set(uid, end);
    if (deletionTimestamp !== undefined) end.abort();
    const life = this.#live(pod, end.signal, signal)
      .catch((error: unknown) => this.#failed.reject(error))
      .finally(() => {
        this.#lives.delete(life);
        this.#ends.delete(uid);
      });
    this.#lives.add(life);
  }

  async #live(pod: Pod, end: AbortSignal, signal: AbortSignal): Promise<void> {
    const { network } = this.#options;
    const { spec } = pod;
    const version = envOf(spec, 'VERSION');
    this.started.push({ name: pod.metadata.name, version });
    const random = diceFrom(Math.floor(this.#seeds() * 2 ** 32));
    const application = await serveApplication({ version, badRate: Number(envOf(spec, 'ERROR_RATE')) || 0, random });
    const ip = network.assign();
    const address = `${ip}:${namedPort(spec)}`;
    network.open(address, application.port);
    try {
      await this.#serveUntilEnd(pod, ip, end);
      if (!signal.aborted) await this.#drain(application, spec, signal);
    } finally {
      network.close(address);
      await application.close();
    }
    if (!signal.aborted) await this.#remove(pod);
  }

  async #serveUntilEnd(pod: Pod, ip: string, end: AbortSignal): Promise<void> {
    const { clock, readyAfterMs = 700 } = this.#options;
    const startedAtMs = clock.nowMs();
    await this.#report(pod, { ip, startedAtMs, isReady: false });
    await clock.sleep(readyAfterMs, end);
    if (!end.aborted) await this.#report(pod, { ip, startedAtMs, isReady: true });
    await untilAborted(end);
  }

  async #drain(application: Application, spec: PodSpec, signal: AbortSignal): Promise<void> {
    const { clock, lingerMs = 1_500, quietMs = 500 } = this.#options;
    const graceMs = (spec.terminationGracePeriodSeconds ?? 30) * 1_000;
    application.leave();
    let seen = application.requests;
    let quietForMs = 0;
    // In small parts: a machine that stood still for a moment must not use up the time in which others learn of the end.
    for (let waitedMs = 0; waitedMs < lingerMs || (quietForMs < quietMs && waitedMs < graceMs); waitedMs += partMs) {
      await clock.sleep(partMs, signal);
      quietForMs = application.requests === seen ? quietForMs + partMs : 0;
      seen = application.requests;
    }
    if (!signal.aborted) await application.drain();
  }

  async #report(pod: Pod, seen: { ip: string; startedAtMs: number; isReady: boolean }): Promise<void> {
    const status = runningStatus(pod.spec, seen, this.#options.clock.nowMs());
    await ignoringMissing(this.#options.client.patchStatus(podKind, pod.metadata, status));
  }

  /** The last word of a kubelet: what ran is gone, so the object may go. */
  async #remove({ metadata: { namespace, name, uid } }: Pod): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    const path = pathOf(podKind, namespace, name);
    await ignoringMissing(
      this.#options.client.transport.request({
        method: 'DELETE',
        path,
        body,
        action: `remove Pod ${namespace ?? ''}/${name} for good`,
      }),
    );
  }
}

/** Somebody else was faster; a pod of the same name with another UID is somebody else's. */
async function ignoringMissing(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
  }
}
