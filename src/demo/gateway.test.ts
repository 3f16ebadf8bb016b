import { request } from 'undici';
import { KubeClient } from '../kube/client.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { MemoryApi } from '../kube/memory-api.ts';
import { Store } from '../kube/store.ts';
import { backend, route } from '../traffic/fixtures.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../traffic/objects.ts';
import { type Application, serveApplication } from './application.ts';
import { backendOf, eventually } from './fixtures.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { PodNetwork } from './network.ts';
import type { Routed } from './routing.ts';

const statusPath = '/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout/status';

let gateway: Gateway;
let running: Promise<void>;
let stop: AbortController;
let applications: Application[];
let inForce: readonly Routed[];
const clock = new ManualClock();
const api = new MemoryApi();
const network = new PodNetwork();
const stores = { routes: new Store<HTTPRoute>(), services: new Store<Service>(), slices: new Store<EndpointSlice>() };

beforeAll(async () => {
  applications = await Promise.all(
    ['v1', 'v2'].map((version) => serveApplication({ version, badRate: 0, random: () => 0.5 })),
  );
  for (const [at, { port }] of applications.entries()) network.open(`10.244.0.${at + 1}:8080`, port);
  for (const [at, name] of ['checkout', 'checkout-canary'].entries()) {
    const made = backendOf(name, [`10.244.0.${at + 1}`]);
    stores.services.put(made.service);
    stores.slices.put(made.slice);
  }
  api.objects.set(statusPath, { metadata: { name: 'checkout', resourceVersion: '1' } });
  stop = new AbortController();
  gateway = await openGateway({
    client: new KubeClient({ transport: api }),
    clock,
    network,
    ...stores,
    name: { name: 'gateway', namespace: 'infra' },
    onRoutes: (routes) => {
      inForce = routes;
    },
  });
  running = gateway.run(stop.signal);
});

afterAll(async () => {
  stop.abort();
  await running;
  await Promise.all(applications.map((application) => application.close()));
});

let version = 100;

/** Writes the route, and waits until the gateway says that it has taken it up. */
async function routeWith(weights: Record<string, number>): Promise<void> {
  version += 1;
  const refs = Object.entries(weights).map(([name, weight]) => backend(name, weight));
  stores.routes.put(
    route([{ backendRefs: refs }], { metadata: { resourceVersion: String(version), generation: version } }),
  );
  await clock.advance(200);
  await eventually(() => acceptedGeneration() === version);
  await clock.advance(200);
}

function acceptedGeneration(): unknown {
  const status = api.objects.get(statusPath)?.['status'] as HTTPRoute['status'];
  return status?.parents?.[0]?.conditions?.find(({ type }) => type === 'Accepted')?.observedGeneration;
}

async function answers(times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let sent = 0; sent < times; sent += 1) {
    const { statusCode, headers, body } = await request(gateway.url);
    await body.dump();
    const key = statusCode === 200 ? String(headers['x-version']) : String(statusCode);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

describe('the gateway of the demo', () => {
  test('sends each version exactly its share of real requests, and takes up new weights', async () => {
    await routeWith({ checkout: 80, 'checkout-canary': 20 });
    expect(await answers(200)).toEqual({ v1: 160, v2: 40 });
    await routeWith({ checkout: 99, 'checkout-canary': 1 });
    expect(await answers(200)).toEqual({ v1: 198, v2: 2 });
    await routeWith({ checkout: 0, 'checkout-canary': 1 });
    expect(await answers(50)).toEqual({ v2: 50 });
  });

  test('tells what is in force, and says so in the status of the route', async () => {
    await routeWith({ checkout: 1 });
    expect(inForce[0]?.backends).toMatchObject([{ service: 'shop/checkout', weight: 1 }]);
    const status = api.objects.get(statusPath)?.['status'];
    expect(status).toMatchObject({
      parents: [
        {
          controllerName: 'serin.dev/demo-gateway',
          parentRef: { name: 'gateway', namespace: 'infra' },
          conditions: [
            { type: 'Accepted', status: 'True' },
            { type: 'ResolvedRefs', status: 'True' },
          ],
        },
      ],
    });
  });

  test('answers by itself where no pod can, without trying another one', async () => {
    await routeWith({ checkout: 1 });
    network.close('10.244.0.1:8080');
    expect(await answers(2)).toEqual({ 502: 2 });
    network.open('10.244.0.1:8080', applications[0]?.port ?? 0);
    await routeWith({ gone: 1 });
    expect(await answers(2)).toEqual({ 503: 2 });
    expect(api.objects.get(statusPath)?.['status']).toMatchObject({
      parents: [{ conditions: [{ status: 'True' }, { status: 'False', reason: 'BackendNotFound' }] }],
    });
  });

  test('has no answer for a host that no route names', async () => {
    version += 1;
    const other = route([{ backendRefs: [backend('checkout')] }], {
      metadata: { resourceVersion: String(version), generation: version },
    });
    stores.routes.put({ ...other, spec: { ...other.spec, hostnames: ['shop.example.com'] } });
    await clock.advance(200);
    await eventually(() => acceptedGeneration() === version);
    expect(await answers(1)).toEqual({ 404: 1 });
  });
});
