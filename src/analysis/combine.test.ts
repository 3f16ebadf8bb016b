import * as fc from 'fast-check';
import { logAverage, logClosed, logLeast } from './combine.ts';
import { defaultErrors, weighted } from './metric.ts';

const logs = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 5 });

describe('evidence of harm about several things', () => {
  test('is their weighted average: never above the loudest, never below its own part', () => {
    fc.assert(
      fc.property(logs, (all) => {
        const weights = all.map((_, index) => index + 1);
        const whole = weights.reduce((sum, weight) => sum + weight, 0);
        const average = logAverage(all, weights);
        expect(average).toBeLessThanOrEqual(Math.max(...all) + 1e-9);
        all.forEach((log, index) =>
          expect(average).toBeGreaterThanOrEqual(log + Math.log((weights[index] ?? 0) / whole) - 1e-9),
        );
      }),
    );
    expect(logAverage([Math.log(10), 0], [0.5, 0.5])).toBeCloseTo(Math.log(5.5), 12);
  });

  test('about the accused alone is the least average with any of the others, so that picking it afterwards is no fault', () => {
    expect(
      logClosed([Math.log(100), Math.log(2), Math.log(0.1)])
        .map(Math.exp)
        .map((odds) => Number(odds.toFixed(4))),
    ).toEqual([
      // (100 + 0.1 + 2) / 3
      34.0333, 1.05, 0.1,
    ]);
    fc.assert(
      fc.property(logs, (all) => {
        const closed = logClosed(all);
        closed.forEach((log, index) => expect(log).toBeLessThanOrEqual((all[index] ?? 0) + 1e-9));
        const loudest = all.indexOf(Math.max(...all));
        expect(closed[loudest]).toBeGreaterThanOrEqual(Math.max(...closed) - 1e-9);
      }),
    );
  });
});

test('evidence of health is that of the metric that knows least', () => {
  expect(logLeast([3, 1, 2])).toBe(1);
  expect(logLeast([])).toBe(0);
});

test('errors weigh four parts, latency three, each query one and a half, and all of them make one', () => {
  const { weight: _, ...errors } = defaultErrors;
  const latency = {
    kind: 'latency',
    name: 'latency',
    tolerateRatio: 1.1,
    ruleOut: { ratio: 2, absolute: 0.01 },
  } as const;
  const query = { ...errors, name: 'conversion' };
  expect(weighted([errors]).map(({ weight }) => weight)).toEqual([1]);
  const all = weighted([errors, latency, query, { ...query, name: 'queue' }]).map(({ weight }) => weight);
  expect(all.map((weight) => Number(weight.toFixed(9)))).toEqual([0.4, 0.3, 0.15, 0.15]);
  expect(all.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
});
