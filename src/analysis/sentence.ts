// Puts a verdict into one sentence, rates and counts first and the evidence last. It never decides.
import { type EngineState, type Mode, accused, countsIn } from './engines.ts';
import { type Counts, rate } from './errors.ts';
import { type Metric, errorsName, restartsName } from './metric.ts';
import { restartsCompared } from './restart-words.ts';
import type { Verdict } from './verdict.ts';
import { countWords, oddsWords, percentWords, timeWords } from './words.ts';

/** The metric and the engine that have most against the canary, or the first ones while all is calm. */
export interface Spokesman {
  readonly metric: Metric;
  readonly engine: EngineState;
}

export function sentenceOf(spokesman: Spokesman | undefined, mode: Mode, verdict: Verdict): string {
  if (!spokesman) return 'No request was counted yet.';
  const { metric, engine } = spokesman;
  const canary = accused(engine, mode);
  if (metric.name === restartsName)
    return `${restartsCompared(canary, countsIn(engine).totals.stable)}; ${oddsOf(verdict)}.`;
  if (canary.requests <= 0) return 'The new version has had no request yet.';
  return `${theNew(metric, engine, canary)}; ${theOld(countsIn(engine).totals.stable, metric, mode)}; ${oddsOf(verdict)}.`;
}

/** What bad requests of a metric are called where there are more of them than of the old version. */
export function extraOf(metric: Metric): string {
  if (metric.kind === 'latency') return 'extra slow requests';
  if (metric.name === restartsName) return 'restarts';
  return metric.name === errorsName ? 'extra errors' : `extra bad events of ${metric.name}`;
}

function theNew(metric: Metric, engine: EngineState, canary: Counts): string {
  const part = percentWords(rate(canary));
  const counted = `${countWords(canary.errors)} of ${countWords(canary.requests)}`;
  if (engine.kind === 'latency')
    return `The new version is slow: ${part} of requests took longer than ${timeWords(engine.boundary ?? 0)}, ${counted}`;
  if (metric.name === errorsName) return `The new version fails ${part} of requests, ${counted}`;
  return `By ${metric.name} the new version does badly in ${part} of cases, ${counted}`;
}

function theOld(stable: Counts, metric: Metric, mode: Mode): string {
  if (stable.requests <= 0) return 'the old one had none';
  const part = percentWords(rate(stable));
  return mode === 'bake' && metric.name === errorsName ? `the old one failed ${part}` : `the old one ${part}`;
}

function oddsOf({ level, logHarm, logHarmUncapped }: Verdict): string {
  const odds = `evidence ${oddsWords(logHarm)}`;
  if (level === 'calm') return 'evidence of harm below 5 : 1';
  if (level === 'brake') return `${odds}, or ${oddsWords(logHarmUncapped)} if fewer than three windows could decide`;
  return level === 'onePod' ? `${odds}, but a single pod carries it` : odds;
}
