/**
 * Finds everything of Serin's that is on users' objects, and what Serin made beside them, whoever left it there; it only
 * reads. A cluster that does not know a kind has none of it.
 */
import { releaseRecordKind, rolloutKind } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import {
  deployments,
  httpRoutes,
  type KubeObject,
  replicaSets,
  type ResourceKind,
  services,
} from '../kube/resources.ts';
import { canaryServiceName } from '../traffic/canary-service.ts';
import type { HTTPRoute, Service } from '../traffic/objects.ts';
import { readSplit } from '../traffic/split.ts';
import { memoryOf } from '../traffic/split-memory.ts';
import { HELD_ANNOTATION, isOurs } from '../workload/marks.ts';
import { controllerOf, type Deployment, type ReleaseRecord, type ReplicaSet } from '../workload/objects.ts';
import { ownerOf } from '../workload/replica-sets.ts';
import type { Rollout } from './stores.ts';

export interface Traces {
  readonly rollouts: readonly Rollout[];
  /** Those whose finalizer is on. */
  readonly records: readonly ReleaseRecord[];
  /** Users' Deployments with a label or annotation of ours. */
  readonly deployments: readonly Deployment[];
  /** Users' Services with a label of ours. */
  readonly pinned: readonly Service[];
  /** Services that Serin made. */
  readonly canaryServices: readonly Service[];
  readonly splits: readonly RouteSplit[];
  /** ReplicaSets that Serin made, and others with a label or annotation of ours. */
  readonly replicaSets: readonly ReplicaSet[];
}

/** A route that sends some of the requests of `service`, or once did, to its canary. */
export interface RouteSplit {
  readonly route: HTTPRoute;
  readonly service: string;
}

/** @param namespace left out: of the whole cluster. */
export async function findTraces(client: KubeClient, namespace?: string, signal?: AbortSignal): Promise<Traces> {
  const all = <T extends KubeObject>(kind: ResourceKind) => known<T>(client, kind, namespace, signal);
  const [rollouts, records, found, sets, reached, routes] = [
    await all<Rollout>(rolloutKind),
    await all<ReleaseRecord>(releaseRecordKind),
    await all<Deployment>(deployments),
    await all<ReplicaSet>(replicaSets),
    await all<Service>(services),
    await all<HTTPRoute>(httpRoutes),
  ];
  return {
    rollouts,
    records: records.filter(({ metadata }) => metadata.finalizers?.some(isOurs) === true),
    deployments: found.filter(isMarked),
    pinned: reached.filter((service) => isMarked(service) && !isMade(service)),
    canaryServices: reached.filter(isMade),
    splits: routes.flatMap((route) => splitsOf(route, rollouts)),
    replicaSets: sets.filter((set) => isMarked(set) || isMade(set)),
  };
}

/** True when nothing of Serin is left on anybody's objects. */
export function isClean(traces: Traces): boolean {
  return Object.values(traces).every((found) => found.length === 0);
}

/** Namespaces in which there is something, in order. */
export function namespacesOf(traces: Traces): readonly string[] {
  const { splits, ...objects } = traces;
  const found: readonly KubeObject[] = [...Object.values(objects).flat(), ...splits.map(({ route }) => route)];
  return [...new Set(found.map(({ metadata }) => metadata.namespace ?? ''))].toSorted();
}

/** Made by Serin: its controller is a ReleaseRecord. */
export function isMade(object: KubeObject): boolean {
  // Whose Deployment it is does not matter here: a record is never one.
  return controllerOf(object) !== undefined && ownerOf(object as ReplicaSet, undefined) === 'ours';
}

/** Paused without our mark: that pause is its user's own. */
export function isPausedByUser({ metadata, spec }: Deployment): boolean {
  return spec.paused === true && metadata.annotations?.[HELD_ANNOTATION] === undefined;
}

/** None where the cluster does not know the kind. */
export async function known<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind,
  namespace: string | undefined,
  signal?: AbortSignal,
): Promise<readonly T[]> {
  try {
    return (await client.list<T>(kind, { namespace }, signal)).items;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return [];
    throw error;
  }
}

function isMarked({ metadata }: KubeObject): boolean {
  const { labels = {}, annotations = {} } = metadata;
  return [...Object.keys(labels), ...Object.keys(annotations)].some(isOurs);
}

/** By its annotation, and, where somebody took that off, by the backends: a Rollout says which Service may have a canary. */
function splitsOf(route: HTTPRoute, rollouts: readonly Rollout[]): RouteSplit[] {
  const inNamespace = rollouts.filter(({ metadata }) => metadata.namespace === route.metadata.namespace);
  const candidates = new Set([
    ...memoryOf(route).splits.map(({ service }) => service),
    ...inNamespace.flatMap(serviceOf),
  ]);
  return [...candidates]
    .filter((service) => readSplit(route, service, canaryServiceName(service)).canaryWeightPercent !== undefined)
    .map((service) => ({ route, service }));
}

function serviceOf({ spec }: Rollout): readonly string[] {
  const service = (spec as { traffic?: { service?: unknown } } | undefined)?.traffic?.service;
  return typeof service === 'string' ? [service] : [];
}
