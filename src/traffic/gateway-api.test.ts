import { ManualClock } from '../kube/manual-clock.ts';
import { recordedApi } from '../workload/fixtures.ts';
import { ConvergenceWatch } from './convergence.ts';
import { backend, parent, route, service } from './fixtures.ts';
import { splitRoute, viewRoute } from './gateway-api.ts';

const watch = () => new ConvergenceWatch(new ManualClock());
const matches = [{ path: { type: 'PathPrefix', value: '/' } }];
const plain = route([{ backendRefs: [backend('cart')] }, { matches, backendRefs: [backend('checkout')] }]);

test('a route is shown with its share and its gateways', () => {
  const seen = route(plain.spec.rules ?? [], { parents: [parent({ Accepted: 'True', ResolvedRefs: 'True' })] });
  expect(viewRoute({ name: 'checkout', route: seen, service: 'checkout', backend: service() }, watch())).toMatchObject({
    kind: 'HTTPRoute',
    name: 'checkout',
    exists: true,
    serves: true,
    canaryWeightPercent: undefined,
    uniform: true,
    sessionPersistence: false,
    parents: [{ accepted: true, settleMs: 5000 }],
  });
});

test('a route that is missing is shown as missing', () => {
  expect(viewRoute({ name: 'checkout', service: 'checkout' }, watch())).toMatchObject({
    exists: false,
    serves: false,
    parents: [],
  });
});

test.each([
  ['its affinity', service('checkout', { sessionAffinity: 'ClientIP' })],
  [
    'a sticky cookie',
    service('checkout', {}, { annotations: { 'traefik.ingress.kubernetes.io/service.sticky.cookie': 'true' } }),
  ],
])('a Service that keeps sessions by %s keeps them on the route', (_how, sticky) => {
  const view = viewRoute({ name: 'checkout', route: plain, service: 'checkout', backend: sticky }, watch());
  expect(view.sessionPersistence).toBe(true);
});

test('only the backends of the rules that change are written, on the route as it was looked at', async () => {
  const { client, requests } = recordedApi();
  await splitRoute(client, plain, 'checkout', 25);
  expect(requests.map(({ body, contentType }) => [contentType, body])).toEqual([
    [
      'application/json-patch+json',
      [
        { op: 'replace', path: '/metadata/resourceVersion', value: '30' },
        {
          op: 'replace',
          path: '/spec/rules/1/backendRefs',
          value: [backend('checkout', 3), backend('checkout-canary', 1)],
        },
        { op: 'add', path: '/metadata/annotations', value: { 'serin.dev/split': expect.any(String) } },
      ],
    ],
  ]);
});

test('with annotations of others there, ours is put beside them', async () => {
  const { client, requests } = recordedApi();
  await splitRoute(client, { ...plain, metadata: { ...plain.metadata, annotations: { a: 'b' } } }, 'checkout', 25);
  expect(requests[0]?.body).toContainEqual({
    op: 'add',
    path: '/metadata/annotations/serin.dev~1split',
    value: expect.any(String),
  });
});

test('the canary out, annotation and ownership go with it', async () => {
  const managedFields = [{ manager: 'flux' }, { manager: 'serin' }];
  const { client, requests } = recordedApi(() => ({
    ...plain,
    metadata: { ...plain.metadata, resourceVersion: '31', managedFields },
  }));
  const split = {
    'serin.dev/split': '{"splits":[{"service":"checkout","backend":"checkout-canary","share":2500}],"rules":[[null]]}',
  };
  const during = route([{ backendRefs: [backend('checkout', 3), backend('checkout-canary', 1)] }], {
    metadata: { annotations: split },
  });
  await splitRoute(client, during, 'checkout', 'out');
  expect(requests.map(({ body }) => body)).toEqual([
    [
      { op: 'replace', path: '/metadata/resourceVersion', value: '30' },
      { op: 'replace', path: '/spec/rules/0/backendRefs', value: [backend('checkout')] },
      { op: 'remove', path: '/metadata/annotations/serin.dev~1split' },
    ],
    { metadata: { managedFields: [{ manager: 'flux' }], resourceVersion: '31' } },
  ]);
});

test('a route that is that way already is not written', async () => {
  const { client, requests } = recordedApi();
  expect(await splitRoute(client, plain, 'checkout', 'out')).toBeUndefined();
  expect(requests).toEqual([]);
});
