// Owns what has been learned of one thing that pods use (CPU, memory, a priced call): whether the new version needs more of it
// for the same work. A fold over blocks of time; it knows no prices and decides nothing.
import { type Limits, type Wealth, unlimited } from './mixture.ts';
import { type LineSums, idleRange, lineAfter, openLine } from './idle.ts';
import { openRank, rankAfter } from './rank.ts';

/** One pod in one block. */
export interface PodUse {
  readonly pod: string;
  readonly isCanary: boolean;
  /** CPU seconds a second, calls a second, or bytes. */
  readonly use: number;
  /** Requests a second; 1 for what is used whatever the load is. */
  readonly load: number;
}

export interface UseTerms {
  /** 1.15: up to 15 % more is tolerated. */
  readonly tolerateRatio: number;
  /** A pod without requests uses some of it too. */
  readonly hasIdle: boolean;
  /** Odds, in logarithms, that the verdict "needs more" asks for. */
  readonly logGoal: number;
}

/**
 * Two views of the same blocks: as if a pod without requests used the least that it can, and the most. The truth lies between
 * them, and nobody knows where: what is claimed has to hold in both.
 */
export interface UseState {
  readonly views: readonly [UseView, UseView];
  readonly blocks: number;
  /** The least that any pod used in a block. */
  readonly least: number | undefined;
  /** How stable's use went with its load. */
  readonly line: LineSums;
  /** By pod, for at most 24 of them: how much it used for its work, on average over its blocks, against all of stable. */
  readonly pods: readonly PodMean[];
  /** Of stable, over the last blocks: use of all pods together, and their load. */
  readonly stable: { readonly use: number; readonly load: number } | undefined;
  /** Why the last block told nothing. */
  readonly silence: UseSilence | undefined;
}

export type UseSilence =
  | { readonly kind: 'fewPods'; readonly pods: number }
  | { readonly kind: 'oneVersion' }
  | { readonly kind: 'unlikeLoads'; readonly canary: number; readonly stable: number };

export interface UseView {
  readonly harm: Wealth;
  readonly calm: Wealth;
  /** Of the logarithm of the new version's use to stable's. */
  readonly sum: number;
  readonly squares: number;
}

export interface PodMean {
  readonly pod: string;
  readonly isCanary: boolean;
  readonly sum: number;
  readonly blocks: number;
}

/** With fewer pods in all, the order of them says next to nothing. */
export const fewestPods = 4;
/** A pod with three times the requests of another says nothing about it: what it uses without any is a guess. */
const likeLoads = 3;
const mostPods = 24;
/** Of the last blocks, for what stable uses now. */
const newest = 0.25;

export function openUse(): UseState {
  const view = { harm: openRank(), calm: openRank(), sum: 0, squares: 0 };
  return {
    views: [view, view],
    blocks: 0,
    least: undefined,
    line: openLine,
    pods: [],
    stable: undefined,
    silence: undefined,
  };
}

export function useAfter(before: UseState, all: readonly PodUse[], lengthMs: number, terms: UseTerms): UseState {
  const working = all.filter(({ load }) => load > 0);
  const canary = working.filter(({ isCanary }) => isCanary);
  const stable = working.filter(({ isCanary }) => !isCanary);
  const least = terms.hasIdle ? all.reduce((low, { use }) => Math.min(low, use), before.least ?? Infinity) : undefined;
  const state = {
    ...before,
    least: least === Infinity ? undefined : least,
    line:
      terms.hasIdle && stable.length > 0
        ? lineAfter(before.line, meanOf(stable, 'load'), meanOf(stable, 'use'))
        : before.line,
  };
  const silence = silenceOf(canary, stable, terms);
  if (silence !== undefined) return { ...state, stable: smoothed(state.stable, stable), silence };
  // By earlier blocks, so that this one does not choose how it is seen.
  const idle = terms.hasIdle ? idleRange(before.line, state.least ?? 0) : { low: 0, high: 0 };
  const [low, high] = [idle.low, idle.high].map((one) => valuesOf(working, stable, one));
  return {
    ...state,
    views: [
      viewAfter(state.views[0], low ?? [], lengthMs, terms),
      viewAfter(state.views[1], high ?? [], lengthMs, terms),
    ],
    blocks: state.blocks + 1,
    pods: meansAfter(state.pods, low ?? []),
    stable: smoothed(state.stable, stable),
    silence: undefined,
  };
}

/** In both views: odds, in logarithms, that the new version needs more than tolerated. */
export function logNeedsMore({ views }: UseState): number {
  return Math.min(...views.map(({ harm }) => harm.logEvidence));
}

/** In both views: odds, in logarithms, that it does not need more by twice what is tolerated. */
export function logRuledOut({ views }: UseState): number {
  return Math.min(...views.map(({ calm }) => calm.logEvidence));
}

/** What is ruled out: by twice the tolerated part more. */
export function ruledOutRatio(tolerateRatio: number): number {
  return 1 + 2 * (tolerateRatio - 1);
}

/** Use of the new version to that of stable, at like load. */
export interface UseRatio {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** From both views, with two standard errors of the blocks; undefined before the first. */
export function useRatio({ views, blocks }: UseState): UseRatio | undefined {
  if (blocks === 0) return undefined;
  const means = views.map(({ sum }) => sum / blocks);
  const margins = views.map(({ sum, squares }) => {
    const variance = Math.max(0, squares / blocks - (sum / blocks) ** 2);
    return 2 * Math.sqrt(variance / Math.max(1, blocks - 1));
  });
  const low = Math.min(...means.map((mean, view) => mean - (margins[view] ?? 0)));
  const high = Math.max(...means.map((mean, view) => mean + (margins[view] ?? 0)));
  const middle = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  return { low: Math.exp(low), middle: Math.exp(middle), high: Math.exp(high) };
}

/**
 * How far pods of one version lie apart over the attempt: the largest to the smallest. Blocks are evidence one by one only while
 * pods of a version are alike; a pod on a slower node is not, and a difference between versions has to be larger than theirs.
 */
export function spreadWithin({ pods }: UseState): number {
  const spreads = [true, false].map((arm) => {
    const means = pods
      .filter(({ isCanary, sum }) => isCanary === arm && sum > 0)
      .map(({ sum, blocks }) => sum / blocks);
    return means.length < 2 ? 1 : Math.max(...means) / Math.min(...means);
  });
  return Math.max(...spreads);
}

interface Value extends PodUse {
  readonly value: number;
}

/** What each pod used, to what stable's line says for its load: through stable's mean, and `idle` where there is no load. */
function valuesOf(working: readonly PodUse[], stable: readonly PodUse[], idle: number): readonly Value[] {
  const use = meanOf(stable, 'use');
  const load = meanOf(stable, 'load');
  const perRequest = Math.max(0, use - idle) / load;
  return working.map((pod) => {
    const expected = idle + perRequest * pod.load;
    return { ...pod, value: expected > 0 ? pod.use / expected : pod.use > 0 ? Infinity : 1 };
  });
}

function viewAfter(view: UseView, values: readonly Value[], lengthMs: number, terms: UseTerms): UseView {
  const { tolerateRatio, logGoal } = terms;
  const limits: Limits = { ...unlimited, logWindowCap: logGoal / 3 };
  const ruledOut = ruledOutRatio(tolerateRatio);
  const against = (ratio: number, sign: 1 | -1) =>
    values.map(({ isCanary, value }) => ({ isCanary, value: sign * (isCanary ? value / ratio : value) }));
  const canary = values.filter(({ isCanary }) => isCanary);
  const mean = canary.reduce((sum, { value }) => sum + value, 0) / canary.length;
  const log = Math.log(Math.min(Math.max(mean, 1e-3), 1e3));
  return {
    harm: rankAfter(view.harm, against(tolerateRatio, 1), lengthMs, limits),
    calm: rankAfter(view.calm, against(ruledOut, -1), lengthMs, unlimited),
    sum: view.sum + log,
    squares: view.squares + log * log,
  };
}

/** By the loads alone: what was used must not decide whether a block counts. */
function silenceOf(
  canary: readonly PodUse[],
  stable: readonly PodUse[],
  { hasIdle }: UseTerms,
): UseSilence | undefined {
  if (canary.length === 0 || stable.length === 0) return { kind: 'oneVersion' };
  const pods = canary.length + stable.length;
  if (pods < fewestPods) return { kind: 'fewPods', pods };
  const loads = { canary: meanOf(canary, 'load'), stable: meanOf(stable, 'load') };
  const ratio = loads.canary / loads.stable;
  const isUnlike = hasIdle && (ratio > likeLoads || ratio < 1 / likeLoads);
  return isUnlike ? { kind: 'unlikeLoads', ...loads } : undefined;
}

function meansAfter(before: readonly PodMean[], values: readonly Value[]): readonly PodMean[] {
  const known = new Map(before.map((mean) => [mean.pod, mean]));
  for (const { pod, isCanary, value } of values) {
    if (!Number.isFinite(value)) continue;
    const { sum, blocks } = known.get(pod) ?? { sum: 0, blocks: 0 };
    // The newest last, so that those that are gone are forgotten first.
    known.delete(pod);
    known.set(pod, { pod, isCanary, sum: sum + value, blocks: blocks + 1 });
  }
  return [...known.values()].slice(-mostPods);
}

function smoothed(before: UseState['stable'], pods: readonly PodUse[]): UseState['stable'] {
  if (pods.length === 0) return before;
  const now = { use: sumOf(pods, 'use'), load: sumOf(pods, 'load') };
  if (before === undefined) return now;
  return {
    use: (1 - newest) * before.use + newest * now.use,
    load: (1 - newest) * before.load + newest * now.load,
  };
}

function sumOf(pods: readonly PodUse[], what: 'use' | 'load'): number {
  return pods.reduce((sum, pod) => sum + pod[what], 0);
}

function meanOf(pods: readonly PodUse[], what: 'use' | 'load'): number {
  return sumOf(pods, what) / pods.length;
}
