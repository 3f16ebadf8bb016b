import { deployment, recordedApi, refused } from './fixtures.ts';
import { rehearse } from './rehearsal.ts';

test('a ReplicaSet and a pod of it are tried, and nothing is kept', async () => {
  const { client, requests } = recordedApi();
  expect(await rehearse(client, deployment(), 2)).toEqual({});
  expect(requests.map(({ path, query }) => [path.split('/').at(-1), query?.['dryRun']])).toEqual([
    ['replicasets', 'All'],
    ['pods', 'All'],
  ]);
  const [set, pod] = requests.map(({ body }) => body);
  expect(set).toMatchObject({ metadata: { generateName: 'serin-rehearsal-' }, spec: { replicas: 2 } });
  expect(set).not.toHaveProperty('metadata.ownerReferences');
  expect(set).not.toHaveProperty('metadata.name');
  expect(pod).toMatchObject({
    metadata: { namespace: 'shop', labels: { app: 'checkout' } },
    spec: { containers: [{ name: 'app' }] },
  });
});

test('what the API server would refuse is told in its own words', async () => {
  const { client } = recordedApi(({ path }) => {
    if (path.endsWith('pods')) throw refused('Forbidden', 'exceeded quota: team');
    return {};
  });
  expect(await rehearse(client, deployment(), 2)).toEqual({ refused: 'exceeded quota: team' });
});

test('an API server that cannot answer has refused nothing', async () => {
  const { client } = recordedApi(() => {
    throw refused('Unavailable');
  });
  await expect(rehearse(client, deployment(), 2)).rejects.toMatchObject({ code: 'Unavailable' });
});
