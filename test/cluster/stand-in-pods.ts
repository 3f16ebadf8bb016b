/**
 * A scheduler and a kubelet without containers: every pod is bound to the one node, gets an address, becomes Ready unless its
 * environment or its image says otherwise, and goes when it was deleted. Nothing listens on the addresses; nothing that asks
 * a pod can be tried with it.
 */
import { type PodSpec, runningStatus } from '../../src/demo/pod-status.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/kube/clock.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { pathOf, pods as podKind } from '../../src/kube/resources.ts';
import type { Change, Store } from '../../src/kube/store.ts';
import type { Pod } from '../../src/workload/objects.ts';

export interface StandInOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly node: string;
  /** All pods of the cluster, kept up to date by somebody else. */
  readonly pods: Store<Pod>;
  /** Told about what could not be done; the next change of the pod tries again. */
  readonly onError: (error: unknown) => void;
}

/** The one image that the real node of the test cluster has. */
const knownImage = /^serin\.test\/workload:/;
const readyAfterMs = 300;
/** As long as a pod that ends is seen ending. */
const endsAfterMs = 1000;

/** Addresses for measurements of networks, which lead nowhere: the API server takes none of 127.0.0.0/8 for a pod. */
function addressAt(index: number): string {
  return `198.18.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`;
}

export class StandIn {
  readonly #options: StandInOptions;
  /** One life for each pod, by UID; the signal says that the pod is to end. */
  readonly #lives = new Map<string, AbortController>();
  #addresses = 0;

  constructor(options: StandInOptions) {
    this.#options = options;
  }

  /** Until `signal` aborts; pods that live then stay as they are, and the next one takes them over. */
  async run(signal: AbortSignal): Promise<void> {
    const { pods } = this.#options;
    const stopListening = pods.onChange((change) => this.#see(change, signal));
    for (const pod of pods.all()) this.#begin(pod, signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    stopListening();
  }

  #see(change: Change<Pod>, signal: AbortSignal): void {
    const { uid, deletionTimestamp } = change.object.metadata;
    if (change.kind === 'deleted' || deletionTimestamp !== undefined) this.#lives.get(uid)?.abort();
    if (change.kind !== 'deleted') this.#begin(change.object, signal);
  }

  #begin(pod: Pod, signal: AbortSignal): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (this.#lives.has(uid) || signal.aborted || !isOurs(pod)) return;
    const end = new AbortController();
    this.#lives.set(uid, end);
    if (deletionTimestamp !== undefined) end.abort();
    void this.#live(pod, end.signal)
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#lives.delete(uid));
  }

  async #live(pod: Pod, end: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (nodeOf(pod) === undefined) await this.#bind(pod);
    const ip = pod.status?.podIP ?? addressAt(this.#freeIndex());
    if (!end.aborted) await this.#start(pod, ip, end);
    if (!end.aborted) await aborted(end);
    await clock.sleep(endsAfterMs);
    await this.#remove(pod);
  }

  async #start(pod: Pod, ip: string, end: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const startedAtMs = clock.nowMs();
    const report = (isReady: boolean) =>
      unlessGone(client.patchStatus(podKind, pod.metadata, statusOf(pod, { ip, startedAtMs, isReady }, clock.nowMs())));
    await report(false);
    if (isNeverReady(pod)) return;
    await clock.sleep(Number(wishOf(pod.spec, 'READY_AFTER_MS')) || readyAfterMs, end);
    if (!end.aborted) await report(true);
  }

  /** Addresses of pods that an earlier stand-in started are in use. */
  #freeIndex(): number {
    const taken = new Set(this.#options.pods.all().map(({ status }) => status?.podIP));
    do this.#addresses++;
    while (taken.has(addressAt(this.#addresses)));
    return this.#addresses;
  }

  async #bind({ metadata: { namespace, name, uid } }: Pod): Promise<void> {
    const { client, node } = this.#options;
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target };
    const path = pathOf(podKind, namespace, name, 'binding');
    await unlessGone(client.transport.request({ method: 'POST', path, body, action: `bind Pod ${namespace}/${name}` }));
  }

  /** A node lets a pod go when its containers have ended. */
  async #remove({ metadata: { namespace, name, uid } }: Pod): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    const path = pathOf(podKind, namespace, name);
    const { transport } = this.#options.client;
    await unlessGone(transport.request({ method: 'DELETE', path, body, action: `remove Pod ${namespace}/${name}` }));
  }
}

function nodeOf({ spec }: Pod): string | undefined {
  return 'nodeName' in spec && typeof spec.nodeName === 'string' ? spec.nodeName : undefined;
}

/** What the environment of the first container says, as the test workload would read it; '' where it says nothing. */
function wishOf({ containers: [container] }: PodSpec, name: string): string {
  return container?.env?.find((one) => one.name === name)?.value ?? '';
}

/** A pod may wish for a scheduler that does not exist here. */
function isOurs(pod: Pod): boolean {
  const { spec } = pod;
  return nodeOf(pod) !== undefined || !('schedulerName' in spec) || spec.schedulerName === 'default-scheduler';
}

function isNeverReady({ spec }: Pod): boolean {
  const isKnown = spec.containers.every(({ image = '' }) => knownImage.test(image));
  return !isKnown || !['', '0', 'false'].includes(wishOf(spec, 'NEVER_READY'));
}

/** An image that is not there is said in the kubelet's words. */
function statusOf(pod: Pod, running: Parameters<typeof runningStatus>[1], nowMs: number): object {
  const status = runningStatus(pod.spec, running, nowMs);
  if (pod.spec.containers.every(({ image = '' }) => knownImage.test(image))) return status;
  const containerStatuses = pod.spec.containers.map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: {
      waiting: {
        reason: 'ErrImageNeverPull',
        message: `Container image "${image}" is not present with pull policy of Never`,
      },
    },
  }));
  return { ...status, phase: 'Pending', containerStatuses };
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}

/** Somebody else was faster, or the pod is another one by now. */
async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
  }
}
