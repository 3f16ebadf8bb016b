import { matchesSelector } from './selector.ts';

const labels = { app: 'checkout', tier: 'web' };

test.each([
  ['In', 'tier', ['web', 'api'], true],
  ['In', 'tier', ['api'], false],
  ['In', 'zone', ['a'], false],
  ['NotIn', 'tier', ['api'], true],
  ['NotIn', 'tier', ['web'], false],
  ['NotIn', 'zone', ['a'], true],
  ['Exists', 'tier', [], true],
  ['Exists', 'zone', [], false],
  ['DoesNotExist', 'zone', [], true],
  ['DoesNotExist', 'tier', [], false],
  ['Like', 'tier', ['web'], false],
])('%s %s %j', (operator, key, values, expected) => {
  expect(matchesSelector({ matchExpressions: [{ key, operator, values }] }, labels)).toBe(expected);
});

test('labels and expressions must all hold, and an empty selector matches everything', () => {
  const wrong = [{ key: 'tier', operator: 'DoesNotExist' }];
  expect(matchesSelector({ matchLabels: { app: 'checkout' } }, labels)).toBe(true);
  expect(matchesSelector({ matchLabels: { app: 'cart' } }, labels)).toBe(false);
  expect(matchesSelector({ matchLabels: { app: 'checkout' }, matchExpressions: wrong }, labels)).toBe(false);
  expect(matchesSelector({}, labels)).toBe(true);
});
