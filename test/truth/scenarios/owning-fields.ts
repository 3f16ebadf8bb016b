/** Scenarios about who owns which field: server-side apply, its conflicts, and the book that plain writes keep. */
import { deployments, type ResourceKind, services } from '../../../src/kube/resources.ts';
import { ownersOf, withoutOurs } from '../../../src/workload/fields.ts';
import type { Deployment, ManagedFieldsEntry } from '../../../src/workload/objects.ts';
import { deploymentOf, serviceOf } from '../manifests.ts';
import { refusal, type Scenario, type World } from '../world.ts';

const configMaps: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

function within<T extends { readonly metadata: object }>({ namespace }: World, object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function bookOf(object: { readonly metadata: object }): readonly ManagedFieldsEntry[] {
  return (object.metadata as { managedFields?: readonly ManagedFieldsEntry[] }).managedFields ?? [];
}

const replicasOf = async ({ client, namespace }: World, name: string) =>
  (await client.get<Deployment>(deployments, { namespace, name })).spec.replicas;

export const owningScenarios: readonly Scenario[] = [
  {
    sentence: "another manager's field is a conflict that names both, and force takes it",
    async play(world, name) {
      const { client } = world;
      const asked = (replicas: number) => within(world, { metadata: { name }, spec: { replicas } });
      const whole = deploymentOf(name, { replicas: 0 }) as { spec: { template: object } };
      await client.apply(
        deployments,
        within(world, { ...whole, metadata: { name }, spec: { ...whole.spec, paused: true } }),
        { fieldManager: 'git' },
      );
      const conflict = await refusal(client.apply(deployments, asked(1), { fieldManager: 'hpa' }));
      const same = await refusal(client.apply(deployments, asked(0), { fieldManager: 'hpa' }));
      const forced = await client.apply<Deployment>(deployments, asked(2), { fieldManager: 'hpa', force: true });
      const back = await refusal(
        client.apply(
          deployments,
          within(world, { ...whole, metadata: { name }, spec: { ...whole.spec, paused: true } }),
          { fieldManager: 'git' },
        ),
      );
      return [conflict, same, forced.spec.replicas, ownersOf(bookOf(forced), ['spec', 'replicas']), back];
    },
    outcome: [
      '409 Conflict: Apply failed with 1 conflict: conflict with "git": .spec.replicas',
      'accepted',
      2,
      ['hpa'],
      '409 Conflict: Apply failed with 1 conflict: conflict with "hpa": .spec.replicas',
    ],
  },
  {
    sentence: 'a field that its only manager no longer asks for goes, and one that another owns too stays',
    async play(world, name) {
      const { client, namespace } = world;
      const asked = (labels: Readonly<Record<string, string>>, fieldManager: string) =>
        client.apply(configMaps, { metadata: { namespace, name, labels } }, { fieldManager });
      await asked({ own: '1', shared: '1' }, 'one');
      await asked({ shared: '1', more: '1' }, 'two');
      const less = await asked({}, 'one');
      const none = await asked({}, 'two');
      return [less.metadata.labels, none.metadata.labels, bookOf(none).length];
    },
    // An empty map that was asked for is a field too.
    outcome: [{ shared: '1', more: '1' }, undefined, 2],
  },
  {
    sentence: 'a plain write takes the fields that it changes, and only those',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      await client.apply(configMaps, { metadata: { ...ref, labels: { a: '1', b: '1' } } }, { fieldManager: 'git' });
      const patched = await client.mergePatch(
        configMaps,
        ref,
        { metadata: { labels: { a: '2', b: '1' } } },
        { fieldManager: 'edit' },
      );
      const again = await refusal(
        client.apply(configMaps, { metadata: { ...ref, labels: { a: '1', b: '1' } } }, { fieldManager: 'git' }),
      );
      return [
        ownersOf(bookOf(patched), ['metadata', 'labels', 'a']),
        ownersOf(bookOf(patched), ['metadata', 'labels', 'b']),
        again,
      ];
    },
    outcome: [
      ['edit'],
      ['git'],
      '409 Conflict: Apply failed with 1 conflict: conflict with "edit" using v1: .metadata.labels.a',
    ],
  },
  {
    sentence: 'a manager that gives its entry up owns nothing, and others apply without a conflict',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      await client.apply(services, { ...serviceOf(name), metadata: ref }, { fieldManager: 'git' });
      const pinned = await client.mergePatch(
        services,
        ref,
        { spec: { selector: { pin: 'x' } } },
        { fieldManager: 'serin' },
      );
      const conflict = await refusal(
        client.apply(services, { ...serviceOf(name), metadata: ref }, { fieldManager: 'git' }),
      );
      const unpinned = await client.mergePatch(
        services,
        ref,
        { spec: { selector: { pin: null } } },
        { fieldManager: 'serin' },
      );
      const others = withoutOurs(bookOf(unpinned)) ?? [];
      const yielded = await client.mergePatch(
        services,
        ref,
        { metadata: { managedFields: others } },
        { fieldManager: 'serin' },
      );
      return [
        bookOf(pinned).some(({ manager }) => manager === 'serin'),
        conflict,
        bookOf(yielded).map(({ manager, operation }) => `${manager} ${operation}`),
        await refusal(client.apply(services, { ...serviceOf(name), metadata: ref }, { fieldManager: 'git' })),
      ];
    },
    outcome: [
      true,
      '409 Conflict: Apply failed with 1 conflict: conflict with "serin" using v1: .spec.selector',
      ['git Apply'],
      'accepted',
    ],
  },
  {
    sentence: 'an empty book and one empty entry both clear it, and a book that is taken away comes back',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      await client.create(configMaps, { metadata: { ...ref, labels: { a: 'b' } } }, { fieldManager: 'one' });
      const absent = await client.mergePatch(
        configMaps,
        ref,
        { metadata: { managedFields: null } },
        { fieldManager: 'one' },
      );
      const kept = await client.mergePatch(
        configMaps,
        ref,
        { metadata: { managedFields: [] } },
        { fieldManager: 'one' },
      );
      const cleared = await client.mergePatch(
        configMaps,
        ref,
        { metadata: { managedFields: [{}] } },
        { fieldManager: 'one' },
      );
      return [bookOf(absent).length, bookOf(kept).length, bookOf(cleared).length];
    },
    outcome: [1, 0, 0],
  },
  {
    sentence: 'lists with identities are merged item by item, and each item has its owner',
    async play(world, name) {
      const { client, namespace } = world;
      const ports = (...numbers: readonly number[]) => ({
        metadata: { namespace, name },
        spec: { ports: numbers.map((port) => ({ name: `p${port}`, port })) },
      });
      await client.apply(services, ports(80), { fieldManager: 'one' });
      await client.apply(services, ports(90), { fieldManager: 'two' });
      type Ported = { readonly spec: { readonly ports: readonly { readonly port: number }[] } };
      const both = await client.get<Ported>(services, { namespace, name });
      const less = await client.apply<Ported>(services, { metadata: { namespace, name } }, { fieldManager: 'two' });
      return [both, less].map(({ spec }) => spec.ports.map(({ port }) => port));
    },
    outcome: [[80, 90], [80]],
  },
  {
    sentence: 'who paused a Deployment can be read, whichever way it was written',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      await client.create(deployments, within(world, deploymentOf(name, { replicas: 0 })), { fieldManager: 'git' });
      const paused = await client.mergePatch(deployments, ref, { spec: { paused: true } }, { fieldManager: 'person' });
      const resumed = await client.mergePatch(deployments, ref, { spec: { paused: null } }, { fieldManager: 'person' });
      return [paused, resumed].map((object) => ownersOf(bookOf(object), ['spec', 'paused']));
    },
    outcome: [['person'], []],
  },
  {
    sentence: 'an apply of what is there already writes nothing',
    async play(world, name) {
      const { client } = world;
      const object = within(world, deploymentOf(name, { replicas: 0, spec: { paused: true } }));
      await client.apply(deployments, object, { fieldManager: 'git' });
      await world.until('the controller to have seen it', async () =>
        (await client.get<Deployment>(deployments, { namespace: world.namespace, name })).status?.observedGeneration ===
        1
          ? true
          : undefined,
      );
      await world.pass(500);
      const one = await client.apply(deployments, object, { fieldManager: 'git' });
      const two = await client.apply(deployments, object, { fieldManager: 'git' });
      return [one.metadata.resourceVersion === two.metadata.resourceVersion, await replicasOf(world, name)];
    },
    outcome: [true, 0],
  },
];
