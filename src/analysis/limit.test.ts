import { limitSeconds, shapeLimitSeconds } from './limit.ts';

const equal = { ratio: 1, excess: 0 };
const traffic = (weight: number) => ({ canaryPerSecond: 100 * weight, stablePerSecond: 100 * (1 - weight) });

test('without any stable error, the least is ln(odds) : ln(1 / weight) canary errors', () => {
  const seconds = limitSeconds({ ...traffic(0.1), canaryRate: 0.05, stableRate: 0 }, equal, Math.log(100));
  expect(seconds * 10 * 0.05).toBeCloseTo(2, 1);
});

test('for a small rate and many stable requests it is that of a known rate: p (r ln r − r + 1) a request', () => {
  const rates = { canaryPerSecond: 1, stablePerSecond: 1e6, canaryRate: 0.005, stableRate: 0.001 };
  const information = 0.001 * (5 * Math.log(5) - 4);
  expect(limitSeconds(rates, equal, Math.log(100))).toBeCloseTo(Math.log(100) / information, -1);
});

test('what is tolerated makes it longer, and a canary within it can never be told', () => {
  const rates = { ...traffic(0.1), canaryRate: 0.02, stableRate: 0.01 };
  const plain = limitSeconds(rates, equal, Math.log(1000));
  expect(limitSeconds(rates, { ratio: 1.1, excess: 0 }, Math.log(1000))).toBeGreaterThan(plain);
  expect(limitSeconds(rates, { ratio: 1, excess: 0.005 }, Math.log(1000))).toBeGreaterThan(plain);
  expect(limitSeconds({ ...rates, canaryRate: 0.01 }, equal, 1)).toBe(Infinity);
});

test('of two shapes with two buckets it is that of two rates', () => {
  const rates = { ...traffic(0.1), canaryRate: 0.3, stableRate: 0.1 };
  const shapes = shapeLimitSeconds([0.7, 0.3], [0.9, 0.1], rates, Math.log(100));
  expect(shapes).toBeCloseTo(limitSeconds(rates, equal, Math.log(100)), 3);
  expect(shapeLimitSeconds([0.5, 0.5], [0.5, 0.5], rates, 1)).toBe(Infinity);
});
