// Owns what a raw range selector returns: counters as they were scraped, without extrapolation. It never guesses a
// value that was not sampled.

export interface Sample {
  /** The scrape's time stamp, milliseconds since the epoch, on the metric source's clock. */
  readonly atMs: number;
  readonly value: number;
}

/** One time series. Samples are in order of time, one for each time stamp. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

/** Labels that tell replicas of one Prometheus apart; the same counter must not count once for each of them. */
const replicaLabels = new Set(['prometheus_replica', 'prometheus', 'replica', '__replica__']);

/**
 * Orders samples by time and keeps the first for each time stamp; of series that differ only in which replica scraped
 * them, keeps the one with most samples.
 */
export function tidy(all: readonly Series[]): readonly Series[] {
  const best = new Map<string, Series>();
  for (const { labels, samples } of all) {
    const series = { labels, samples: inOrder(samples) };
    const identity = identityOf(labels);
    const known = best.get(identity);
    if (!known || series.samples.length > known.samples.length) best.set(identity, series);
  }
  return [...best.values()];
}

function inOrder(samples: readonly Sample[]): readonly Sample[] {
  const sorted = samples.toSorted((one, other) => one.atMs - other.atMs);
  return sorted.filter((sample, index) => sample.atMs !== sorted[index - 1]?.atMs);
}

function identityOf(labels: Series['labels']): string {
  const own = Object.entries(labels).filter(([name]) => !replicaLabels.has(name));
  return JSON.stringify(own.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
