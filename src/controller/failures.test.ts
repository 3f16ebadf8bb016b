import { REASONS } from '../api/reasons.ts';
import { Failures } from './failures.ts';
import type { Rollout } from './stores.ts';

function rollout(status?: object): Rollout {
  return {
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'Rollout',
    metadata: { namespace: 'shop', name: 'checkout', uid: 'u', resourceVersion: '1' },
    ...(status === undefined ? {} : { status }),
  };
}

function toldOf(about: Rollout, failures = new Failures()) {
  return [1, 2, 3, 4, 5].map(() => failures.note('shop/checkout', about, new Error('no right to patch')));
}

test('people are told once, when it failed three times in a row', () => {
  const [first, second, third, ...later] = toldOf(rollout());
  expect([first, second, ...later]).toEqual([undefined, undefined, undefined, undefined]);
  expect(third).toEqual({
    type: 'Warning',
    reason: 'Hindered',
    message: 'Serin could not go on and keeps trying: no right to patch',
  });
});

test('a success in between begins the row anew', () => {
  const failures = new Failures();
  for (let i = 0; i < 2; i++) expect(failures.note('shop/checkout', rollout(), 'x')).toBeUndefined();
  failures.forget('shop/checkout');
  expect(toldOf(rollout(), failures).filter((note) => note !== undefined)).toHaveLength(1);
});

test('a Rollout that is gone is told nothing', () => {
  const failures = new Failures();
  const told = [1, 2, 3].map(() => failures.note('shop/checkout', undefined, 'x'));
  expect(told).toEqual([undefined, undefined, undefined]);
});

test.each([...Object.keys(REASONS), 'SomethingOfANewerSerin'])(
  'the Event never has the reason of the status, which may be good news: %s',
  (reason) => {
    expect(toldOf(rollout({ reason }))[2]?.reason).toBe('Hindered');
  },
);
