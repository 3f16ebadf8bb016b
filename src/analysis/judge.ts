// Decides how bad the canary looks from everything that was counted: state and window in, state out; state in, verdict
// out. It takes time as data and never looks at a clock.
import type { Window } from './engine.ts';
import { type EngineState, type Mode, engineAfter, engineInNewMode, engineInNewStep, openEngine } from './engines.ts';
import { type Metric, errorsName, restartsName } from './metric.ts';
import type { JudgeSettings } from './settings.ts';
import { type SplitState, openSplit, splitAfter } from './split.ts';
import { verdictOf } from './verdict.ts';

export type { Mode } from './engines.ts';

/** The reader that a window comes from. The gateway and the pods count the same requests; restarts and a query their own. */
export type EngineName = 'gateway' | 'app' | 'restarts' | `query:${string}`;

export interface JudgeState {
  /** As in the settings. Fixed before the first window of the attempt, for the averages must not choose their winners. */
  readonly metrics: readonly MetricState[];
  readonly mode: Mode;
  readonly modeSinceMs: number;
  readonly stepKey: string | undefined;
  readonly stepSinceMs: number;
  /** A verdict of harm stays for the rest of the attempt (S5). */
  readonly isHarmful: boolean;
  /** The metric that carried the verdict of harm when it fell. */
  readonly culprit?: string;
  /** On the metric source's clock, for people: when the first request of the canary was counted at the latest, … */
  readonly firstRequestMs?: number;
  /** … the end of the newest window, … */
  readonly newestMs?: number;
  /** … and the end of the window with which the verdict of harm fell. */
  readonly harmfulMs?: number;
  /** By the first reader of all requests; absent where there is none. */
  readonly split?: SplitState & { readonly reader: EngineName };
}

export interface MetricState {
  readonly name: string;
  /** Ways to count the same thing. They are averaged, never summed: one error seen twice is one error. None: not judged. */
  readonly engines: readonly NamedEngine[];
}

export interface NamedEngine {
  readonly name: EngineName;
  readonly state: EngineState;
}

export interface ReaderName {
  readonly name: EngineName;
  /** Its windows have histograms. */
  readonly hasLatency: boolean;
}

export function openJudge(readers: readonly ReaderName[], settings: JudgeSettings): JudgeState {
  const ofRequests = readers.find(isOfRequests);
  return {
    metrics: settings.metrics.map((metric) => ({
      name: metric.name,
      engines: readers
        .filter((reader) => feeds(reader, metric))
        .map(({ name }) => ({ name, state: openEngine(metric, settings) })),
    })),
    mode: 'twoArms',
    modeSinceMs: 0,
    stepKey: undefined,
    stepSinceMs: 0,
    isHarmful: false,
    ...(ofRequests ? { split: { ...openSplit, reader: ofRequests.name } } : {}),
  };
}

/** Takes one reader's next window into account. Windows of one reader come in order; a name that is not judged is ignored. */
export function judgeWindow(state: JudgeState, name: EngineName, window: Window, settings: JudgeSettings): JudgeState {
  const isLone = state.mode === 'bake' && window.startMs >= state.modeSinceMs;
  const countsForStep = window.startMs >= state.stepSinceMs;
  const next = changed(state, (engine, metric) =>
    engine.name === name
      ? engineAfter(engine.state, window, isLone, countsForStep, metricOf(metric, settings), settings)
      : engine.state,
  );
  return convicted({ ...next, ...noted(next, name, window, isLone) }, window.endMs, settings);
}

/** From here on, evidence of health counts for this step. The same key again changes nothing. */
export function startStep(state: JudgeState, stepKey: string, atMs: number): JudgeState {
  if (state.stepKey === stepKey) return state;
  return { ...changed(state, (engine) => engineInNewStep(engine.state)), stepKey, stepSinceMs: atMs };
}

/** Says which judge speaks from here on. The same mode again changes nothing. */
export function armJudge(state: JudgeState, mode: Mode, atMs: number): JudgeState {
  if (state.mode === mode) return state;
  return { ...changed(state, (engine) => engineInNewMode(engine.state)), mode, modeSinceMs: atMs };
}

function feeds({ name, hasLatency }: ReaderName, metric: Metric): boolean {
  if (metric.kind === 'latency') return isOfRequests({ name }) && hasLatency;
  if (metric.name === restartsName) return name === restartsName;
  return metric.name === errorsName ? isOfRequests({ name }) : name === `query:${metric.name}`;
}

function isOfRequests({ name }: Pick<ReaderName, 'name'>): boolean {
  return name === 'gateway' || name === 'app';
}

/** What is kept of a window beside evidence. */
function noted(
  { firstRequestMs, newestMs = 0, split }: JudgeState,
  name: EngineName,
  window: Window,
  isLone: boolean,
): Partial<JudgeState> {
  const first = firstRequestMs ?? (window.canary.requests > 0 && name !== restartsName ? window.startMs : undefined);
  return {
    newestMs: Math.max(newestMs, window.endMs),
    ...(first === undefined ? {} : { firstRequestMs: first }),
    ...(split?.reader === name && !isLone ? { split: { ...splitAfter(split, window), reader: name } } : {}),
  };
}

function convicted(state: JudgeState, atMs: number, settings: JudgeSettings): JudgeState {
  if (state.isHarmful) return state;
  const { level, culprit } = verdictOf(state, settings);
  if (level !== 'harmful') return state;
  return { ...state, isHarmful: true, harmfulMs: atMs, ...(culprit === undefined ? {} : { culprit }) };
}

function metricOf({ name }: MetricState, { metrics }: JudgeSettings): Metric {
  const metric = metrics.find((one) => one.name === name);
  if (!metric) throw new Error(`the settings of this attempt have no metric named ${name}`);
  return metric;
}

function changed(state: JudgeState, next: (engine: NamedEngine, metric: MetricState) => EngineState): JudgeState {
  const metrics = state.metrics.map((metric) => ({
    ...metric,
    engines: metric.engines.map((engine) => ({ name: engine.name, state: next(engine, metric) })),
  }));
  return { ...state, metrics };
}
