/** Scenarios about owners and what goes with them. */
import { deployments, pods, replicaSets, type OwnerReference, type ResourceKind } from '../../../src/kube/resources.ts';
import type { Scenario, World } from '../world.ts';
import { deploy, podsOf, setOf, settled } from './sets.ts';

const configMaps: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

async function made(
  { client, namespace }: World,
  name: string,
  owners: readonly { readonly name: string; readonly uid: string; readonly blockOwnerDeletion?: boolean }[] = [],
  finalizers: readonly string[] = [],
) {
  const ownerReferences = owners.map((owner): OwnerReference => ({ apiVersion: 'v1', kind: 'ConfigMap', ...owner }));
  const { metadata } = await client.create(configMaps, { metadata: { namespace, name, ownerReferences, finalizers } });
  return { name, uid: metadata.uid };
}

/** Until it is gone. */
function gone(world: World, name: string): Promise<boolean> {
  const { client, namespace } = world;
  return world.until(`${name} to go`, async () =>
    (await client.find(configMaps, { namespace, name })) === undefined ? true : undefined,
  );
}

const isThere = async ({ client, namespace }: World, name: string) =>
  (await client.find(configMaps, { namespace, name })) !== undefined;

const free = (world: World, name: string) =>
  world.client.mergePatch(configMaps, { namespace: world.namespace, name }, { metadata: { finalizers: null } });

export const garbageScenarios: readonly Scenario[] = [
  {
    sentence: 'in the background the owner goes at once, and what it owns follows',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name);
      await made(world, `${name}-a`, [owner]);
      await client.delete(configMaps, { namespace, name }, { propagation: 'Background' });
      const first = await isThere(world, name);
      return [first, await gone(world, `${name}-a`)];
    },
    outcome: [false, true],
  },
  {
    sentence: 'in the foreground the owner waits for what blocks it, and only for that',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name);
      await made(world, `${name}-block`, [{ ...owner, blockOwnerDeletion: true }], ['serin.dev/one']);
      await made(world, `${name}-free`, [owner], ['serin.dev/one']);
      await client.delete(configMaps, { namespace, name }, { propagation: 'Foreground' });
      const marked = await world.until('the dependents to be marked', async () => {
        const both = await Promise.all(
          ['block', 'free'].map((one) => client.get(configMaps, { namespace, name: `${name}-${one}` })),
        );
        return both.every(({ metadata }) => metadata.deletionTimestamp !== undefined) ? true : undefined;
      });
      const { metadata } = await client.get(configMaps, { namespace, name });
      await free(world, `${name}-block`);
      await gone(world, name);
      const isFreeThere = await isThere(world, `${name}-free`);
      await free(world, `${name}-free`);
      return [marked, metadata.finalizers, isFreeThere];
    },
    outcome: [true, ['foregroundDeletion'], true],
  },
  {
    sentence: 'a foreground deletion takes dependents although a finalizer holds the owner',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name, [], ['serin.dev/one']);
      await made(world, `${name}-a`, [owner]);
      await client.delete(configMaps, { namespace, name }, { propagation: 'Foreground' });
      await gone(world, `${name}-a`);
      const before = await isThere(world, name);
      await free(world, name);
      return [before, await gone(world, name)];
    },
    outcome: [true, true],
  },
  {
    sentence: 'in the background dependents stay as long as a finalizer holds the owner',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name, [], ['serin.dev/one']);
      await made(world, `${name}-a`, [owner]);
      await client.delete(configMaps, { namespace, name }, { propagation: 'Background' });
      await world.pass(1_500);
      const before = await isThere(world, `${name}-a`);
      await free(world, name);
      return [before, await gone(world, `${name}-a`)];
    },
    outcome: [true, true],
  },
  {
    sentence: 'orphaned dependents stay, without the reference',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name);
      await made(world, `${name}-a`, [owner]);
      await client.delete(configMaps, { namespace, name }, { propagation: 'Orphan' });
      await gone(world, name);
      const { metadata } = await client.get(configMaps, { namespace, name: `${name}-a` });
      return metadata.ownerReferences;
    },
    outcome: undefined,
  },
  {
    sentence: 'an owner that never was takes its dependent along, and of two owners one is enough to stay',
    async play(world, name) {
      const { client, namespace } = world;
      const owner = await made(world, name);
      await made(world, `${name}-lost`, [{ name: `${name}-nobody`, uid: '11111111-2222-4333-8444-555555555555' }]);
      await made(world, `${name}-two`, [
        { name: `${name}-nobody`, uid: '11111111-2222-4333-8444-555555555556' },
        owner,
      ]);
      await gone(world, `${name}-lost`);
      const left = await world.until('the loose reference to go', async () => {
        const { ownerReferences = [] } = (await client.get(configMaps, { namespace, name: `${name}-two` })).metadata;
        return ownerReferences.length === 1 ? ownerReferences : undefined;
      });
      return left[0]?.uid === owner.uid;
    },
    outcome: true,
  },
  {
    sentence: 'an owner of the same name and another UID is not the owner',
    async play(world, name) {
      const owner = await made(world, name);
      await made(world, `${name}-a`, [{ ...owner, uid: '11111111-2222-4333-8444-555555555557' }]);
      return [await gone(world, `${name}-a`), await isThere(world, name)];
    },
    outcome: [true, true],
  },
  {
    sentence: 'a Deployment goes with its ReplicaSets and pods, in the foreground after them',
    async play(world, name) {
      const { client, namespace } = world;
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      await client.delete(deployments, { namespace, name }, { propagation: 'Foreground' });
      await world.until('the Deployment to go', async () =>
        (await client.find(deployments, { namespace, name })) === undefined ? true : undefined,
      );
      const { items } = await client.list(replicaSets, { namespace, labelSelector: `app=${name}` });
      return [items.length, (await podsOf(world, name)).length];
    },
    outcome: [0, 0],
  },
  {
    sentence: 'orphaned by its Deployment a ReplicaSet goes on, and a new Deployment adopts it with its pods',
    async play(world, name) {
      const { client, namespace } = world;
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      const before = await setOf(world, name, 'v1');
      const [pod] = await podsOf(world, name);
      await client.delete(deployments, { namespace, name }, { propagation: 'Orphan' });
      await world.until('the Deployment to go', async () =>
        (await client.find(deployments, { namespace, name })) === undefined ? true : undefined,
      );
      const orphan = await setOf(world, name, 'v1');
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      const after = await setOf(world, name, 'v1');
      const kept = await client.find(pods, { namespace, name: pod?.metadata.name ?? '' });
      return [
        orphan.metadata.ownerReferences,
        after.metadata.uid === before.metadata.uid,
        kept?.metadata.uid === pod?.metadata.uid,
      ];
    },
    outcome: [undefined, true, true],
  },
];
