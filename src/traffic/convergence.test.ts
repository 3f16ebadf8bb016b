import { ManualClock } from '../kube/manual-clock.ts';
import { ConvergenceWatch, settleMsOf } from './convergence.ts';
import { backend, parent, route } from './fixtures.ts';
import type { RouteParentStatus } from './objects.ts';

const good = { Accepted: 'True', ResolvedRefs: 'True' } as const;
const rules = [{ backendRefs: [backend('checkout')] }];

function setUp() {
  const clock = new ManualClock();
  const watch = new ConvergenceWatch(clock);
  const look = (
    parents: RouteParentStatus[],
    {
      generation = 2,
      hasCanary = true,
      settleMs,
    }: { generation?: number; hasCanary?: boolean; settleMs?: number } = {},
  ) => watch.observe(route(rules, { metadata: { generation }, parents }), hasCanary, settleMs);
  return { clock, watch, look };
}

test('time counts from the first look at which the gateway had accepted this very generation', async () => {
  const { clock, look } = setUp();
  expect(look([parent(good, 1)])).toMatchObject([{ accepted: false, acceptedForMs: 0 }]);
  await clock.advance(1000);
  expect(look([parent(good, 2)])).toMatchObject([{ accepted: true, acceptedForMs: 0 }]);
  await clock.advance(3000);
  expect(look([parent(good, 2)])).toMatchObject([{ accepted: true, acceptedForMs: 3000 }]);
});

test('a new generation begins anew, also where the controller never says of which one it speaks', async () => {
  const { clock, look } = setUp();
  look([parent(good, 0)]);
  await clock.advance(3000);
  expect(look([parent(good, 0)], { generation: 3 })).toMatchObject([{ accepted: true, acceptedForMs: 0 }]);
});

test('acceptance that was withdrawn begins anew', async () => {
  const { clock, look } = setUp();
  look([parent(good)]);
  await clock.advance(3000);
  expect(look([parent({ ...good, Accepted: 'False' })])).toMatchObject([{ accepted: false }]);
  expect(look([parent(good)])).toMatchObject([{ accepted: true, acceptedForMs: 0 }]);
});

test('a backend that does not resolve is not accepted', () => {
  const { look } = setUp();
  look([parent(good)], { hasCanary: false });
  expect(look([parent({ Accepted: 'True', ResolvedRefs: 'False' })])).toMatchObject([{ accepted: false }]);
});

test('a route with a broken backend of somebody else need not get better than it was without the canary', () => {
  const { look } = setUp();
  const broken = { Accepted: 'True', ResolvedRefs: 'False' } as const;
  look([parent(broken, 2)], { hasCanary: false });
  expect(look([parent(broken, 3)], { generation: 3 })).toMatchObject([{ accepted: true }]);
});

test('a status that still speaks of an older generation does not count as what it was like before', () => {
  const { look } = setUp();
  look([parent(good, 2)], { hasCanary: false });
  look([parent(good, 2)], { hasCanary: false, generation: 3 });
  expect(look([parent({ Accepted: 'True', ResolvedRefs: 'False' }, 4)], { generation: 4 })).toMatchObject([
    { accepted: false },
  ]);
});

test('each gateway counts for itself, and one that the route has left is not asked', async () => {
  const { clock, look } = setUp();
  const istio = parent(good, 2, { controllerName: 'istio.io/gateway-controller' });
  const left = parent(good, 2, { parentRef: { name: 'old', namespace: 'infra' } });
  look([parent(good)]);
  await clock.advance(1000);
  expect(look([parent(good), istio, left])).toEqual([
    {
      key: 'Gateway/infra/gateway// traefik.io/gateway-controller',
      accepted: true,
      acceptedForMs: 1000,
      settleMs: 5000,
    },
    { key: 'Gateway/infra/gateway// istio.io/gateway-controller', accepted: true, acceptedForMs: 0, settleMs: 5000 },
  ]);
});

test('a restarted Serin waits anew, and what is forgotten takes no memory', () => {
  const { watch, look } = setUp();
  look([parent(good)]);
  expect(watch.size).toBe(1);
  watch.forget('route-uid');
  expect(watch.size).toBe(0);
});

test('the time to settle is the Rollout’s, else the gateway’s', () => {
  const { look } = setUp();
  expect(look([parent(good)], { settleMs: 700 })).toMatchObject([{ settleMs: 700 }]);
  expect(settleMsOf('traefik.io/gateway-controller')).toBe(5000);
  expect(settleMsOf('networking.gke.io/gateway')).toBe(120_000);
  expect(settleMsOf('example.com/mine')).toBe(30_000);
});
