/** Decides which MetricSource a Rollout means, and reads it into what the collector asks; it never contacts one. */
import { X509Certificate } from 'node:crypto';
import { parseDurationMs } from '../api/duration.ts';
import { type MetricSourceSpec, metricSourceDefaults, metricSourceSpecSchema } from '../api/metric-source.ts';
import type { SourceOf } from '../signals/subject.ts';
import type { SourceDemands } from './source-access.ts';
import type { MetricSource } from './stores.ts';

/** A query must be able to succeed, and one that hangs must not keep the next from being asked. */
const timeoutMs = { least: 1_000, most: 30_000 } as const;
/** Faster than a second costs the pods more than it tells; slower than Prometheus itself gains nothing. */
const scrapeMs = { least: 1_000, most: 15_000 } as const;

/** Why there is nothing to ask. */
export type NoSource =
  /** None is named and none is marked default. */
  | { readonly kind: 'none' }
  /** The one that is meant is not there or cannot be used; the sentence says which and whose move it is. */
  | { readonly kind: 'missing'; readonly sentence: string };

export type NamedSource =
  | NoSource
  | { readonly kind: 'found'; readonly source: SourceOf; readonly demands: SourceDemands };

/** As a Rollout may use it now. */
export type MetricSourceReading =
  | NoSource
  | { readonly kind: 'found'; readonly source: SourceOf }
  /** What it demands is being read for the first time: neither an outage nor a source. */
  | { readonly kind: 'unread'; readonly sentence: string };

/** Of several that are marked default, the first by name. */
export function metricSourceOf(sources: readonly MetricSource[], name: string | undefined): NamedSource {
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

function reading(object: MetricSource): NamedSource {
  const { name } = object.metadata;
  const parsed = metricSourceSpecSchema.safeParse(object.spec);
  if (!parsed.success) return unusable(name, firstIssue(parsed.error.issues));
  const spec = parsed.data;
  const why = whyUnusable(spec);
  if (why !== undefined) return unusable(name, why);
  const { auth, caBundle } = spec.prometheus;
  return {
    kind: 'found',
    source: sourceOf(name, spec),
    demands: { secretRefs: auth === undefined ? [] : [auth.secretRef], caBundle, namespaces: spec.namespaces },
  };
}

function sourceOf(name: string, { prometheus, dataPlane, confine, scrape, prices }: MetricSourceSpec): SourceOf {
  const { address, timeout = metricSourceDefaults.timeout, headers } = prometheus;
  return {
    name,
    address,
    timeoutMs: parseDurationMs(timeout),
    dataPlane: dataPlane ?? metricSourceDefaults.dataPlane,
    ...(headers === undefined ? {} : { access: { headers } }),
    ...(confine === undefined ? {} : { confine }),
    ...(scrape === undefined ? {} : { scrapeMs: parseDurationMs(scrape.interval) }),
    ...(prices === undefined ? {} : { prices: given(prices) }),
  };
}

/** What is left out costs what it does by default. */
function given(prices: NonNullable<MetricSourceSpec['prices']>): NonNullable<SourceOf['prices']> {
  const { cpuHour, memoryGibHour, gpuHour, currency } = prices;
  return {
    ...(cpuHour === undefined ? {} : { cpuHour }),
    ...(memoryGibHour === undefined ? {} : { memoryGibHour }),
    ...(gpuHour === undefined ? {} : { gpuHour }),
    ...(currency === undefined ? {} : { currency }),
  };
}

/** What no pattern of the API server sees. */
function whyUnusable({ prometheus, scrape }: MetricSourceSpec): string | undefined {
  const { address, timeout = metricSourceDefaults.timeout, caBundle } = prometheus;
  // A port above 65535.
  if (!URL.canParse(address)) return `spec.prometheus.address: ${address} is no address`;
  if (!isWithin(timeout, timeoutMs)) return `spec.prometheus.timeout: ${timeout} is not between 1s and 30s`;
  if (scrape !== undefined && !isWithin(scrape.interval, scrapeMs))
    return `spec.scrape.interval: ${scrape.interval} is not between 1s and 15s`;
  if (caBundle !== undefined && !isCertificate(caBundle))
    return 'spec.prometheus.caBundle: it holds no certificate that can be read (PEM, "-----BEGIN CERTIFICATE-----")';
  return undefined;
}

function isWithin(duration: string, { least, most }: { readonly least: number; readonly most: number }): boolean {
  const ms = parseDurationMs(duration);
  return ms >= least && ms <= most;
}

/** Text in PEM that holds a certificate. */
export function isCertificate(pem: string): boolean {
  try {
    return pem.includes('-----BEGIN CERTIFICATE-----') && new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function unusable(name: string, why: string): NoSource {
  return { kind: 'missing', sentence: `MetricSource ${name} cannot be used: ${why}; the platform team corrects it.` };
}

/** Where a spec that no API server with the CRDs of this version has let in is wrong first. */
export function firstIssue([issue]: readonly {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}[]): string {
  return issue === undefined ? 'its spec is wrong' : `${['spec', ...issue.path].join('.')}: ${issue.message}`;
}
