import { services } from '../kube/resources.ts';
import { yieldFields } from './fields.ts';
import { recordedApi, refused, refusingApi } from './fixtures.ts';

function written(...managers: string[]) {
  const managedFields = managers.map((manager) => ({ manager }));
  const metadata = { name: 'checkout', namespace: 'shop', uid: 'u', resourceVersion: '8', managedFields };
  return { apiVersion: 'v1', kind: 'Service', metadata };
}

test('our entry goes and the others stay', async () => {
  const { client, requests } = recordedApi();
  await yieldFields(client, services, written('flux', 'serin'));
  expect(requests[0]?.body).toEqual({ metadata: { managedFields: [{ manager: 'flux' }], resourceVersion: '8' } });
});

test.each([[['flux']], [['serin']], [[]]])('with the owners %j there is nothing to write', async (managers) => {
  const { client, requests } = recordedApi();
  await yieldFields(client, services, written(...managers));
  expect(requests).toEqual([]);
});

test('when somebody writes at that moment, it is tried on what they wrote, and given up after a while', async () => {
  let conflicts = 1;
  const { client, requests } = recordedApi(({ method }) => {
    if (method === 'GET') return { ...written('flux', 'serin', 'gateway') };
    if (conflicts-- > 0) throw refused('Conflict');
    return {};
  });
  await yieldFields(client, services, written('flux', 'serin'));
  expect(requests.map(({ method }) => method)).toEqual(['PATCH', 'GET', 'PATCH']);
  expect(requests[2]?.body).toMatchObject({
    metadata: { managedFields: [{ manager: 'flux' }, { manager: 'gateway' }] },
  });
  conflicts = Number.POSITIVE_INFINITY;
  await expect(yieldFields(client, services, written('flux', 'serin'))).resolves.toBeUndefined();
  expect(requests).toHaveLength(3 + 5);
});

test('an object that is gone has no owners, and anything else that fails is told', async () => {
  await expect(
    yieldFields(refusingApi('NotFound').client, services, written('flux', 'serin')),
  ).resolves.toBeUndefined();
  await expect(yieldFields(refusingApi('Forbidden').client, services, written('flux', 'serin'))).rejects.toMatchObject({
    code: 'Forbidden',
  });
});
