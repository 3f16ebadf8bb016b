/** Keeps the samples of the demo's Prometheus, each as it was scraped, for as long as somebody may ask; it computes nothing. */
import type { RangeSelector } from './selector.ts';

type Labels = Readonly<Record<string, string>>;

interface Kept {
  readonly labels: Labels;
  readonly samples: { readonly atMs: number; readonly value: number }[];
}

/** As the API of Prometheus has it: seconds, and values in text. */
export interface MatrixSeries {
  readonly metric: Labels;
  readonly values: readonly (readonly [number, string])[];
}

export class Samples {
  readonly #series = new Map<string, Kept>();
  readonly #keptMs: number;

  constructor(keptMs = 900_000) {
    this.#keptMs = keptMs;
  }

  /** All samples of one scrape have one time. Labels are those of the series, with `__name__`. */
  add(scraped: readonly { readonly labels: Labels; readonly value: number }[], atMs: number): void {
    for (const { labels, value } of scraped) {
      const key = JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
      const kept = this.#series.get(key) ?? { labels, samples: [] };
      this.#series.set(key, kept);
      kept.samples.push({ atMs, value });
      while ((kept.samples[0]?.atMs ?? atMs) < atMs - this.#keptMs) kept.samples.shift();
    }
  }

  /** Left-open and right-closed; series without a sample in it are left out. */
  query({ matches, rangeMs }: RangeSelector, untilMs: number): readonly MatrixSeries[] {
    return [...this.#series.values()].flatMap(({ labels, samples }) => {
      if (!matches(labels)) return [];
      const inside = samples.filter(({ atMs }) => atMs > untilMs - rangeMs && atMs <= untilMs);
      if (inside.length === 0) return [];
      return [{ metric: labels, values: inside.map(({ atMs, value }) => [atMs / 1_000, String(value)] as const) }];
    });
  }
}
