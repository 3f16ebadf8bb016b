// Reads the samples of one series out of a Prometheus answer. What is not a count is left out and counted as such; the
// samples around it stay.
import type { NativeBucket, NativeSample, Sample, Series } from './series.ts';

interface SeriesRead {
  readonly series: Series;
  /** Samples that are no counts: not a number, infinite, negative, or a histogram in an unknown form. */
  readonly notCounts: number;
}

/** A native histogram is laid out over all boundaries, however few of its buckets are filled. */
const leastBuckets = 9;

/** What a series costs: its samples, and the buckets of its native histograms. */
export function costOf(found: unknown): number {
  return (
    listIn(found, 'values').length +
    listIn(found, 'histograms').reduce(
      (sum: number, pair) => sum + 1 + Math.max(leastBuckets, bucketsIn(pair).length),
      0,
    )
  );
}

/** Undefined when it is no series at all. */
export function seriesIn(found: unknown): SeriesRead | undefined {
  if (!isRecord(found) || !isRecord(found.metric)) return undefined;
  if ([found.values, found.histograms].some((part) => part !== undefined && !Array.isArray(part))) return undefined;
  const labels = Object.fromEntries(Object.entries(found.metric).map(([name, value]) => [name, String(value)]));
  const values = listIn(found, 'values');
  const pairs = listIn(found, 'histograms');
  const samples = values.flatMap(sampleIn);
  const histograms = pairs.flatMap(histogramIn);
  const notCounts = values.length + pairs.length - samples.length - histograms.length;
  return { series: { labels, samples, ...(histograms.length > 0 ? { histograms } : {}) }, notCounts };
}

/** A counter that is not a number, infinite, negative or beyond what can be counted says nothing. */
function sampleIn(pair: unknown): readonly Sample[] {
  if (!Array.isArray(pair)) return [];
  const [seconds, text] = pair as readonly unknown[];
  const atMs = timeOf(seconds);
  const value = countOf(text);
  return atMs === undefined || value === undefined ? [] : [{ atMs, value }];
}

/** `[time, {"count": "3", "buckets": [[0, "0.5", "1", "3"]]}]`; the first of four says which ends belong to the bucket. */
function histogramIn(pair: unknown): readonly NativeSample[] {
  const [seconds, histogram] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
  const atMs = timeOf(seconds);
  const count = isRecord(histogram) ? countOf(histogram.count) : undefined;
  const read = bucketsIn(pair).map(bucketIn);
  const buckets = read.filter((bucket) => bucket !== undefined);
  if (atMs === undefined || count === undefined || buckets.length < read.length) return [];
  return [{ atMs, count, buckets: buckets.toSorted((one, other) => one.upper - other.upper) }];
}

function bucketIn(found: unknown): NativeBucket | undefined {
  if (!Array.isArray(found)) return undefined;
  const [, left, right, text] = found as readonly unknown[];
  const [lower, upper, count] = [edgeOf(left), edgeOf(right), countOf(text)];
  if (lower === undefined || upper === undefined || count === undefined || lower > upper) return undefined;
  return { lower, upper, count };
}

function bucketsIn(pair: unknown): readonly unknown[] {
  const histogram: unknown = Array.isArray(pair) ? (pair as readonly unknown[])[1] : undefined;
  return isRecord(histogram) && Array.isArray(histogram.buckets) ? histogram.buckets : [];
}

function listIn(found: unknown, name: 'values' | 'histograms'): readonly unknown[] {
  const list = isRecord(found) ? found[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function timeOf(seconds: unknown): number | undefined {
  const atMs = typeof seconds === 'number' ? Math.round(seconds * 1000) : Number.NaN;
  return Number.isSafeInteger(atMs) ? atMs : undefined;
}

function countOf(text: unknown): number | undefined {
  const value = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function edgeOf(text: unknown): number | undefined {
  const value = typeof text === 'string' && text !== '' ? Number(text.replace('Inf', 'Infinity')) : Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

export function isRecord(thing: unknown): thing is Readonly<Record<string, unknown>> {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing);
}
