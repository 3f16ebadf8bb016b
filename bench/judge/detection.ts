/** Owns the rows that say how soon a fault was found, what it cost until then, and how often the same rule cries wolf. */
import { limitOf } from './limit.ts';
import { healthyOf } from './protocol.ts';
import { upperBound } from './proportion.ts';
import type { Result, RuleResult } from './results.ts';
import { allowanceOf, type Family, rulebooks } from './rulebook.ts';
import { faultWords, type Scenario } from './scenario.ts';

export const detectionHead = [
  'release',
  'rule',
  'found',
  'median',
  '95 %',
  'braked, median',
  'bad requests served, median',
  '× limit',
  'false alarms when healthy',
] as const;

/** Rules of one family, and after each that brakes the same with its brake at work. */
export function kindsOfRules(family: Family): readonly (readonly [name: string, label: string, isBraking: boolean])[] {
  const { all, braking } = rulebooks[family];
  return all.flatMap(({ name, label }) => [
    [name, label, false] as const,
    ...(braking.some((rule) => rule.name === name) ? [[name, `${label}, with its brake`, true] as const] : []),
  ]);
}

/** All rules on one scenario, of which `own` are the results. */
export function detectionRows(
  results: readonly Result[],
  own: readonly Result[],
  family: Family,
): readonly (readonly string[])[] {
  return kindsOfRules(family).flatMap(([name, label, isBraking], place) => {
    const result = own.find(({ job }) => job.kind === (isBraking ? 'braking' : 'faulty'));
    const one = result?.byRule.find(({ rule }) => rule === name);
    if (!result || !one) return [];
    const { scenario } = result.job;
    const healthy = results
      .find(({ job }) => job.kind === 'healthy' && job.scenario.id === healthyOf(scenario).id)
      ?.byRule.find(({ rule }) => rule === name);
    const alarms = healthy ? boundedWords(healthy.found, healthy.replicates) : '';
    return [[place === 0 ? scenarioWords(scenario) : '', label, ...detectionCells(one, scenario), alarms]];
  });
}

export function detectionCells(one: RuleResult, scenario: Scenario): readonly string[] {
  const limit = limitOf(scenario, allowanceOf(one.rule));
  const isFound = one.found * 2 >= one.replicates;
  const isBraked = one.braked * 2 >= one.replicates && one.medianBrakeSeconds < one.medianSeconds;
  return [
    percentWords(one.found / one.replicates, 0),
    isFound ? `${one.medianSeconds.toFixed(0)} s` : 'never',
    one.found >= 0.95 * one.replicates ? `${one.latestSeconds.toFixed(0)} s` : 'never',
    isBraked ? `${one.medianBrakeSeconds.toFixed(0)} s` : '',
    scenario.slowness ? '' : one.medianBad.toFixed(one.medianBad < 10 ? 1 : 0),
    isFound ? (one.medianSeconds / limit).toFixed(1) : '–',
  ];
}

function scenarioWords(scenario: Scenario): string {
  const { perSecond, weight, stableRate, onsetMinutes } = scenario;
  const onset = onsetMinutes > 0 ? ` from minute ${onsetMinutes}` : '';
  return `${perSecond}/s, ${weight * 100} %, base ${percentWords(stableRate)}, **${faultWords(scenario)}**${onset}; limit ${limitOf(scenario, 0.01).toFixed(0)} s`;
}

/** "0.01 % (≤ 0.03 %)": as counted, and the upper 95 % bound. */
export function boundedWords(events: number, trials: number): string {
  return `${percentWords(events / trials)} (≤ ${percentWords(upperBound(events, trials))})`;
}

export function percentWords(part: number, digits?: number): string {
  const percent = part * 100;
  const places = digits ?? (percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 3);
  return `${Number(percent.toFixed(places))} %`;
}
