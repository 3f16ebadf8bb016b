import * as fc from 'fast-check';
import { afterWindow, forBrake, logMean, logSpaced, logSum, openWealth, unlimited } from './mixture.ts';

const win = (log: number) => Array.from({ length: 4 }, () => log);
const quiet = (minutes: number) => Array.from({ length: minutes * 12 }, () => 5_000);

describe('a bankroll of bets', () => {
  test('is worth one at the start, and exactly one again after a window that says nothing', () => {
    const after = afterWindow(openWealth(4), win(0), 5_000, unlimited);
    expect(after.logEvidence).toBeCloseTo(0, 12);
    expect(logSum(after.shares.map(Math.log))).toBeCloseTo(0, 6);
  });

  test('never loses more than the bets: a fifth stays in cash', () => {
    const after = afterWindow(openWealth(4), win(-1000), 5_000, unlimited);
    expect(after.logEvidence).toBeCloseTo(Math.log(0.2), 2);
  });

  test('still finds a regression after an hour in which every bet lost', () => {
    let wealth = openWealth(4);
    for (const lengthMs of quiet(60)) wealth = afterWindow(wealth, win(-0.5), lengthMs, unlimited);
    const before = wealth.logEvidence;
    for (let window = 0; window < 4; window += 1) wealth = afterWindow(wealth, win(3), 5_000, unlimited);
    expect(wealth.logEvidence - before).toBeGreaterThan(6);
  });

  test('returns four percent a minute to the opening bets, however the minute is cut', () => {
    const lost = afterWindow(openWealth(1), [-1000], 0, unlimited);
    const whole = afterWindow(lost, [0], 60_000, unlimited);
    let cut = lost;
    for (let window = 0; window < 12; window += 1) cut = afterWindow(cut, [0], 5_000, unlimited);
    expect(whole.shares[1]).toBeCloseTo(0.8 * (1 - 0.99 ** 4), 6);
    expect(cut.shares[1]).toBeCloseTo(0.8 * (1 - 0.99 ** 4), 6);
  });

  test('with a cap, needs three windows to reach a goal, however loud each is', () => {
    const limits = { logWindowCap: Math.log(1000) / 3, logBrakeGoal: Math.log(100), logCeiling: Math.log(1000) };
    let wealth = openWealth(4);
    const path = [1, 2, 3].map(() => (wealth = afterWindow(wealth, win(500), 5_000, limits)));
    expect(path.map(({ logEvidence }) => logEvidence >= Math.log(1000) - 1e-9)).toEqual([false, false, true]);
    expect(path[0]?.logUncapped).toBe(Math.log(1000));
  });

  test('is enough for the brake after two windows, or after one that is overwhelming, and never worth more than it is', () => {
    const goal = Math.log(100);
    const worth = [0.5, 1, 1.9, 2].map((part) => forBrake(part * goal, goal) / goal);
    expect(worth.map((part) => part >= 1)).toEqual([false, false, false, true]);
    expect(2 * (worth[1] ?? 0)).toBeGreaterThan(1);
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (log) => {
        expect(forBrake(log, goal)).toBeLessThanOrEqual(log);
        expect(forBrake(log, Infinity)).toBe(log);
      }),
    );
  });

  test('with a cap or a ceiling is never worth more than without', () => {
    const factors = fc.array(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 4, maxLength: 4 }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(factors, (windows) => {
        let free = openWealth(4);
        let bound = openWealth(4);
        for (const logs of windows) {
          free = afterWindow(free, logs, 5_000, unlimited);
          bound = afterWindow(bound, logs, 5_000, { logWindowCap: 1, logBrakeGoal: 2, logCeiling: 3 });
          expect(bound.logEvidence).toBeLessThanOrEqual(free.logEvidence + 1e-9);
          expect(bound.logUncapped).toBeLessThanOrEqual(free.logUncapped + 1e-9);
          expect(logSum(bound.shares.map(Math.log))).toBeCloseTo(0, 6);
        }
      }),
    );
  });

  test('an average of views lies between them', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        (one, other) => {
          const mean = logMean([one, other]);
          expect(mean).toBeLessThanOrEqual(Math.max(one, other) + 1e-9);
          expect(mean).toBeGreaterThanOrEqual(Math.max(one, other) - Math.log(2) - 1e-9);
        },
      ),
    );
  });

  test('bets are spaced in equal ratios', () => {
    expect(logSpaced(1, 8, 4).map((tilt) => Math.round(tilt * 1e6) / 1e6)).toEqual([1, 2, 4, 8]);
  });
});
