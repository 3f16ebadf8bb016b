import { KubeError } from '../kube/errors.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { Stored } from '../kube/store.ts';
import { isAtLeast, UnseenWrites, type Written } from './unseen-writes.ts';

const ref = { namespace: 'shop', name: 'checkout' };
const made: Written = { verb: 'create', resource: 'replicasets', ref, uid: 'u1', resourceVersion: '10' };

function world() {
  const clock = new ManualClock();
  const state: { stored: Stored | undefined; live: Stored | undefined } = { stored: undefined, live: undefined };
  const asked: string[] = [];
  const unseen = new UnseenWrites({
    clock,
    stored: (resource) => (resource === 'events' ? undefined : { object: state.stored }),
    live: async (resource) => {
      asked.push(resource);
      if (state.live === undefined) throw new KubeError('gone', { code: 'NotFound', retry: 'never' });
      return state.live;
    },
  });
  return { clock, state, asked, unseen };
}

const object = (uid: string, resourceVersion: string): Stored => ({ metadata: { ...ref, uid, resourceVersion } });

test('a creation is unseen until the store has it', () => {
  const { unseen, state } = world();
  unseen.note('shop/checkout', made);
  expect(unseen.first('shop/checkout')).toMatchObject({ uid: 'u1' });
  expect(unseen.first('shop/other')).toBeUndefined();
  state.stored = object('u1', '10');
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('a change is unseen while the store has an older version, and seen with any later one', () => {
  const { unseen, state } = world();
  state.stored = object('u1', '9');
  unseen.note('shop/checkout', { ...made, verb: 'change', resourceVersion: '10' });
  expect(unseen.first('shop/checkout')).toBeDefined();
  state.stored = object('u1', '11');
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('a deletion is unseen while the object is there, and seen when another has its name', () => {
  const { unseen, state } = world();
  state.stored = object('u1', '9');
  unseen.note('shop/checkout', { verb: 'delete', resource: 'replicasets', ref, uid: 'u1' });
  expect(unseen.first('shop/checkout')).toBeDefined();
  state.stored = object('u2', '12');
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('an object that was changed and is gone since is not waited for', () => {
  const { unseen } = world();
  unseen.note('shop/checkout', { ...made, verb: 'change' });
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('a creation that somebody undid before it was seen is asked about once it is overdue, and given up', async () => {
  const { unseen, clock, asked } = world();
  unseen.note('shop/checkout', made);
  await unseen.confirm('shop/checkout');
  expect(asked).toEqual([]);
  await clock.advance(5_000);
  await unseen.confirm('shop/checkout');
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test('a store that is behind the API server is waited for, however long', async () => {
  const { unseen, clock, state } = world();
  unseen.note('shop/checkout', made);
  state.live = object('u1', '10');
  for (let i = 0; i < 10; i++) {
    await clock.advance(10_000);
    await unseen.confirm('shop/checkout');
  }
  expect(unseen.first('shop/checkout')).toBeDefined();
});

test('what nobody watches needs no waiting', () => {
  const { unseen } = world();
  unseen.note('shop/checkout', { ...made, resource: 'events' });
  expect(unseen.first('shop/checkout')).toBeUndefined();
});

test.each([
  ['9', '10', false],
  ['10', '10', true],
  ['100', '20', true],
  ['99999999999999999999', '99999999999999999998', true],
  ['abc', '10', false],
  ['abc', 'abc', true],
])('version %s shows what version %s had: %s', (seen, wanted, shown) => {
  expect(isAtLeast(seen, wanted)).toBe(shown);
});

test('what nobody watches is waited for by nobody, and asked of nobody', async () => {
  const { unseen, clock, asked } = world();
  unseen.note('shop/checkout', { ...made, resource: 'events' });
  await clock.advance(10_000);
  await unseen.confirm('shop/checkout');
  expect(unseen.first('shop/checkout')).toBeUndefined();
  expect(asked).toEqual([]);
});
