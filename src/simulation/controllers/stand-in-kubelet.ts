/** A node without containers, for tests: pods become ready after a while, and end a while after they were deleted. */
import type { Clock } from '../../kube/clock.ts';
import { pods, refOf } from '../../kube/resources.ts';
import type { Pod } from '../../workload/objects.ts';
import type { ApiServer } from '../server/api-server.ts';
import type { Change } from '../server/storage.ts';
import { secondsAt } from './deployment/conditions.ts';
import { Hand, keyOfObject } from './hand.ts';
import { isEnding, isOver, isReadyPod, nodeOf } from './pod-states.ts';
import type { Controller } from './runner.ts';

export interface StandInKubelet {
  /** Time from binding to Ready in milliseconds; `never`: it runs and fails its probe. Default 1000. */
  readonly readyAfterMs?: (pod: Pod) => number | 'never';
  /** Time from deletion to its end in milliseconds. Default 1000. */
  readonly endsAfterMs?: (pod: Pod) => number;
  /** Image ID that its containers show. Default: made from the image's name. */
  readonly imageIdOf?: (pod: Pod) => string;
}

export class Kubelet implements Controller {
  readonly name = 'kubelet';
  readonly #hand: Hand;
  readonly #clock: Clock;
  readonly #behaviour: StandInKubelet;
  /** When it first saw each pod in this state, by UID. */
  readonly #since = new Map<string, { readonly state: 'starting' | 'ending'; readonly atMs: number }>();
  #addresses = 0;

  constructor(options: { readonly server: ApiServer; readonly clock: Clock }, behaviour: StandInKubelet) {
    this.#hand = new Hand(options.server, this.name, 'kubelet');
    this.#clock = options.clock;
    this.#behaviour = behaviour;
  }

  all(): readonly string[] {
    return this.#hand.all(pods).map(keyOfObject);
  }

  concerns({ resource, type, object }: Change): readonly string[] {
    if (resource !== 'pods.') return [];
    if (type === 'DELETED') this.#since.delete(object.metadata.uid);
    return type === 'DELETED' ? [] : [keyOfObject(object)];
  }

  sync(key: string): number | undefined {
    const pod = this.#hand.find<Pod>(pods, refOf(key));
    if (pod === undefined || nodeOf(pod) === undefined) return undefined;
    if (isEnding(pod)) return this.#end(pod);
    if (pod.status?.podIP === undefined) this.#write(pod, this.#address(), false);
    return isReadyPod(pod) ? undefined : this.#start(pod);
  }

  #start(pod: Pod): number | undefined {
    const { readyAfterMs = () => 1000 } = this.#behaviour;
    const after = readyAfterMs(pod);
    if (after === 'never') return undefined;
    const leftMs = this.#leftMs(pod, 'starting', after);
    if (leftMs > 0) return leftMs;
    const current = this.#hand.find<Pod>(pods, pod.metadata);
    if (current !== undefined) this.#write(current, current.status?.podIP ?? this.#address(), true);
    return undefined;
  }

  #end(pod: Pod): number | undefined {
    const { endsAfterMs = () => 1000 } = this.#behaviour;
    const leftMs = this.#leftMs(pod, 'ending', endsAfterMs(pod));
    if (leftMs > 0) return leftMs;
    // A node tells that the containers ended before it lets go of the pod.
    if (!isOver(pod)) this.#hand.patch(pods, pod, { status: { phase: 'Succeeded' } }, 'status');
    this.#hand.delete(pods, pod.metadata, { uid: pod.metadata.uid, graceSeconds: 0 });
    return undefined;
  }

  #leftMs({ metadata }: Pod, state: 'starting' | 'ending', ms: number): number {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#since.get(metadata.uid);
    if (seen?.state === state) return seen.atMs + ms - nowMs;
    this.#since.set(metadata.uid, { state, atMs: nowMs });
    return ms;
  }

  #address(): string {
    this.#addresses++;
    return `10.1.${this.#addresses >> 8}.${this.#addresses & 255}`;
  }

  #write(pod: Pod, podIP: string, ready: boolean): void {
    const now = secondsAt(this.#clock.nowMs());
    const { imageIdOf = (one) => `sha256:${one.spec.containers[0]?.image ?? ''}` } = this.#behaviour;
    const is = ready ? 'True' : 'False';
    const old = pod.status?.conditions ?? [];
    const conditions = [
      ...old.filter(({ type }) => type === 'PodScheduled'),
      ...['Initialized', 'Ready', 'ContainersReady'].map((type) => {
        const status = type === 'Initialized' ? 'True' : is;
        const before = old.find((one) => one.type === type && one.status === status);
        return { type, status, lastTransitionTime: before?.lastTransitionTime ?? now };
      }),
    ];
    const containerStatuses = pod.spec.containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: imageIdOf(pod),
      ready,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    }));
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], startTime: now, conditions, containerStatuses };
    this.#hand.patch(pods, pod, { status }, 'status');
  }
}
