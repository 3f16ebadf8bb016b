/** Tables and ages as kubectl users know them. */
import { ageOf, spanOf, tableOf } from './table.ts';

test('columns are as wide as their widest cell, an absent cell is a dash, and nothing trails', () => {
  expect(
    tableOf(
      ['NAME', 'PHASE'],
      [
        ['checkout', undefined],
        ['a', 'Idle'],
      ],
    ),
  ).toEqual(['NAME       PHASE', 'checkout   -', 'a          Idle']);
});

test.each([
  [0, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [900_000, '15m'],
  [3 * 3_600_000 + 12 * 60_000, '3h12m'],
  [9 * 3_600_000 + 12 * 60_000, '9h'],
  [3 * 86_400_000, '3d'],
])('%i ms reads as %s', (ms, words) => {
  expect(spanOf(ms)).toBe(words);
});

test('a time that is absent or unreadable has no age', () => {
  expect([ageOf(undefined, 0), ageOf('yesterday', 0)]).toEqual([undefined, undefined]);
});
