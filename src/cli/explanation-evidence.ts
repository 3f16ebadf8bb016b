/** Words and tables for what the judge has counted and what that is worth, metric by metric; it adds no figure of its own. */
import type { EngineView, MetricView, OpenRange } from '../analysis/view.ts';
import type { Metric } from '../analysis/metric.ts';
import { logFinalAccept, logStepAccept } from '../analysis/settings.ts';
import { countWords, oddsWords, percentWords, pointsWords, spanWords, timeWords } from '../analysis/words.ts';
import { percent } from '../release/weights.ts';
import type { ReadEvidence } from './evidence.ts';
import { calibrationLines } from './explanation-calibration.ts';
import { spanOf, tableOf } from './table.ts';

/** `isUnderWay`: the attempt that it is about is still being judged. */
export function evidenceLines(evidence: ReadEvidence, nowMs: number, isUnderWay: boolean): string[] {
  const { engines, metrics, settings, judge, needed, accepted, acceptedInStep } = evidence;
  const against =
    judge === 'bake'
      ? "held against the stable version's rate during this release"
      : 'compared with the stable version at the same time';
  return [
    ...tableOf(['METRIC', 'VERSION', 'REQUESTS', 'BAD', 'RATE'], engines.flatMap(countsOf)),
    against,
    `evidence that it is worse than tolerated: ${evidence.evidence} (a rollback needs ${needed})`,
    `evidence that it is acceptable: ${acceptedInStep} in this step (the next step needs ${oddsWords(logStepAccept)}), ${accepted} in all (promotion needs ${oddsWords(logFinalAccept)})`,
    ...metrics.flatMap((metric) => metricLines(metric, evidence, settings.metrics)),
    ...evidence.notJudged.map((name) => `${name}: asked for, and nobody counts it; no step is earned by evidence`),
    ...(evidence.cost === undefined ? [] : [evidence.cost]),
    ...calibrationLines(evidence.learned, settings),
    ...quality(evidence, nowMs, isUnderWay),
  ];
}

function countsOf(engine: EngineView): readonly (string | undefined)[][] {
  const { metric, name, boundarySeconds, canary, stable } = engine;
  const what = boundarySeconds === undefined ? metric : `${metric} over ${timeWords(boundarySeconds)}`;
  const row = (version: string, { requests, errors }: EngineView['canary']) => [
    name.startsWith('query:') ? what : `${what} (${name})`,
    version,
    countWords(requests),
    countWords(errors),
    requests > 0 ? percent((errors / requests) * 100) : undefined,
  ];
  return [row('canary', canary), row('stable', stable)];
}

function metricLines(view: MetricView, evidence: ReadEvidence, metrics: readonly Metric[]): string[] {
  const metric = metrics.find(({ name }) => name === view.name);
  const engines = evidence.engines.filter((engine) => engine.metric === view.name);
  const alone = metrics.length > 1 ? `, ${view.evidenceAlone} also when picked out of ${metrics.length}` : '';
  const weight = metrics.length > 1 ? ` (weight ${percentWords(view.weight)})` : '';
  return [
    `${view.name}${weight}: tolerated ${metric ? toleratedWords(metric) : '-'}; evidence of harm ${view.evidence}${alone}`,
    ...engines.flatMap((engine) => engineLines(engine, engines.length > 1)),
    `  acceptable ${view.acceptedInStep} in this step, ${view.accepted} in all${forecastWords(view, evidence.level)}`,
    ...(metric === undefined ? [] : engines.flatMap((engine) => ruledOut(engine, metric, engines.length > 1))),
    ...timing(view, evidence),
  ];
}

function toleratedWords(metric: Metric): string {
  if (metric.kind === 'latency') return `${percentWords(metric.tolerateRatio - 1)} slower`;
  const { ratio, absolute } = metric.tolerate;
  const parts = [
    ...(ratio > 1 ? [`${percentWords(ratio - 1)} more`] : []),
    ...(absolute > 0 ? [`${pointsWords(absolute)} more`] : []),
  ];
  return parts.length === 0 ? 'nothing more' : parts.join(' or ');
}

function engineLines(engine: EngineView, isOneOfSeveral: boolean): string[] {
  const { ratio, ratioRange, served, evidenceWithoutWindow, evidenceWithoutPods } = engine;
  const by = isOneOfSeveral ? ` by ${engine.name}` : '';
  const compared = ratio === undefined ? 'the old version had none' : `${times(ratio)} the old version's rate`;
  const less = [
    ...(evidenceWithoutWindow === undefined ? [] : [`${evidenceWithoutWindow} without the window that says most`]),
    ...(evidenceWithoutPods === undefined ? [] : [`${evidenceWithoutPods} without the pods that say most`]),
  ];
  return [
    `  compared${by}: ${compared}, from ${rangeWords(ratioRange, times)} is possible`,
    ...(less.length === 0 ? [] : [`  evidence${by}: ${[engine.evidence, ...less].join(', ')}`]),
    ...(served.extra > 0
      ? [
          `  served${by}: about ${countWords(served.extra)} bad requests more than by the old version, from ${rangeWords(served.range, countWords)} is possible`,
        ]
      : []),
  ];
}

function ruledOut({ name, ruledOutExcess }: EngineView, { ruleOut }: Metric, isOneOfSeveral: boolean): string[] {
  if (ruledOutExcess === undefined) return [];
  const by = isOneOfSeveral ? ` (${name})` : '';
  return [
    `  ruled out so far${by}: more than ${ruleOut.ratio}x the stable version's rate + ${pointsWords(ruledOutExcess)}`,
  ];
}

function forecastWords({ secondsToStep, secondsToFinal }: MetricView, level: ReadEvidence['level']): string {
  if (level !== 'calm' || secondsToFinal === 0) return '';
  if (secondsToStep === undefined || secondsToFinal === undefined) return '; not at the current rates';
  const step = secondsToStep === 0 ? 'enough for this step' : `about ${spanWords(secondsToStep)} to the next step`;
  return `; ${step}, about ${spanWords(secondsToFinal)} to promotion at current traffic`;
}

function timing(
  { limitSeconds, name }: MetricView,
  { secondsSinceFirstRequest, culprit, level }: ReadEvidence,
): string[] {
  if (limitSeconds === undefined || secondsSinceFirstRequest === undefined || secondsSinceFirstRequest <= 0) return [];
  const least = `no test as certain needs less than ${briefly(limitSeconds)} on average`;
  const since = briefly(secondsSinceFirstRequest);
  if (level !== 'harmful' || culprit !== name)
    return [`  time: ${since} since the first request; at these rates ${least}`];
  return [
    `  time: ${since} from the first request to the verdict; at these rates ${least} (${times(secondsSinceFirstRequest / limitSeconds)})`,
  ];
}

function briefly(seconds: number): string {
  return seconds < 10 ? `${Number(seconds.toPrecision(2))}s` : spanOf(seconds * 1000);
}

function quality({ engines, split, newestMs }: ReadEvidence, nowMs: number, isUnderWay: boolean): string[] {
  const looked = engines.filter((engine, index) => engines.findIndex(({ name }) => name === engine.name) === index);
  const windows = looked.map(
    ({ name, windows: count, windowMs }) => `${count} windows of about ${spanOf(windowMs)} (${name})`,
  );
  const age =
    isUnderWay && newestMs !== undefined ? `, the newest ended ${spanOf(Math.max(0, nowMs - newestMs))} ago` : '';
  return [
    ...(windows.length === 0 ? [] : [`data: ${windows.join(', ')}${age}`]),
    ...(split === undefined
      ? []
      : [
          split.fault ??
            `split: ${percentWords(split.observed)} of ${countWords(split.requests)} requests reached the new version at this weight, ${percentWords(split.planned)} were planned`,
        ]),
  ];
}

function rangeWords({ low, high }: OpenRange, words: (value: number) => string): string {
  return high === undefined ? `${words(low)} up` : `${words(low)} to ${words(high)}`;
}

function times(ratio: number): string {
  return `${Number(ratio.toPrecision(2))}x`;
}
