/** Finds which Rollouts a changed object concerns; it may name one too many, never one too few, and decides nothing. */
import type { KubeObject } from '../kube/resources.ts';
import { keyOf } from '../kube/resources.ts';
import type { Change, Stored } from '../kube/store.ts';
import type { Service } from '../traffic/objects.ts';
import { POD_TEMPLATE_HASH, ROLLOUT_UID_LABEL } from '../workload/marks.ts';
import { controllerOf } from '../workload/objects.ts';
import { matchesLabels, matchesSelector } from '../workload/selector.ts';
import { type Rollout, type Stores, serviceKeyOf, targetKeyOf, type Watched } from './stores.ts';

/** Keys ("namespace/name") of the Rollouts that should be looked at because of this change. */
export function affectedBy(stores: Stores, resource: Watched, change: Change<KubeObject>): readonly string[] {
  const keys = affectedByObject(stores, resource, change.object);
  if (change.kind !== 'updated') return [...new Set(keys)];
  return [...new Set([...keys, ...affectedByObject(stores, resource, change.previous)])];
}

function affectedByObject(stores: Stores, resource: Watched, object: KubeObject): readonly string[] {
  const namespace = object.metadata.namespace ?? '';
  switch (resource) {
    case 'rollouts': {
      // Those that name the same workload too: one that goes frees it for another that waits.
      const target = targetKeyOf(object);
      return [
        keyOf(object.metadata),
        ...(target === undefined ? [] : stores.rollouts.list('target', target).map(keyOfObject)),
      ];
    }
    case 'rolloutactions':
    case 'releaserecords':
      return rolloutNamedBy(object);
    case 'metricsources':
      return stores.rollouts.all().filter(hasAttempt).map(keyOfObject);
    case 'flagsources':
      return stores.rollouts.all().filter(hasFlags).map(keyOfObject);
    case 'deployments':
      return stores.rollouts.list('target', keyOf(object.metadata)).map(keyOfObject);
    case 'replicasets':
      return affectedByReplicaSet(stores, object);
    case 'pods':
      return affectedByPod(stores, object);
    case 'services':
      return affectedByService(stores, namespace, object.metadata.name, object);
    case 'endpointslices': {
      const service = serviceKeyOf(object);
      if (service === undefined) return [];
      const name = service.slice(namespace.length + 1);
      return affectedByService(stores, namespace, name, stores.services.get(namespace, name));
    }
    case 'httproutes':
      return stores.rollouts
        .list('namespace', namespace)
        .filter((rollout) => mentions(rollout, object.metadata.name))
        .map(keyOfObject);
    default:
      return resource satisfies never;
  }
}

function rolloutNamedBy(object: KubeObject): readonly string[] {
  const name = (object['spec'] as { readonly rollout?: unknown } | undefined)?.rollout;
  return typeof name === 'string' ? [keyOf({ namespace: object.metadata.namespace, name })] : [];
}

function affectedByReplicaSet(stores: Stores, set: KubeObject): readonly string[] {
  const { labels = {}, namespace } = set.metadata;
  const owner = controllerOf(set);
  const marked = labels[ROLLOUT_UID_LABEL];
  const byMark = marked === undefined ? [] : stores.rollouts.list('uid', marked);
  const byOwner =
    owner === undefined
      ? orphanOwners(stores, set)
      : stores.rollouts.list('target', keyOf({ namespace, name: owner.name }));
  return [...byMark, ...byOwner].map(keyOfObject);
}

/** A ReplicaSet without owner is about to be adopted by whichever Deployment selects it. */
function orphanOwners(stores: Stores, set: KubeObject): readonly Rollout[] {
  return stores.rollouts.list('namespace', set.metadata.namespace ?? '').filter((rollout) => {
    const deployment = stores.deployments.get(rollout.metadata.namespace, targetNameOf(rollout) ?? '');
    return deployment !== undefined && matchesSelector(deployment.spec.selector, set.metadata.labels ?? {});
  });
}

function affectedByPod(stores: Stores, pod: KubeObject): readonly string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return [];
  return stores.replicasets.list('uid', owner.uid).flatMap((set) => affectedByReplicaSet(stores, set));
}

/** Those that name it or pinned it, those whose pods it selects (a new one must be pinned), and those that made it. */
function affectedByService(
  stores: Stores,
  namespace: string,
  name: string,
  service: Stored | undefined,
): readonly string[] {
  const { metadata, spec } = (service ?? {}) as Partial<Pick<Service, 'metadata' | 'spec'>>;
  const { [POD_TEMPLATE_HASH]: _pin, ...wanted } = spec?.selector ?? {};
  const selectsSome = Object.keys(wanted).length > 0;
  return stores.rollouts
    .list('namespace', namespace)
    .filter(
      (rollout) =>
        mentions(rollout, name) ||
        metadata?.labels?.[ROLLOUT_UID_LABEL] === rollout.metadata.uid ||
        (selectsSome && podLabelsOf(stores, rollout).some((labels) => matchesLabels(wanted, labels))),
    )
    .map(keyOfObject);
}

/** Labels of the pods that run or will run for a Rollout: those of the live template, and of each ReplicaSet's. */
function podLabelsOf(stores: Stores, rollout: Rollout): readonly Readonly<Record<string, string>>[] {
  const deployment = stores.deployments.get(rollout.metadata.namespace, targetNameOf(rollout) ?? '');
  const sets = [
    ...(deployment === undefined ? [] : stores.replicasets.list('controller', deployment.metadata.uid)),
    ...stores.replicasets.list('rolloutUid', rollout.metadata.uid),
  ];
  return [deployment, ...sets].map((owner) => owner?.spec.template.metadata?.labels ?? {});
}

function targetNameOf(rollout: Rollout): string | undefined {
  const { namespace = '' } = rollout.metadata;
  return targetKeyOf(rollout)?.slice(namespace.length + 1);
}

interface Named {
  readonly traffic?: { readonly service?: unknown; readonly routes?: unknown; readonly alsoReachable?: unknown };
}

/** The name stands in the traffic of the spec, or of the spec that its attempt pinned. */
function mentions(rollout: Rollout, name: string): boolean {
  const pinned = (rollout.status as { journal?: { attempt?: { spec?: Named } } } | undefined)?.journal?.attempt?.spec;
  return [rollout.spec as Named | undefined, pinned].some((spec) => namesIn(spec).includes(name));
}

function namesIn(spec: Named | undefined): readonly unknown[] {
  const { service, routes, alsoReachable } = spec?.traffic ?? {};
  const named: unknown[] = Array.isArray(routes)
    ? routes.map((route: { readonly name?: unknown } | null) => route?.name)
    : [];
  return [service, ...named, ...(Array.isArray(alsoReachable) ? (alsoReachable as unknown[]) : [])];
}

function hasAttempt(rollout: Rollout): boolean {
  return (rollout.status as { journal?: { attempt?: unknown } } | undefined)?.journal?.attempt !== undefined;
}

function hasFlags(rollout: Rollout): boolean {
  const { flags } = (rollout.status as { journal?: { flags?: unknown } } | undefined)?.journal ?? {};
  return Array.isArray(flags) && flags.length > 0;
}

function keyOfObject(object: KubeObject): string {
  return keyOf(object.metadata);
}
