import * as fc from 'fast-check';
import { brakeWeight, canarySize, percent, podsForShare, shareOfPods } from './weights.ts';

const weights = fc.double({ min: 0.01, max: 100, noNaN: true });
const replicas = fc.integer({ min: 1, max: 10_000 });

test('a canary has at least two pods, so that one bad pod is told from a bad version, and never more than the workload', () => {
  fc.assert(
    fc.property(weights, replicas, (weight, count) => {
      const size = canarySize(weight, count);
      expect(size).toBeLessThanOrEqual(count);
      expect(size).toBeGreaterThanOrEqual(Math.min(2, count));
      expect(size).toBeGreaterThanOrEqual(podsForShare(weight, count));
    }),
  );
  expect([1, 2, 4, 40].map((count) => canarySize(10, count))).toEqual([1, 2, 2, 4]);
});

test('pods that carry a share may carry exactly that share, and one pod less may not (S1)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 }), (tenths, count) => {
      const weight = tenths / 10;
      const needed = podsForShare(weight, count);
      expect(needed).toBeGreaterThanOrEqual(1);
      expect(needed).toBeLessThanOrEqual(count);
      expect(shareOfPods(needed, count)).toBeGreaterThanOrEqual(weight - 1e-9);
      expect((needed - 1) * 100).toBeLessThan(weight * count);
    }),
  );
});

test('more ready pods never carry less, and all of them carry everything', () => {
  fc.assert(
    fc.property(replicas, fc.nat(10_000), (count, ready) => {
      expect(shareOfPods(ready + 1, count)).toBeGreaterThanOrEqual(shareOfPods(ready, count));
      expect(shareOfPods(count, count)).toBe(100);
    }),
  );
});

test('no ready pod carries nothing, and no share needs no pod', () => {
  expect(shareOfPods(0, 4)).toBe(0);
  expect(podsForShare(0, 4)).toBe(0);
});

test('with 0 replicas a share always lacks a pod, so nothing is sent to it', () => {
  expect(podsForShare(25, 0)).toBe(1);
  expect(shareOfPods(3, 0)).toBe(0);
  expect(canarySize(25, 0)).toBe(0);
});

test('the brake leaves at most a fifth and more than nothing, and never raises a weight', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (weight, rate) => {
        const braked = brakeWeight(weight, rate);
        expect(braked).toBeGreaterThan(0);
        expect(braked).toBeLessThanOrEqual(Math.max(0.01, weight / 5 + 0.005));
        expect(braked).toBeLessThan(weight);
      },
    ),
  );
});

test('between those limits the brake leaves two canary requests a second, and at least one percent', () => {
  expect(brakeWeight(50, 40)).toBe(5);
  expect(brakeWeight(50, 10_000)).toBe(1);
  expect(brakeWeight(50, 2)).toBe(10);
  expect(brakeWeight(50, 0)).toBe(10);
  expect(brakeWeight(2, 10_000)).toBe(0.4);
});

test('shares are written as people write them', () => {
  expect([5, 0.25, 33.333].map(percent)).toEqual(['5%', '0.25%', '33.33%']);
});
