// Writes the state of a judge down and reads it back, bit for bit, in the form that its settings ask for. What cannot be read
// back throws, and then nothing at all is restored.
import type { BakeState, CountState } from '../analysis/engine.ts';
import { type EngineState, countsIn, openEngine } from '../analysis/engines.ts';
import type { EngineName, JudgeState } from '../analysis/judge.ts';
import type { LatencyState } from '../analysis/latency.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import { type SplitState, openSplit } from '../analysis/split.ts';
import {
  countsOf,
  histogramIn,
  pack,
  savedCounts,
  savedHistogram,
  savedTuples,
  savedWealth,
  tuplesOf,
  unpack,
  wealthOf,
} from './saved-numbers.ts';

export interface SavedJudge {
  readonly judge: Omit<JudgeState, 'metrics' | 'split'>;
  readonly metrics: readonly SavedMetric[];
  readonly split?: SavedSplit;
}

export interface SavedMetric {
  readonly name: string;
  readonly engines: readonly SavedEngine[];
}

interface SavedSplit extends Omit<SplitState, 'more' | 'fewer' | 'planned'> {
  readonly reader: EngineName;
  readonly planned?: number;
  readonly more: string;
  readonly fewer: string;
}

interface SavedEngine extends SavedCount {
  readonly name: EngineName;
  /** What an engine of the latency has beside the share of slow requests. */
  readonly speed?: SavedSpeed;
}

interface SavedSpeed {
  readonly boundary?: number;
  readonly reference?: string;
  readonly basis?: string;
  readonly wealth: string;
  readonly without: readonly string[];
}

interface SavedCount {
  readonly harm: readonly string[];
  readonly accept: string;
  readonly stepAccept: string;
  readonly harmWithout: readonly (readonly string[])[];
  readonly groups: string;
  readonly totals: string;
  readonly windows: number;
  readonly windowMs: number;
  readonly tuples: string;
  readonly bake?: SavedBake;
}

interface SavedBake {
  readonly baseline?: BakeState['baseline'];
  readonly detectors: readonly [string, string];
  readonly detectorsWithout: readonly (readonly [string, string])[];
  readonly groups: string;
  readonly canary: string;
}

export function savedJudge({ metrics, split, ...judge }: JudgeState): SavedJudge {
  const saved = metrics.map(({ name, engines }) => ({
    name,
    engines: engines.map((engine) => ({ name: engine.name, ...savedState(engine.state) })),
  }));
  return { judge, metrics: saved, ...(split ? { split: savedSplit(split) } : {}) };
}

export function judgeOf(saved: SavedJudge, settings: JudgeSettings): JudgeState {
  const metrics = saved.metrics.map(({ name, engines }) => ({
    name,
    engines: engines.map((engine) => ({ name: engine.name, state: stateOf(engine, opened(settings, name)) })),
  }));
  const split = saved.split ? { split: splitOf(saved.split) } : {};
  return { ...saved.judge, stepKey: saved.judge.stepKey, metrics, ...split };
}

/** How an engine of the metric begins; what was saved of it must have the same form. */
function opened(settings: JudgeSettings, name: string): EngineState {
  const metric = settings.metrics.find((one) => one.name === name);
  if (!metric) throw new Error('a metric is not one of the settings');
  return openEngine(metric, settings);
}

function savedSplit({ planned, more, fewer, ...split }: NonNullable<JudgeState['split']>): SavedSplit {
  return {
    ...split,
    ...(planned === undefined ? {} : { planned }),
    more: savedWealth(more),
    fewer: savedWealth(fewer),
  };
}

function splitOf({
  reader,
  planned,
  plannedSinceMs,
  canary,
  stable,
  more,
  fewer,
}: SavedSplit): JudgeState['split'] & {} {
  const numbers = [planned ?? 0, plannedSinceMs, canary.requests, canary.errors, stable.requests, stable.errors];
  if (!numbers.every(Number.isFinite)) throw new Error('the split is no split');
  const wealths = { more: wealthOf(more, openSplit.more), fewer: wealthOf(fewer, openSplit.fewer) };
  return { reader, planned, plannedSinceMs, canary, stable, ...wealths };
}

function savedState(state: EngineState): Omit<SavedEngine, 'name'> {
  const counts = savedCount(countsIn(state));
  return state.kind === 'count' ? counts : { ...counts, speed: savedSpeed(state) };
}

function stateOf(saved: SavedEngine, like: EngineState): EngineState {
  const counts = countOf(saved, countsIn(like));
  if (like.kind === 'count') return counts;
  if (!saved.speed) throw new Error('the evidence of the latency is missing');
  const { boundary, reference, basis, wealth, without } = saved.speed;
  if (boundary !== undefined && !Number.isFinite(boundary)) throw new Error('the boundary is no time');
  return {
    kind: 'latency',
    slow: counts,
    boundary,
    reference: reference === undefined ? undefined : histogramIn(reference),
    basis: basis === undefined ? undefined : histogramIn(basis),
    speed: wealthOf(wealth, like.speed),
    speedWithout: without.map((one) => wealthOf(one, like.speed)),
  };
}

function savedCount(state: CountState): SavedCount {
  return {
    harm: state.harm.map(savedWealth),
    accept: savedWealth(state.accept),
    stepAccept: savedWealth(state.stepAccept),
    harmWithout: state.harmWithout.map((evidence) => evidence.map(savedWealth)),
    groups: savedCounts(state.groups),
    totals: savedCounts([state.totals.canary, state.totals.stable]),
    windows: state.windows,
    windowMs: state.windowMs,
    tuples: savedTuples(state.tuples),
    ...(state.bake ? { bake: savedBake(state.bake) } : {}),
  };
}

function countOf(saved: SavedCount, like: CountState): CountState {
  const [canary, stable] = countsOf(saved.totals);
  if (!canary || !stable) throw new Error('totals are incomplete');
  const harmOf = (lines: readonly string[]) => {
    if (lines.length !== like.harm.length) throw new Error('evidence of harm is incomplete');
    return lines.map((line) => wealthOf(line, like.accept));
  };
  return {
    kind: 'count',
    harm: harmOf(saved.harm),
    accept: wealthOf(saved.accept, like.accept),
    stepAccept: wealthOf(saved.stepAccept, like.accept),
    harmWithout: saved.harmWithout.map(harmOf),
    groups: countsOf(saved.groups),
    totals: { canary, stable },
    windows: saved.windows,
    windowMs: saved.windowMs,
    tuples: tuplesOf(saved.tuples),
    bake: saved.bake ? bakeOf(saved.bake) : undefined,
  };
}

function savedSpeed({ boundary, reference, basis, speed, speedWithout }: LatencyState): SavedSpeed {
  return {
    ...(boundary === undefined ? {} : { boundary }),
    ...(reference ? { reference: savedHistogram(reference) } : {}),
    ...(basis ? { basis: savedHistogram(basis) } : {}),
    wealth: savedWealth(speed),
    without: speedWithout.map(savedWealth),
  };
}

function savedBake({ baseline, detectors, detectorsWithout, groups, canary }: BakeState): SavedBake {
  return {
    ...(baseline ? { baseline } : {}),
    detectors: savedDetectors(detectors),
    detectorsWithout: detectorsWithout.map(savedDetectors),
    groups: savedCounts(groups),
    canary: savedCounts([canary]),
  };
}

function bakeOf(saved: SavedBake): BakeState {
  const [canary] = countsOf(saved.canary);
  if (!canary) throw new Error('the bake has no counts');
  return {
    baseline: saved.baseline,
    detectors: detectorsOf(saved.detectors),
    detectorsWithout: saved.detectorsWithout.map(detectorsOf),
    groups: countsOf(saved.groups),
    canary,
  };
}

function savedDetectors({ logEvidence, logUncapped }: BakeState['detectors']): readonly [string, string] {
  return [pack(logEvidence), pack(logUncapped)];
}

function detectorsOf([logEvidence, logUncapped]: readonly [string, string]): BakeState['detectors'] {
  return { logEvidence: unpack(logEvidence), logUncapped: unpack(logUncapped) };
}
