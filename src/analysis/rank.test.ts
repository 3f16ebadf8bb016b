// The promise: a bet on the order of pods never expects to win while the pods are alike, or the new ones better, with ties or
// without. Checked by going through every way in which the values can have fallen to the pods.
import * as fc from 'fast-check';
import { diceFrom } from './dice.ts';
import { unlimited } from './mixture.ts';
import { type RankedPod, logRankEvidence, logRankFactors, openRank, rankAfter, rankBets } from './rank.ts';

/** All ways to choose `size` of `count` places. */
function choices(count: number, size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  if (size > count) return [];
  return [...choices(count - 1, size), ...choices(count - 1, size - 1).map((one) => [...one, count - 1])];
}

/** What fell to whom; the new version's values times `factor`. */
function dealt(values: readonly number[], chosen: readonly number[], factor: number): readonly RankedPod[] {
  return values.map((value, index) => {
    const isCanary = chosen.includes(index);
    return { isCanary, value: isCanary ? value * factor : value };
  });
}

function expected(
  values: readonly number[],
  size: number,
  factor: number,
  logE: (pods: readonly RankedPod[]) => number,
) {
  const all = choices(values.length, size);
  return all.reduce((sum, chosen) => sum + Math.exp(logE(dealt(values, chosen, factor))), 0) / all.length;
}

const fleets: readonly (readonly number[])[] = [
  [1, 2],
  [1, 1, 2],
  [1, 2, 3, 4],
  [1, 1, 1, 2],
  [1, 2, 2, 3],
  [1, 1, 1, 1],
  [1, 1.04, 1.08, 1.1, 9],
  [1, 1, 2, 2, 3, 3],
  [0, 0, 0, 0, 0, 5, 6],
  [1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 40],
  [3, 3, 3, 4, 4, 5, 5, 5, 5, 6],
];
const cases = fleets.flatMap((values) =>
  Array.from({ length: values.length - 1 }, (_, index) => index + 1).flatMap((size) =>
    [0.5, 0.9, 1].flatMap((factor) => rankBets.map((bet, place) => ({ values, size, factor, bet, place }))),
  ),
);

describe('one block', () => {
  test('never expects to win while the pods are alike or the new ones better, the boundary included', () => {
    expect(cases.length).toBeGreaterThan(600);
    for (const { values, size, factor, place } of cases) {
      const e = expected(values, size, factor, (pods) => logRankFactors(pods)[place] ?? Infinity);
      expect(e).toBeLessThanOrEqual(1 + 1e-12);
      if (factor === 1) expect(e).toBeCloseTo(1, 12);
    }
  });

  test('expects to win when the new ones are worse than tolerated, or the new pods are counted once too few: the check can fail', () => {
    const values = [1, 1.1, 1.2, 1.3, 1.4];
    expect(expected(values, 2, 1.2, (pods) => logRankFactors(pods)[2] ?? 0)).toBeGreaterThan(1.2);
    const mutated = (pods: readonly RankedPod[]) => {
      const scores = pods.map(({ value }) => (values.indexOf(value) + 1) / values.length);
      const mean = scores.reduce((sum, score) => sum + Math.exp(2 * score), 0) / scores.length;
      return (
        pods.reduce((sum, { isCanary }, index) => sum + (isCanary ? 2 * (scores[index] ?? 0) : 0), 0) - Math.log(mean)
      );
    };
    expect(expected(values, 2, 1, mutated)).toBeGreaterThan(1.2);
  });

  test('is worth no less than with the bound of drawing with replacement', () => {
    const scores = [0.25, 0.5, 0.75, 1];
    const pods = [false, true, true, true].map((isCanary) => ({ isCanary }));
    for (const bet of rankBets) {
      const mean = scores.reduce((sum, score) => sum + Math.exp(bet * score), 0) / 4;
      expect(logRankEvidence(scores, pods, bet)).toBeGreaterThanOrEqual(bet * 2.25 - 3 * Math.log(mean));
    }
  });

  test('says nothing where there is only one version, and never more than the number of ways to choose', () => {
    expect(logRankFactors([{ isCanary: true, value: 1 }])).toEqual([0, 0, 0, 0, 0]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (canary, stable) => {
        const pods = [
          ...Array.from({ length: stable }, (_, index) => ({ isCanary: false, value: 1 + index / 1000 })),
          ...Array.from({ length: canary }, (_, index) => ({ isCanary: true, value: 1e6 + index })),
        ];
        const ways = choicesOf(canary + stable, canary);
        for (const factor of logRankFactors(pods)) expect(factor).toBeLessThanOrEqual(Math.log(ways) + 1e-9);
      }),
    );
  });

  test('depends on the order alone, and rises with the place of a new pod', () => {
    const pod = fc.record({ isCanary: fc.boolean(), value: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(pod, { minLength: 2, maxLength: 40 }), (pods) => {
        const stretched = pods.map(({ isCanary, value }) => ({ isCanary, value: Math.exp(value / 7) }));
        expect(logRankFactors(stretched)).toEqual(logRankFactors(pods));
        const worse = pods.map(({ isCanary, value }) => ({ isCanary, value: isCanary ? value + 25 : value }));
        logRankFactors(worse).forEach((factor, bet) =>
          expect(factor).toBeGreaterThanOrEqual((logRankFactors(pods)[bet] ?? 0) - 1e-9),
        );
      }),
    );
  });
});

function choicesOf(count: number, size: number): number {
  let ways = 1;
  for (let index = 0; index < size; index += 1) ways = (ways * (count - index)) / (index + 1);
  return ways;
}

test('looked at after every block, and stopped whenever one likes, it is wrong no more often than it says', () => {
  const dice = diceFrom(11);
  const runs = 600;
  let wrong = 0;
  for (let run = 0; run < runs; run += 1) {
    let wealth = openRank();
    const canaries = 1 + Math.floor(dice() * 3);
    for (let block = 0; block < 60 && wealth.logEvidence < Math.log(20); block += 1) {
      const swing = 0.2 + 5 * dice();
      const pods = Array.from({ length: 6 }, (_, index) => ({
        isCanary: index < canaries,
        value: swing * (dice() < 0.05 ? 100 * dice() : 1 + dice()),
      }));
      wealth = rankAfter(wealth, pods, 30_000, unlimited);
    }
    if (wealth.logEvidence >= Math.log(20)) wrong += 1;
  }
  // 5 % are allowed; three standard errors more would be 7.7 %.
  expect(wrong / runs).toBeLessThan(0.077);
  expect(wrong).toBeGreaterThan(0);
});
