// Whose pods are judged as a version's: those that its ReplicaSet controls, in its own namespace.
import type { Pod } from '../workload/objects.ts';
import { armPods } from './arms.ts';
import { createStores } from './stores.ts';

function podIn(namespace: string, name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-03-01T00:00:00Z',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'shop-1', uid: 'set-1', controller: true }],
    },
    spec: { containers: [] },
  };
}

test('a pod of another namespace that claims the UID of a ReplicaSet is none of its pods', () => {
  const stores = createStores((error) => {
    throw error;
  });
  stores.pods.replaceAll([podIn('shop', 'shop-1-a'), podIn('cart', 'shop-1-b')]);
  expect(armPods(stores, 'shop', 'set-1').map(({ name }) => name)).toEqual(['shop-1-a']);
});
