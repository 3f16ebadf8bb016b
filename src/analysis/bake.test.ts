// The promise of the watch without a control group: no detector expects to grow in a window while the canary fails at the
// rate that is allowed, nor does health while it fails at the rate that is not. Checked by adding up every outcome.
import { acceptAfterLone, openAccept } from './accept.ts';
import { type Baseline, baselineOf, detectorsAfter, logAlarm, openDetectors } from './bake.ts';
import { defaultErrors } from './metric.ts';
import { defaultSettings, termsOf } from './settings.ts';

const terms = { ...termsOf(defaultErrors, defaultSettings), clumping: 1 };

function chance(of: number, from: number, rate: number): number {
  let ways = 1;
  for (let index = 0; index < of; index += 1) ways = (ways * (from - index)) / (index + 1);
  return ways * rate ** of * (1 - rate) ** (from - of);
}

function expected(requests: number, rate: number, logOf: (errors: number) => number): number {
  let sum = 0;
  for (let errors = 0; errors <= requests; errors += 1) sum += chance(errors, requests, rate) * Math.exp(logOf(errors));
  return sum;
}

const sizes = [1, 3, 10, 40];
const allowed = [0.001, 0.01, 0.05, 0.2, 0.5, 0.9];

const worth = (baseline: Baseline, requests: number, bet: number) => (errors: number) =>
  detectorsAfter(openDetectors(), { requests, errors }, baseline, 5_000, terms).logEvidence[bet] ?? 0;

test('no detector expects to grow while the rate is allowed, on the line included, and one would beyond it', () => {
  let cases = 0;
  let beyond = 0;
  for (const allowedRate of allowed)
    for (const requests of sizes)
      for (let bet = 0; bet < 16; bet += 1) {
        const logOf = worth({ allowedRate, lowRate: 0 }, requests, bet);
        for (const part of [0, 0.5, 1]) {
          expect(expected(requests, allowedRate * part, logOf)).toBeLessThanOrEqual(1 + 1e-12);
          cases += 1;
        }
        beyond = Math.max(beyond, expected(requests, Math.min(1, 2 * allowedRate), logOf));
      }
  expect(cases).toBeGreaterThan(500);
  expect(beyond).toBeGreaterThan(1.05);
});

test('health never expects to win while the rate is unacceptable, on the line included', () => {
  let cases = 0;
  for (const lowRate of [0, 0.001, 0.01, 0.1, 0.3])
    for (const requests of sizes)
      for (const part of [1, 1.5]) {
        const rate = part * (terms.ruleOut.ratio * lowRate + terms.ruleOut.absolute);
        const logOf = (errors: number) =>
          acceptAfterLone(openAccept(), { requests, errors }, lowRate, 5_000, terms).logEvidence;
        expect(expected(requests, Math.min(rate, 1), logOf)).toBeLessThanOrEqual(1 + 1e-12);
        cases += 1;
      }
  expect(cases).toBe(40);
});

test('what stable did is taken with a margin, and nothing is known without a request of it', () => {
  expect(baselineOf({ requests: 0, errors: 0 }, terms)).toBeUndefined();
  const { allowedRate = 0, lowRate = 0 } = baselineOf({ requests: 1000, errors: 10 }, terms) ?? {};
  expect(allowedRate).toBeGreaterThan(0.0125);
  expect(lowRate).toBeLessThan(0.01);
  expect(logAlarm(openDetectors(), 5_000, terms)).toBeCloseTo(-Math.log(60), 12);
});
