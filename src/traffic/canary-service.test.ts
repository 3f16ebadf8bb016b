import { byRecord, ROLLOUT_UID, recordedApi, refused } from '../workload/fixtures.ts';
import { canaryServiceName, canaryServiceOf, createCanaryService, deleteCanaryService } from './canary-service.ts';
import { service } from './fixtures.ts';

const record = { name: 'checkout-record', uid: 'record-uid-1' };
const order = { service: service(), hash: 'bbb', record, rolloutUid: ROLLOUT_UID, attempt: 3 };

test('a long name is cut so that the whole is a name of a Service', () => {
  expect(canaryServiceName('checkout')).toBe('checkout-canary');
  expect(canaryServiceName('c'.repeat(63))).toBe(`${'c'.repeat(56)}-canary`);
  expect(canaryServiceName(`${'c'.repeat(55)}-${'d'.repeat(7)}`)).toBe(`${'c'.repeat(55)}-canary`);
});

test('it selects the canary’s pods by the user’s own selector, and belongs to the anchor', () => {
  const pinned = service(
    'checkout',
    { selector: { app: 'checkout', 'pod-template-hash': 'aaa' } },
    { labels: { 'serin.dev/pinned': 'aaa' } },
  );
  expect(canaryServiceOf({ ...order, service: pinned })).toMatchObject({
    metadata: {
      name: 'checkout-canary',
      namespace: 'shop',
      labels: { 'serin.dev/rollout-uid': ROLLOUT_UID, 'serin.dev/attempt': '3' },
      ownerReferences: [{ kind: 'ReleaseRecord', ...record, controller: true }],
    },
    spec: { selector: { app: 'checkout', 'pod-template-hash': 'bbb' } },
  });
});

test('it is like the user’s Service for callers, and orders nothing: no node ports, load balancer, annotations or scraper’s labels', () => {
  const affinity = { clientIP: { timeoutSeconds: 60 } };
  const user = service(
    'checkout',
    {
      type: 'LoadBalancer',
      ports: [
        {
          name: 'http',
          port: 80,
          targetPort: 'web',
          protocol: 'TCP',
          appProtocol: 'kubernetes.io/h2c',
          nodePort: 30080,
        },
      ],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: affinity,
      ipFamilies: ['IPv6', 'IPv4'],
      ipFamilyPolicy: 'PreferDualStack',
      publishNotReadyAddresses: true,
    } as object,
    { annotations: { 'external-dns/hostname': 'x' }, labels: { monitor: 'me' } },
  );
  const made = canaryServiceOf({ ...order, service: user });
  expect(made.metadata.annotations).toBeUndefined();
  expect(made.metadata.labels).not.toHaveProperty('monitor');
  expect(made.spec).toEqual({
    type: 'ClusterIP',
    selector: { app: 'checkout', 'pod-template-hash': 'bbb' },
    ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' }],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: affinity,
    ipFamilies: ['IPv6', 'IPv4'],
    ipFamilyPolicy: 'PreferDualStack',
  });
});

test('headless stays headless', () => {
  expect(canaryServiceOf({ ...order, service: service('checkout', { clusterIP: 'None' }) }).spec).toMatchObject({
    type: 'ClusterIP',
    clusterIP: 'None',
  });
});

test.each([
  ['this attempt’s', byRecord.uid, 'bbb', 'made'],
  ['another attempt’s', 'another record', 'bbb', 'nameTaken'],
  ['for another revision', byRecord.uid, 'ccc', 'nameTaken'],
])('a Service of that name which is %s', async (_whose, uid, hash, expected) => {
  const found = service(
    'checkout-canary',
    { selector: { 'pod-template-hash': hash } },
    { ownerReferences: [{ ...byRecord, uid }] },
  );
  const { client } = recordedApi(({ method }) => {
    if (method === 'POST') throw refused('AlreadyExists');
    return found;
  });
  expect((await createCanaryService(client, order)).kind).toBe(expected);
});

test('deleting concerns exactly the one that was seen', async () => {
  const { client, requests } = recordedApi();
  await deleteCanaryService(client, { namespace: 'shop', name: 'checkout-canary', uid: 'u' });
  expect(requests[0]).toMatchObject({ method: 'DELETE', body: { preconditions: { uid: 'u' } } });
});
