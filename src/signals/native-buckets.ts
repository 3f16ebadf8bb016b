// Reads native histograms as distributions over a grid of boundaries that depends on their resolution alone, never on
// which buckets happen to be filled. It invents no precision: the coarsest of them decides.
import { type Distribution, thinned } from './distribution.ts';
import type { Arm } from './presets/preset.ts';
import type { NativeBucket, NativeSample } from './series.ts';

export interface NativeSeries {
  readonly arm: Arm;
  readonly histograms: readonly NativeSample[];
  readonly secondsPerUnit: number;
}

/** Eight buckets for each doubling: a request is known to within nine percent. Finer ones say no more about a release. */
const finestSchema = 3;
/** Nothing faster or slower is told apart. */
const fastestSeconds = 0.0005;
const slowestSeconds = 128;
/** Of the resolutions that Prometheus knows. */
const schemas = { coarsest: -4, finest: 8 };

/** One for each, in the same order. */
export function nativeDistributions(all: readonly NativeSeries[]): readonly Distribution[] {
  const buckets = all
    .flatMap(({ histograms }) => histograms.flatMap((histogram) => histogram.buckets))
    .filter(isRegular);
  const schemasSeen = buckets.map(schemaOf);
  if (schemasSeen.some((schema) => schema === undefined)) return all.map(withOwnBuckets(all));
  const schema = schemasSeen.reduce((coarsest: number, one) => Math.min(coarsest, one ?? coarsest), finestSchema);
  return all.map((one) => onGrid(one, schema));
}

/** 2^(2^-schema) is what a boundary grows by. Undefined for buckets that somebody chose. */
function schemaOf({ lower, upper }: NativeBucket): number | undefined {
  const schema = -Math.log2(Math.log2(upper / lower));
  const nearest = Math.round(schema);
  const isOne = Math.abs(schema - nearest) < 1e-6 && nearest >= schemas.coarsest && nearest <= schemas.finest;
  return isOne && isOnGrid(upper, nearest) ? nearest : undefined;
}

function isOnGrid(bound: number, schema: number): boolean {
  const exponent = Math.log2(bound) * 2 ** schema;
  return Math.abs(exponent - Math.round(exponent)) < 1e-6;
}

/** Not the one around zero, which is wider; nothing takes less than no time. */
function isRegular({ lower, upper }: NativeBucket): boolean {
  return lower > 0 && upper < Infinity;
}

function onGrid({ arm, histograms, secondsPerUnit }: NativeSeries, schema: number): Distribution {
  const perDoubling = 2 ** schema;
  const first = Math.ceil(Math.log2(fastestSeconds / secondsPerUnit) * perDoubling);
  const last = Math.floor(Math.log2(slowestSeconds / secondsPerUnit) * perDoubling);
  const length = Math.max(0, last - first + 1);
  const upperBounds = Array.from({ length }, (_, index) => 2 ** ((first + index) / perDoubling) * secondsPerUnit);
  // Rounded first: the logarithm of a boundary may lie a hair above it.
  const slot = (upper: number) =>
    Math.ceil(Math.round(Math.log2(upper) * 2 ** schemas.finest) / 2 ** (schemas.finest - schema)) - first;
  const readings = histograms.map((histogram) => ({
    atMs: histogram.atMs,
    upTo: upToEach(histogram, length, (upper) => (upper <= 0 ? 0 : slot(upper))),
  }));
  return { arm, upperBounds: [...upperBounds, Infinity], readings, isExact: true };
}

function upToEach({ buckets }: NativeSample, last: number, slotOf: (upper: number) => number): readonly number[] {
  const counts = Array.from({ length: last + 1 }, () => 0);
  for (const { upper, count } of buckets) {
    const slot = Math.min(Math.max(slotOf(upper), 0), last);
    counts[slot] = (counts[slot] ?? 0) + count;
  }
  let total = 0;
  return counts.map((count) => (total += count));
}

/**
 * Buckets that somebody chose: only those that are filled are listed, so the boundaries are all that any of them shows and
 * that lies within no filled bucket of another.
 */
function withOwnBuckets(all: readonly NativeSeries[]): (series: NativeSeries) => Distribution {
  const bounds = thinned(edgesBetween(all.flatMap(({ histograms }) => histograms.flatMap(({ buckets }) => buckets))));
  return ({ arm, histograms, secondsPerUnit }) => {
    const readings = histograms.map((histogram) => ({
      atMs: histogram.atMs,
      upTo: upToEach(histogram, bounds.length, (upper) => {
        const slot = bounds.findIndex((bound) => upper <= bound);
        return slot < 0 ? bounds.length : slot;
      }),
    }));
    const upperBounds = [...bounds.map((bound) => bound * secondsPerUnit), Infinity];
    return { arm, upperBounds, readings, isExact: true };
  };
}

/** In one pass over the buckets in order, for a tenant may expose as many as fit into an answer. */
function edgesBetween(buckets: readonly NativeBucket[]): readonly number[] {
  const sorted = buckets.toSorted((one, other) => one.lower - other.lower);
  const edges = [...new Set(sorted.flatMap(({ lower, upper }) => [lower, upper]))].toSorted(
    (one, other) => one - other,
  );
  const between: number[] = [];
  let coveredUpTo = -Infinity;
  let next = 0;
  for (const edge of edges) {
    for (let bucket = sorted[next]; bucket && bucket.lower < edge; bucket = sorted[(next += 1)])
      coveredUpTo = Math.max(coveredUpTo, bucket.upper);
    if (coveredUpTo <= edge && edge > 0 && edge < Infinity) between.push(edge);
  }
  return between;
}
