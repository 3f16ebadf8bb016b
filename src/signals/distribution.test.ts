// Requests by how long they took, from classic and native histograms: each request once, in a bucket that it was counted in.
import { type BucketSeries, boundOf, classicDistributions } from './classic-buckets.ts';
import { type Distribution, atBounds, commonBounds, grownBuckets } from './distribution.ts';
import { type NativeSeries, nativeDistributions } from './native-buckets.ts';
import type { NativeBucket } from './series.ts';

/** At each second, the cumulative counts by boundary. */
type Scrapes = Readonly<Record<number, Readonly<Record<string, number>>>>;

function classic(scrapes: Scrapes, secondsPerUnit = 1): Distribution {
  const les = new Set(Object.values(scrapes).flatMap((buckets) => Object.keys(buckets)));
  const series: readonly BucketSeries[] = [...les].map((le) => ({
    arm: 'canary',
    labels: { le, path: '/orders' },
    samples: Object.entries(scrapes).flatMap(([second, buckets]) => {
      const value = buckets[le];
      return value === undefined ? [] : [{ atMs: Number(second) * 1000, value }];
    }),
    secondsPerUnit,
  }));
  const [distribution] = classicDistributions(series);
  if (!distribution) throw new Error('no distribution');
  return distribution;
}

const grown = (distribution: Distribution, after: number, until: number, isBorn = true) =>
  grownBuckets(distribution, after * 1000, until * 1000, () => isBorn);

describe('a classic histogram', () => {
  const steady = classic({ 5: { 0.1: 10, 1: 14, '+Inf': 15 }, 10: { 0.1: 16, 1: 22, '+Inf': 24 } });

  test('counts what came between two scrapes, each request in one bucket', () => {
    expect(steady.upperBounds).toEqual([0.1, 1, Infinity]);
    expect(grown(steady, 5, 10)).toEqual([6, 2, 1]);
    expect(grown(steady, 5, 9)).toEqual([0, 0, 0]);
  });

  test('counts its first scrape in full where it was born there, and else only from there', () => {
    expect(grown(steady, 0, 10)).toEqual([16, 6, 2]);
    expect(grown(steady, 0, 10, false)).toEqual([6, 2, 1]);
  });

  test('that began anew counts in full, also the buckets that are already higher than before', () => {
    const restarted = classic({ 5: { 0.1: 2, 1: 50, '+Inf': 60 }, 10: { 0.1: 3, 1: 7, '+Inf': 8 } });
    expect(grown(restarted, 5, 10)).toEqual([3, 4, 1]);
  });

  test('whose buckets were read one after the other loses nothing below zero', () => {
    // The request at 0.05 s was added to "0.1" after "0.1" was read, and before "1" was.
    const raced = classic({ 5: { 0.1: 10, 1: 10, '+Inf': 10 }, 10: { 0.1: 12, 1: 11, '+Inf': 12 } });
    expect(grown(raced, 5, 10)).toEqual([2, 0, 1]);
  });

  test('writes its boundaries in many ways', () => {
    expect(['1', '1.0', '1e0', '+Inf', 'inf', 'Inf', '', 'x', undefined].map(boundOf)).toEqual([
      1,
      1,
      1,
      Infinity,
      Infinity,
      Infinity,
      undefined,
      undefined,
      undefined,
    ]);
    expect(
      commonBounds([
        classic({ 5: { '0.10': 1, '1': 1, '+Inf': 1 } }),
        classic({ 5: { '0.1': 1, '1.0': 1, '+Inf': 1 } }),
      ]),
    ).toEqual([0.1, 1, Infinity]);
  });

  test('in milliseconds is one in seconds', () => {
    const [inMs, inSeconds] = [
      classic({ 5: { '2.5': 1, '300': 2, '+Inf': 2 } }, 0.001),
      classic({ 5: { '0.0025': 1, '0.3': 2, '+Inf': 2 } }),
    ];
    expect(inMs.upperBounds).toEqual(inSeconds.upperBounds);
  });

  test('leaves out a boundary that a scrape lacks, and all of it without the last one', () => {
    expect(classic({ 5: { 0.1: 1, 0.5: 1, '+Inf': 2 }, 10: { 0.1: 2, '+Inf': 4 } }).upperBounds).toEqual([
      0.1,
      Infinity,
    ]);
    expect(() => classic({ 5: { 0.1: 1, 0.5: 1 } })).toThrow('no distribution');
  });
});

test('versions with different boundaries are compared at those that both have', () => {
  const old = classic({ 5: { 0.1: 1, 0.5: 3, 1: 6, '+Inf': 10 } });
  const young = classic({ 5: { 0.2: 2, 0.5: 3, '+Inf': 10 } });
  const bounds = commonBounds([old, young]);
  expect(bounds).toEqual([0.5, Infinity]);
  expect(grown(atBounds(old, bounds), 0, 5)).toEqual([3, 7]);
  expect(commonBounds([old, classic({ 5: { 0.3: 1, '+Inf': 1 } })])).toEqual([]);
});

const from = (schema: number, index: number, count: number): NativeBucket => ({
  lower: 2 ** ((index - 1) / 2 ** schema),
  upper: 2 ** (index / 2 ** schema),
  count,
});

function native(scrapes: Readonly<Record<number, readonly NativeBucket[]>>, secondsPerUnit = 1): NativeSeries {
  const histograms = Object.entries(scrapes).map(([second, buckets]) => ({
    atMs: Number(second) * 1000,
    count: buckets.reduce((sum, { count }) => sum + count, 0),
    buckets,
  }));
  return { arm: 'canary', histograms, secondsPerUnit };
}

/** Which boundaries have how many; empty ones left out. */
function filled(distribution: Distribution, after: number, until: number): readonly (readonly [number, number])[] {
  const counts = grown(distribution, after, until);
  return distribution.upperBounds.flatMap((bound, index) => {
    const count = counts[index] ?? 0;
    return count > 0 ? [[Number(bound.toPrecision(3)), count] as const] : [];
  });
}

describe('a native histogram', () => {
  test('lies on a grid that does not depend on which buckets are filled', () => {
    const [one, other] = nativeDistributions([
      native({ 5: [from(3, -8, 4)] }),
      native({ 5: [from(3, -16, 1), from(3, 5, 2)] }),
    ]);
    expect(one?.upperBounds).toEqual(other?.upperBounds);
    expect(one && filled(one, 0, 5)).toEqual([[0.5, 4]]);
    expect(other && filled(other, 0, 5)).toEqual([
      [0.25, 1],
      [1.54, 2],
    ]);
  });

  test('of a finer or coarser resolution is read as the coarsest', () => {
    const [fine, coarse] = nativeDistributions([
      native({ 5: [from(5, -3, 1), from(5, 0, 2), from(5, 1, 4), from(5, 32, 8)] }),
      native({ 5: [from(1, 1, 3)] }),
    ]);
    expect(fine && filled(fine, 0, 5)).toEqual([
      [1, 3],
      [1.41, 4],
      [2, 8],
    ]);
    expect(coarse && filled(coarse, 0, 5)).toEqual([[1.41, 3]]);
    expect(commonBounds([fine, coarse].flatMap((one) => one ?? []))).toEqual(coarse?.upperBounds);
  });

  test('that changes its resolution on the way goes on', () => {
    const [one] = nativeDistributions([
      native({ 5: [from(3, 1, 5), from(3, 2, 5)], 10: [from(2, 1, 12), from(2, 2, 1)] }),
    ]);
    expect(one && filled(one, 5, 10)).toEqual([
      [1.19, 2],
      [1.41, 1],
    ]);
  });

  test('whose bucket shrinks or disappears began anew', () => {
    const [one] = nativeDistributions([
      native({ 5: [from(3, 1, 5), from(3, 9, 1)], 10: [from(3, 1, 9)], 15: [from(3, 1, 8), from(3, 5, 30)] }),
    ]);
    expect(one && filled(one, 5, 10)).toEqual([[1.09, 9]]);
    expect(one && filled(one, 10, 15)).toEqual([
      [1.09, 8],
      [1.54, 30],
    ]);
  });

  test('counts what took no time, and what took longer than anybody waits', () => {
    const zero: NativeBucket = { lower: -0.001, upper: 0.001, count: 3 };
    const endless: NativeBucket = { lower: 1024, upper: Infinity, count: 2 };
    const [one] = nativeDistributions([native({ 5: [zero, from(3, 1, 1), endless] })]);
    const counts = one ? grown(one, 0, 5) : [];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6);
    expect(counts.at(-1)).toBe(2);
  });

  test('in milliseconds is one in seconds', () => {
    const [one] = nativeDistributions([native({ 5: [from(3, 64, 7)] }, 0.001)]);
    expect(one && filled(one, 0, 5)).toEqual([[0.256, 7]]);
  });

  test('with boundaries that somebody chose has those that any of them shows', () => {
    const bucket = (lower: number, upper: number, count: number): NativeBucket => ({ lower, upper, count });
    const all = nativeDistributions([
      native({ 5: [bucket(0, 0.1, 4), bucket(0.3, 1.2, 1)], 10: [bucket(0, 0.1, 6), bucket(0.3, 1.2, 2)] }),
      native({ 5: [bucket(0, 0.1, 1)], 10: [bucket(0, 0.1, 2), bucket(5, Infinity, 1)] }),
    ]);
    expect(commonBounds(all)).toEqual([0.1, 0.3, 1.2, 5, Infinity]);
    expect(all.map((one) => grown(one, 5, 10))).toEqual([
      [2, 0, 1, 0, 0],
      [1, 0, 0, 0, 1],
    ]);
  });
});

describe('a tenant that exposes boundaries without end', () => {
  const length = 20_000;

  test('of its own choice: they are read in one pass, and only so many of them are told apart', () => {
    const buckets = Array.from({ length }, (_, index) => ({
      lower: 1 + index / 10_000,
      upper: 1 + (index + 1) / 10_000,
      count: 1,
    }));
    const histograms = [{ atMs: 1_000, count: length, buckets }];
    const [read] = nativeDistributions([{ arm: 'canary', histograms, secondsPerUnit: 1 }]);
    expect(read?.upperBounds.length).toBeLessThanOrEqual(202);
    expect(read?.readings[0]?.upTo.at(-1)).toBe(length);
    expect(read?.readings[0]?.upTo.every((count, index, all) => count >= (all[index - 1] ?? 0))).toBe(true);
  });

  test('of a classic histogram: the last is kept, and every request is below it', () => {
    const bounds = Array.from({ length: 1_001 }, (_, index) => (index === 1_000 ? Infinity : index + 1));
    const one: Distribution = {
      arm: 'canary',
      upperBounds: bounds,
      readings: [{ atMs: 1, upTo: bounds.map((_, index) => index) }],
      isExact: false,
    };
    const common = commonBounds([one, one]);
    expect(common.length).toBeLessThanOrEqual(200);
    expect(common.at(-1)).toBe(Infinity);
    expect(atBounds(one, common).readings[0]?.upTo.at(-1)).toBe(1_000);
  });
});
