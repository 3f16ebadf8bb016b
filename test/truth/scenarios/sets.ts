/** How scenarios look at the ReplicaSets and pods of a Deployment, by the version that they run. */
import { deployments, pods, replicaSets } from '../../../src/kube/resources.ts';
import { controllerOf, type Deployment, type Pod, type ReplicaSet } from '../../../src/workload/objects.ts';
import { deploymentOf, templateOf, type WorkloadWish } from '../manifests.ts';
import type { World } from '../world.ts';

export const refIn = ({ namespace }: World, name: string) => ({ namespace, name });

/** Every ReplicaSet of that application, in order of creation. */
export async function setsOf({ client, namespace }: World, name: string): Promise<readonly ReplicaSet[]> {
  const { items } = await client.list<ReplicaSet>(replicaSets, { namespace, labelSelector: `app=${name}` });
  return items.toSorted((a, b) => Number(revision(a)) - Number(revision(b)));
}

const revision = ({ metadata }: ReplicaSet): string =>
  metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '0';

export function versionOf({ spec }: ReplicaSet | Deployment): string {
  const [container] = spec.template.spec.containers as readonly {
    readonly env?: readonly { readonly name: string; readonly value: string }[];
  }[];
  return container?.env?.find(({ name }) => name === 'VERSION')?.value ?? '';
}

/** `{ v1: 3, v2: 1 }`: wanted replicas by version. */
export async function sizes(world: World, name: string): Promise<Readonly<Record<string, number>>> {
  return Object.fromEntries((await setsOf(world, name)).map((set) => [versionOf(set), set.spec.replicas ?? 1]));
}

export async function setOf(world: World, name: string, version: string): Promise<ReplicaSet> {
  const found = (await setsOf(world, name)).find((set) => versionOf(set) === version);
  if (found === undefined) throw new Error(`no ReplicaSet of ${name} runs ${version}`);
  return found;
}

export async function podsOf({ client, namespace }: World, name: string): Promise<readonly Pod[]> {
  return (await client.list<Pod>(pods, { namespace, labelSelector: `app=${name}` })).items;
}

/** Pods that are not ending, by their controller's UID. */
export async function livePodsOf(world: World, set: ReplicaSet): Promise<readonly Pod[]> {
  const all = await podsOf(world, set.metadata.labels?.['app'] ?? '');
  return all.filter(
    (pod) => controllerOf(pod)?.uid === set.metadata.uid && pod.metadata.deletionTimestamp === undefined,
  );
}

export const liveOf = ({ client, namespace }: World, name: string) =>
  client.get<Deployment>(deployments, { namespace, name });

export async function deploy(world: World, name: string, wish: WorkloadWish = {}): Promise<Deployment> {
  const draft = deploymentOf(name, wish);
  const { client, namespace } = world;
  return client.create<Deployment>(deployments, { ...draft, metadata: { ...draft.metadata, namespace } });
}

/** Everything that was asked for is there and available, and the controller has seen it. */
export function settled(world: World, name: string): Promise<Deployment> {
  return world.until(`${name} to settle`, async () => {
    const live = await liveOf(world, name);
    const { status, spec, metadata } = live;
    const updated = (status as { updatedReplicas?: number } | undefined)?.updatedReplicas ?? 0;
    const wanted = spec.replicas ?? 1;
    const isSeen = status?.observedGeneration === metadata.generation;
    return isSeen &&
      updated === wanted &&
      (status?.replicas ?? 0) === wanted &&
      (status?.availableReplicas ?? 0) === wanted
      ? live
      : undefined;
  });
}

/** Until the sizes are exactly these. */
export async function sized(world: World, name: string, wanted: Readonly<Record<string, number>>): Promise<void> {
  await world.until(`${name} to have the sizes ${JSON.stringify(wanted)}`, async () => {
    const now = await sizes(world, name);
    return Object.entries(wanted).every(([version, size]) => now[version] === size) ? true : undefined;
  });
}

export async function roll(world: World, name: string, wish: WorkloadWish, more: object = {}): Promise<Deployment> {
  const { client, namespace } = world;
  return client.mergePatch<Deployment>(
    deployments,
    { namespace, name },
    { spec: { template: templateOf(name, wish), ...more } },
  );
}

export const resize = ({ client, namespace }: World, name: string, replicas: number) =>
  client.mergePatch<Deployment>(deployments, { namespace, name }, { spec: { replicas } });

export function progressOf({ status }: Deployment): string {
  const condition = status?.conditions?.find(({ type }) => type === 'Progressing');
  return condition === undefined ? 'none' : `${condition.status} ${condition.reason ?? ''}`;
}
