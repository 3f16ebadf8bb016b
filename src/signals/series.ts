// Owns what a raw range selector returns: counters and histograms as they were scraped, without extrapolation. It never
// guesses a value that was not sampled.

export interface Sample {
  /** The scrape's time stamp, milliseconds since the epoch, on the metric source's clock. */
  readonly atMs: number;
  readonly value: number;
}

/** A native histogram as one scrape saw it. */
export interface NativeSample {
  readonly atMs: number;
  readonly count: number;
  /** Those that are not empty, in order; `(lower, upper]` in the metric's own unit. */
  readonly buckets: readonly NativeBucket[];
}

export interface NativeBucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** One time series. Samples are in order of time, one for each time stamp. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
  /** Absent where the series is no native histogram. */
  readonly histograms?: readonly NativeSample[];
  /** Of the second of two questions that belong together. */
  readonly isSecond?: true;
}

/** Labels that tell replicas of one Prometheus apart; the same counter must not count once for each of them. */
const replicaLabels = new Set(['prometheus_replica', 'prometheus', 'replica', '__replica__']);

/**
 * Orders samples by time and keeps the first for each time stamp; of series that differ only in which replica scraped
 * them, keeps the one with most samples.
 */
export function tidy(all: readonly Series[]): readonly Series[] {
  const best = new Map<string, Series>();
  for (const one of all) {
    const series = ordered(one);
    const identity = identityOf(one.labels);
    const known = best.get(identity);
    if (!known || scrapesIn(series) > scrapesIn(known)) best.set(identity, series);
  }
  return [...best.values()];
}

/** As the answer to the second of two questions that belong together. */
export function asSecond(all: readonly Series[]): readonly Series[] {
  return all.map((one) => ({ ...one, isSecond: true }));
}

/** Only what was sampled up to `latestMs`; undefined when that is nothing. */
export function upTo(series: Series, latestMs: number): Series | undefined {
  const samples = series.samples.filter(({ atMs }) => atMs <= latestMs);
  const histograms = series.histograms?.filter(({ atMs }) => atMs <= latestMs);
  const kept = { ...series, samples, ...(histograms ? { histograms } : {}) };
  return scrapesIn(kept) === 0 ? undefined : kept;
}

/** Times of everything that was sampled. */
export function timesIn({ samples, histograms = [] }: Series): readonly number[] {
  return [...samples, ...histograms].map(({ atMs }) => atMs);
}

function ordered({ histograms, ...series }: Series): Series {
  const native = histograms && histograms.length > 0 ? { histograms: inOrder(histograms) } : {};
  return { ...series, samples: inOrder(series.samples), ...native };
}

function inOrder<T extends { readonly atMs: number }>(samples: readonly T[]): readonly T[] {
  const sorted = samples.toSorted((one, other) => one.atMs - other.atMs);
  return sorted.filter((sample, index) => sample.atMs !== sorted[index - 1]?.atMs);
}

function scrapesIn({ samples, histograms = [] }: Series): number {
  return samples.length + histograms.length;
}

function identityOf(labels: Series['labels']): string {
  const own = Object.entries(labels).filter(([name]) => !replicaLabels.has(name));
  return JSON.stringify(own.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
