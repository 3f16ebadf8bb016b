/** Owns the tables that people read: false alarms by world, how far each rule is from the limit, and detection in detail. */
import { boundedWords, detectionCells, detectionHead, detectionRows, kindsOfRules, percentWords } from './detection.ts';
import { limitOf } from './limit.ts';
import { geometricMean } from './proportion.ts';
import type { Result, RuleResult } from './results.ts';
import { allowanceOf, type Family, familyOf, rulebooks } from './rulebook.ts';
import { faultWords, type Scenario, type WorldName, worldNames } from './scenario.ts';

/** All tables, as Markdown. */
export function report(results: readonly Result[]): string {
  return [
    '### False rollbacks of healthy releases',
    falseAlarmTable(results, 'errors'),
    '### Distance from the limit',
    distanceTable(results),
    '### Detection of errors',
    table(detectionHead, detectionsShown(results)),
    '### Scrape intervals',
    paceTable(results),
    '### Latency: healthy releases',
    falseAlarmTable(results, 'latency'),
    '### Latency: detection',
    table(detectionHead, slowDetections(results)),
  ].join('\n\n');
}

const worldWords: Readonly<Record<WorldName, string>> = {
  iid: 'independent errors',
  incident: 'incidents that hit both versions',
  diurnal: 'traffic and error rate swing ×3',
  clumps: 'errors in clumps of 5',
  spells: 'pods with bad spells',
  lemon: 'lemon nodes',
};

function falseAlarmTable(results: readonly Result[], family: Family): string {
  const { all, braking } = rulebooks[family];
  const head = [
    'world',
    'canary pods',
    'base',
    ...all.map(({ label }) => label),
    ...braking.map(({ label }) => `${label}: brake`),
  ];
  const rows = worldNames.flatMap((world) =>
    results
      .filter(({ job }) => job.kind === 'healthy' && job.scenario.world === world && isOfWorlds(job.scenario, family))
      .map(({ job: { scenario }, byRule }) => [
        worldWords[world],
        `${scenario.pods.canary} of ${scenario.pods.all}`,
        percentWords(scenario.stableRate),
        ...byRule.map(({ found, replicates }) => boundedWords(found, replicates)),
        ...braking.map(({ name }) => {
          const one = byRule.find(({ rule }) => rule === name);
          return one ? boundedWords(one.braked, one.replicates) : '';
        }),
      ]),
  );
  return table(head, rows);
}

/** What is played in every world. */
function isOfWorlds(scenario: Scenario, family: Family): boolean {
  const { perSecond, weight, windowMs, pods, stableRate } = scenario;
  const isUsual = perSecond === 100 && weight === 0.1 && windowMs === 15_000 && familyOf(scenario) === family;
  return isUsual && stableRate === (pods.canary === 1 ? 0.01 : 0.001);
}

interface Distance {
  readonly scenario: Scenario;
  readonly rule: RuleResult;
}

const leastLimit = 30;
/** Beyond it an hour is too short for anybody to be far from the limit, and the ratio would flatter who finds nothing. */
const provableLimit = 900;
const wholeHour = 3600;

function distanceTable(results: readonly Result[]): string {
  const head = [
    'rule',
    'limit at',
    'scenarios',
    'geometric mean',
    'worst',
    'provable ones',
    'geometric mean',
    'worst',
    'never found in the median',
  ];
  const rows = kindsOfRules('errors').map(([name, label, isBraking]) => {
    const all = results
      .filter(({ job }) => job.kind === (isBraking ? 'braking' : 'faulty') && isCompared(job.scenario))
      .flatMap(({ job: { scenario }, byRule }) => {
        const rule = byRule.find((one) => one.rule === name);
        return rule ? [{ scenario, rule }] : [];
      });
    const provable = all.filter(({ scenario }) => limitOf(scenario, 0.01) <= provableLimit);
    const missed = provable.filter(({ rule }) => rule.medianSeconds >= wholeHour).length;
    return [label, percentWords(allowanceOf(name)), ...ratioCells(all), ...ratioCells(provable), `${missed}`];
  });
  return table(head, rows);
}

function isCompared(scenario: Scenario): boolean {
  const limit = limitOf(scenario, 0.01);
  const isErrors = familyOf(scenario) === 'errors' && scenario.windowMs === 15_000;
  return isErrors && limit >= leastLimit && limit <= wholeHour;
}

function ratioCells(distances: readonly Distance[]): readonly string[] {
  const ratios = distances.map(({ scenario, rule }) => rule.medianSeconds / limitOf(scenario, allowanceOf(rule.rule)));
  if (ratios.length === 0) return ['0', '', ''];
  return [`${ratios.length}`, geometricMean(ratios).toFixed(2), Math.max(...ratios).toFixed(1)];
}

/** Enough to see the pattern; the file has them all. */
const shown = [
  { perSecond: 100, stableRate: 0.001, faults: ['×5', '+0.5pp', '+5pp', 'all fail'], onsetMinutes: 0 },
  { perSecond: 100, stableRate: 0.01, faults: ['×2', '+0.5pp', '+5pp'], onsetMinutes: 0 },
  { perSecond: 10, stableRate: 0.001, faults: ['+5pp', 'all fail'], onsetMinutes: 0 },
  { perSecond: 1000, stableRate: 0.001, faults: ['×1.5', '×2', '+0.5pp'], onsetMinutes: 0 },
  { perSecond: 100, stableRate: 0.001, faults: ['+0.5pp', '+5pp'], onsetMinutes: 20 },
] as const;

function detectionsShown(results: readonly Result[]): readonly (readonly string[])[] {
  const wanted = shown.flatMap(({ faults, ...setting }) => faults.map((fault) => ({ ...setting, fault })));
  return wanted.flatMap(({ perSecond, stableRate, onsetMinutes, fault }) => {
    const isMeant = ({ job: { kind, scenario } }: Result): boolean =>
      kind !== 'healthy' &&
      scenario.perSecond === perSecond &&
      scenario.stableRate === stableRate &&
      scenario.onsetMinutes === onsetMinutes &&
      scenario.weight === 0.1 &&
      scenario.windowMs === 15_000 &&
      faultWords(scenario) === fault;
    return detectionRows(results, results.filter(isMeant), 'errors');
  });
}

function slowDetections(results: readonly Result[]): readonly (readonly string[])[] {
  const slow = results.filter(({ job: { kind, scenario } }) => kind !== 'healthy' && familyOf(scenario) === 'latency');
  return [...Map.groupBy(slow, ({ job }) => job.scenario.id).values()].flatMap((own) =>
    detectionRows(results, own, 'latency'),
  );
}

function paceTable(results: readonly Result[]): string {
  const isUsed = ({ rule }: RuleResult): boolean => rule === 'serin-99.9' || rule === 'pure-99.9';
  const rows = results
    .filter(({ job: { kind, scenario } }) => kind === 'faulty' && scenario.windowMs !== 15_000)
    .flatMap(({ job: { scenario }, byRule }) =>
      byRule
        .filter(isUsed)
        .map((one) => [
          `${scenario.windowMs / 1000} s`,
          faultWords(scenario),
          rulebooks.errors.all.find(({ name }) => name === one.rule)?.label ?? one.rule,
          ...detectionCells(one, scenario),
        ]),
    );
  if (rows.length === 0) return 'Only in the full run.';
  return table(['windows of', 'fault', 'rule', ...detectionHead.slice(2, -1)], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
