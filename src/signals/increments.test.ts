import * as fc from 'fast-check';
import { growth, isNewSince } from './increments.ts';

const samples = (...values: readonly (readonly [seconds: number, value: number])[]) =>
  values.map(([seconds, value]) => ({ atMs: seconds * 1000, value }));
const born = () => true;
const known = () => false;

describe('growth of a counter', () => {
  test('is the difference of what was sampled, from the sample before the stretch on', () => {
    const seen = samples([0, 10], [5, 14], [10, 20], [15, 21]);
    expect(growth(seen, 0, 10_000, known)).toBe(10);
    expect(growth(seen, 5_000, 15_000, known)).toBe(7);
    expect(growth(seen, 7_000, 12_000, known)).toBe(6);
  });

  test('over a restart is what was counted since', () => {
    expect(growth(samples([0, 100], [5, 110], [10, 3], [15, 9]), 0, 15_000, known)).toBe(19);
  });

  test('of a series born in the stretch begins at zero: its first value is the first burst of errors', () => {
    expect(growth(samples([10, 25], [15, 30]), 5_000, 15_000, born)).toBe(30);
  });

  test('of a series whose birth nobody saw begins at its first value', () => {
    expect(growth(samples([10, 25], [15, 30]), 5_000, 15_000, known)).toBe(5);
  });

  test('over a gap is not lost', () => {
    expect(growth(samples([0, 10], [300, 500]), 0, 300_000, known)).toBe(490);
  });

  test('without a sample is nothing', () => {
    expect(growth([], 0, 10_000, born)).toBe(0);
    expect(growth(samples([20, 5]), 0, 10_000, born)).toBe(0);
  });

  test('is the same in one stretch as in any two that follow each other', () => {
    const values = fc.array(fc.nat(50), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.nat(12), fc.boolean(), (all, cut, isBorn) => {
        const seen = samples(...all.map((value, index) => [index * 5, value] as const));
        const lives = () => isBorn;
        const endMs = all.length * 5_000;
        const cutMs = cut * 5_000;
        // From before the first sample, so that the birth falls into one of the stretches.
        const whole = growth(seen, -1, endMs, lives);
        const parts = growth(seen, -1, Math.min(cutMs, endMs), lives) + growth(seen, cutMs, endMs, lives);
        if (cutMs <= endMs) expect(parts).toBe(whole);
      }),
    );
  });
});

describe('a series is new', () => {
  test('when its target was scraped just before, without it', () => {
    expect(isNewSince([0, 5_000, 10_000], 10_000, 5_000)).toBe(true);
  });
  test('but not when the scrape before is more than three intervals older', () => {
    expect(isNewSince([0, 30_000], 30_000, 5_000)).toBe(false);
  });
  test('and not when nothing is known of the target before it', () => {
    expect(isNewSince([10_000, 15_000], 10_000, 5_000)).toBe(false);
  });
});
