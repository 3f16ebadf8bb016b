import { KubeClient } from './client.ts';
import { deployments, namespaces, pathOf, pods, refOf, services } from './resources.ts';
import type { KubeRequest, Transport } from './transport.ts';

let requests: KubeRequest[];
let answers: unknown[];
const transport: Transport = {
  request: async <T>(request: KubeRequest) => {
    requests.push(request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the real transport
    return (answers.shift() ?? {}) as T;
  },
  stream: () => Promise.reject(new Error('not here')),
  close: async () => {},
};
const client = new KubeClient({ transport });
const ref = { namespace: 'shop', name: 'checkout' };

beforeEach(() => {
  requests = [];
  answers = [];
});

test('paths follow the kind, and names cannot escape theirs', () => {
  expect(pathOf(deployments, 'shop', 'checkout', 'status')).toBe(
    '/apis/apps/v1/namespaces/shop/deployments/checkout/status',
  );
  expect(pathOf(pods)).toBe('/api/v1/pods');
  expect(pathOf(namespaces, 'ignored', 'shop')).toBe('/api/v1/namespaces/shop');
  expect(pathOf(services, 'shop', '../../secrets')).toBe('/api/v1/namespaces/shop/services/..%2F..%2Fsecrets');
  expect(refOf('shop/checkout')).toEqual(ref);
  expect(refOf('node-1')).toEqual({ name: 'node-1' });
});

test('a create names its manager and fills in what the kind knows', async () => {
  await client.create(services, { metadata: ref, spec: { ports: [] } });
  expect(requests[0]).toMatchObject({
    method: 'POST',
    path: '/api/v1/namespaces/shop/services',
    query: { fieldManager: 'serin', dryRun: undefined },
    body: { apiVersion: 'v1', kind: 'Service', metadata: ref, spec: { ports: [] } },
    action: 'create Service shop/checkout',
    pathTemplate: '/api/v1/services',
  });
});

test('an apply takes nothing from others unless told to', async () => {
  await client.apply(services, { metadata: ref });
  await client.apply(services, { metadata: ref }, { force: true, fieldManager: 'serin-pin', dryRun: true });
  expect(requests[0]).toMatchObject({
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager: 'serin', force: false },
  });
  expect(requests[1]?.query).toEqual({ fieldManager: 'serin-pin', force: true, dryRun: 'All' });
});

test('a guarded merge patch keeps the rest of its metadata', async () => {
  await client.mergePatch(deployments, ref, { metadata: { labels: { a: null } }, spec: {} }, { resourceVersion: '7' });
  expect(requests[0]).toMatchObject({
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { a: null }, resourceVersion: '7' }, spec: {} },
    action: 'patch Deployment shop/checkout',
  });
});

test('a guarded JSON patch begins with its guard', async () => {
  await client.jsonPatch(deployments, ref, [{ op: 'remove', path: '/spec/paused' }], { resourceVersion: '7' });
  expect(requests[0]).toMatchObject({
    contentType: 'application/json-patch+json',
    body: [
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      { op: 'remove', path: '/spec/paused' },
    ],
  });
});

test('status is patched through its own door', async () => {
  await client.patchStatus(deployments, ref, { replicas: 1 }, { resourceVersion: '7' });
  expect(requests[0]).toMatchObject({
    path: '/apis/apps/v1/namespaces/shop/deployments/checkout/status',
    body: { status: { replicas: 1 }, metadata: { resourceVersion: '7' } },
    action: 'patch Deployment shop/checkout (status)',
    pathTemplate: '/apis/apps/v1/deployments/status',
  });
});

test('a delete carries exactly the preconditions it was given', async () => {
  await client.delete(services, ref);
  await client.delete(services, ref, { uid: 'u', resourceVersion: '7', propagation: 'Orphan', dryRun: true });
  expect(requests[0]?.body).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions' });
  expect(requests[1]).toMatchObject({
    body: { dryRun: ['All'], propagationPolicy: 'Orphan', preconditions: { uid: 'u', resourceVersion: '7' } },
    query: { dryRun: 'All' },
  });
});

test('a list is read to its last page, and its items say what they are', async () => {
  answers = [
    { metadata: { resourceVersion: '9', continue: 'next' }, items: [{ metadata: { name: 'a' } }] },
    { metadata: { resourceVersion: '9' }, items: null },
  ];
  const { items, resourceVersion } = await client.list(pods, { resourceVersion: '0', labelSelector: 'a=b' });
  expect(resourceVersion).toBe('9');
  expect(items).toEqual([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }]);
  expect(
    requests.map(({ query }) => [
      query?.['continue'],
      query?.['resourceVersion'],
      query?.['resourceVersionMatch'],
      query?.['labelSelector'],
    ]),
  ).toEqual([
    [undefined, '0', 'NotOlderThan', 'a=b'],
    ['next', undefined, undefined, 'a=b'],
  ]);
});
