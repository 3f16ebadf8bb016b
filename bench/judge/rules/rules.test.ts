/** The rules decide as they say they do, on windows that anybody can check by hand. */
import { diceFrom } from '../../../src/analysis/dice.ts';
import type { Window } from '../../../src/analysis/engine.ts';
import { scenario, worldNames } from '../scenario.ts';
import { trafficOf } from '../worlds.ts';
import { argoLatency, argoRollouts } from './argo.ts';
import { flagger, flaggerLatency } from './flagger.ts';
import { isHigher, mannWhitney } from './mann-whitney.ts';
import { meanOf, quantileOf } from './minutes.ts';
import { pure } from './pure.ts';
import type { Call, Rule } from './rule.ts';
import { screened, serin } from './serin.ts';

/** A minute in four windows; the canary fails so many of 100 requests in the first of them. */
function minuteOf(minute: number, errors: number, requests = 100): readonly Window[] {
  return [0, 1, 2, 3].map((quarter) => ({
    startMs: minute * 60_000 + quarter * 15_000,
    endMs: minute * 60_000 + (quarter + 1) * 15_000,
    lengthMs: 15_000,
    canary: quarter === 0 ? { requests, errors } : { requests: 0, errors: 0 },
    stable: { requests: 900, errors: 0 },
    canaryGroups: [],
  }));
}

/** The minute in which the rule called back, counted from 1, when each has so many errors. */
function backIn(rule: Rule, errors: readonly number[], requests = 100): number | undefined {
  const look = rule.open();
  const calls = errors.flatMap((count, minute) => minuteOf(minute, count, requests).map((window) => look(window)));
  const at = calls.indexOf('back');
  return at < 0 ? undefined : Math.floor(at / 4) + 1;
}

test('Argo Rollouts goes back with the first measurement below 99 % more than failureLimit, and lets silence pass', () => {
  expect(backIn(argoRollouts(0), [1, 1, 2])).toBe(3);
  expect(backIn(argoRollouts(3), [2, 0, 2, 2, 0, 2])).toBe(6);
  expect(backIn(argoRollouts(0), [0, 0, 0], 0)).toBeUndefined();
});

test('Flagger goes back one tick after the last check that may fail, and silence fails', () => {
  expect(backIn(flagger(1), [1, 2, 0])).toBe(3);
  expect(backIn(flagger(2), [2, 0, 2, 0])).toBe(4);
  expect(backIn(flagger(1), [0, 0, 0], 0)).toBe(2);
});

test('a rule of latency says nothing where nobody measures it, or counts silence as a failure', () => {
  expect(backIn(argoLatency(0), [0, 0])).toBeUndefined();
  expect(backIn(flaggerLatency(1), [0, 0])).toBe(2);
});

test('the Mann-Whitney judge speaks every ten minutes, and only of a clear shift', () => {
  expect(
    backIn(
      mannWhitney,
      Array.from({ length: 20 }, () => 5),
    ),
  ).toBe(10);
  expect(
    backIn(
      mannWhitney,
      Array.from({ length: 20 }, () => 0),
    ),
  ).toBeUndefined();
  expect(isHigher([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])).toBe(false);
  expect(isHigher([11, 12, 13, 14, 15, 16], [1, 2, 3, 4, 5, 6])).toBe(true);
  expect(isHigher([1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16])).toBe(false);
});

test('a quantile lies within its bucket as PromQL puts it, and a mean in the middle of the buckets', () => {
  const histogram = { upperBounds: [1, 2, 4, Infinity], counts: [50, 40, 10, 0] };
  expect(quantileOf(histogram, 0.5)).toBeCloseTo(1);
  expect(quantileOf(histogram, 0.95)).toBeCloseTo(3);
  expect(meanOf(histogram)).toBeCloseTo((50 * 0.5 + 40 * 1.5 + 10 * 3) / 100);
  expect(quantileOf({ upperBounds: [1, Infinity], counts: [0, 0] }, 0.99)).toBeNaN();
});

test('the pure test goes back when all answers fail, and not for a version that is the same', () => {
  expect(
    backIn(
      pure(99.9),
      Array.from({ length: 5 }, () => 100),
    ),
  ).toBe(1);
  expect(
    backIn(
      pure(99.9),
      Array.from({ length: 20 }, () => 0),
    ),
  ).toBeUndefined();
});

/** Brakes and rollbacks with their places; how often a brake might be released is another matter. */
function callsOf(rules: readonly Rule[], windows: readonly Window[]): readonly (readonly Call[])[] {
  const looks = rules.map((rule) => rule.open());
  return windows.map((window) => looks.map((look) => look(window)).map((call) => (call === 'release' ? 'none' : call)));
}

test.each(worldNames.flatMap((world) => [0.001, 0.02].map((stableRate) => ({ world, stableRate }))))(
  'what is screened calls the same, $world, base rate $stableRate',
  ({ world, stableRate }) => {
    const rules = [serin(99.9), serin(99)];
    for (let seed = 1; seed <= 3; seed += 1) {
      const draw = trafficOf(
        scenario({ world, stableRate, regression: seed === 3 ? { kind: 'plus', rate: 0.01 } : { kind: 'none' } }),
        diceFrom(seed),
      );
      const windows = Array.from({ length: 120 }, (_, index) => draw(index, 0.1));
      expect(callsOf(screened(rules), windows)).toEqual(callsOf(rules, windows));
    }
  },
);
