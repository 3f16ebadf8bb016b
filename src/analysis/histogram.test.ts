import * as fc from 'fast-check';
import {
  addHistograms,
  commonBuckets,
  countsBetween,
  growthFactor,
  histogramOf,
  nearestOnGrid,
  requestsIn,
  slowerThan,
} from './histogram.ts';
import { nonDecreasing } from './isotonic.ts';

const grid = (schema: number) => (cell: number) => 2 ** (cell / 2 ** schema);

/** A native histogram from the numbers of its cells. */
function native(schema: number, cells: Readonly<Record<number, number>>) {
  const bound = grid(schema);
  const filled = Object.entries(cells)
    .map(([cell, count]) => ({ left: bound(Number(cell) - 1), right: bound(Number(cell)), count }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => one.left - other.left);
  return histogramOf(filled);
}

const classic = (upperBounds: readonly number[], counts: readonly number[]) => ({ upperBounds, counts });

describe('a native histogram', () => {
  test('lists the empty buckets between those with requests as one', () => {
    expect(native(0, { '-2': 5, 1: 3 })).toEqual({
      upperBounds: [0.125, 0.25, 1, 2, Infinity],
      counts: [0, 5, 0, 3, 0],
    });
  });

  test.each([0, 2, 3, 5])('of schema %i is known by how its buckets grow', (schema) => {
    expect(growthFactor(native(schema, { '-40': 1, '-7': 4, '-6': 2 }))).toBeCloseTo(2 ** (2 ** -schema), 12);
    expect(nearestOnGrid(0.3, grid(schema)(1))).toBeCloseTo(0.3, schema > 2 ? 1 : 0);
  });

  test('a classic one with the usual bounds is not taken for one', () => {
    expect(growthFactor(classic([0.005, 0.01, 0.025, 0.05, 0.1, Infinity], [1, 1, 1, 1, 1, 1]))).toBeUndefined();
  });

  test('meets another one on the grid of the coarser', () => {
    const [fine, coarse] = commonBuckets([native(3, { '-8': 4, '-7': 6, '-1': 1 }), native(2, { '-3': 7 })]);
    expect(fine?.upperBounds).toEqual(coarse?.upperBounds);
    expect(growthFactor(fine ?? native(0, {}))).toBeCloseTo(2 ** (1 / 4), 12);
    expect(requestsIn(fine ?? native(0, {}))).toBe(11);
    expect(slowerThan(coarse ?? native(0, {}), grid(2)(-4))).toBe(7);
  });

  test('loses no request on the way, however it is cut', () => {
    const cells = fc.dictionary(fc.integer({ min: -60, max: 20 }).map(String), fc.nat(50), { minKeys: 1, maxKeys: 12 });
    fc.assert(
      fc.property(cells, cells, fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2, 3), (one, other, first, second) => {
        const all = [native(first, one), native(second, other)];
        const common = commonBuckets(all);
        expect(common.map(requestsIn)).toEqual(all.map(requestsIn));
        expect(requestsIn(addHistograms(all[0]!, all[1]!))).toBe(requestsIn(all[0]!) + requestsIn(all[1]!));
      }),
    );
  });
});

describe('classic histograms', () => {
  test('keep the bounds that all of them have', () => {
    const [one, other] = commonBuckets([
      classic([0.1, 0.3, 1, Infinity], [1, 2, 3, 4]),
      classic([0.1, 0.5, 1, Infinity], [5, 0, 7, 0]),
    ]);
    expect(one).toEqual(classic([0.1, 1, Infinity], [1, 5, 4]));
    expect(other).toEqual(classic([0.1, 1, Infinity], [5, 7, 0]));
  });

  test('tell how many are slower than a bound, and nothing within a bucket that has some', () => {
    const histogram = classic([0.1, 0.3, 1, Infinity], [1, 2, 0, 4]);
    expect([0.1, 0.3, 0.5, 1].map((at) => slowerThan(histogram, at))).toEqual([6, 4, 4, 4]);
    expect(slowerThan(histogram, 0.2)).toBeUndefined();
    expect(slowerThan(histogram, 2)).toBeUndefined();
    expect(countsBetween(histogram, [0.3, Infinity])).toEqual([3, 4]);
  });
});

test('the nearest non-decreasing sequence rises, keeps its mean, and leaves a rising one alone', () => {
  const drawn = fc.array(
    fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0.01, max: 10, noNaN: true })),
    { minLength: 1, maxLength: 30 },
  );
  const mean = (values: readonly number[], weights: readonly number[]) =>
    values.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0);
  fc.assert(
    fc.property(drawn, (pairs) => {
      const [values, weights] = [pairs.map(([value]) => value), pairs.map(([, weight]) => weight)];
      const risen = nonDecreasing(values, weights);
      expect(risen.every((value, index) => index === 0 || value >= (risen[index - 1] ?? 0) - 1e-9)).toBe(true);
      expect(mean(risen, weights)).toBeCloseTo(mean(values, weights), 6);
      const rising = values.toSorted((one, other) => one - other);
      expect(nonDecreasing(rising, weights)).toEqual(rising);
    }),
  );
});
