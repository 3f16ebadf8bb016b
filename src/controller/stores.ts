/** Owns which objects Serin watches and how they are found; it never decides what a change means. */
import { flagSourceKind, metricSourceKind, releaseRecordKind, rolloutActionKind, rolloutKind } from '../api/kinds.ts';
import type { FlagSourceSpec } from '../api/flag-source.ts';
import type { MetricSourceSpec } from '../api/metric-source.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { Reflector } from '../kube/reflector.ts';
import {
  deployments,
  endpointSlices,
  httpRoutes,
  type KubeObject,
  type ObjectRef,
  pods,
  type ResourceKind,
  replicaSets,
  services,
} from '../kube/resources.ts';
import { Store, type Stored } from '../kube/store.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../traffic/objects.ts';
import { ROLLOUT_UID_LABEL } from '../workload/marks.ts';
import {
  controllerOf,
  type Deployment,
  type Pod,
  type ReleaseRecord,
  type ReplicaSet,
  type RolloutAction,
} from '../workload/objects.ts';

/** A Rollout as it came: spec and status are read by those who need them, each part by itself (S15). */
export interface Rollout extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface MetricSource extends KubeObject {
  readonly spec?: MetricSourceSpec;
}

export interface FlagSource extends KubeObject {
  readonly spec?: FlagSourceSpec;
}

export interface Stores {
  readonly rollouts: Store<Rollout>;
  readonly rolloutactions: Store<RolloutAction>;
  readonly releaserecords: Store<ReleaseRecord>;
  readonly metricsources: Store<MetricSource>;
  readonly flagsources: Store<FlagSource>;
  readonly deployments: Store<Deployment>;
  readonly replicasets: Store<ReplicaSet>;
  readonly pods: Store<Pod>;
  readonly services: Store<Service>;
  readonly endpointslices: Store<EndpointSlice>;
  readonly httproutes: Store<HTTPRoute>;
}

export type Watched = keyof Stores;

export const kindsWatched: Readonly<Record<Watched, ResourceKind>> = {
  rollouts: rolloutKind,
  rolloutactions: rolloutActionKind,
  releaserecords: releaseRecordKind,
  metricsources: metricSourceKind,
  flagsources: flagSourceKind,
  deployments,
  replicasets: replicaSets,
  pods,
  services,
  endpointslices: endpointSlices,
  httproutes: httpRoutes,
};

const SERVICE_OF_SLICE = 'kubernetes.io/service-name';

const byNamespace = (object: Stored): readonly string[] => [object.metadata.namespace ?? ''];
const byController = (object: KubeObject): readonly string[] => present(controllerOf(object)?.uid);

/** Indexes: `namespace`; `rollout` and `target` are "namespace/name"; `controller`, `uid` and `rolloutUid` are UIDs. */
export function createStores(onListenerError: (error: unknown, key: string) => void): Stores {
  return {
    rollouts: new Store<Rollout>({
      onListenerError,
      indexes: {
        namespace: byNamespace,
        uid: (rollout) => [rollout.metadata.uid],
        target: (rollout) => present(targetKeyOf(rollout)),
      },
    }),
    rolloutactions: new Store<RolloutAction>({ onListenerError, indexes: { rollout: byRolloutName } }),
    releaserecords: new Store<ReleaseRecord>({ onListenerError, indexes: { rollout: byRolloutName } }),
    metricsources: new Store<MetricSource>({ onListenerError }),
    flagsources: new Store<FlagSource>({ onListenerError }),
    deployments: new Store<Deployment>({ onListenerError }),
    replicasets: new Store<ReplicaSet>({
      onListenerError,
      indexes: {
        namespace: byNamespace,
        uid: (set) => [set.metadata.uid],
        controller: byController,
        rolloutUid: (set) => present(set.metadata.labels?.[ROLLOUT_UID_LABEL]),
      },
    }),
    pods: new Store<Pod>({ onListenerError, indexes: { namespace: byNamespace, controller: byController } }),
    services: new Store<Service>({ onListenerError, indexes: { namespace: byNamespace } }),
    endpointslices: new Store<EndpointSlice>({ onListenerError, indexes: { namespace: byNamespace } }),
    httproutes: new Store<HTTPRoute>({ onListenerError, indexes: { namespace: byNamespace } }),
  };
}

/** "shop/checkout": the Deployment that a Rollout names, as far as that can be read. */
export function targetKeyOf(rollout: Rollout): string | undefined {
  const target = (rollout.spec as { targetRef?: { name?: unknown } } | undefined)?.targetRef?.name;
  return typeof target === 'string' ? `${rollout.metadata.namespace ?? ''}/${target}` : undefined;
}

/** "shop/checkout": the Service that a slice belongs to. */
export function serviceKeyOf(slice: KubeObject): string | undefined {
  const service = slice.metadata.labels?.[SERVICE_OF_SLICE];
  return service === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${service}`;
}

function byRolloutName(object: KubeObject & { readonly spec?: { readonly rollout?: unknown } }): readonly string[] {
  const name = object.spec?.rollout;
  return typeof name === 'string' ? [`${object.metadata.namespace ?? ''}/${name}`] : [];
}

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

export interface WatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Only this namespace; cluster-scoped kinds are watched as a whole all the same. */
  readonly namespace?: string;
  readonly onError: (resource: Watched, error: unknown) => void;
}

/** A reflector's state, as health checks ask for it. */
export interface Mirror {
  readonly resource: Watched;
  readonly reflector: Pick<Reflector<Stored>, 'hasSynced' | 'synced' | 'lastContactMs' | 'counts' | 'run'>;
}

/** One reflector a store, not started. */
export function mirrorsOf(stores: Stores, options: WatchOptions): readonly Mirror[] {
  return (Object.keys(kindsWatched) as Watched[]).map((resource) => ({
    resource,
    reflector: reflectorOf(stores, resource, options),
  }));
}

function reflectorOf(stores: Stores, resource: Watched, options: WatchOptions): Reflector<KubeObject> {
  const { client, clock, random, namespace, onError } = options;
  const kind = kindsWatched[resource];
  return new Reflector<KubeObject>({
    client,
    clock,
    random,
    kind,
    // Each store holds what its reflector brings: the API server answers with objects of exactly that kind.
    store: stores[resource] as unknown as Store<KubeObject>,
    project: ownersMatter.has(resource) ? (object) => object : withoutManagedFields,
    ...(namespace === undefined || !kind.namespaced ? {} : { namespace }),
    mayBeAbsent: additions.has(resource),
    onError: (error) => onError(resource, error),
  });
}

/** Without the Gateway API releases go by the share of the pods; and an older installation has no kind for flags. */
const additions: ReadonlySet<Watched> = new Set<Watched>(['httproutes', 'flagsources']);

/** Who owns a field of these is asked when Serin gives fields back; of the others it is a fifth of the memory. */
const ownersMatter: ReadonlySet<Watched> = new Set<Watched>(['deployments', 'services', 'httproutes']);

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _dropped, ...metadata } = object.metadata as KubeObject['metadata'] & {
    readonly managedFields?: unknown;
  };
  return { ...object, metadata };
}

/** The store of a resource, for those who only know its plural name. */
export function storedIn(
  stores: Stores,
  resource: string,
  ref: ObjectRef,
): { readonly object: Stored | undefined } | undefined {
  if (!isWatched(resource)) return undefined;
  return { object: stores[resource].get(ref.namespace, ref.name) };
}

export function isWatched(resource: string): resource is Watched {
  return Object.hasOwn(kindsWatched, resource);
}
