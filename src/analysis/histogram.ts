// Owns how many requests took how long: counts per bucket, and how histograms with different buckets become comparable.
// It knows nothing of evidence.

/** Requests per bucket, not cumulative. Bucket i holds what took longer than bound i − 1 and at most bound i. */
export interface Histogram {
  /** Seconds, ascending; the last is Infinity. Between two buckets of a native histogram that are far apart an empty one is listed. */
  readonly upperBounds: readonly number[];
  readonly counts: readonly number[];
}

/** One bucket as a native histogram lists it. */
export interface Bucket {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** Bounds that differ by less are the same bound, written or computed differently. */
const sameBound = 1 + 1e-6;
/** Native histograms double their bounds every 2^schema buckets; finer than 8 there is nothing. */
const schemas = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

/** From the non-empty buckets of a native histogram, in ascending order. */
export function histogramOf(buckets: readonly Bucket[]): Histogram {
  const upperBounds: number[] = [];
  const counts: number[] = [];
  for (const { left, right, count } of buckets) {
    const last = upperBounds.at(-1) ?? 0;
    if (left > last * sameBound) {
      upperBounds.push(left);
      counts.push(0);
    }
    upperBounds.push(right);
    counts.push(count);
  }
  if (upperBounds.at(-1) === Infinity) return { upperBounds, counts };
  return { upperBounds: [...upperBounds, Infinity], counts: [...counts, 0] };
}

/**
 * The same histograms, in the same order, over one set of bounds. Native ones meet on the grid of the coarsest of them,
 * of which only the buckets where one of them has requests are listed. Others keep the bounds that all of them have. The
 * bounds never depend on where requests fell, else the buckets could be chosen to suit a verdict.
 */
export function commonBuckets(histograms: readonly Histogram[]): readonly Histogram[] {
  const [first, ...others] = histograms;
  if (!first || others.every(({ upperBounds }) => haveSameBounds(upperBounds, first.upperBounds))) return histograms;
  const bounds = nativeBounds(histograms) ?? sharedBounds(histograms);
  return histograms.map((histogram) => ({ upperBounds: bounds, counts: countsBetween(histogram, bounds) }));
}

/** How much wider each bucket of a native histogram is than the one before: 1.09 at schema 3. Undefined for any other. */
export function growthFactor({ upperBounds }: Histogram): number | undefined {
  let least = Infinity;
  for (let index = 1; index < upperBounds.length; index += 1) {
    const [low = 0, high = Infinity] = [upperBounds[index - 1], upperBounds[index]];
    if (low > 0 && high < Infinity) least = Math.min(least, high / low);
  }
  const schema = schemas.find((one) => Math.abs(Math.log(least) / Math.log(factorOf(one)) - 1) < 1e-4);
  if (schema === undefined) return undefined;
  return upperBounds.every((bound) => isOnGrid(bound, schema)) ? factorOf(schema) : undefined;
}

/** The bound of a native grid that is nearest to `seconds`. */
export function nearestOnGrid(seconds: number, growth: number): number {
  return growth ** Math.round(Math.log(seconds) / Math.log(growth));
}

export function requestsIn({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Requests in each of the buckets that end at `bounds` (ascending, the last is Infinity). Bounds of the histogram, or empty around them. */
export function countsBetween({ upperBounds, counts }: Histogram, bounds: readonly number[]): readonly number[] {
  const sums = bounds.map(() => 0);
  let at = 0;
  for (let index = 0; index < counts.length; index += 1) {
    const bound = upperBounds[index] ?? Infinity;
    while (at < bounds.length - 1 && bound > (bounds[at] ?? Infinity) * sameBound) at += 1;
    sums[at] = (sums[at] ?? 0) + (counts[index] ?? 0);
  }
  return sums;
}

/** Requests that took longer than `seconds`; undefined when that lies inside a bucket that has some. */
export function slowerThan({ upperBounds, counts }: Histogram, seconds: number): number | undefined {
  let slower = 0;
  for (let index = counts.length - 1; index >= 0; index -= 1) {
    if ((upperBounds[index] ?? Infinity) <= seconds * sameBound) return slower;
    const reachesBelow = (upperBounds[index - 1] ?? 0) * sameBound < seconds;
    if (reachesBelow && (counts[index] ?? 0) > 0) return undefined;
    slower += counts[index] ?? 0;
  }
  return slower;
}

/** Both together, over the bounds that both allow. */
export function addHistograms(one: Histogram, other: Histogram): Histogram {
  const [first = one, second = other] = commonBuckets([one, other]);
  return {
    upperBounds: first.upperBounds,
    counts: first.counts.map((count, index) => count + (second.counts[index] ?? 0)),
  };
}

function nativeBounds(histograms: readonly Histogram[]): readonly number[] | undefined {
  const schema = coarsestSchema(histograms);
  if (schema === undefined) return undefined;
  const filled = histograms.flatMap((histogram) => filledBuckets(histogram));
  const cells = new Set<number>();
  for (const { left, right } of filled) {
    if (left > 0) cells.add(Math.floor(cellOf(left, schema) + 1e-4));
    if (right < Infinity) cells.add(Math.ceil(cellOf(right, schema) - 1e-4));
  }
  const lowest = Math.max(...filled.filter(({ left }) => left <= 0).map(({ right }) => cellOf(right, schema) - 1e-4));
  const bounds = [...cells].filter((cell) => cell >= lowest).toSorted((one, other) => one - other);
  return [...bounds.map((cell) => 2 ** (cell / 2 ** schema)), Infinity];
}

/** Undefined when one of them is no native histogram: a bucket with requests is not exactly one cell of a grid. */
function coarsestSchema(histograms: readonly Histogram[]): number | undefined {
  let coarsest: number | undefined;
  for (const histogram of histograms) {
    for (const { left, right } of filledBuckets(histogram)) {
      if (left <= 0 || right === Infinity) continue;
      const schema = schemas.find((one) => Math.abs(Math.log(right / left) / Math.log(factorOf(one)) - 1) < 1e-4);
      if (schema === undefined || !isOnGrid(right, schema)) return undefined;
      coarsest = Math.min(coarsest ?? schema, schema);
    }
  }
  return coarsest;
}

function filledBuckets({ upperBounds, counts }: Histogram): readonly Bucket[] {
  return counts.flatMap((count, index) =>
    count > 0 ? [{ left: upperBounds[index - 1] ?? 0, right: upperBounds[index] ?? Infinity, count }] : [],
  );
}

function sharedBounds([first, ...others]: readonly Histogram[]): readonly number[] {
  const finite = (first?.upperBounds ?? []).filter((bound) => bound < Infinity);
  const isShared = (bound: number) =>
    others.every(({ upperBounds }) => upperBounds.some((other) => areSame(bound, other)));
  return [...finite.filter(isShared), Infinity];
}

export function haveSameBounds(one: readonly number[], other: readonly number[]): boolean {
  return one === other || (one.length === other.length && one.every((bound, index) => bound === other[index]));
}

function areSame(one: number, other: number): boolean {
  return one <= other * sameBound && other <= one * sameBound;
}

function factorOf(schema: number): number {
  return 2 ** (2 ** -schema);
}

function cellOf(bound: number, schema: number): number {
  return Math.log2(bound) * 2 ** schema;
}

function isOnGrid(bound: number, schema: number): boolean {
  if (bound === Infinity || bound <= 0) return true;
  const cell = cellOf(bound, schema);
  return Math.abs(cell - Math.round(cell)) < 1e-4;
}
