/**
 * Our re-implementation of a judge of the Kayenta kind, from public documentation; it is not that program. Per minute the
 * error ratio (or the mean time) of each version is one value (0 where there was no request). Every ten minutes all values so far are
 * compared: the canary fails when the lower end of the confidence interval (98 %) of the shift between the two, by the
 * Mann-Whitney statistic, exceeds a quarter of the estimated shift.
 */
import { rate } from '../../../src/analysis/errors.ts';
import type { Rule } from './rule.ts';
import { byInterval, type Interval, meanOf } from './minutes.ts';

const minuteMs = 60_000;
const judgedEveryMinutes = 10;
const toleratedPart = 0.25;
/** Of the normal distribution, for 98 % between both ends. */
const z = 2.326_347_874;

export const mannWhitney = judging('mann-whitney', 'Mann-Whitney judge (Kayenta kind), every 10 min', (minute) => [
  rate(minute.canary),
  rate(minute.stable),
]);

/** The same with the mean time that requests took. */
export const mannWhitneyLatency = judging(
  'mann-whitney-latency',
  'Mann-Whitney judge (Kayenta kind), mean time, every 10 min',
  ({ durations }) => [durations ? meanOf(durations.canary) || 0 : 0, durations ? meanOf(durations.stable) || 0 : 0],
);

function judging(
  name: string,
  label: string,
  values: (minute: Interval) => readonly [canary: number, stable: number],
): Rule {
  return {
    name,
    label,
    open() {
      const measured = byInterval(minuteMs);
      const canary: number[] = [];
      const stable: number[] = [];
      return (window) => {
        const minute = measured(window);
        if (minute === undefined) return 'none';
        const [ofCanary, ofStable] = values(minute);
        canary.push(ofCanary);
        stable.push(ofStable);
        if (canary.length % judgedEveryMinutes !== 0) return 'none';
        return isHigher(canary, stable) ? 'back' : 'none';
      };
    },
  };
}

/** Is `one` higher than `other` by this test? Both have values, in any order. */
export function isHigher(one: readonly number[], other: readonly number[]): boolean {
  const shifts = new Float64Array(one.length * other.length);
  for (const [row, value] of one.entries())
    for (const [column, control] of other.entries()) shifts[row * other.length + column] = value - control;
  shifts.sort();
  const middle = shifts.length / 2;
  const estimate = ((shifts[Math.ceil(middle) - 1] ?? 0) + (shifts[Math.floor(middle)] ?? 0)) / 2;
  const lower = shifts[lowerRank(one, other)] ?? -Infinity;
  return lower > toleratedPart * Math.abs(estimate);
}

/** The place among the sorted shifts where the interval begins: accurate to one place. */
function lowerRank(one: readonly number[], other: readonly number[]): number {
  const [n, m] = [one.length, other.length];
  const all = n + m;
  const counts = new Map<number, number>();
  for (const value of [...one, ...other]) counts.set(value, (counts.get(value) ?? 0) + 1);
  let ties = 0;
  for (const count of counts.values()) ties += count ** 3 - count;
  const sigma = Math.sqrt(((n * m) / 12) * (all + 1 - ties / (all * (all - 1))));
  return Math.max(0, Math.floor((n * m) / 2 - 0.5 - z * sigma));
}
