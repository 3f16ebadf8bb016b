// Puts the series of a classic histogram (one for each boundary `le`) together again. Boundaries are numbers: "1" and "1.0"
// are the same one. It never reads a boundary at a scrape at which it was not sampled.
import type { Distribution } from './distribution.ts';
import type { Arm } from './presets/preset.ts';
import type { Sample, Series } from './series.ts';

export interface BucketSeries {
  readonly arm: Arm;
  readonly labels: Series['labels'];
  readonly samples: readonly Sample[];
  readonly secondsPerUnit: number;
}

/** In the metric's unit; undefined when it is no boundary. */
export function boundOf(le: string | undefined): number | undefined {
  if (le === undefined || le.trim() === '') return undefined;
  const bound = Number(le.replace(/^\+?Inf$/i, 'Infinity'));
  return Number.isNaN(bound) ? undefined : bound;
}

/** One distribution for each set of labels beside `le`. */
export function classicDistributions(all: readonly BucketSeries[]): readonly Distribution[] {
  const bySet = Map.groupBy(all, ({ labels }) => identityOf(labels));
  return [...bySet.values()].flatMap((set) => distributionOf(set) ?? []);
}

function distributionOf(set: readonly BucketSeries[]): Distribution | undefined {
  const bounds = new Map<number, Map<number, number>>();
  for (const { labels, samples, secondsPerUnit } of set) {
    const bound = inSeconds(boundOf(labels.le), secondsPerUnit);
    if (bound !== undefined) bounds.set(bound, new Map(samples.map(({ atMs, value }) => [atMs, value])));
  }
  const all = bounds.get(Infinity);
  const [first] = set;
  if (!all || !first) return undefined;
  const timesMs = [...all.keys()].toSorted((one, other) => one - other);
  // A boundary that a scrape lacks would seem to lose requests there.
  const upperBounds = [...bounds.keys()]
    .filter((bound) => timesMs.every((atMs) => bounds.get(bound)?.has(atMs)))
    .toSorted((one, other) => one - other);
  const readings = timesMs.map((atMs) => ({
    atMs,
    upTo: upperBounds.map((bound) => bounds.get(bound)?.get(atMs) ?? 0),
  }));
  return { arm: first.arm, upperBounds, readings, isExact: false };
}

/** Two metrics in different units must agree on a boundary: 2.5 × 0.001 is not exactly 0.0025 in binary. */
function inSeconds(bound: number | undefined, secondsPerUnit: number): number | undefined {
  return bound === undefined || secondsPerUnit === 1 ? bound : Number((bound * secondsPerUnit).toPrecision(12));
}

/** Of thousands of series at every look, so nothing more is done than has to be. */
function identityOf(labels: Series['labels']): string {
  let identity = '';
  for (const name of Object.keys(labels).toSorted()) if (name !== 'le') identity += `${name}\0${labels[name]}\0`;
  return identity;
}
