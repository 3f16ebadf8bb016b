/** Scenarios about what a Service reaches: which pods, on which port, and in which state. */
import { endpointSlices, pods, services } from '../../../src/kube/resources.ts';
import type { Endpoint, EndpointSlice } from '../../../src/traffic/objects.ts';
import { serviceOf } from '../manifests.ts';
import type { Scenario, World } from '../world.ts';
import { deploy, podsOf, resize, roll, setOf, settled } from './sets.ts';

interface Reached {
  readonly ports: readonly (readonly [string | undefined, number | undefined])[];
  readonly endpoints: readonly Endpoint[];
}

async function reached({ client, namespace }: World, service: string): Promise<Reached> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const { items } = await client.list<EndpointSlice>(endpointSlices, { namespace, labelSelector });
  type Port = { readonly name?: string; readonly port?: number };
  const ports = items.flatMap((slice) => (slice['ports'] as readonly Port[] | undefined) ?? []);
  return {
    ports: ports.map(({ name, port }) => [name, port] as const),
    endpoints: items.flatMap(({ endpoints }) => endpoints ?? []),
  };
}

const expose = ({ client, namespace }: World, name: string, spec: object = {}) =>
  client.create(services, { ...serviceOf(name, spec), metadata: { namespace, name } });

const conditions = ({ endpoints }: Reached) => endpoints.map((one) => one.conditions);

/** Until so many endpoints are there. */
const counted = (world: World, service: string, count: number) =>
  world.until(`${count} endpoints of ${service}`, async () => {
    const now = await reached(world, service);
    return now.endpoints.length === count ? now : undefined;
  });

export const endpointScenarios: readonly Scenario[] = [
  {
    sentence: 'ready pods are endpoints on the port that they name, and the slice belongs to the Service',
    async play(world, name) {
      const service = await expose(world, name);
      await deploy(world, name, { replicas: 2 });
      await settled(world, name);
      const now = await world.until('two ready endpoints', async () => {
        const seen = await reached(world, name);
        return seen.endpoints.filter((one) => one.conditions?.ready === true).length === 2 ? seen : undefined;
      });
      const uids = (await podsOf(world, name)).map(({ metadata }) => metadata.uid).toSorted();
      const { items } = await world.client.list<EndpointSlice>(endpointSlices, {
        namespace: world.namespace,
        labelSelector: `kubernetes.io/service-name=${name}`,
      });
      return [
        now.ports,
        conditions(now),
        now.endpoints
          .map(({ targetRef }) => targetRef?.uid ?? '')
          .toSorted()
          .join() === uids.join(),
        items[0]?.metadata.ownerReferences?.map(({ kind, uid, controller }) => [
          kind,
          uid === service.metadata.uid,
          controller,
        ]),
        items[0]?.addressType,
      ];
    },
    outcome: [
      [['web', 8080]],
      [
        { ready: true, serving: true, terminating: false },
        { ready: true, serving: true, terminating: false },
      ],
      true,
      [['Service', true, true]],
      'IPv4',
    ],
  },
  {
    sentence: 'a pod that is not ready is an endpoint that takes nothing, unless the Service wants it so',
    async play(world, name) {
      await expose(world, name);
      await expose(world, `${name}-all`, { selector: { app: name }, publishNotReadyAddresses: true });
      await deploy(world, name, { isNeverReady: true });
      const strict = await counted(world, name, 1);
      const lax = await counted(world, `${name}-all`, 1);
      await resize(world, name, 0);
      return [conditions(strict), conditions(lax)];
    },
    outcome: [
      [{ ready: false, serving: false, terminating: false }],
      [{ ready: true, serving: false, terminating: false }],
    ],
  },
  {
    sentence: 'a pod that ends is not ready any more but serves as long as it is, and then is no endpoint',
    async play(world, name) {
      await expose(world, name);
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      await world.until('a ready endpoint', async () =>
        (await reached(world, name)).endpoints[0]?.conditions?.ready === true ? true : undefined,
      );
      const [pod] = await podsOf(world, name);
      // Held by a finalizer, so that its last moments can be looked at.
      const ref = { namespace: world.namespace, name: pod?.metadata.name ?? '' };
      await world.client.mergePatch(pods, ref, { metadata: { finalizers: ['serin.dev/one'] } });
      await resize(world, name, 0);
      const ending = await world.until('an ending endpoint', async () => {
        const { endpoints } = await reached(world, name);
        return endpoints[0]?.conditions?.terminating === true ? endpoints[0].conditions : undefined;
      });
      await world.client.mergePatch(pods, ref, { metadata: { finalizers: null } });
      const { endpoints } = await counted(world, name, 0);
      return [ending.ready, ending.terminating, endpoints.length];
    },
    outcome: [false, true, 0],
  },
  {
    sentence: 'a selector that narrows to one revision takes the other pods out, and back in when it widens',
    async play(world, name) {
      const { client, namespace } = world;
      await expose(world, name);
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      await counted(world, name, 1);
      const { metadata } = await setOf(world, name, 'v1');
      const hash = metadata.labels?.['pod-template-hash'] ?? '';
      const select = (value: string | null) =>
        client.mergePatch(services, { namespace, name }, { spec: { selector: { 'pod-template-hash': value } } });
      await select('other');
      await counted(world, name, 0);
      await select(hash);
      await counted(world, name, 1);
      await select(null);
      await counted(world, name, 1);
      return true;
    },
    outcome: true,
  },
  {
    sentence: 'a port by number is that number whatever the pods declare, and a name that no pod has is no port',
    async play(world, name) {
      await expose(world, `${name}-number`, { selector: { app: name }, ports: [{ port: 80, targetPort: 9999 }] });
      await expose(world, `${name}-same`, { selector: { app: name }, ports: [{ port: 8081 }] });
      await expose(world, `${name}-none`, { selector: { app: name }, ports: [{ port: 80, targetPort: 'nothing' }] });
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      const seen = [
        await counted(world, `${name}-number`, 1),
        await counted(world, `${name}-same`, 1),
        await reached(world, `${name}-none`),
      ];
      return seen.map(({ ports, endpoints }) => [ports, endpoints.length]);
    },
    outcome: [
      [[['', 9999]], 1],
      [[['', 8081]], 1],
      [[], 1],
    ],
  },
  {
    sentence: 'a Service without a selector or for another name has no slices of the controller',
    async play(world, name) {
      const { client, namespace } = world;
      await client.create(services, { metadata: { namespace, name: `${name}-bare` }, spec: { ports: [{ port: 80 }] } });
      await client.create(services, {
        metadata: { namespace, name: `${name}-else` },
        spec: { type: 'ExternalName', externalName: 'example.com' },
      });
      await world.pass(1_500);
      const lists = await Promise.all(
        ['bare', 'else'].map((suffix) =>
          client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${name}-${suffix}` }),
        ),
      );
      return lists.map(({ items }) => items.length);
    },
    outcome: [0, 0],
  },
  {
    sentence: 'a Service without pods has an empty slice, and both revisions of a roll are in one',
    async play(world, name) {
      await expose(world, name);
      const empty = await world.until('the slice', async () => {
        const labelSelector = `kubernetes.io/service-name=${name}`;
        const { items } = await world.client.list<EndpointSlice>(endpointSlices, {
          namespace: world.namespace,
          labelSelector,
        });
        return items.length === 1 ? (items[0]?.endpoints ?? []).length : undefined;
      });
      await deploy(world, name, { replicas: 2 });
      await settled(world, name);
      await roll(world, name, { version: 'v2', isNeverReady: true });
      const { endpoints } = await counted(world, name, 3);
      await resize(world, name, 0);
      return [empty, endpoints.filter((one) => one.conditions?.ready === true).length];
    },
    outcome: [0, 2],
  },
  {
    sentence: 'a headless Service has no address, another one keeps its address through a patch',
    async play(world, name) {
      const { client, namespace } = world;
      type Addressed = { readonly spec: { readonly clusterIP?: string; readonly clusterIPs?: readonly string[] } };
      const headless = (await expose(world, `${name}-none`, { clusterIP: 'None' })) as unknown as Addressed;
      const made = (await expose(world, name)) as unknown as Addressed;
      const patched = await client.mergePatch<Addressed>(
        services,
        { namespace, name },
        { spec: { selector: { a: 'b' } } },
      );
      return [
        headless.spec.clusterIP,
        headless.spec.clusterIPs,
        made.spec.clusterIP === patched.spec.clusterIP && made.spec.clusterIP !== undefined,
      ];
    },
    outcome: ['None', ['None'], true],
  },
];
