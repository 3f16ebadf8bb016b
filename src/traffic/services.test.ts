import {
  byDeployment,
  byRecord,
  deployment,
  ownedBy,
  pod,
  ROLLOUT_UID,
  replicaSet,
  template,
} from '../workload/fixtures.ts';
import { endpoint, service, slice } from './fixtures.ts';
import { type ServicesSeen, viewCanaryService, viewServices } from './services.ts';

const stable = replicaSet('aaa');
const canary = replicaSet('bbb', byRecord, { metadata: { labels: { 'serin.dev/rollout-uid': ROLLOUT_UID } } });
const stablePod = pod(ownedBy(stable), 'checkout-aaa-11111');
const canaryPod = pod(ownedBy(canary), 'checkout-bbb-22222');
const pinned = { labels: { 'serin.dev/pinned': 'aaa', 'serin.dev/rollout-uid': ROLLOUT_UID } };
const byHash = { selector: { app: 'checkout', 'pod-template-hash': 'aaa' } };

function seen(change: Partial<ServicesSeen>): ServicesSeen {
  return {
    deployment: deployment(),
    replicaSets: [stable, canary],
    pods: [stablePod, canaryPod],
    slices: [],
    services: [service()],
    traffic: { service: 'checkout', alsoReachable: [] },
    rolloutUid: ROLLOUT_UID,
    ...change,
  };
}

const names = (change: Partial<ServicesSeen>) =>
  viewServices(seen(change)).map(({ name, role, kind }) => [name, role, kind]);

const named = (spec: Parameters<typeof service>[1]) => names({ services: [service('checkout', spec)] })[0]?.[2];

describe('which Services are shown', () => {
  test('the named one and every other one that selects the pods', () => {
    const services = [
      service(),
      service('checkout-internal', { selector: { app: 'checkout' } }),
      service('checkout-debug'),
      service('cart', { selector: { app: 'cart' } }),
    ];
    expect(names({ services, traffic: { service: 'checkout', alsoReachable: ['checkout-debug'] } })).toEqual([
      ['checkout', 'named', 'selects'],
      ['checkout-internal', 'other', 'selects'],
      ['checkout-debug', 'alsoReachable', 'selects'],
    ]);
  });

  test('one that selects only what the new template’s pods will be, and one that selects only the old ones', () => {
    const relabelled = deployment({ template: template('shop/checkout:2', { version: '2' }) });
    const old = replicaSet('aaa', byDeployment, { spec: { template: template('shop/checkout:1', { version: '1' }) } });
    const services = ['1', '2', '3'].map((version) =>
      service(`v${version}`, { selector: { app: 'checkout', version } }),
    );
    const shown = names({ deployment: relabelled, replicaSets: [old], services: [service(), ...services] });
    expect(shown.map(([name]) => name)).toEqual(['checkout', 'v1', 'v2']);
  });

  test('the named one, whatever it is, and also when there is none', () => {
    expect(named({ type: 'ExternalName', selector: {} })).toBe('externalName');
    expect(named({ selector: {} })).toBe('noSelector');
    expect(named({ selector: { app: 'cart' } })).toBe('selectsOthers');
    expect(viewServices(seen({ services: [] }))).toMatchObject([{ name: 'checkout', role: 'named', exists: false }]);
  });

  test('never the canary’s own', () => {
    const own = service('checkout-canary', {}, { ownerReferences: [byRecord] });
    expect(names({ services: [service(), own] })).toEqual([['checkout', 'named', 'selects']]);
  });

  test('one that is pinned for this Rollout, also when its Deployment is gone', () => {
    const services = [
      service(),
      service('checkout-internal', byHash, pinned),
      service('cart', {}, { labels: { 'serin.dev/pinned': 'x' } }),
    ];
    const shown = viewServices(seen({ deployment: undefined, replicaSets: [], services }));
    expect(shown.map(({ name, pinnedTo }) => [name, pinnedTo])).toEqual([
      ['checkout', undefined],
      ['checkout-internal', 'aaa'],
    ]);
  });
});

const pinOf = (...of: Parameters<typeof service>) => viewServices(seen({ services: [service(...of)] }))[0];

describe('pins', () => {
  test('a pinned Service still selects the pods', () => {
    expect(pinOf('checkout', byHash, pinned)).toMatchObject({ kind: 'selects', pinnedTo: 'aaa' });
  });

  test('a forced apply that took the hash out of the selector took the pin, whatever the label says', () => {
    expect(pinOf('checkout', {}, pinned)?.pinnedTo).toBeUndefined();
  });

  test('a pin that a person let go is no pin, and both versions may be reached through that Service', () => {
    const view = pinOf('checkout', byHash, { labels: { 'serin.dev/pinned': 'released' } });
    expect(view).toMatchObject({ role: 'alsoReachable' });
    expect(view?.pinnedTo).toBeUndefined();
  });

  test('a hash that the user wrote, as kubectl expose does, is no pin of ours', () => {
    const exposed = service('exposed', byHash);
    expect(viewServices(seen({ services: [service(), exposed] })).map(({ name }) => name)).toEqual(['checkout']);
  });
});

const countsOf = (change: Partial<ServicesSeen>) => {
  const { readyOf, anyOf, strangers } = viewServices(seen(change))[0] ?? {};
  return { readyOf, anyOf, strangers };
};

describe('whose endpoints it has', () => {
  test('summed over all slices, a pod of both address families once', () => {
    const other = pod(ownedBy(stable), 'checkout-aaa-33333');
    const slices = [
      slice([endpoint(stablePod), endpoint(canaryPod)]),
      slice([endpoint(stablePod), endpoint(other)]),
      slice(null),
    ];
    const counts = { 'uid-aaa': 2, 'uid-bbb': 1 };
    expect(countsOf({ slices, pods: [stablePod, canaryPod, other] })).toEqual({
      readyOf: counts,
      anyOf: counts,
      strangers: [],
    });
  });

  test.each([
    ['not ready', { ready: false }],
    ['not serving', { ready: true, serving: false }],
    ['terminating, although its Service publishes such addresses', { ready: true, serving: true, terminating: true }],
  ])('one that is %s is there but does not count as ready', (_how, conditions) => {
    const slices = [slice([endpoint(stablePod, conditions)])];
    expect(countsOf({ slices })).toEqual({ readyOf: {}, anyOf: { 'uid-aaa': 1 }, strangers: [] });
  });

  test('one that is ready in one family only does not count as ready', () => {
    const slices = [slice([endpoint(stablePod)]), slice([endpoint(stablePod, { ready: false })])];
    expect(countsOf({ slices })).toMatchObject({ readyOf: {}, anyOf: { 'uid-aaa': 1 } });
  });

  test('absent conditions mean ready', () => {
    expect(countsOf({ slices: [slice([endpoint(stablePod, {})])] })).toMatchObject({ readyOf: { 'uid-aaa': 1 } });
  });

  test('strangers are named by their owners, each once', () => {
    const cart = replicaSet(
      'ccc',
      { ...byDeployment, uid: 'cart-uid', name: 'cart' },
      { metadata: { labels: { app: 'cart' } } },
    );
    const job = pod({ ...byRecord, kind: 'Job', name: 'migrate' }, 'migrate-1');
    const pods = [stablePod, pod(ownedBy(cart), 'c1'), pod(ownedBy(cart), 'c2'), job, pod(undefined, 'bare')];
    const addressOnly = { addresses: ['10.9.9.9'], conditions: { ready: true } };
    const slices = [slice([...pods.map((one) => endpoint(one)), addressOnly])];
    expect(countsOf({ replicaSets: [stable, cart], pods, slices })).toEqual({
      readyOf: { 'uid-aaa': 1 },
      anyOf: { 'uid-aaa': 1 },
      strangers: ['Deployment shop/cart', 'Job shop/migrate', 'Pod shop/bare', 'address 10.9.9.9 without a pod'],
    });
  });

  test('an endpoint that outlives its pod still counts for its revision, so that no pin comes off too early', () => {
    const slices = [slice([endpoint({ name: 'checkout-bbb-99999' }), endpoint({ name: 'who-knows-99999' })])];
    expect(countsOf({ slices, pods: [] })).toMatchObject({ anyOf: { 'uid-bbb': 1 }, strangers: [] });
    const apart = [
      slice([endpoint({ name: 'checkout-bbb-99999' })]),
      slice([endpoint({ name: 'who-knows-99999' })], 'other'),
    ];
    expect(countsOf({ slices: apart, pods: [] }).anyOf).toEqual({ 'uid-bbb': 1 });
  });

  test('the pods of a canary on its way between two owners are no strangers', () => {
    const between = replicaSet('bbb', undefined, { metadata: { ownerReferences: [] } });
    expect(countsOf({ replicaSets: [stable, between], slices: [slice([endpoint(canaryPod)])] })).toMatchObject({
      anyOf: { 'uid-bbb': 1 },
      strangers: [],
    });
  });
});

const own = { labels: { 'serin.dev/rollout-uid': ROLLOUT_UID }, ownerReferences: [byRecord] };
const viewOf = (metadata: Parameters<typeof service>[2]) => {
  const slices = [
    slice([endpoint(canaryPod), endpoint(stablePod, { ready: false })], 'checkout-canary'),
    slice([endpoint(stablePod)]),
  ];
  return viewCanaryService(seen({ services: [service(), service('checkout-canary', {}, metadata)], slices }));
};

describe('the Service of the canary', () => {
  test('is ours by owner and mark; its endpoints are counted', () => {
    expect(viewOf(own)).toEqual({ name: 'checkout-canary', uid: 'uid-checkout-canary', ours: true, ready: 1, any: 2 });
  });

  test.each([
    ['without our owner', { labels: own.labels }],
    ['of another Rollout', { ...own, labels: { 'serin.dev/rollout-uid': 'x' } }],
  ])('%s it is not ours', (_what, metadata) => {
    expect(viewOf(metadata)?.ours).toBe(false);
  });

  test('is not there at rest', () => {
    expect(viewCanaryService(seen({}))).toBeUndefined();
  });
});
