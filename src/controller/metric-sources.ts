/** Decides which MetricSource a Rollout means, and reads it into what the collector asks; it never contacts one. */
import { parseDurationMs } from '../api/duration.ts';
import { metricSourceDefaults, metricSourceSpecSchema } from '../api/metric-source.ts';
import type { SourceOf } from '../signals/subject.ts';
import type { MetricSource } from './stores.ts';

/** A query must be able to succeed, and one that hangs must not keep the next from being asked. */
const timeoutMs = { least: 1_000, most: 30_000 } as const;

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
  if (!parsed.success) return unusable(name, firstIssue(parsed.error.issues));
  const { prometheus, dataPlane } = parsed.data;
  const { address, timeout = metricSourceDefaults.timeout } = prometheus;
  // A port above 65535, which no pattern of the API server sees.
  if (!URL.canParse(address)) return unusable(name, `spec.prometheus.address: ${address} is no address`);
  const patienceMs = parseDurationMs(timeout);
  if (patienceMs < timeoutMs.least || patienceMs > timeoutMs.most)
    return unusable(name, `spec.prometheus.timeout: ${timeout} is not between 1s and 30s`);
  return {
    kind: 'found',
    source: { name, address, timeoutMs: patienceMs, dataPlane: dataPlane ?? metricSourceDefaults.dataPlane },
  };
}

function unusable(name: string, why: string): MetricSourceReading {
  return { kind: 'missing', sentence: `MetricSource ${name} cannot be used: ${why}; the platform team corrects it.` };
}

function firstIssue([issue]: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  return issue === undefined ? 'its spec is wrong' : `${['spec', ...issue.path].join('.')}: ${issue.message}`;
}
