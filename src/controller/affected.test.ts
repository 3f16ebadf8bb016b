import type { KubeObject } from '../kube/resources.ts';
import { affectedBy } from './affected.ts';
import { ApiDouble } from './api-double.ts';
import { fillShop, putRollout, seenIn } from './sample-world.ts';
import type { Watched } from './stores.ts';

function shop(status?: object) {
  const api = new ApiDouble();
  fillShop(api);
  fillShop(api, 'market');
  putRollout(api, status === undefined ? {} : { status });
  putRollout(api, { namespace: 'market' });
  const { stores, seen } = seenIn(api);
  const of = (resource: Watched, object: unknown) =>
    affectedBy(stores, resource, { kind: 'added', key: '', object: object as KubeObject });
  return { api, stores, seen, of };
}

const mine = ['shop/checkout'];

function service(selector: object): object {
  return { metadata: { namespace: 'shop', name: 'internal' }, spec: { selector } };
}

test.each<Watched>(['deployments', 'replicasets', 'services', 'httproutes'])(
  '%s of the workload concern its Rollout and no other',
  (resource) => {
    const { stores, of } = shop();
    const object = stores[resource].all().find(({ metadata }) => metadata.namespace === 'shop');
    expect(of(resource, object)).toEqual(mine);
  },
);

test('a pod concerns the Rollout of its ReplicaSet, and a pod without one nobody', () => {
  const { stores, of } = shop();
  expect(of('pods', stores.pods.list('namespace', 'shop')[0])).toEqual(mine);
  expect(of('pods', { metadata: { namespace: 'shop', name: 'job-1', labels: { app: 'checkout' } } })).toEqual([]);
});

test('endpoints concern those whom their Service concerns', () => {
  const { stores, of } = shop();
  expect(of('endpointslices', stores.endpointslices.list('namespace', 'shop')[0])).toEqual(mine);
});

test('a new Service that selects the pods concerns the Rollout: it must be pinned', () => {
  const { of } = shop();
  expect(of('services', service({ app: 'checkout' }))).toEqual(mine);
  expect(of('services', service({ app: 'cart' }))).toEqual([]);
  expect(of('services', service({}))).toEqual([]);
});

test('a Service that is pinned for a Rollout concerns it, whatever it selects', () => {
  const { seen, of } = shop();
  const labels = { 'serin.dev/rollout-uid': seen.rollout.metadata.uid };
  expect(
    of('services', { metadata: { namespace: 'shop', name: 'other', labels }, spec: { selector: { app: 'gone' } } }),
  ).toEqual(mine);
});

test('a ReplicaSet that nobody owns concerns the Deployment that may adopt it', () => {
  const { of } = shop();
  expect(
    of('replicasets', {
      metadata: { namespace: 'shop', name: 'x', labels: { app: 'checkout', 'pod-template-hash': 'b' } },
    }),
  ).toEqual(mine);
});

test('an act and a record concern the Rollout that they name', () => {
  const { of } = shop();
  expect(of('rolloutactions', { metadata: { namespace: 'shop', name: 'a' }, spec: { rollout: 'checkout' } })).toEqual(
    mine,
  );
  expect(of('releaserecords', { metadata: { namespace: 'shop', name: 'r' }, spec: { rollout: 'checkout' } })).toEqual(
    mine,
  );
});

test('a route that only the spec of the running attempt names concerns it', () => {
  const attempt = {
    spec: { traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'old' }], alsoReachable: [] } },
  };
  const route = { metadata: { namespace: 'shop', name: 'old' } };
  expect(shop().of('httproutes', route)).toEqual([]);
  expect(shop({ journal: { attempt } }).of('httproutes', route)).toEqual(mine);
});

test('a metric source concerns the Rollouts that are being judged', () => {
  const source = { metadata: { name: 'prometheus' } };
  expect(shop().of('metricsources', source)).toEqual([]);
  expect(shop({ journal: { attempt: {} } }).of('metricsources', source)).toEqual(mine);
});

test('a Rollout that goes concerns those that wait for its workload', () => {
  const { api } = shop();
  putRollout(api, { name: 'second' });
  const { stores } = seenIn(api);
  const object = stores.rollouts.get('shop', 'second') as KubeObject;
  expect(affectedBy(stores, 'rollouts', { kind: 'deleted', key: 'shop/second', object })).toEqual([
    'shop/second',
    'shop/checkout',
  ]);
});

test('what an object was like before counts too', () => {
  const { stores } = shop();
  const previous = {
    metadata: { namespace: 'shop', name: 'internal' },
    spec: { selector: { app: 'checkout' } },
  } as unknown as KubeObject;
  const object = { ...previous, spec: { selector: { app: 'cart' } } };
  expect(affectedBy(stores, 'services', { kind: 'updated', key: '', object, previous })).toEqual(mine);
});

test('a FlagSource concerns the Rollouts that have changes of flags under way, and no other', () => {
  const source = { metadata: { name: 'unleash' } };
  const journal = { version: 3, attempts: 1, handledActions: [], flags: [{ id: 'a', source: 'unleash' }] };
  expect(shop({ journal }).of('flagsources', source)).toEqual(mine);
  expect(shop().of('flagsources', source)).toEqual([]);
});
