// The promise under everything else: a bet on harm never expects to win while the canary is fine, nor a bet on health
// while it is not. Checked by adding up every possible outcome.
import * as fc from 'fast-check';
import { acceptTilts } from './accept.ts';
import { type Margin, logLoneEvidence, logWindowEvidence } from './errors.ts';
import { harmTilts } from './harm.ts';
import { afterWindow, openWealth, unlimited } from './mixture.ts';
import { defaultErrors } from './metric.ts';
import { defaultSettings, termsOf } from './settings.ts';

const stableRates = [0, 0.001, 0.01, 0.05, 0.2, 0.6];
const sizes = [
  { canary: 1, stable: 1 },
  { canary: 2, stable: 20 },
  { canary: 12, stable: 5 },
  { canary: 25, stable: 25 },
] as const;
const harmLines: readonly Margin[] = [
  { ratio: 1, excess: 0 },
  { ratio: 1.1, excess: 0 },
  { ratio: 1, excess: 0.0001 },
  { ratio: 1, excess: 0.05 },
];
const acceptLines: readonly Margin[] = [
  { ratio: 2, excess: 0.002 },
  { ratio: 1.5, excess: 0 },
  { ratio: 1, excess: 0.05 },
];

function chance(of: number, from: number, rate: number): number {
  let ways = 1;
  for (let index = 0; index < of; index += 1) ways = (ways * (from - index)) / (index + 1);
  return ways * rate ** of * (1 - rate) ** (from - of);
}

/** Sum over all outcomes of chance × e, with independent requests. */
function expected(
  size: (typeof sizes)[number],
  rates: { canary: number; stable: number },
  logE: (c: number, s: number) => number,
) {
  let sum = 0;
  for (let c = 0; c <= size.canary; c += 1)
    for (let s = 0; s <= size.stable; s += 1)
      sum += chance(c, size.canary, rates.canary) * chance(s, size.stable, rates.stable) * Math.exp(logE(c, s));
  return sum;
}

const window = (size: (typeof sizes)[number], c: number, s: number) => ({
  canary: { requests: size.canary, errors: c },
  stable: { requests: size.stable, errors: s },
});

const boundary = (line: Margin, stable: number) => line.ratio * stable + line.excess;

/** Canary rates are `parts` of the line. */
function everyCase(lines: readonly Margin[], parts: readonly number[], tiltsOf: (line: Margin) => readonly number[]) {
  return sizes.flatMap((size) =>
    lines.flatMap((line) =>
      stableRates.flatMap((stable) =>
        parts
          .map((part) => part * boundary(line, stable))
          .filter((canary) => canary <= 1)
          .flatMap((canary) => tiltsOf(line).map((tilt) => ({ size, line, stable, canary, tilt }))),
      ),
    ),
  );
}

const bet = (canary: number, stable: number) =>
  logWindowEvidence(
    { canary: { requests: canary, errors: canary }, stable: { requests: stable, errors: stable } },
    { ratio: 1.1, excess: 0 },
    5,
  );

describe('one window', () => {
  test('never expects to win a bet on harm while the canary is within tolerance, on the line included', () => {
    const cases = everyCase(harmLines, [0.5, 1], (line) => [
      ...harmTilts(line).filter((_, index) => index % 8 === 0),
      64 * line.ratio,
    ]);
    expect(cases.length).toBeGreaterThan(500);
    for (const { size, canary, stable, line, tilt } of cases) {
      const e = expected(size, { canary, stable }, (c, s) => logWindowEvidence(window(size, c, s), line, tilt));
      expect(e).toBeLessThanOrEqual(1 + 1e-12);
    }
  });

  test('never expects to win a bet on health while the canary is unacceptable, on the line included', () => {
    const cases = everyCase(acceptLines, [1, 2], ({ ratio, excess }) =>
      acceptTilts(termsOf({ ...defaultErrors, ruleOut: { ratio, absolute: excess } }, defaultSettings)).filter(
        (_, index) => index % 6 === 0,
      ),
    );
    expect(cases.length).toBeGreaterThan(300);
    for (const { size, canary, stable, line, tilt } of cases) {
      const e = expected(size, { canary, stable }, (c, s) => logWindowEvidence(window(size, c, s), line, tilt));
      expect(e).toBeLessThanOrEqual(1 + 1e-12);
    }
  });

  test('would break its promise with what is tolerated forgotten, or with the planned split for the real one: the check can fail', () => {
    const size = sizes[2];
    const strict = expected(size, { canary: 0.55, stable: 0.5 }, (c, s) =>
      logWindowEvidence(window(size, c, s), { ratio: 1, excess: 0 }, 1.2),
    );
    expect(strict).toBeGreaterThan(1.01);
    // Twelve canary requests to five, where one to nine was planned.
    const planned = expected(
      size,
      { canary: 0.2, stable: 0.2 },
      (c, s) => c * Math.log(5 / 1.4) + s * Math.log(1 / 1.4),
    );
    expect(planned).toBeGreaterThan(1.01);
  });

  test('keeps its promise as a mixture with cash, and to the root for errors that come in clumps', () => {
    const line = { ratio: 1.1, excess: 0 };
    for (const clumping of [1, 2, 2.6])
      for (const stable of stableRates.filter((rate) => rate < 0.9)) {
        const size = sizes[2];
        const wealth = (c: number, s: number) =>
          afterWindow(
            openWealth(32),
            harmTilts(line).map((tilt) => logWindowEvidence(window(size, c, s), line, tilt) / clumping),
            15_000,
            unlimited,
          ).logEvidence;
        expect(expected(size, { canary: 1.1 * stable, stable }, wealth)).toBeLessThanOrEqual(1 + 1e-12);
      }
  });

  test('keeps its promise when errors really come two at a time and the clump divisor is two', () => {
    const line = { ratio: 1, excess: 0 };
    const size = sizes[1];
    const doubled = (c: number, s: number) => logWindowEvidence(window(size, 2 * c, 2 * s), line, 8) / 2;
    for (const rate of [0.01, 0.1]) {
      // Each of the requests has a chance of `rate` to bring two errors.
      expect(expected(size, { canary: rate, stable: rate }, doubled)).toBeLessThanOrEqual(1 + 1e-12);
    }
  });

  test('says nothing without requests in both versions', () => {
    expect(bet(0, 100)).toBe(0);
    expect(bet(100, 0)).toBe(0);
  });

  test('is not moved by an incident that hits both versions alike', () => {
    const line = { ratio: 1, excess: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 1000 }),
        fc.integer({ min: 10, max: 1000 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        fc.constantFrom(1.2, 3, 20),
        (canary, stable, rate, tilt) => {
          const seen = {
            canary: { requests: canary, errors: canary * rate },
            stable: { requests: stable, errors: stable * rate },
          };
          expect(logWindowEvidence(seen, line, tilt)).toBeLessThanOrEqual(1e-9);
        },
      ),
    );
  });

  test('rises with every canary error and falls with every stable error, whatever the split', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.nat(50),
        fc.nat(50),
        (canary, stable, c, s) => {
          const line = { ratio: 1.1, excess: 0.0001 };
          const at = (canaryErrors: number, stableErrors: number) =>
            logWindowEvidence(
              {
                canary: { requests: canary, errors: canaryErrors },
                stable: { requests: stable, errors: stableErrors },
              },
              line,
              4,
            );
          expect(at(c + 1, s)).toBeGreaterThan(at(c, s));
          expect(at(c, s + 1)).toBeLessThan(at(c, s));
        },
      ),
    );
  });

  test('of the bake is the limit of many stable requests at the known rate', () => {
    const line = { ratio: 2, excess: 0.002 };
    const canary = { requests: 400, errors: 3 };
    const many = { requests: 1e12, errors: 1e12 * 0.004 };
    const withMany = logWindowEvidence({ canary, stable: many }, line, 0.3);
    expect(logLoneEvidence(canary, 0.004, line, 0.3)).toBeCloseTo(withMany, 2);
  });
});
