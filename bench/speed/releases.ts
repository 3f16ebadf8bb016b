/** Owns the releases that are timed: four metrics each, with windows as a busy service makes them. It takes no time itself. */
import { binomial, diceFrom, poisson, type Dice } from '../../src/analysis/dice.ts';
import type { Window } from '../../src/analysis/engine.ts';
import type { Counts } from '../../src/analysis/errors.ts';
import type { Histogram } from '../../src/analysis/histogram.ts';
import { type EngineName, type JudgeState, judgeWindow, openJudge, startStep } from '../../src/analysis/judge.ts';
import { defaultErrors, type Unweighted, weighted } from '../../src/analysis/metric.ts';
import { type JudgeSettings, defaultSettings } from '../../src/analysis/settings.ts';

const { tolerate, ruleOut } = defaultErrors;
const query = (name: string): Unweighted => ({ kind: 'count', name, tolerate, ruleOut });

const metrics = {
  errors: defaultErrors,
  latency: { kind: 'latency', name: 'latency', tolerateRatio: 1.1, ruleOut: { ratio: 2, absolute: 0.01 } },
} as const;

export interface Load {
  readonly label: string;
  readonly settings: JudgeSettings;
  readonly readers: readonly { readonly name: EngineName; readonly hasLatency: boolean }[];
  /** Windows that are judged at every cut: one for each reader. */
  readonly metricCount: number;
}

function load(label: string, asked: readonly Unweighted[]): Load {
  const hasLatency = asked.some(({ kind }) => kind === 'latency');
  const queries = asked.filter(({ kind, name }) => kind === 'count' && name !== 'errors');
  return {
    label,
    settings: { ...defaultSettings, metrics: weighted(asked) },
    readers: [
      { name: 'app', hasLatency },
      ...queries.map(({ name }) => ({ name: `query:${name}` as const, hasLatency: false })),
    ],
    metricCount: asked.length,
  };
}

export const errorsAlone = load('errors', [metrics.errors]);
export const latencyToo = load('errors and latency', [metrics.errors, metrics.latency]);
export const fourMetrics = load('errors, latency and two queries', [
  metrics.errors,
  metrics.latency,
  query('conversion'),
  query('dead-letters'),
]);

export const windowMs = 5000;
const [perSecond, weight, rate, pods] = [100, 0.1, 0.002, 2];

/** So many different windows of two canary pods, drawn from a fixed seed. */
export function windowsOf(count: number): readonly Window[] {
  const dice = diceFrom(1);
  return Array.from({ length: count }, (_, index) => windowAt(dice, index));
}

function windowAt(dice: Dice, index: number): Window {
  const canaryGroups = Array.from({ length: pods }, () => counted(dice, (perSecond * weight * windowMs) / 1000 / pods));
  const stable = counted(dice, (perSecond * (1 - weight) * windowMs) / 1000);
  return {
    startMs: index * windowMs,
    endMs: (index + 1) * windowMs,
    lengthMs: windowMs,
    canary: {
      requests: canaryGroups.reduce((sum, { requests }) => sum + requests, 0),
      errors: canaryGroups.reduce((sum, { errors }) => sum + errors, 0),
    },
    stable,
    canaryGroups,
    latency: {
      canary: timed(canaryGroups.reduce((sum, { requests }) => sum + requests, 0)),
      stable: timed(stable.requests),
      canaryGroups: canaryGroups.map(({ requests }) => timed(requests)),
    },
  };
}

function counted(dice: Dice, mean: number): Counts {
  const requests = poisson(dice, mean);
  return { requests, errors: binomial(dice, requests, rate) };
}

/** Forty native buckets around a tenth of a second, those in the middle the fullest. */
function timed(requests: number): Histogram {
  const upperBounds = [...Array.from({ length: 40 }, (_, at) => 2 ** ((at - 46) / 8)), Infinity];
  const shares = upperBounds.map((_, at) => Math.exp(-(((at - 20) / 7) ** 2)));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  return { upperBounds, counts: shares.map((share) => Math.round((requests * share) / whole)) };
}

export function opened({ readers, settings }: Load): JudgeState {
  return startStep(openJudge(readers, settings), 'step 1', 0);
}

/** One cut of the time line: every reader brings its window. */
export function judged(judge: JudgeState, window: Window, { readers, settings }: Load): JudgeState {
  return readers.reduce((state, { name }) => judgeWindow(state, name, window, settings), judge);
}
