import { builtInDefaults, effectiveSpec } from '../api/effective.ts';
import { releaseRecordSpecSchema } from '../api/release-record.ts';
import type { Attempt } from '../api/rollout-status.ts';
import { apiWith, byRecord, ROLLOUT_UID, recordedApi, refused, replicaSet } from './fixtures.ts';
import type { ReleaseRecord } from './objects.ts';
import { createRecord, endRecord, pruneRecords, recordOf, viewRecords } from './record.ts';

const rollout = { name: 'checkout', uid: ROLLOUT_UID };
const spec = effectiveSpec({
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
  traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
}) as unknown as Attempt['spec'];

const order = {
  namespace: 'shop',
  name: 'checkout-bcdfghjklm-3',
  attempt: 3,
  revision: 'bcdfghjklm',
  previousRevision: 'zzz',
  rollout,
  deployment: { name: 'checkout', uid: 'deployment-uid-1' },
  spec,
};

function record(
  attempt: number,
  change: { isOpen?: boolean; outcome?: 'Promoted'; rolloutUid?: string } = {},
): ReleaseRecord {
  const wanted = recordOf({ ...order, attempt, rollout: { ...rollout, uid: change.rolloutUid ?? ROLLOUT_UID } });
  return {
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'ReleaseRecord',
    spec: wanted.spec,
    metadata: {
      namespace: 'shop',
      name: `record-${attempt}`,
      uid: `record-uid-${attempt}`,
      resourceVersion: '5',
      finalizers: change.isOpen === true ? ['serin.dev/anchor', 'example.com/other'] : [],
    },
    ...(change.outcome === undefined ? {} : { status: { outcome: change.outcome } }),
  };
}

test('the anchor has our finalizer and no owner, and holds the pinned strategy as the API takes it', async () => {
  const { client, requests } = recordedApi();
  await createRecord(client, order);
  const body = requests[0]?.body as ReleaseRecord;
  expect(body.metadata).toEqual({
    namespace: 'shop',
    name: 'checkout-bcdfghjklm-3',
    labels: { 'serin.dev/rollout-uid': ROLLOUT_UID, 'serin.dev/attempt': '3' },
    finalizers: ['serin.dev/anchor'],
  });
  expect(releaseRecordSpecSchema.parse(body.spec)).toMatchObject({
    revision: 'bcdfghjklm',
    previousRevision: 'zzz',
    strategy: { steps: builtInDefaults.stepWeightPercents.map((weightPercent) => ({ weightPercent })) },
  });
});

test('a record of that name is ours only if it is this attempt’s and still open', async () => {
  expect((await createRecord(apiWith(record(3, { isOpen: true })).client, order)).kind).toBe('made');
  expect((await createRecord(apiWith(record(3, { outcome: 'Promoted' })).client, order)).kind).toBe('nameTaken');
  expect((await createRecord(apiWith(record(3, { rolloutUid: 'another' })).client, order)).kind).toBe('nameTaken');
});

describe('ending', () => {
  const ending = {
    outcome: 'RolledBack',
    reason: 'Errors',
    message: 'It fails.',
    startedAtMs: 0,
    endedAtMs: 1000,
    rollout,
  } as const;

  test('the outcome first, then it belongs to the Rollout and our finalizer is off', async () => {
    const open = record(3, { isOpen: true });
    const { client, requests } = recordedApi(() => ({ ...open, metadata: { ...open.metadata, resourceVersion: '6' } }));
    await endRecord(client, open, ending);
    expect(requests.map(({ path }) => path.split('/').at(-1))).toEqual(['status', 'record-3']);
    expect(requests.map(({ body }) => body)).toEqual([
      {
        metadata: { resourceVersion: '5' },
        status: {
          outcome: 'RolledBack',
          reason: 'Errors',
          message: 'It fails.',
          startedAt: '1970-01-01T00:00:00.000Z',
          endedAt: '1970-01-01T00:00:01.000Z',
        },
      },
      {
        metadata: {
          resourceVersion: '6',
          ownerReferences: [{ apiVersion: 'serin.dev/v1alpha1', kind: 'Rollout', ...rollout }],
          finalizers: ['example.com/other'],
        },
      },
    ]);
  });

  test('killed between the two, it goes on where it was', async () => {
    const { client, requests } = recordedApi();
    await endRecord(client, record(3, { isOpen: true, outcome: 'Promoted' }), ending);
    expect(requests.map(({ path }) => path.split('/').at(-1))).toEqual(['record-3']);
  });

  test.each([8.65e15, Number.NaN, -Infinity])(
    'a beginning that is no date (%d) does not keep it open',
    async (startedAtMs) => {
      const { client, requests } = recordedApi();
      await endRecord(client, record(3, { isOpen: true }), { ...ending, startedAtMs });
      expect(requests[0]?.body).toMatchObject({
        status: { outcome: 'RolledBack', endedAt: '1970-01-01T00:00:01.000Z' },
      });
      expect(requests[0]?.body).not.toHaveProperty('status.startedAt');
    },
  );

  test('a record that is gone has ended', async () => {
    const { client } = recordedApi(() => {
      throw refused('NotFound');
    });
    await expect(endRecord(client, record(3, { isOpen: true }), ending)).resolves.toBeUndefined();
  });
});

test('open records are those with our finalizer, of this Rollout', () => {
  const seen = [
    record(1),
    record(2, { isOpen: true, outcome: 'Promoted' }),
    record(3, { isOpen: true }),
    record(4, { isOpen: true, rolloutUid: 'x' }),
  ];
  expect(viewRecords(seen, ROLLOUT_UID)).toMatchObject([
    { name: 'record-2', attempt: 2, ended: true },
    { name: 'record-3', attempt: 3, ended: false, revision: 'bcdfghjklm', uid: 'record-uid-3' },
  ]);
});

test('of ended records the newest twenty stay, and those that own a witness', async () => {
  const { client, requests } = recordedApi();
  const all = Array.from({ length: 24 }, (_, at) => record(at + 1, { outcome: 'Promoted' }));
  const witness = replicaSet('aaa', { ...byRecord, uid: 'record-uid-2' });
  const count = await pruneRecords(client, [record(99, { isOpen: true }), ...all], [witness], ROLLOUT_UID);
  expect(count).toBe(3);
  expect(requests.map(({ method, path }) => [method, path.split('/').at(-1)])).toEqual([
    ['DELETE', 'record-4'],
    ['DELETE', 'record-3'],
    ['DELETE', 'record-1'],
  ]);
});
