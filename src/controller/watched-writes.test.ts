import { KubeClient } from '../kube/client.ts';
import { deployments, services } from '../kube/resources.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { Stored } from '../kube/store.ts';
import { ApiDouble } from './api-double.ts';
import { fillShop } from './sample-world.ts';
import { UnseenWrites } from './unseen-writes.ts';
import { watchedWrites } from './watched-writes.ts';

function watched(mayWrite = () => true) {
  const api = new ApiDouble();
  fillShop(api);
  const lines: { fields: object; sentence: string }[] = [];
  const note = (fields: object, sentence: string): void => void lines.push({ fields, sentence });
  const state: { stored: Stored | undefined } = { stored: undefined };
  const unseen = new UnseenWrites({
    clock: new ManualClock(),
    stored: () => ({ object: state.stored }),
    live: () => Promise.reject(new Error('not asked')),
  });
  let conflicts = 0;
  const parts = {
    transport: api,
    unseen,
    log: { debug: note, info: note, warn: note, error: note },
    mayWrite,
    onConflict: () => conflicts++,
  };
  const client = new KubeClient({ transport: watchedWrites(parts, { rollout: 'shop/checkout', reason: 'pin' }) });
  return { api, client, lines, unseen, state, conflicts: () => conflicts };
}

const checkout = { namespace: 'shop', name: 'checkout' };

test('each write is one line with its reason and object', async () => {
  const { client, lines } = watched();
  await client.mergePatch(services, checkout, { metadata: { labels: { a: 'b' } } });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    sentence: 'patch Service shop/checkout',
    fields: { rollout: 'shop/checkout', reason: 'pin', method: 'PATCH' },
  });
});

test('what was made is waited for, with the name that the server answered', async () => {
  const { client, unseen } = watched();
  await client.create(services, { metadata: { namespace: 'shop', name: 'checkout-canary' } });
  expect(unseen.first('shop/checkout')).toMatchObject({
    verb: 'create',
    resource: 'services',
    ref: { namespace: 'shop', name: 'checkout-canary' },
  });
});

test('a deletion is waited for until the store has lost the object', async () => {
  const { api, client, unseen, state } = watched();
  const before = api.get('services', 'shop', 'checkout');
  state.stored = before;
  await client.delete(services, checkout, { uid: before?.metadata.uid ?? '' });
  expect(unseen.first('shop/checkout')).toMatchObject({ verb: 'delete', uid: before?.metadata.uid });
  state.stored = undefined;
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('reads and dry runs are neither logged nor waited for', async () => {
  const { client, lines, unseen } = watched();
  await client.get(deployments, checkout);
  await client.mergePatch(deployments, checkout, { spec: { paused: true } }, { dryRun: true });
  expect(lines).toEqual([]);
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('without the Lease a write is refused before it leaves, and a read is not', async () => {
  const { api, client } = watched(() => false);
  await client.get(deployments, checkout);
  await expect(client.mergePatch(deployments, checkout, { spec: { paused: true } })).rejects.toMatchObject({
    code: 'Aborted',
  });
  expect(api.writes).toEqual([]);
});

test('a write that came second is counted', async () => {
  const { client, conflicts } = watched();
  await expect(client.mergePatch(services, checkout, {}, { resourceVersion: '1' })).rejects.toMatchObject({
    code: 'Conflict',
  });
  expect(conflicts()).toBe(1);
});
