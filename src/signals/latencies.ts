// Turns the histograms of one choice into distributions of each target that can be added: all of them at the boundaries that
// all of them have. Without two boundaries in common there is nothing to compare, and nothing is returned.
import { classicDistributions } from './classic-buckets.ts';
import { type Distribution, atBounds, commonBounds } from './distribution.ts';
import { nativeDistributions } from './native-buckets.ts';
import type { PlacedLatency } from './presets/preset.ts';
import type { Series } from './series.ts';

export type Latency = PlacedLatency & { readonly series: Series };

/** A summary has the name of a native histogram, and says nothing about how many requests took how long. */
export function isReadable({ form, series }: Latency): boolean {
  return form === 'classic' ? series.samples.length > 0 : (series.histograms?.length ?? 0) > 0;
}

/** By target; `nameOf` names one. */
export function distributionsOf(
  all: readonly Latency[],
  nameOf: (target: Latency['target']) => string,
): ReadonlyMap<string, readonly Distribution[]> {
  const found = [...classicOf(all, nameOf), ...nativeOf(all, nameOf)];
  const bounds = commonBounds(found.map(({ distribution }) => distribution));
  if (bounds.length === 0) return new Map();
  const byTarget = Map.groupBy(found, ({ name }) => name);
  return new Map(
    [...byTarget].map(([name, ones]) => [name, ones.map(({ distribution }) => atBounds(distribution, bounds))]),
  );
}

interface Named {
  readonly name: string;
  readonly distribution: Distribution;
}

function classicOf(all: readonly Latency[], nameOf: (target: Latency['target']) => string): readonly Named[] {
  const byTarget = Map.groupBy(
    all.filter(({ form }) => form === 'classic'),
    ({ target }) => nameOf(target),
  );
  return [...byTarget].flatMap(([name, parts]) =>
    classicDistributions(
      parts.map(({ arm, series: { labels, samples }, secondsPerUnit }) => ({ arm, labels, samples, secondsPerUnit })),
    ).map((distribution) => ({ name, distribution })),
  );
}

/** All at once, for the coarsest of them decides. */
function nativeOf(all: readonly Latency[], nameOf: (target: Latency['target']) => string): readonly Named[] {
  const native = all.filter(({ form }) => form === 'native');
  const distributions = nativeDistributions(
    native.map(({ arm, series, secondsPerUnit }) => ({ arm, histograms: series.histograms ?? [], secondsPerUnit })),
  );
  return distributions.map((distribution, index) => ({
    name: nameOf(native[index]?.target ?? noTarget),
    distribution,
  }));
}

const noTarget: Latency['target'] = { job: '', instance: '', pod: undefined };
