// Decides what a calm answer still waits for and about how long that takes at the current traffic. A forecast never
// changes a verdict.
import { acceptTilts } from './accept.ts';
import type { EngineState } from './engine.ts';
import { type ArmCounts, logLoneEvidence, logWindowEvidence, rate } from './errors.ts';
import { type Verdict, type JudgeState, accused, speaking } from './judge.ts';
import { type JudgeSettings, logFinalAccept, logStepAccept } from './settings.ts';
import { acceptMargin } from './tolerance.ts';
import { recentRates } from './tuples.ts';
import { pointsWords, spanWords } from './words.ts';

/** The wealth that is spread over bets which turn out to be wrong, in natural logarithms. */
const spreadCost = 0.6;

/** Undefined when nothing is awaited, or when the canary is under suspicion. */
export function awaited(state: JudgeState, verdict: Verdict, settings: JudgeSettings): string | undefined {
  if (verdict.level !== 'calm' && verdict.level !== 'doubt') return undefined;
  if (verdict.isStepAcceptable && verdict.isFinalAcceptable) return undefined;
  if (verdict.level === 'doubt') return 'waiting to see whether the extra errors of the new version go on';
  const [engine] = speaking(state);
  if (!engine) return 'waiting for a version to compare with: the old one had no request during this release';
  return waitFor(engine, state, verdict, settings);
}

function waitFor(engine: EngineState, state: JudgeState, verdict: Verdict, settings: JudgeSettings): string {
  const { canaryPerSecond } = recentRates(engine.tuples);
  const goal = `waiting to rule out more than ${pointsWords(unacceptableExtra(engine, settings))} extra errors`;
  if (canaryPerSecond <= 0) return `${goal}, but no request of the new version was counted at this weight so far`;
  // Before the first window of a step the rates are those of the weight before it, and so would be the forecast.
  if (state.mode === 'twoArms' && engine.stepAccept.logEvidence === 0) return goal;
  const perSecond = growthPerSecond(engine, state, settings);
  if (perSecond <= 0) return `${goal}, which the current error rates do not allow`;
  const missing = verdict.isStepAcceptable ? logFinalAccept - verdict.logAccept : logStepAccept - verdict.logStepAccept;
  return `${goal}, about ${spanWords((missing + spreadCost) / perSecond)} at current traffic`;
}

/** How much worse than now stable's users would fare with a release that is just unacceptable. */
function unacceptableExtra({ totals }: EngineState, { ruleOut }: JudgeSettings): number {
  return (ruleOut.ratio - 1) * rate(totals.stable) + ruleOut.absolute;
}

function growthPerSecond(engine: EngineState, state: JudgeState, settings: JudgeSettings): number {
  const second = expectedSecond(engine, state);
  const margin = acceptMargin(settings.ruleOut);
  const lowRate = engine.bake?.baseline?.lowRate;
  const growths = acceptTilts(settings).map((tilt) =>
    lowRate === undefined
      ? logWindowEvidence(second, margin, tilt)
      : logLoneEvidence(second.canary, lowRate, margin, tilt),
  );
  return Math.max(...growths) / settings.clumping;
}

function expectedSecond(engine: EngineState, state: JudgeState): ArmCounts {
  const { canaryPerSecond, stablePerSecond } = recentRates(engine.tuples);
  return {
    canary: { requests: canaryPerSecond, errors: canaryPerSecond * rate(accused(engine, state.mode)) },
    stable: { requests: stablePerSecond, errors: stablePerSecond * rate(engine.totals.stable) },
  };
}
