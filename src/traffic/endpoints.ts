/**
 * Counts the endpoints of a Service by the ReplicaSet whose pods they are. It never trusts one slice alone: a Service has
 * several, of both address families, and a pod stands in more than one.
 */
import type { ReplicaSetView } from '../release/world.ts';
import { controllerOf, type Deployment, type Pod, type ReplicaSet } from '../workload/objects.ts';
import { concerns, ownerOf } from '../workload/replica-sets.ts';
import type { Endpoint, EndpointSlice } from './objects.ts';

export interface EndpointsSeen {
  /** Undefined when it is gone. */
  readonly deployment?: Deployment | undefined;
  /** These three: all of the namespace. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly slices: readonly EndpointSlice[];
  readonly rolloutUid: string;
}

export interface EndpointCounts {
  /** Ready, serving and not terminating, in every slice that names the pod. */
  readonly readyOf: Readonly<Record<string, number>>;
  readonly anyOf: Readonly<Record<string, number>>;
  /** Owners of the others, each once: "Deployment shop/cart". */
  readonly strangers: readonly string[];
}

/** Key of `readyOf` and `anyOf` for pods that nothing is known of any more, or not yet. */
const UNKNOWN = 'unknown';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** How the API server makes names of pods: the ReplicaSet's cut to this length, and five random characters. */
const GENERATED_BASE_LENGTH = 58;
const RANDOM_LENGTH = 5;

/** Whose pod an endpoint is. */
type Home = { readonly kind: 'set'; readonly uid: string } | { readonly kind: 'stranger'; readonly owner: string };

/** Looks up homes of endpoints; made once for all Services of a look. */
export class EndpointBook {
  readonly #seen: EndpointsSeen;
  readonly #pods: ReadonlyMap<string, Pod>;
  readonly #sets: ReadonlyMap<string, ReplicaSet>;
  readonly #ownSets: readonly ReplicaSet[];
  readonly #slices: ReadonlyMap<string | undefined, readonly EndpointSlice[]>;

  constructor(seen: EndpointsSeen) {
    this.#seen = seen;
    this.#pods = new Map(seen.pods.map((pod) => [pod.metadata.uid, pod]));
    this.#sets = new Map(seen.replicaSets.map((set) => [set.metadata.uid, set]));
    this.#ownSets = seen.replicaSets.filter((set) => concerns(set, seen) && this.#owner(set) !== 'other');
    this.#slices = Map.groupBy(seen.slices, (slice) => slice.metadata.labels?.[SERVICE_NAME_LABEL]);
  }

  countsOf(service: string): EndpointCounts {
    const readyOf: Record<string, number> = {};
    const anyOf: Record<string, number> = {};
    const strangers = new Set<string>();
    for (const entries of this.#endpointsByPod(service).values()) {
      const home = this.#homeOf(entries);
      if (home.kind === 'stranger') {
        strangers.add(home.owner);
        continue;
      }
      anyOf[home.uid] = (anyOf[home.uid] ?? 0) + 1;
      if (entries.every(isServing)) readyOf[home.uid] = (readyOf[home.uid] ?? 0) + 1;
    }
    return { readyOf, anyOf, strangers: [...strangers].toSorted() };
  }

  #endpointsByPod(service: string): Map<string, Endpoint[]> {
    const endpoints = (this.#slices.get(service) ?? []).flatMap((slice) => slice.endpoints ?? []);
    return Map.groupBy(
      endpoints,
      ({ targetRef, addresses }) => targetRef?.uid ?? targetRef?.name ?? addresses?.[0] ?? '',
    );
  }

  #homeOf([first]: readonly Endpoint[]): Home {
    const { targetRef, addresses } = first ?? {};
    if (targetRef?.kind !== 'Pod')
      return { kind: 'stranger', owner: `address ${addresses?.[0] ?? 'unknown'} without a pod` };
    const pod = this.#pods.get(targetRef.uid ?? '');
    return pod === undefined ? { kind: 'set', uid: this.#setByName(targetRef.name ?? '') } : this.#homeOfPod(pod);
  }

  #homeOfPod(pod: Pod): Home {
    const namespace = pod.metadata.namespace ?? '';
    const owner = controllerOf(pod);
    if (owner === undefined) return { kind: 'stranger', owner: `Pod ${namespace}/${pod.metadata.name}` };
    if (owner.kind !== 'ReplicaSet') return { kind: 'stranger', owner: `${owner.kind} ${namespace}/${owner.name}` };
    const set = this.#sets.get(owner.uid);
    // One that is gone, or not here yet: by its own UID, so that it is neither taken for a stranger nor for anyone else.
    if (set === undefined || this.#ownSets.includes(set)) return { kind: 'set', uid: owner.uid };
    const above = controllerOf(set) ?? { kind: 'ReplicaSet', name: set.metadata.name };
    return { kind: 'stranger', owner: `${above.kind} ${namespace}/${above.name}` };
  }

  /** An endpoint may outlive its pod in our view, and then it must still count for its revision: data planes send there. */
  #setByName(pod: string): string {
    const base = pod.slice(0, -RANDOM_LENGTH);
    const set = this.#ownSets.find(({ metadata }) => `${metadata.name}-`.slice(0, GENERATED_BASE_LENGTH) === base);
    return set?.metadata.uid ?? UNKNOWN;
  }

  #owner(set: ReplicaSet): ReplicaSetView['owner'] {
    return ownerOf(set, this.#seen.deployment?.metadata.uid);
  }
}

/** By the API: an absent `ready` or `serving` means true, an absent `terminating` false. */
function isServing({ conditions = {} }: Endpoint): boolean {
  return conditions.ready !== false && conditions.serving !== false && conditions.terminating !== true;
}
