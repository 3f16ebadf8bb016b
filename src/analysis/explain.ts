// Puts the judge's state into words and figures: one sentence with rates and counts first, and the view that status
// and audit show. It never decides.
import type { Judged } from './answer.ts';
import type { EngineState } from './engine.ts';
import { type Counts, rate } from './errors.ts';
import { awaited } from './forecast.ts';
import { type Range, ratioRange, ruledOutExcess } from './interval.ts';
import {
  type EngineName,
  type JudgeState,
  type Mode,
  type Verdict,
  accused,
  engineHarm,
  speaking,
  verdictOf,
} from './judge.ts';
import { type JudgeSettings, logFinalAccept, logRollback } from './settings.ts';
import { recentRates } from './tuples.ts';
import { countWords, oddsWords, percentWords } from './words.ts';

/** What status shows of the evidence; rates are fractions of requests. */
export interface EvidenceView {
  readonly judge: Mode;
  /** Odds that the canary is worse than tolerated, "412 : 1"; a rollback needs `needed`. */
  readonly evidence: string;
  readonly needed: string;
  /** Odds that it is not unacceptable: over the attempt, and in this step. */
  readonly accepted: string;
  readonly acceptedInStep: string;
  readonly engines: readonly EngineView[];
}

export interface EngineView {
  readonly name: EngineName;
  readonly canary: Counts;
  readonly stable: Counts;
  readonly canaryRate: number;
  readonly stableRate: number;
  /** Canary rate : stable rate; undefined while stable has no error. */
  readonly ratio: number | undefined;
  /** Ratios that the windows so far allow, as certain as a verdict; no `high` while nothing bounds it. */
  readonly ratioRange: { readonly low: number; readonly high?: number };
  /** The smallest extra error rate that is ruled out (95 %); undefined while there is none. */
  readonly ruledOutExcess: number | undefined;
  readonly evidence: string;
  readonly windows: number;
}

/** The answer to give now. `isFresh`: nothing is overdue; a stale answer allows no step (S4). */
export function judgedAnswer(state: JudgeState, settings: JudgeSettings, freshAtMs: number, isFresh: boolean): Judged {
  const verdict = verdictOf(state, settings);
  const engine = spokesman(state, verdict, settings);
  const rates = recentRates(engine?.tuples ?? []);
  const { canary, stable } = engine?.totals ?? { canary: noRequests, stable: noRequests };
  const waitingFor = awaited(state, verdict, settings);
  return {
    kind: 'judged',
    level: verdict.level,
    stepAcceptable: isFresh && verdict.isStepAcceptable,
    finalAcceptable: isFresh && verdict.isFinalAcceptable,
    brakeReleasable: isFresh && verdict.isBrakeReleasable,
    canaryRequestsPerSecond: rates.canaryPerSecond,
    totalRequestsPerSecond: rates.canaryPerSecond + rates.stablePerSecond,
    canaryRequests: canary.requests,
    canaryErrors: canary.errors,
    stableRequests: stable.requests,
    stableErrors: stable.errors,
    freshAtMs,
    judge: state.mode,
    sentence: sentenceOf(engine, state.mode, verdict),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}

/** Costs some milliseconds: for status and audit, not for every look. */
export function evidenceView(state: JudgeState, settings: JudgeSettings): EvidenceView {
  const verdict = verdictOf(state, settings);
  return {
    judge: state.mode,
    evidence: oddsWords(verdict.logHarm),
    needed: oddsWords(logRollback(settings)),
    accepted: oddsWords(verdict.logAccept),
    acceptedInStep: oddsWords(verdict.logStepAccept),
    engines: state.engines.map(({ name, state: engine }) => engineView(name, engine, state.mode, settings)),
  };
}

const noRequests: Counts = { requests: 0, errors: 0 };

function engineView(name: EngineName, engine: EngineState, mode: Mode, settings: JudgeSettings): EngineView {
  const { canary, stable } = engine.totals;
  return {
    name,
    canary,
    stable,
    canaryRate: rate(canary),
    stableRate: rate(stable),
    ratio: stable.errors > 0 ? rate(canary) / rate(stable) : undefined,
    ratioRange: bounded(ratioRange(engine.tuples, settings.clumping, logRollback(settings))),
    ruledOutExcess: finite(ruledOutExcess(engine.tuples, settings.ruleOut.ratio, settings.clumping, logFinalAccept)),
    evidence: oddsWords(engineHarm(engine, mode, settings)),
    windows: engine.windows,
  };
}

function bounded({ low, high }: Range): EngineView['ratioRange'] {
  return Number.isFinite(high) ? { low, high } : { low };
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}

/** The engine that is judged first; under suspicion the one that has most against the canary. */
function spokesman(state: JudgeState, verdict: Verdict, settings: JudgeSettings): EngineState | undefined {
  const engines = speaking(state);
  const [first = state.engines[0]?.state, ...others] = engines;
  if (!first || verdict.level === 'calm') return first;
  const harm = (engine: EngineState) => engineHarm(engine, state.mode, settings);
  return others.reduce((loudest, engine) => (harm(engine) > harm(loudest) ? engine : loudest), first);
}

function sentenceOf(engine: EngineState | undefined, mode: Mode, verdict: Verdict): string {
  if (!engine) return 'No request was counted yet.';
  const canary = accused(engine, mode);
  const { stable } = engine.totals;
  if (canary.requests <= 0) return 'The new version has had no request yet.';
  const theNew = `The new version fails ${percentWords(rate(canary))} of requests, ${countWords(canary.errors)} of ${countWords(canary.requests)}`;
  return `${theNew}; ${theOld(stable, mode)}; ${oddsOf(verdict)}.`;
}

function theOld(stable: Counts, mode: Mode): string {
  if (stable.requests <= 0) return 'the old one had none';
  return mode === 'bake'
    ? `the old one failed ${percentWords(rate(stable))}`
    : `the old one ${percentWords(rate(stable))}`;
}

function oddsOf({ level, logHarm, logHarmUncapped }: Verdict): string {
  const odds = `evidence ${oddsWords(logHarm)}`;
  if (level === 'calm') return 'evidence of harm below 5 : 1';
  if (level === 'brake') return `${odds}, or ${oddsWords(logHarmUncapped)} if a single window could decide`;
  return level === 'onePod' ? `${odds}, but a single pod carries it` : odds;
}
