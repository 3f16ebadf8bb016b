import { quantity } from './quantity.ts';

test.each<[unknown, number | undefined]>([
  ['250m', 0.25],
  ['1', 1],
  ['1.5', 1.5],
  ['.5', 0.5],
  [2, 2],
  ['128Mi', 128 * 2 ** 20],
  ['1G', 1e9],
  ['1e3', 1000],
  ['1E3', 1000],
  ['2E', 2e18],
  ['100n', 1e-7],
  ['', undefined],
  ['Mi', undefined],
  ['1 Mi', undefined],
  ['1mi', undefined],
  ['1e3Mi', undefined],
  [undefined, undefined],
  [Number.NaN, undefined],
])('%j is %j', (written, value) => {
  const read = quantity(written);
  if (value === undefined) expect(read).toBeUndefined();
  else expect(read).toBeCloseTo(value, 12);
});
