// How many errors come at once is learned from what the old version's pods counted: for services whose clumps are known.
import { type Calibration, calibrated, calibrationOf, mostClumping } from './calibration.ts';
import { type Dice, binomial, diceFrom, poisson } from './dice.ts';
import { dispersionOf } from './dispersion.ts';
import { defaultErrors, weighted } from './metric.ts';
import type { Past } from './past.ts';
import { pretendReleases } from './pretend.ts';
import { metricTerms } from './engines.ts';
import { defaultSettings, logRollback, termsOf } from './settings.ts';

interface Service {
  readonly pods?: number;
  readonly perSecond?: number;
  readonly rate?: number;
  readonly minutes?: number;
  /** Sizes of clumps are geometric with this mean; 1: errors come alone. */
  readonly clumpMean?: number;
  /** Additional error rate of a pod in a block, from 0 to 1. */
  readonly added?: (pod: number, block: number) => number;
}

/** What the pods of a service count in blocks of a quarter of a minute. */
function pastOf(service: Service, dice: Dice): Past {
  const { pods = 10, perSecond = 100, rate = 0.002, minutes = 60, clumpMean = 1, added = () => 0 } = service;
  const mean = (perSecond * 15) / pods;
  return {
    blockMs: 15_000,
    pods: Array.from({ length: pods }, (_, pod) =>
      Array.from({ length: minutes * 4 }, (__, block) => {
        const requests = poisson(dice, mean);
        const failing = Math.min(1, rate + added(pod, block));
        return { requests, errors: clumped(dice, requests, failing, clumpMean) };
      }),
    ),
  };
}

function clumped(dice: Dice, requests: number, rate: number, mean: number): number {
  if (mean === 1) return binomial(dice, requests, rate);
  let errors = 0;
  for (let left = poisson(dice, (requests * rate) / mean); left > 0; left -= 1)
    errors += 1 + Math.floor(Math.log(1 - dice()) / Math.log1p(-1 / mean));
  return Math.min(requests, errors);
}

/** What is learned from so many services of one kind, in order. */
function learned(service: Service, trials = 25): readonly number[] {
  return Array.from(
    { length: trials },
    (_, seed) => dispersionOf(pastOf(service, diceFrom(seed * 31 + 7)), 2).clumping,
  ).toSorted((one, other) => one - other);
}

const at = (sorted: readonly number[], part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
const terms = termsOf(defaultErrors, defaultSettings);

describe('how many errors come at once', () => {
  test.each([
    ['usual traffic', {}],
    ['a fleet of three', { pods: 3 }],
    ['many errors', { rate: 0.2, perSecond: 20 }],
    ['incidents that hit all pods alike', { added: (_: number, block: number) => (block % 60 < 12 ? 0.05 : 0) }],
    ['a rush hour', { added: (_: number, block: number) => 0.002 * (1 + Math.sin(block / 40)) }],
  ])('one, when they come alone: %s', (_, service) => {
    const found = learned(service);
    expect(at(found, 0)).toBeGreaterThanOrEqual(1);
    expect(at(found, 0.5)).toBeLessThan(1.05);
    expect(at(found, 0.9)).toBeLessThan(1.4);
  });

  test('for clumps of five on average the mean square by the mean, 9, and seldom much less', () => {
    const found = learned({ clumpMean: 5, rate: 0.005 });
    expect(at(found, 0.5)).toBeGreaterThan(8);
    expect(at(found, 0.5)).toBeLessThan(11);
    expect(at(found, 0.05)).toBeGreaterThan(7);
  });

  test('for pods with bad minutes far more: no single quarter of a minute shows them as five do', () => {
    const isIll = (pod: number, block: number) => (block + pod * 23) % 240 < 8;
    const found = learned({ added: (pod, block) => (isIll(pod, block) ? 0.05 : 0) }, 20);
    expect(at(found, 0)).toBeGreaterThan(8);
  });

  test.each([
    ['no error', { rate: 0 }],
    ['a dozen errors', { rate: 0.00003 }],
    ['a single pod', { pods: 1 }],
    ['no block', { minutes: 0 }],
  ])('stays what is supposed, or more, when the past says too little: %s', (_, service) => {
    expect(at(learned(service), 0)).toBeGreaterThanOrEqual(2);
    expect(at(learned(service), 0.5)).toBe(2);
  });

  test('is taken down by degrees: forty errors that came alone do not say as much as four hundred', () => {
    const few = at(learned({ rate: 0.0001 }), 0.5);
    const many = at(learned({ rate: 0.001 }), 0.5);
    expect(few).toBeGreaterThan(1.1);
    expect(few).toBeLessThan(1.5);
    expect(many).toBeLessThan(few - 0.1);
  });

  test('a few errors that came all at once are believed', () => {
    const quiet = pastOf({ rate: 0 }, diceFrom(1));
    const burst = { requests: 150, errors: 12 };
    const pods = quiet.pods.map((own, pod) => (pod === 3 ? own.with(40, burst) : own));
    expect(dispersionOf({ ...quiet, pods }, 2).clumping).toBeGreaterThan(8);
  });

  test('pods that were not there, and pods with more of the traffic, are no clumps', () => {
    const past = pastOf({ rate: 0.005 }, diceFrom(3));
    const pods = past.pods.map((own, pod) =>
      own.map((counts, block) => {
        if (pod === 2 && block < 100) return undefined;
        return pod === 0 && counts
          ? { requests: counts.requests * 3, errors: binomial(diceFrom(block), counts.requests * 3, 0.005) }
          : counts;
      }),
    );
    expect(dispersionOf({ ...past, pods }, 2).clumping).toBeLessThan(1.3);
  });
});

describe('releases that never were', () => {
  test('each group of pods is a new version once in every hour, at most 64 in all', () => {
    const past = pastOf({ pods: 9, minutes: 130 }, diceFrom(1));
    // 2 h 10 min: the rest is too short for a release.
    expect(pretendReleases(past, 1, terms).releases).toBe(18);
    expect(pretendReleases(past, 3, terms).releases).toBe(6);
    expect(pretendReleases(pastOf({ pods: 80 }, diceFrom(1)), 1, terms).releases).toBe(64);
    expect(pretendReleases(pastOf({ pods: 1 }, diceFrom(1)), 1, terms)).toEqual({ releases: 0, logHighest: 0 });
  });

  test('a pod that was never there is no new version', () => {
    const past = pastOf({ pods: 5 }, diceFrom(1));
    const pods = past.pods.map((own, pod) => (pod === 1 ? own.map(() => undefined) : own));
    expect(pretendReleases({ ...past, pods }, 1, terms).releases).toBe(4);
  });

  test('a pod that is worse than the others is found out', () => {
    const bad = pastOf({ added: (pod) => (pod === 4 ? 0.05 : 0) }, diceFrom(2));
    expect(pretendReleases(bad, 1, terms).logHighest).toBeGreaterThan(logRollback(terms));
    expect(pretendReleases(pastOf({}, diceFrom(2)), 1, terms).logHighest).toBeLessThan(logRollback(terms));
  });
});

describe('what a release is judged by', () => {
  const learn = (service: Service, seed = 5): Calibration =>
    calibrationOf(defaultErrors, pastOf(service, diceFrom(seed)), 1, defaultSettings);

  test('is raised until none of them would be rolled back, up to a bound', () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const { clumping, logHighest } = learn({ pods: 6, clumpMean: 3, rate: 0.01, perSecond: 30 }, seed);
      expect(clumping).toBeGreaterThan(2);
      expect(logHighest).toBeLessThan(logRollback(terms));
    }
    const lemon = learn({ added: (pod) => (pod === 4 ? 0.2 : 0) });
    expect(lemon.clumping).toBe(mostClumping);
    expect(lemon.logHighest).toBeGreaterThan(logRollback(terms));
  });

  test('says what it rests on', () => {
    expect(learn({ minutes: 120 })).toMatchObject({ metric: 'errors', spanMs: 7_200_000, pods: 10, releases: 20 });
  });

  test('goes with its metric, and leaves the others as they are', () => {
    const orders = {
      kind: 'count',
      name: 'orders',
      tolerate: defaultErrors.tolerate,
      ruleOut: defaultErrors.ruleOut,
    } as const;
    const latency = { kind: 'latency', name: 'latency', tolerateRatio: 1.1, ruleOut: orders.ruleOut } as const;
    const settings = { ...defaultSettings, metrics: weighted([defaultErrors, orders, latency]) };
    const own = calibrated(settings, [{ ...learn({}), metric: 'orders', clumping: 1.5 }]);
    expect(own.metrics.map((metric) => metricTerms(metric, own).clumping)).toEqual([2, 1.5, 2]);
  });
});
