import { recordedApi } from '../workload/fixtures.ts';
import { service } from './fixtures.ts';
import { pin, unpin } from './pin.ts';

const labels = { team: 'shop', 'serin.dev/pinned': 'aaa', 'serin.dev/rollout-uid': 'r' };
const pinned = service('checkout', { selector: { app: 'checkout', 'pod-template-hash': 'aaa' } }, { labels });

test('pinning narrows the selector of the Service as it was looked at, and says so in a label', async () => {
  const { client, requests } = recordedApi();
  await pin(client, service(), { hash: 'aaa', rolloutUid: 'r' });
  expect(requests.map(({ body }) => body)).toEqual([
    {
      metadata: { resourceVersion: '20', labels: { 'serin.dev/pinned': 'aaa', 'serin.dev/rollout-uid': 'r' } },
      spec: { selector: { 'pod-template-hash': 'aaa' } },
    },
  ]);
});

test('unpinning takes selector and labels off together, then gives the fields back', async () => {
  const managedFields = [{ manager: 'flux' }, { manager: 'serin' }];
  const { client, requests } = recordedApi(() =>
    service('checkout', {}, { resourceVersion: '21', managedFields } as object),
  );
  await unpin(client, pinned);
  expect(requests.map(({ body }) => body)).toEqual([
    {
      metadata: { resourceVersion: '20', labels: { 'serin.dev/pinned': null, 'serin.dev/rollout-uid': null } },
      spec: { selector: { 'pod-template-hash': null } },
    },
    { metadata: { resourceVersion: '21', managedFields: [{ manager: 'flux' }] } },
  ]);
});

test('a hash in the selector of a Service without our label is its user’s, and stays', async () => {
  const { client, requests } = recordedApi();
  await unpin(client, service('checkout', { selector: { 'pod-template-hash': 'aaa' } }));
  expect(requests).toEqual([]);
});
