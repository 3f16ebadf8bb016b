/** What the benchmark reckons with: limits, bounds, worlds and the playing of releases. */
import { diceFrom } from '../../src/analysis/dice.ts';
import { usualSpeed } from '../../src/simulation/release/durations.ts';
import { limitOf } from './limit.ts';
import { playBraking, playTogether } from './play.ts';
import { full, healthyOf, jobsOf, quick } from './protocol.ts';
import { quantile, upperBound } from './proportion.ts';
import { resultOf } from './results.ts';
import { rulebooks } from './rulebook.ts';
import { argoRollouts } from './rules/argo.ts';
import { serin } from './rules/serin.ts';
import { type Scenario, scenario, worldNames } from './scenario.ts';
import { report } from './tables.ts';
import { trafficOf } from './worlds.ts';

describe('the physical limit', () => {
  test('without any error of the old version is a number of errors: ln(1/α) / ln(1/w)', () => {
    const faulty = scenario({ stableRate: 0, regression: { kind: 'plus', rate: 0.05 }, weight: 0.1 });
    const errors = limitOf(faulty, 0.01) * 100 * 0.1 * 0.05;
    expect(errors).toBeGreaterThan(1.95);
    expect(errors).toBeLessThan(2.1);
  });

  test('is later for a smaller fault, less traffic and more certainty', () => {
    const at = (part: Partial<Scenario>, alpha = 0.01): number =>
      limitOf(scenario({ regression: { kind: 'times', factor: 5 }, ...part }), alpha);
    expect(at({ regression: { kind: 'times', factor: 2 } })).toBeGreaterThan(at({}));
    expect(at({ perSecond: 10 })).toBeCloseTo(10 * at({}));
    expect(at({}, 0.0001)).toBeCloseTo(2 * at({}));
  });

  test('of a slower version comes from the buckets', () => {
    const slow = (factor: number): number =>
      limitOf(scenario({ slowness: { share: 1, factor, addedSeconds: 0 } }), 0.01);
    expect(slow(1.1)).toBeGreaterThan(4 * slow(1.5));
    expect(slow(1.1)).toBeLessThan(3600);
  });
});

test('the upper bound is where so few events are just unlikely enough', () => {
  expect(upperBound(0, 20_000)).toBeCloseTo(1 - 0.05 ** (1 / 20_000), 9);
  expect(upperBound(5, 5)).toBe(1);
  // Tabulated: 3 of 30, one-sided 95 %.
  expect(upperBound(3, 30)).toBeCloseTo(0.239, 3);
  expect(upperBound(20, 20_000)).toBeGreaterThan(0.001);
});

test('quantiles are numbers that were there', () => {
  expect([0.05, 0.5, 0.95, 1].map((part) => quantile([1, 2, 3, 4], part))).toEqual([1, 2, 4, 4]);
});

describe('worlds', () => {
  test.each(worldNames)('%s: as many requests and errors as it says, in both versions alike', (world) => {
    const sums = { canary: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } };
    for (let release = 0; release < 40; release += 1) {
      const draw = trafficOf(scenario({ world, stableRate: 0.02 }), diceFrom(release));
      for (let index = 0; index < 240; index += 1) {
        const window = draw(index, 0.1);
        for (const arm of ['canary', 'stable'] as const) {
          sums[arm].requests += window[arm].requests;
          sums[arm].errors += window[arm].errors;
        }
      }
    }
    const perSecond = (sums.canary.requests + sums.stable.requests) / (40 * 3600);
    expect(perSecond).toBeCloseTo(100, 0);
    const [canary, stable] = [sums.canary.errors / sums.canary.requests, sums.stable.errors / sums.stable.requests];
    expect(canary).toBeGreaterThan(0.018);
    expect(Math.abs(canary - stable)).toBeLessThan(0.004);
  });

  test('a window that is measured has a histogram of each arm and of each pod, with as many requests', () => {
    const window = trafficOf(scenario({ slowness: usualSpeed }), diceFrom(1))(0, 0.1);
    const all = (counts: readonly number[] = []): number => counts.reduce((sum, count) => sum + count, 0);
    expect(all(window.latency?.canary.counts)).toBe(window.canary.requests);
    expect(all(window.latency?.stable.counts)).toBe(window.stable.requests);
    expect(window.latency?.canaryGroups.map(({ counts }) => all(counts))).toEqual(
      window.canaryGroups.map(({ requests }) => requests),
    );
  });
});

describe('playing a release', () => {
  const broken = scenario({ regression: { kind: 'all' }, onsetMinutes: 5 });

  test('counts time and cost from the onset', () => {
    const [argo] = playTogether(broken, [argoRollouts(0)], 1);
    expect(argo?.seconds).toBe(60);
    expect(argo?.bad).toBeGreaterThan(450);
    expect(argo?.bad).toBeLessThan(750);
  });

  test('is the same again, and the brake saves requests', () => {
    const [alone] = playTogether(broken, [serin(99.9)], 3);
    expect(playTogether(broken, [serin(99.9)], 3)).toEqual([alone]);
    const braked = playBraking(broken, serin(99.9), 3);
    expect(braked.brakeSeconds).toBe(alone?.brakeSeconds);
    expect(braked.bad).toBeLessThan(alone?.bad ?? 0);
  });
});

describe('the protocol', () => {
  test('has each scenario once, and beside each fault the healthy release', () => {
    const jobs = jobsOf(full);
    const keys = jobs.map(({ kind, scenario: { id } }) => `${kind} ${id}`);
    expect(new Set(keys).size).toBe(keys.length);
    const healthy = new Set(jobs.filter(({ kind }) => kind === 'healthy').map(({ scenario: { id } }) => id));
    for (const { kind, scenario: one } of jobs) if (kind !== 'healthy') expect(healthy).toContain(healthyOf(one).id);
  });

  test('plays at least 20,000 healthy releases in every world', () => {
    for (const world of worldNames) {
      const own = jobsOf(full).filter(({ kind, scenario: one }) => kind === 'healthy' && one.world === world);
      expect(Math.max(...own.map(({ replicates }) => replicates))).toBeGreaterThanOrEqual(20_000);
    }
  });

  test('makes tables of whatever was played', () => {
    const outcome = { seconds: 75, brakeSeconds: 15, bad: 12 };
    const results = jobsOf(quick).map((job) => {
      const { all, braking } = rulebooks[job.scenario.slowness ? 'latency' : 'errors'];
      const rules = job.kind === 'braking' ? braking : all;
      return resultOf(
        job,
        rules.map(({ name }) => name),
        rules.map(() => [outcome, { ...outcome, seconds: Number.NaN }]),
      );
    });
    const tables = report(results);
    expect(tables).toContain('| errors in clumps of 5 | 3 of 30 |');
    expect(tables).not.toMatch(/NaN|undefined/);
  });
});
