// Writes down what was learned of an attempt's cost, in a few kilobytes, and reads it back: all of it, or nothing.
import type { CostView } from '../analysis/answer.ts';
import { type CostSettings, type CostState, openCost } from '../analysis/cost.ts';
import { type PodMean, type UseState, openUse } from '../analysis/efficiency.ts';
import { openRank } from '../analysis/rank.ts';
import { pack, savedWealth, unpack, wealthOf } from './saved-numbers.ts';

/** Plain JSON; numbers that a verdict rests on are written bit for bit. */
export interface SavedCost {
  /** Whose it is: other settings or counters begin anew. */
  readonly of: string;
  readonly cutMs: number;
  readonly uses: Readonly<Record<string, SavedUse>>;
  readonly traffic?: number;
  readonly dearer?: CostState['dearer'];
  /** What was said last, for people. */
  readonly view?: CostView;
}

interface SavedUse {
  readonly wealths: readonly string[];
  readonly numbers: string;
  readonly pods: readonly (readonly [string, 0 | 1, number, number])[];
}

interface Pinned {
  readonly settings: CostSettings;
  readonly counters: readonly { readonly name: string; readonly counter: string }[];
}

/** Of one thing; the pods only tell whether those of one version are alike. */
const mostPods = 8;

export function savedCost(state: CostState, cutMs: number, view: CostView | undefined, pinned: Pinned): SavedCost {
  const { cpu, memory, units, traffic, dearer } = state;
  const uses = Object.entries({ cpu, memory, ...prefixed(units) }).filter(
    ([, use]) => use.line.blocks > 0 || use.stable,
  );
  return {
    of: identityOf(pinned),
    cutMs,
    uses: Object.fromEntries(uses.map(([name, use]) => [name, savedUse(use)])),
    ...(traffic === undefined ? {} : { traffic }),
    ...(dearer === undefined ? {} : { dearer }),
    ...(view === undefined ? {} : { view }),
  };
}

/** What a saved one says about the cost; undefined when it says nothing that can be read. */
export function costSaid(saved: unknown): Pick<CostView, 'state' | 'sentence'> | undefined {
  const { state, sentence } = Object(Object(saved).view) as Partial<CostView>;
  const isKnown = state === 'fine' || state === 'dearer' || state === 'unknown';
  return isKnown && typeof sentence === 'string' ? { state, sentence } : undefined;
}

/** Undefined when nothing is saved, or it belongs to another question, or cannot be read any more. */
export function restoredCost(
  saved: unknown,
  pinned: Pinned,
): { readonly state: CostState; readonly cutMs: number; readonly view: CostView | undefined } | undefined {
  const { of, cutMs, uses, traffic, dearer, view } = Object(saved) as Partial<SavedCost>;
  if (of !== identityOf(pinned) || typeof cutMs !== 'number' || typeof uses !== 'object') return undefined;
  try {
    const open = openCost(pinned.settings);
    const use = (name: string) => (uses[name] ? useOf(uses[name]) : openUse());
    const state: CostState = {
      cpu: use('cpu'),
      memory: use('memory'),
      units: Object.fromEntries(Object.keys(open.units).map((name) => [name, use(`price ${name}`)])),
      traffic: typeof traffic === 'number' && Number.isFinite(traffic) ? traffic : undefined,
      dearer: dearerOf(dearer),
    };
    return { state, cutMs, view: view && costSaid(saved) ? view : undefined };
  } catch {
    return undefined;
  }
}

function prefixed(units: CostState['units']): Record<string, UseState> {
  return Object.fromEntries(Object.entries(units).map(([name, use]) => [`price ${name}`, use]));
}

function savedUse({ views, blocks, least, line, pods, stable }: UseState): SavedUse {
  const { blocks: points, load, use, loadSquares, useSquares, products } = line;
  const sums = views.flatMap(({ sum, squares }) => [sum, squares]);
  const means = [stable?.use ?? -1, stable?.load ?? -1, least ?? -1];
  return {
    wealths: views.flatMap(({ harm, calm }) => [savedWealth(harm), savedWealth(calm)]),
    numbers: pack([blocks, ...sums, ...means, points, load, use, loadSquares, useSquares, products]),
    pods: pods
      .slice(-mostPods)
      .map(
        ({ pod, isCanary, sum, blocks: seen }) => [pod, isCanary ? 1 : 0, Number(sum.toPrecision(5)), seen] as const,
      ),
  };
}

function useOf({ wealths, numbers, pods }: SavedUse): UseState {
  const all = unpack(numbers);
  if (all.length !== 14 || wealths.length !== 4 || !all.every(Number.isFinite)) throw new Error('a use is incomplete');
  const at = (index: number): number => all[index] ?? 0;
  const wealth = (index: number) => wealthOf(wealths[index] ?? '', openRank());
  const view = (index: 0 | 1) => ({
    harm: wealth(2 * index),
    calm: wealth(2 * index + 1),
    sum: at(1 + 2 * index),
    squares: at(2 + 2 * index),
  });
  return {
    views: [view(0), view(1)],
    blocks: at(0),
    least: at(7) < 0 ? undefined : at(7),
    line: { blocks: at(8), load: at(9), use: at(10), loadSquares: at(11), useSquares: at(12), products: at(13) },
    pods: pods.map(([pod, arm, sum, blocks]): PodMean => ({ pod, isCanary: arm === 1, sum, blocks })),
    stable: at(5) < 0 ? undefined : { use: at(5), load: at(6) },
    silence: undefined,
  };
}

function dearerOf(saved: SavedCost['dearer']): CostState['dearer'] {
  if (saved === undefined) return undefined;
  const { culprit, do: answer, sentence } = saved;
  if (typeof culprit !== 'string' || typeof sentence !== 'string' || !['hold', 'rollback'].includes(answer))
    throw new Error('a verdict about cost is incomplete');
  return { culprit, do: answer, sentence };
}

function identityOf({ settings, counters }: Pinned): string {
  return JSON.stringify([settings.metrics, counters]);
}
