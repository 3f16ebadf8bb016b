/** The ReplicaSet controller: as many pods as asked for, made from the template; it adopts pods that match and counts them. */
import { isEqual } from '../../controller/merge-patch.ts';
import type { Clock } from '../../kube/clock.ts';
import { pods, refOf, replicaSets } from '../../kube/resources.ts';
import { controllerOf, type Condition, type Pod, type ReplicaSet } from '../../workload/objects.ts';
import { matchesLabels, matchesSelector } from '../../workload/selector.ts';
import type { Writable } from '../../kube/verbs.ts';
import type { ApiServer } from '../server/api-server.ts';
import { Refusal } from '../server/refusals.ts';
import type { Change } from '../server/storage.ts';
import { secondsAt } from './deployment/conditions.ts';
import { controlledBy, Hand, keyOfObject } from './hand.ts';
import { isActivePod, isEnding, isReadyPod, nodeOf, readySinceMs } from './pod-states.ts';
import type { Controller } from './runner.ts';

export class ReplicaSetController implements Controller {
  readonly name = 'replicaset-controller';
  readonly #hand: Hand;
  readonly #clock: Clock;

  constructor({ server, clock }: { readonly server: ApiServer; readonly clock: Clock }) {
    this.#hand = new Hand(server, this.name);
    this.#clock = clock;
  }

  all(): readonly string[] {
    return this.#hand.all(replicaSets).map(keyOfObject);
  }

  concerns({ resource, object, before }: Change): readonly string[] {
    if (resource === 'replicasets.apps') return [keyOfObject(object)];
    if (resource !== 'pods.') return [];
    return [
      ...new Set([object, before].flatMap((pod) => (pod === undefined ? [] : this.#setsOf(pod as unknown as Pod)))),
    ];
  }

  sync(key: string): number | undefined {
    const set = this.#hand.find<ReplicaSet>(replicaSets, refOf(key));
    if (set === undefined) return undefined;
    const all = this.#hand
      .all<Pod>(pods, set.metadata.namespace)
      .filter((pod) => isOf(pod, set) || controllerOf(pod) === undefined);
    const claimed = all.filter(isActivePod).flatMap((pod) => this.#claim(set, pod));
    const ending = all.filter((pod) => isEnding(pod) && isOf(pod, set)).length;
    const failure = set.metadata.deletionTimestamp === undefined ? this.#manage(set, claimed) : undefined;
    return this.#count(set, claimed, ending, failure);
  }

  #setsOf(pod: Pod): readonly string[] {
    const owner = controllerOf(pod);
    const { namespace, labels = {} } = pod.metadata;
    if (owner !== undefined) return owner.kind === 'ReplicaSet' ? [`${namespace ?? ''}/${owner.name}`] : [];
    return this.#hand
      .all<ReplicaSet>(replicaSets, namespace)
      .filter(({ spec }) => matchesSelector(spec.selector, labels))
      .map(keyOfObject);
  }

  /** The pod if it is the set's, adopted if need be. */
  #claim(set: ReplicaSet, pod: Pod): Pod[] {
    const matches = matchesSelector(set.spec.selector, pod.metadata.labels ?? {});
    const isLeaving = set.metadata.deletionTimestamp !== undefined;
    if (isOf(pod, set)) {
      if (matches) return [pod];
      const others = (pod.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== set.metadata.uid);
      if (!isLeaving)
        this.#hand.patch(pods, pod, { metadata: { ownerReferences: others.length === 0 ? null : others } });
      return [];
    }
    if (!matches || isLeaving) return [];
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), controlledBy(set)];
    return [this.#hand.patch<Pod>(pods, pod, { metadata: { ownerReferences, uid: pod.metadata.uid } })];
  }

  /** Why pods could not be made; undefined when all is well. */
  #manage(set: ReplicaSet, claimed: readonly Pod[]): Condition | undefined {
    const missing = (set.spec.replicas ?? 1) - claimed.length;
    try {
      for (let at = 0; at < missing; at++) this.#hand.create(pods, podOf(set));
      for (const pod of inOrderOfEnd(claimed).slice(0, Math.max(0, -missing))) {
        this.#hand.delete(pods, pod.metadata, { uid: pod.metadata.uid });
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const reason = missing > 0 ? 'FailedCreate' : 'FailedDelete';
      return { type: 'ReplicaFailure', status: 'True', reason, message: error.message };
    }
  }

  /** The counts are of the pods as they were looked at: those just made or ended are the next look's. */
  #count(set: ReplicaSet, claimed: readonly Pod[], ending: number, failure: Condition | undefined): number | undefined {
    const { minReadySeconds = 0, template } = set.spec;
    const nowMs = this.#clock.nowMs();
    const ready = claimed.filter(isReadyPod);
    const waitsMs = ready.map((pod) => readySinceMs(pod) + minReadySeconds * 1000 - nowMs);
    const available = waitsMs.filter((ms) => minReadySeconds === 0 || ms <= 0).length;
    const labelled = claimed.filter((pod) => matchesLabels(template.metadata?.labels ?? {}, pod.metadata.labels ?? {}));
    const conditions = conditionsWith(set, failure, secondsAt(nowMs));
    const status = {
      replicas: claimed.length,
      ...present('fullyLabeledReplicas', labelled.length),
      ...present('readyReplicas', ready.length),
      ...present('availableReplicas', available),
      terminatingReplicas: ending,
      observedGeneration: set.metadata.generation,
      ...(conditions.length === 0 ? {} : { conditions }),
    };
    if (!isEqual(status, set.status)) this.#hand.updateStatus(replicaSets, { ...set, status } as unknown as ReplicaSet);
    const next = waitsMs.filter((ms) => minReadySeconds > 0 && ms > 0);
    if (failure !== undefined) return 1000;
    return next.length === 0 ? undefined : Math.min(...next);
  }
}

function isOf(pod: Pod, set: ReplicaSet): boolean {
  return controllerOf(pod)?.uid === set.metadata.uid;
}

function present(name: string, count: number): object {
  return count === 0 ? {} : { [name]: count };
}

function conditionsWith(set: ReplicaSet, failure: Condition | undefined, now: string): readonly Condition[] {
  const old = set.status?.conditions ?? [];
  const others = old.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  // The first words stay: the real controller does not write them anew while the failure lasts.
  const known = old.find(({ type }) => type === 'ReplicaFailure');
  return [...others, known ?? { ...failure, lastTransitionTime: now }];
}

function podOf(set: ReplicaSet): Writable {
  const { name, namespace } = set.metadata;
  const { metadata = {}, spec } = set.spec.template;
  const { labels, annotations, finalizers } = metadata as Partial<Pod['metadata']>;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controlledBy(set)],
    },
    spec,
  };
}

const phaseOrder = ['Pending', 'Unknown', 'Running'];

/** Which goes first: unbound, pending, not ready, then the one that has been ready or there for the shortest time. */
function inOrderOfEnd(claimed: readonly Pod[]): Pod[] {
  return claimed.toSorted(
    (a, b) =>
      Number(nodeOf(a) !== undefined) - Number(nodeOf(b) !== undefined) ||
      phaseOrder.indexOf(a.status?.phase ?? '') - phaseOrder.indexOf(b.status?.phase ?? '') ||
      Number(isReadyPod(a)) - Number(isReadyPod(b)) ||
      deletionCost(a) - deletionCost(b) ||
      (isReadyPod(a) && isReadyPod(b) ? readySinceMs(b) - readySinceMs(a) : 0) ||
      bornMs(b) - bornMs(a) ||
      (a.metadata.uid < b.metadata.uid ? -1 : 1),
  );
}

function deletionCost({ metadata }: Pod): number {
  return Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0;
}

function bornMs({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? '');
}
