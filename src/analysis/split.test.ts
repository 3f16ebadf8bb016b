import { logSplitFactors, openSplit, splitAfter, splitFault } from './split.ts';
import { binomial, diceFrom } from './dice.ts';

const window = (index: number, canary: number, stable: number, plannedShare?: number) => ({
  startMs: index * 5_000,
  lengthMs: 5_000,
  canary: { requests: canary, errors: 0 },
  stable: { requests: stable, errors: 0 },
  ...(plannedShare === undefined ? {} : { plannedShare }),
});

function after(windows: number, canary: number, stable: number, planned?: number, state = openSplit, first = 0) {
  let split = state;
  for (let index = first; index < first + windows; index += 1)
    split = splitAfter(split, window(index, canary, stable, planned));
  return split;
}

test('a bet on a wrong split never expects to win while the share is within a fifth of the plan, the edge included', () => {
  const chance = (of: number, from: number, rate: number) => {
    let ways = 1;
    for (let index = 0; index < of; index += 1) ways = (ways * (from - index)) / (index + 1);
    return ways * rate ** of * (1 - rate) ** (from - of);
  };
  const expected = (planned: number, rate: number, connections: number, side: 'more' | 'fewer', bet: number) => {
    let sum = 0;
    for (let canary = 0; canary <= connections; canary += 1) {
      // Fifty requests on each connection.
      const log = logSplitFactors(window(0, 50 * canary, 50 * (connections - canary)), planned, side)[bet] ?? 0;
      sum += chance(canary, connections, rate) * Math.exp(log);
    }
    return sum;
  };
  const cases = [0.01, 0.05, 0.25, 0.5, 0.75].flatMap((planned) =>
    [0.8, 0.9, 1, 1.1, 1.2].flatMap((part) =>
      [1, 3, 20].flatMap((connections) =>
        (['more', 'fewer'] as const).flatMap((side) =>
          [0, 1, 2, 3, 4, 5].map((bet) => ({ planned, part, connections, side, bet })),
        ),
      ),
    ),
  );
  expect(cases.length).toBeGreaterThan(500);
  for (const { planned, part, connections, side, bet } of cases)
    expect(expected(planned, planned * part, connections, side, bet)).toBeLessThanOrEqual(1 + 1e-12);
  // Beyond the edge it would win: the check can fail.
  expect(expected(0.25, 0.5, 20, 'more', 3)).toBeGreaterThan(1.5);
});

describe('the split of the requests', () => {
  test('that is as planned is left alone, also where requests share connections', () => {
    const dice = diceFrom(3);
    let split = openSplit;
    for (let index = 0; index < 700; index += 1) {
      const canary = 10 * binomial(dice, 100, 0.1);
      split = splitAfter(split, window(index, canary, 1000 - canary, 0.1));
    }
    expect(splitFault(split)).toBeUndefined();
    expect(split.canary.requests + split.stable.requests).toBe(694 * 1000);
  });

  test('that sends a fifth of what was planned is told with its counts', () => {
    expect(splitFault(after(60, 50, 950, 0.25))).toBe(
      '5 % of the requests reach the new version, 25 % were planned: 2700 of 54000.',
    );
  });

  test('that sends too much is told as well', () => {
    expect(splitFault(after(60, 500, 500, 0.25))).toMatch(/^50 % of the requests reach the new version, 25 % were/);
  });

  test('that sends nothing at all says so', () => {
    expect(splitFault(after(60, 0, 1000, 0.25))).toBe(
      'No request reaches the new version, 25 % of them were planned: 0 of 54000.',
    );
  });

  test('is not judged while a new weight may still be on its way, nor without a plan', () => {
    expect(splitFault(after(6, 0, 1000, 0.25))).toBeUndefined();
    expect(after(60, 0, 1000)).toBe(openSplit);
    expect(splitAfter(after(6, 0, 1000, 0.25), window(6, 0, 1000, 0.5))).toMatchObject({
      planned: 0.5,
      plannedSinceMs: 30_000,
      canary: { requests: 0 },
    });
  });

  test('that is right again is believed after a while', () => {
    const wrong = after(60, 50, 950, 0.25);
    expect(splitFault(after(120, 250, 750, 0.25, wrong, 60))).toBeUndefined();
  });
});
