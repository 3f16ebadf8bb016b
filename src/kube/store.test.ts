import * as fc from 'fast-check';
import { type Change, Store, type Stored } from './store.ts';

interface Pod extends Stored {
  readonly node: string;
}

function pod(name: string, version: string, node = 'n1', uid = `uid-${name}`): Pod {
  return { metadata: { namespace: 'shop', name, uid, resourceVersion: version }, node };
}

function storeWithLog() {
  const store = new Store<Pod>({ indexes: { node: ({ node }) => [node] } });
  const log: string[] = [];
  store.onChange((change: Change<Pod>) =>
    log.push(`${change.kind} ${change.key}@${change.object.metadata.resourceVersion}`),
  );
  return { store, log };
}

test('tells what was added, updated and deleted, and nothing for what it knows already', () => {
  const { store, log } = storeWithLog();
  store.put(pod('a', '1'));
  store.put(pod('a', '1'));
  store.put(pod('a', '2'));
  store.remove('shop/a');
  store.remove('shop/a');
  expect(log).toEqual(['added shop/a@1', 'updated shop/a@2', 'deleted shop/a@2']);
  expect(store.size).toBe(0);
});

test('an object made anew under the same name is a deletion and an addition', () => {
  const { store, log } = storeWithLog();
  store.put(pod('a', '1', 'n1', 'first'));
  store.put(pod('a', '2', 'n2', 'second'));
  expect(log).toEqual(['added shop/a@1', 'deleted shop/a@1', 'added shop/a@2']);
  expect(store.list('node', 'n1')).toEqual([]);
  expect(store.list('node', 'n2')).toHaveLength(1);
});

test('a new list tells only the difference', () => {
  const { store, log } = storeWithLog();
  for (const name of ['a', 'b', 'c']) store.put(pod(name, '1'));
  log.length = 0;
  store.replaceAll([pod('b', '1'), pod('c', '2'), pod('d', '2')]);
  expect(log).toEqual(['deleted shop/a@1', 'updated shop/c@2', 'added shop/d@2']);
});

test('cluster-scoped objects are found without a namespace', () => {
  const store = new Store<Stored>();
  store.put({ metadata: { name: 'node-1', uid: 'u', resourceVersion: '1' } });
  expect(store.get(undefined, 'node-1')?.metadata.uid).toBe('u');
});

test('a listener that throws harms neither the others nor the store', () => {
  const errors: unknown[] = [];
  const store = new Store<Pod>({ onListenerError: (error, key) => errors.push([key, error]) });
  const heard: string[] = [];
  store.onChange(() => {
    throw new Error('broken');
  });
  store.onChange(({ key }) => heard.push(key));
  store.put(pod('a', '1'));
  expect(heard).toEqual(['shop/a']);
  expect(errors).toEqual([['shop/a', new Error('broken')]]);
  expect(store.listenerErrors).toBe(1);
});

test('an object that an index chokes on is kept, and the index goes on', () => {
  const store = new Store<Pod>({
    indexes: {
      node: ({ node }) => {
        if (node === '') throw new Error('no node');
        return [node];
      },
    },
  });
  store.put(pod('bad', '1', ''));
  store.put(pod('good', '1'));
  store.put(pod('bad', '2', 'n1'));
  expect(store.list('node', 'n1').map(({ metadata }) => metadata.name)).toEqual(['good', 'bad']);
});

test('an index that does not exist is a mistake, not an empty answer', () => {
  expect(() => new Store<Pod>().list('node', 'n1')).toThrow('no index "node"');
});

test('a listener that has left hears nothing', () => {
  const store = new Store<Pod>();
  const heard: string[] = [];
  const leave = store.onChange(({ key }) => heard.push(key));
  leave();
  store.put(pod('a', '1'));
  expect(heard).toEqual([]);
});

test('the index finds exactly what a search of everything would find', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      name,
      node: fc.constantFrom('n1', 'n2'),
      uid: fc.constantFrom('u1', 'u2'),
    }),
    fc.record({ kind: fc.constant('remove' as const), name }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { store } = storeWithLog();
      for (const [at, each] of steps.entries()) {
        if (each.kind === 'put') store.put(pod(each.name, String(at), each.node, each.uid));
        else store.remove(`shop/${each.name}`);
      }
      for (const node of ['n1', 'n2']) {
        const found = store.list('node', node).map(({ metadata }) => metadata.name);
        const all = store.all().filter((each) => each.node === node);
        expect(found.toSorted()).toEqual(all.map(({ metadata }) => metadata.name).toSorted());
      }
    }),
  );
});
