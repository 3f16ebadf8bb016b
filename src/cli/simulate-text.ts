/** Puts simulated releases into text: what was played, how it ended, and one release drawn with blocks. It reckons nothing. */
import { logFinalAccept } from '../analysis/settings.ts';
import { percent } from '../release/weights.ts';
import type { Moment, Run } from '../simulation/release/run.ts';
import type { Scenario } from '../simulation/release/scenario.ts';
import type { Spread, Summary } from '../simulation/release/summary.ts';
import { wrapped } from './picture.ts';
import { spanOf, tableOf } from './table.ts';
import { painted, type Terminal } from './terminal.ts';

export function simulationLines(
  scenario: Scenario,
  summary: Summary,
  drawn: Run,
  number: number,
  terminal: Pick<Terminal, 'columns' | 'hasColour'>,
): string[] {
  return [
    ...wrapped(scenarioWords(scenario), terminal.columns),
    '',
    ...endings(summary),
    '',
    painted(terminal, 'bold', `Release ${number} of ${summary.releases}, ${endWords[drawn.outcome] ?? drawn.outcome}:`),
    '',
    ...picture(drawn, scenario, terminal.columns),
    '',
    ...drawn.said.flatMap(({ atMs, reason, message }) =>
      wrapped(`${reason}: ${message}`, terminal.columns - 10).map((line, at) =>
        `${(at === 0 ? spanOf(atMs) : '').padStart(8)}  ${line}`.trimEnd(),
      ),
    ),
  ];
}

function scenarioWords(scenario: Scenario): string {
  const { perSecond, pods, stableRate, canaryRate, onsetMs, noise, spec, seed } = scenario;
  const weights = spec.strategy.steps.map(({ weightPercent }) => percent(weightPercent ?? 0)).join(', ');
  const onset = onsetMs === 0 ? '' : ` from ${spanOf(onsetMs)} after its first request on`;
  const trouble = noise === 'none' ? '' : `, noise: ${noise}`;
  return `${perSecond} requests a second to ${pods} pods; the old version fails ${percent(stableRate * 100)} of them, the new one ${percent(canaryRate * 100)}${slowWords(scenario)}${onset}${trouble}. Steps ${weights}, bake ${spanOf(spec.strategy.bakeMs)}, confidence ${spec.analysis.confidencePercent}, seed ${seed}.`;
}

function slowWords({ latency }: Scenario): string {
  if (latency === undefined) return '';
  const { slowness, medianSeconds } = latency;
  const part = slowness.share === 1 ? 'its requests take' : `${percent(slowness.share * 100)} of its requests take`;
  return `, and ${part} ${slowness.factor} times as long as the usual ${Math.round(medianSeconds * 1000)} ms`;
}

/** Ends that are rarer keep the name that a ReleaseRecord gives them. */
const endWords: Readonly<Record<string, string>> = {
  Promoted: 'promoted',
  RolledBack: 'rolled back',
  NotJudged: 'back, not judged',
  Undecided: 'waits for a person',
};

function endings({ releases, ends, braked }: Summary): string[] {
  const cells = (count: number): string => `${count} of ${releases}`;
  const rows = ends.map((end) => [
    endWords[end.outcome] ?? end.outcome,
    cells(end.releases),
    ...spans(end.outcome === 'Undecided' ? undefined : end.milliseconds),
    ...counts(end.failedAnswers),
  ]);
  const brake = braked.releases === 0 ? [] : [['braked', cells(braked.releases), ...spans(braked.milliseconds)]];
  return tableOf(
    ['END', 'RELEASES', 'AFTER', '5% TO 95%', 'FAILED ANSWERS', '5% TO 95%'],
    [...rows, ...brake.map((row) => [...row, undefined, undefined])],
  );
}

function spans(spread: Spread | undefined): (string | undefined)[] {
  if (spread === undefined) return [undefined, undefined];
  return [spanOf(spread.median), `${spanOf(spread.low)} to ${spanOf(spread.high)}`];
}

function counts(spread: Spread | undefined): (string | undefined)[] {
  return spread === undefined ? [undefined, undefined] : [`${spread.median}`, `${spread.low} to ${spread.high}`];
}

const blocks = ' ▁▂▃▄▅▆▇█';
const labelWidth = 10;
const widest = 100;

/** Three rows over the time of the release, each as high as its label says. */
function picture({ moments, endMs }: Run, { spec }: Scenario, columns: number): string[] {
  const width = Math.min(widest, Math.max(20, columns - labelWidth - 22), Math.max(1, moments.length));
  const goal = -Math.log1p(-spec.analysis.confidencePercent / 100);
  const row = (label: string, full: string, height: (moment: Moment) => number): string =>
    `${label.padEnd(labelWidth)}${columnsOf(moments, width, height)}  full: ${full}`;
  const axis = `${' '.repeat(labelWidth)}0s${spanOf(endMs).padStart(Math.max(0, width - 2))}`;
  return [
    row('weight', '100% of requests', ({ weightPercent }) => weightPercent / 100),
    row('harm', `${Math.round(Math.exp(goal))} : 1`, ({ logHarm }) => logHarm / goal),
    row('health', `${Math.round(Math.exp(logFinalAccept))} : 1`, ({ logAccept }) => logAccept / logFinalAccept),
    axis,
  ];
}

/** The highest of the moments that fall on one column; a brake must not vanish between two. */
function columnsOf(moments: readonly Moment[], width: number, height: (moment: Moment) => number): string {
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * moments.length) / width);
    const to = Math.max(from + 1, Math.floor(((column + 1) * moments.length) / width));
    const most = Math.max(...moments.slice(from, to).map(height));
    const level = most > 0 ? Math.max(1, Math.round(Math.min(1, most) * 8)) : 0;
    return blocks[level] ?? ' ';
  }).join('');
}
