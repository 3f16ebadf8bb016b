import { clearMarks, createCanary, deleteReplicaSet, handOver, hasLeftMarks, scaleReplicaSet } from './canary.ts';
import {
  apiWith,
  byDeployment,
  byRecord,
  deployment,
  ROLLOUT_UID,
  recordedApi,
  refused,
  replicaSet,
} from './fixtures.ts';
import { hashOf } from './revision.ts';

const selector = { matchLabels: { app: 'checkout' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] };
const live = deployment({ selector, minReadySeconds: 5 });
const hash = hashOf(live.spec.template);
const order = {
  deployment: live,
  record: { name: 'checkout-record', uid: 'record-uid-1' },
  rolloutUid: ROLLOUT_UID,
  attempt: 3,
  name: `checkout-${hash}`,
  hash,
  replicas: 2,
};

describe('making the canary', () => {
  test('it is the anchor’s, and adopted it would select what a native one selects', async () => {
    const { client, requests } = recordedApi();
    await createCanary(client, order);
    const labels = { app: 'checkout', 'pod-template-hash': hash };
    expect(requests[0]?.body).toEqual({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `checkout-${hash}`,
        namespace: 'shop',
        labels: { ...labels, 'serin.dev/rollout-uid': ROLLOUT_UID, 'serin.dev/attempt': '3' },
        ownerReferences: [
          { apiVersion: 'serin.dev/v1alpha1', kind: 'ReleaseRecord', ...order.record, controller: true },
        ],
      },
      spec: {
        replicas: 2,
        minReadySeconds: 5,
        selector: { ...selector, matchLabels: labels },
        template: { metadata: { labels }, spec: live.spec.template.spec },
      },
    });
  });

  test('a Deployment whose template is another one by now makes nothing (S3)', async () => {
    const { client, requests } = recordedApi();
    const made = await createCanary(client, { ...order, hash: 'bcdfghjklm' });
    expect(made.kind).toBe('otherRevision');
    expect(requests).toEqual([]);
  });

  test('one that is there already is read and kept, never written over', async () => {
    const { client, requests } = apiWith(replicaSet(hash, byRecord));
    expect(await createCanary(client, order)).toMatchObject({
      kind: 'made',
      object: { metadata: { uid: `uid-${hash}` } },
    });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  test.each([
    ['the Deployment’s', byDeployment],
    ['an earlier attempt’s', { ...byRecord, uid: 'another record' }],
  ])('%s under that name is not ours', async (_whose, owner) => {
    const made = await createCanary(apiWith(replicaSet(hash, owner)).client, order);
    expect(made).toMatchObject({
      kind: 'nameTaken',
      message: expect.stringContaining(`ReplicaSet shop/checkout-${hash} exists`),
    });
  });
});

test('scaling happens only on the ReplicaSet as it was looked at', async () => {
  const { client, requests } = recordedApi();
  await scaleReplicaSet(client, replicaSet('aaa'), 4);
  expect(requests[0]?.body).toEqual({ metadata: { resourceVersion: '7' }, spec: { replicas: 4 } });
});

describe('deleting', () => {
  const seen = { namespace: 'shop', name: 'checkout-aaa', uid: 'uid-aaa' };

  test('concerns exactly the one that was seen', async () => {
    const { client, requests } = recordedApi();
    await deleteReplicaSet(client, { ...seen, resourceVersion: '7' });
    expect(requests[0]).toMatchObject({
      method: 'DELETE',
      body: { preconditions: { uid: 'uid-aaa', resourceVersion: '7' } },
    });
  });

  test.each(['NotFound', 'Conflict'] as const)('%s: the one that was seen is gone', async (code) => {
    const { client } = recordedApi(() => {
      throw refused(code);
    });
    await expect(deleteReplicaSet(client, seen)).resolves.toBeUndefined();
  });

  test('one that was revived in between stays, and its deletion is decided again', async () => {
    const { client } = recordedApi(() => {
      throw refused('Conflict');
    });
    await expect(deleteReplicaSet(client, { ...seen, resourceVersion: '7' })).rejects.toMatchObject({
      code: 'Conflict',
    });
  });
});

test('handing over takes owner and every mark off and puts the controller’s annotations on, in one guarded patch', async () => {
  const canary = replicaSet('aaa', byRecord, {
    metadata: {
      labels: {
        app: 'checkout',
        'pod-template-hash': 'aaa',
        'serin.dev/rollout-uid': ROLLOUT_UID,
        'serin.dev/attempt': '3',
      },
      annotations: { 'serin.dev/note': 'x', 'example.com/kept': 'y' },
    },
  });
  const { client, requests } = recordedApi();
  await handOver(client, canary, 4);
  expect(requests).toHaveLength(1);
  expect(requests[0]?.body).toEqual({
    metadata: {
      resourceVersion: '7',
      ownerReferences: null,
      labels: { 'serin.dev/rollout-uid': null, 'serin.dev/attempt': null },
      annotations: {
        'serin.dev/note': null,
        'deployment.kubernetes.io/desired-replicas': '4',
        'deployment.kubernetes.io/max-replicas': '8',
      },
    },
  });
});

test('what the controller copied from a held Deployment is found on its own ReplicaSets, and taken off', async () => {
  const annotations = { 'serin.dev/held': 'true', 'deployment.kubernetes.io/revision': '2' };
  const copied = replicaSet('aaa', byDeployment, { metadata: { annotations } });
  const { client, requests } = recordedApi();
  expect(
    [copied, replicaSet('bbb'), replicaSet('ccc', byRecord, { metadata: { annotations } })].map(hasLeftMarks),
  ).toEqual([true, false, false]);
  await clearMarks(client, copied);
  expect(requests[0]?.body).toEqual({ metadata: { resourceVersion: '7', annotations: { 'serin.dev/held': null } } });
});
