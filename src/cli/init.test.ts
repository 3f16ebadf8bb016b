/** `serin init`: what it finds, what it says that it guessed, and that the answer can be applied as it is. */
import { parse } from 'yaml';
import { rolloutSpecSchema } from '../api/rollout.ts';
import { sampleCluster } from './check/sample-cluster.ts';
import { trial } from './trial.ts';

interface Written {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly targetRef: object; readonly traffic?: object };
}

function read(text: string): Written {
  const object: Written = parse(text);
  expect(rolloutSpecSchema.safeParse(object.spec).error).toBeUndefined();
  return object;
}

const route = (name: string, service: string) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' },
  spec: { rules: [{ backendRefs: [{ name: service, port: 80 }] }] },
});
const routePath = (name: string) => `/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/${name}`;
const service = (name: string, spec: object = { selector: { app: 'checkout' }, ports: [{ port: 80 }] }) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' },
  spec,
});
const servicePath = (name: string) => `/api/v1/namespaces/shop/services/${name}`;

test('for a Deployment with one Service and one route it prints eight lines that need no editing', async () => {
  const { said, serin } = sampleCluster();
  expect(await serin('init deployment/checkout')).toBe(0);
  expect(read(said.out)).toEqual({
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'checkout', namespace: 'shop' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
      traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
    },
  });
  expect(said.out.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length).toBeLessThanOrEqual(8);
  expect(said.out).toContain('# Guessed: Service checkout, the only one that selects these pods.');
  expect(said.out).toContain('# Rollout checkout names this Deployment already');
});

test('of several Services it takes the one that routes name, and names the others', async () => {
  const { api, said, serin } = sampleCluster();
  api.put(servicePath('front'), service('front'));
  api.put(routePath('one'), route('one', 'front'));
  api.put(routePath('two'), route('two', 'front'));
  expect(await serin('init')).toBe(0);
  expect(read(said.out).spec.traffic).toEqual({
    service: 'front',
    routes: [
      { kind: 'HTTPRoute', name: 'one' },
      { kind: 'HTTPRoute', name: 'two' },
    ],
  });
  expect(said.out).toContain('Also on these pods, and kept on the old version during a release: Service checkout.');
  expect(said.out).toContain('HTTPRoute checkout leads to another of them.');
});

test('without a route it says what the share of the pods means, without a Service that it takes them for workers', async () => {
  const noRoute = sampleCluster();
  noRoute.remove('httproutes/checkout');
  expect(await noRoute.serin('init checkout')).toBe(0);
  expect(read(noRoute.said.out).spec.traffic).toEqual({ service: 'checkout' });
  expect(noRoute.said.out).toContain('the share of the requests is the share of the pods');
  const workers = sampleCluster();
  workers.remove('services/checkout');
  expect(await workers.serin('init checkout')).toBe(0);
  expect(read(workers.said.out).spec.traffic).toBeUndefined();
  expect(workers.said.out).toContain('taken for workers');
});

test('what it was told it does not guess', async () => {
  const { said, serin } = sampleCluster();
  expect(await serin('init checkout --route a b')).toBe(0);
  expect(read(said.out).spec.traffic).toEqual({
    service: 'checkout',
    routes: [
      { kind: 'HTTPRoute', name: 'a' },
      { kind: 'HTTPRoute', name: 'b' },
    ],
  });
  expect(said.out).not.toContain('Guessed: HTTPRoute');
});

test('with all names given it needs no cluster, and quotes names that YAML would take for something else', async () => {
  const { said, serin } = trial({ hasNoCluster: true });
  expect(await serin('init 2024 --service true --route 007')).toBe(0);
  expect(read(said.out)).toMatchObject({
    metadata: { name: '2024' },
    spec: { targetRef: { name: '2024' }, traffic: { service: 'true', routes: [{ name: '007' }] } },
  });
});

test.each([
  ['init nosuch', 6, /"nosuch" not found/],
  ['init statefulset/db', 2, /Serin releases only Deployments/],
  ['init deployment/', 2, /names no Deployment/],
  ['init checkout --service a --route b b', 2, /this is no Rollout: spec\.traffic\.routes/],
  ['init checkout --service A_b --route b', 2, /spec\.traffic\.service/],
])('%s ends with %i and one line', async (line, code, words) => {
  const { said, serin } = sampleCluster();
  expect(await serin(line)).toBe(code);
  expect(said.out).toBe('');
  expect(said.err).toMatch(words);
  expect(said.err.trimEnd().split('\n')).toHaveLength(1);
});

test('without a name it needs exactly one Deployment', async () => {
  const none = sampleCluster();
  none.remove('deployments/checkout');
  expect(await none.serin('init')).toBe(6);
  expect(none.said.err).toBe('error: no Deployments found in namespace shop\n');
  const two = sampleCluster();
  two.api.put('/apis/apps/v1/namespaces/shop/deployments/cart', { metadata: { name: 'cart', namespace: 'shop' } });
  expect(await two.serin('init')).toBe(2);
  expect(two.said.err).toContain('namespace shop has 2 Deployments: name one of checkout, cart');
});
