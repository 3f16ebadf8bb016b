/** Keeps what the parts of the demo have to know equal to the cluster; it decides nothing. */
import { rolloutKind } from '../api/kinds.ts';
import type { RolloutObject } from '../cli/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { Reflector } from '../kube/reflector.ts';
import {
  deployments,
  endpointSlices,
  httpRoutes,
  type KubeObject,
  pods,
  type ResourceKind,
  services,
} from '../kube/resources.ts';
import { Store } from '../kube/store.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../traffic/objects.ts';
import type { Deployment, Pod } from '../workload/objects.ts';

export interface Mirrors {
  readonly deployments: Store<Deployment>;
  readonly pods: Store<Pod>;
  readonly services: Store<Service>;
  readonly slices: Store<EndpointSlice>;
  readonly routes: Store<HTTPRoute>;
  readonly rollouts: Store<RolloutObject>;
  /** When all of them were filled once; false when `signal` aborted before. */
  readonly synced: Promise<boolean>;
  /** Resolves when `signal` aborts. */
  readonly running: Promise<void>;
}

export interface MirrorOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly namespace: string;
}

/** Begins to watch at once. */
export function mirror(options: MirrorOptions, signal: AbortSignal): Mirrors {
  const reflectors: Reflector<KubeObject>[] = [];
  const follow = <T extends KubeObject>(kind: ResourceKind): Store<T> => {
    const store = new Store<T>();
    // The API server answers with objects of exactly the kind that was asked for.
    const untyped = store as unknown as Store<KubeObject>;
    reflectors.push(new Reflector({ ...options, kind, store: untyped, project: (object) => object }));
    return store;
  };
  const stores = {
    deployments: follow<Deployment>(deployments),
    pods: follow<Pod>(pods),
    services: follow<Service>(services),
    slices: follow<EndpointSlice>(endpointSlices),
    routes: follow<HTTPRoute>(httpRoutes),
    rollouts: follow<RolloutObject>(rolloutKind),
  };
  const running = Promise.all(reflectors.map((reflector) => reflector.run(signal))).then(() => undefined);
  const synced = Promise.all(reflectors.map((reflector) => reflector.synced)).then((all) => all.every(Boolean));
  return { ...stores, synced, running };
}
