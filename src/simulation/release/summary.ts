/** Owns what many simulated releases say together: how often each end came, how long it took, what it cost. */
import type { Run } from './run.ts';

/** The 5 %, 50 % and 95 % of something over releases; undefined where there was none. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface End {
  readonly outcome: Run['outcome'];
  readonly releases: number;
  /** Promoted: until the release was over. Rolled back: from the first failure it is to blame for to the decision. */
  readonly milliseconds: Spread | undefined;
  /** Failed answers that the new version gave. */
  readonly failedAnswers: Spread | undefined;
}

export interface Summary {
  readonly releases: number;
  /** The most frequent first. */
  readonly ends: readonly End[];
  readonly braked: {
    readonly releases: number;
    /** From the first failure it is to blame for. */
    readonly milliseconds: Spread | undefined;
  };
  readonly failedAnswers: Spread | undefined;
}

export function summaryOf(runs: readonly Run[]): Summary {
  const groups = Map.groupBy(runs, ({ outcome }) => outcome);
  const ends = [...groups].map(
    ([outcome, own]): End => ({
      outcome,
      releases: own.length,
      milliseconds: spreadOf(own.flatMap((run) => (outcome === 'Promoted' ? run.endMs : (run.backAfterMs ?? [])))),
      failedAnswers: spreadOf(own.map(({ canaryErrors }) => canaryErrors)),
    }),
  );
  const braked = runs.flatMap(({ brakedAfterMs }) => brakedAfterMs ?? []);
  return {
    releases: runs.length,
    ends: ends.toSorted((one, other) => other.releases - one.releases),
    braked: { releases: braked.length, milliseconds: spreadOf(braked) },
    failedAnswers: spreadOf(runs.map(({ canaryErrors }) => canaryErrors)),
  };
}

function spreadOf(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return sorted.length === 0 ? undefined : { low: at(0.05), median: at(0.5), high: at(0.95) };
}
