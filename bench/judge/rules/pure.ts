/**
 * Serin's test without what makes it careful: no tolerance, no clumps, no bound per window, no least number of errors. It
 * is the yardstick for what the care costs; nobody should release by it.
 */
import { openHarm, harmTilts } from '../../../src/analysis/harm.ts';
import { logWindowEvidence } from '../../../src/analysis/errors.ts';
import { type Histogram, addHistograms } from '../../../src/analysis/histogram.ts';
import { type Wealth, afterWindow, openWealth, slack, unlimited } from '../../../src/analysis/mixture.ts';
import { defaultErrors } from '../../../src/analysis/metric.ts';
import { defaultSettings, logRollback, termsOf } from '../../../src/analysis/settings.ts';
import { logSpeedFactors, speedBets, speedBetsFrom, tallied } from '../../../src/analysis/speed.ts';
import type { Rule } from './rule.ts';

const equal = { ratio: 1, excess: 0 };

export function pure(confidencePercent: number): Rule {
  const terms = {
    ...termsOf({ ...defaultErrors, tolerate: { ratio: 1, absolute: 0 } }, defaultSettings),
    confidencePercent,
  };
  const goal = logRollback(terms) - slack;
  const tilts = harmTilts(equal);
  return {
    name: `pure-${confidencePercent}`,
    label: `Serin's pure test, confidence ${confidencePercent}`,
    promise: 1 - confidencePercent / 100,
    open() {
      let [wealth] = openHarm(terms) as readonly [Wealth];
      return (window) => {
        const bets = tilts.map((tilt) => logWindowEvidence(window, equal, tilt));
        wealth = afterWindow(wealth, bets, window.lengthMs, unlimited);
        return wealth.logEvidence >= goal ? 'back' : 'none';
      };
    },
  };
}

/** The same of the histogram of durations: nothing is tolerated, and nothing bounded. */
export function pureLatency(confidencePercent: number): Rule {
  const goal = logRollback({ ...defaultSettings, confidencePercent }) - slack;
  return {
    name: `pure-latency-${confidencePercent}`,
    label: `Serin's pure test of latency, confidence ${confidencePercent}`,
    promise: 1 - confidencePercent / 100,
    open() {
      let wealth = openWealth(speedBets);
      let reference: Histogram | undefined;
      return ({ latency, lengthMs }) => {
        if (!latency) return 'none';
        const bets = reference && speedBetsFrom(reference, 1);
        reference = reference ? addHistograms(reference, latency.stable) : latency.stable;
        if (!bets) return 'none';
        const canary = tallied(bets, latency.canary, 'canary');
        const factors = logSpeedFactors(bets, canary, tallied(bets, latency.stable, 'stable'));
        wealth = afterWindow(wealth, factors, lengthMs, unlimited);
        return wealth.logEvidence >= goal ? 'back' : 'none';
      };
    },
  };
}
