// Puts the judge's state into the answer that the release core acts on. It never decides.
import type { Judged } from './answer.ts';
import type { CountState } from './engine.ts';
import { countsIn, engineHarm } from './engines.ts';
import type { Counts } from './errors.ts';
import { awaited } from './forecast.ts';
import type { JudgeState } from './judge.ts';
import { errorsName, restartsName } from './metric.ts';
import { type Spokesman, sentenceOf } from './sentence.ts';
import type { JudgeSettings } from './settings.ts';
import { recentRates } from './tuples.ts';
import { type Opinion, type Verdict, opinionsOf, verdictOf } from './verdict.ts';

const noRequests: Counts = { requests: 0, errors: 0 };

/** The answer to give now. `isFresh`: nothing is overdue; a stale answer allows no step (S4). */
export function judgedAnswer(state: JudgeState, settings: JudgeSettings, freshAtMs: number, isFresh: boolean): Judged {
  const verdict = verdictOf(state, settings);
  const opinions = opinionsOf(state, settings);
  const requests = countsOfRequests(state, opinions);
  const rates = recentRates(requests?.tuples ?? []);
  const { canary, stable } = requests?.totals ?? { canary: noRequests, stable: noRequests };
  const waitingFor = awaited(state, verdict, opinions);
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
    sentence: sentenceOf(spokesman(state, settings, opinions, verdict), state.mode, verdict),
    ...(verdict.culprit === undefined ? {} : { culprit: verdict.culprit }),
    ...(verdict.notJudged.length === 0 ? {} : { notJudged: verdict.notJudged }),
    ...(verdict.splitOff === undefined ? {} : { splitOff: verdict.splitOff }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}

/** All requests, as the first engine of the errors counts them; where errors are not judged, what is. */
function countsOfRequests(state: JudgeState, opinions: readonly Opinion[]): CountState | undefined {
  const ofRequests = opinions.filter(({ metric }) => metric.name !== restartsName);
  const opinion = ofRequests.find(({ metric }) => metric.name === errorsName) ?? ofRequests[0];
  const others = state.metrics.filter(({ name }) => name !== restartsName);
  const engine = opinion?.engines[0] ?? others.flatMap(({ engines }) => engines)[0]?.state;
  return engine && countsIn(engine);
}

/** The first metric and its first engine; under suspicion those that have most against the canary. */
function spokesman(
  state: JudgeState,
  settings: JudgeSettings,
  opinions: readonly Opinion[],
  verdict: Verdict,
): Spokesman | undefined {
  const opinion = opinions.find(({ metric }) => metric.name === verdict.suspect) ?? opinions[0];
  if (!opinion) return silent(state, settings);
  const { metric, terms, engines } = opinion;
  const [first, ...others] = engines.map((engine) => ({ metric, engine }));
  if (!first || verdict.level === 'calm') return first;
  const harm = ({ engine }: Spokesman) => engineHarm(engine, state.mode, metric, terms);
  return others.reduce((loudest, one) => (harm(one) > harm(loudest) ? one : loudest), first);
}

/** Where nobody can say anything against the canary, its requests are still told. */
function silent(state: JudgeState, settings: JudgeSettings): Spokesman | undefined {
  return settings.metrics.flatMap((metric) => {
    const kept = state.metrics.find(({ name }) => name === metric.name)?.engines ?? [];
    return kept.map((engine) => ({ metric, engine: engine.state }));
  })[0];
}
