// Decides what a calm answer still waits for and about how long that takes at the current traffic. A forecast never
// changes a verdict.
import { acceptTilts } from './accept.ts';
import type { CountState } from './engine.ts';
import { type Mode, accused, countsIn } from './engines.ts';
import { type ArmCounts, logLoneEvidence, logWindowEvidence, rate } from './errors.ts';
import type { JudgeState } from './judge.ts';
import { restartsName } from './metric.ts';
import { restartRateWords } from './restart-words.ts';
import { extraOf } from './sentence.ts';
import { type Terms, logFinalAccept, logStepAccept } from './settings.ts';
import { acceptMargin } from './tolerance.ts';
import { recentRates } from './tuples.ts';
import type { Opinion, Verdict } from './verdict.ts';
import { pointsWords, spanWords } from './words.ts';

/** The wealth that is spread over bets which turn out to be wrong, in natural logarithms. */
const spreadCost = 0.6;

/** Undefined when nothing is awaited, or when the canary is under suspicion. */
export function awaited(state: JudgeState, verdict: Verdict, opinions: readonly Opinion[]): string | undefined {
  if (verdict.level !== 'calm' && verdict.level !== 'doubt') return undefined;
  if (verdict.isStepAcceptable && verdict.isFinalAcceptable) return undefined;
  if (verdict.level === 'doubt')
    return `waiting to see whether the ${suspected(verdict, opinions)} of the new version go on`;
  if (verdict.notJudged.length > 0)
    return `waiting for ${verdict.notJudged.join(' and ')}: asked for, and nobody counts it, so no step is earned by evidence`;
  if (verdict.splitOff !== undefined)
    return `waiting for the requests to be split as planned (${verdict.splitOff.replace(/\.$/, '')})`;
  const slowest = leastAccepted(opinions, verdict.isStepAcceptable);
  if (!slowest || opinions.length < state.metrics.length)
    return 'waiting for a version to compare with: the old one had no request during this release';
  return waitFor(slowest, state.mode, verdict.isStepAcceptable);
}

/** About how many seconds of the current traffic until a metric is acceptable; Infinity when it cannot be at the current rates. */
export function secondsToAccept(opinion: Opinion, mode: Mode, goal: 'step' | 'final'): number {
  const [logNow, logGoal] =
    goal === 'step' ? [opinion.logStepAccept, logStepAccept] : [opinion.logAccept, logFinalAccept];
  if (logNow >= logGoal) return 0;
  const perSecond = growthPerSecond(firstCounts(opinion), mode, opinion.terms);
  return perSecond > 0 ? (logGoal - logNow + spreadCost) / perSecond : Infinity;
}

function suspected({ suspect }: Verdict, opinions: readonly Opinion[]): string {
  const metric = opinions.find((opinion) => opinion.metric.name === suspect)?.metric;
  return metric ? extraOf(metric) : 'signs against it';
}

function leastAccepted(opinions: readonly Opinion[], isStepAcceptable: boolean): Opinion | undefined {
  const key = isStepAcceptable ? 'logAccept' : 'logStepAccept';
  const [first, ...others] = opinions;
  return first && others.reduce((least, other) => (other[key] < least[key] ? other : least), first);
}

function waitFor(opinion: Opinion, mode: Mode, isStepAcceptable: boolean): string {
  const engine = firstCounts(opinion);
  const { canaryPerSecond } = recentRates(engine.tuples);
  const extra = extraOf(opinion.metric);
  if (engine.windows === 0 && opinion.metric.kind === 'latency')
    return `waiting for enough requests to see how long they take`;
  const isOfPods = opinion.metric.name === restartsName;
  const extraRate = unacceptableExtra(engine, opinion.terms);
  const goal = `waiting to rule out more than ${isOfPods ? restartRateWords(extraRate) : `${pointsWords(extraRate)} ${extra}`}`;
  if (canaryPerSecond <= 0 && isOfPods) return `${goal}, but no pod of the new version runs`;
  if (canaryPerSecond <= 0) return `${goal}, but no request of the new version was counted at this weight so far`;
  // Before the first window of a step the rates are those of the weight before it, and so would be the forecast.
  if (mode === 'twoArms' && engine.stepAccept.logEvidence === 0) return goal;
  const seconds = secondsToAccept(opinion, mode, isStepAcceptable ? 'final' : 'step');
  if (seconds === Infinity) return `${goal}, which the current rates do not allow`;
  return `${goal}, about ${spanWords(seconds)} ${isOfPods ? 'with as many pods as now' : 'at current traffic'}`;
}

function firstCounts({ engines: [engine] }: Opinion): CountState {
  if (!engine) throw new Error('an opinion without an engine');
  return countsIn(engine);
}

/** How much worse than now stable's users would fare with a release that is just unacceptable. */
function unacceptableExtra({ totals }: CountState, { ruleOut }: Terms): number {
  return (ruleOut.ratio - 1) * rate(totals.stable) + ruleOut.absolute;
}

function growthPerSecond(engine: CountState, mode: Mode, terms: Terms): number {
  const second = expectedSecond(engine, mode);
  const margin = acceptMargin(terms.ruleOut);
  const lowRate = engine.bake?.baseline?.lowRate;
  const growths = acceptTilts(terms).map((tilt) =>
    lowRate === undefined
      ? logWindowEvidence(second, margin, tilt)
      : logLoneEvidence(second.canary, lowRate, margin, tilt),
  );
  return Math.max(...growths) / terms.clumping;
}

function expectedSecond(engine: CountState, mode: Mode): ArmCounts {
  const { canaryPerSecond, stablePerSecond } = recentRates(engine.tuples);
  return {
    canary: { requests: canaryPerSecond, errors: canaryPerSecond * rate(accused(engine, mode)) },
    stable: { requests: stablePerSecond, errors: stablePerSecond * rate(engine.totals.stable) },
  };
}
