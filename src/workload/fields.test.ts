import { services } from '../kube/resources.ts';
import { yieldFields } from './fields.ts';
import { recordedApi, refused } from './fixtures.ts';

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

test('whoever writes at that moment goes first, and anything else that fails is told', async () => {
  const failing = (code: 'Conflict' | 'Forbidden') =>
    recordedApi(() => {
      throw refused(code);
    }).client;
  await expect(yieldFields(failing('Conflict'), services, written('flux', 'serin'))).resolves.toBeUndefined();
  await expect(yieldFields(failing('Forbidden'), services, written('flux', 'serin'))).rejects.toMatchObject({
    code: 'Forbidden',
  });
});
