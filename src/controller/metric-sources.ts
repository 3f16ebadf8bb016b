/** Decides which MetricSource a Rollout means, and reads it into what the collector asks; it never contacts one. */
import { parseDurationMs } from '../api/duration.ts';
import { metricSourceDefaults, metricSourceSpecSchema } from '../api/metric-source.ts';
import type { SourceOf } from '../signals/subject.ts';
import type { MetricSource } from './stores.ts';

export type MetricSourceReading =
  /** None is named and none is marked default. */
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly source: SourceOf }
  /** The one that is meant is not there or cannot be read; the sentence says which and whose move it is. */
  | { readonly kind: 'missing'; readonly sentence: string };

/** Of several that are marked default, the first by name. */
export function metricSourceOf(sources: readonly MetricSource[], name: string | undefined): MetricSourceReading {
  if (name !== undefined) {
    const named = sources.find(({ metadata }) => metadata.name === name);
    if (named !== undefined) return reading(named);
    return {
      kind: 'missing',
      sentence: `MetricSource ${name} (analysis.source) does not exist; the platform team creates it, or correct the name.`,
    };
  }
  const [first] = sources
    .filter(({ spec }) => spec?.default === true)
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  return first === undefined ? { kind: 'none' } : reading(first);
}

function reading(object: MetricSource): MetricSourceReading {
  const { name } = object.metadata;
  const parsed = metricSourceSpecSchema.safeParse(object.spec);
  if (!parsed.success)
    return {
      kind: 'missing',
      sentence: `MetricSource ${name} cannot be read: ${parsed.error.issues[0]?.message ?? 'its spec is wrong'}; the platform team corrects it.`,
    };
  const { prometheus, dataPlane } = parsed.data;
  return {
    kind: 'found',
    source: {
      name,
      address: prometheus.address,
      timeoutMs: parseDurationMs(prometheus.timeout ?? metricSourceDefaults.timeout),
      dataPlane: dataPlane ?? metricSourceDefaults.dataPlane,
    },
  };
}
