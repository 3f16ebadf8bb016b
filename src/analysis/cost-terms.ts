// Owns what cost is judged by: what is tolerated, what was learned so far, and what is known of the cluster and of prices. It
// carries no logic.
import type { UseState } from './efficiency.ts';
import type { PodShape, Prices, Scaling } from './money.ts';

/** What CPU, memory and GPUs together are called, everywhere. */
export const costName = 'cost';

export interface CostTerms {
  /** 'cost', or the name of a price. */
  readonly name: string;
  /** 1.15: up to 15 % more is tolerated. Above 1. */
  readonly tolerateRatio: number;
  /** In the currency of the prices; up to this is tolerated too. */
  readonly maxExtraPerMonth: number;
  readonly do: 'hold' | 'rollback';
  /** Set: what is paid for each count of a counter of the user; otherwise CPU, memory and GPUs are meant. */
  readonly unitPrice?: number;
}

export interface CostState {
  readonly cpu: UseState;
  readonly memory: UseState;
  /** By name of the price. */
  readonly units: Readonly<Record<string, UseState>>;
  /** Requests a second to both versions, over the last blocks. */
  readonly traffic: number | undefined;
  readonly dearer:
    | { readonly culprit: string; readonly do: 'hold' | 'rollback'; readonly sentence: string }
    | undefined;
}

/** What is known of the cluster and of prices now. A text says why something is not known, without a full stop. */
export interface CostFacts {
  readonly shapes: { readonly canary: PodShape; readonly stable: PodShape } | string;
  readonly prices: Prices;
  /** Where money comes from: "requests of the pods and the price table of MetricSource main". */
  readonly source: string;
  readonly scaling: Scaling | string;
  /** Why nothing could be counted lately; undefined while blocks come. */
  readonly silence: string | undefined;
  /** The same for single metrics, by name. */
  readonly silent: Readonly<Record<string, string>>;
}
