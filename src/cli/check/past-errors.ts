/**
 * Learns from the metric source how many errors of this workload come at once, as the operator will when a release begins. What
 * cannot be read is not known, and nothing more.
 */
import type { CountMetric } from '../../analysis/metric.ts';
import { errorsName } from '../../analysis/metric.ts';
import { down } from '../../signals/fetched.ts';
import { type FetchPast, learnedFrom, type WantedReader } from '../../signals/history.ts';
import type { Learned } from '../../signals/learned.ts';
import type { KnownPod } from '../../signals/picture.ts';
import { pastSamples } from '../../signals/prometheus.ts';
import { type ReadAs, isOfSidecars, readsOf } from '../../signals/reader-presets.ts';
import type { SourceOf } from '../../signals/subject.ts';
import { type AskingParts, askSource } from './source-reading.ts';

interface PastAsked {
  readonly source: SourceOf;
  readonly readAs: ReadAs;
  /** Of the version that runs now. */
  readonly pods: ReadonlyMap<string, KnownPod>;
  /** The end of what is asked for, on the source's clock. */
  readonly untilMs: number;
  readonly canaryPods: number;
}

export async function pastErrors(asked: PastAsked, parts: AskingParts): Promise<Learned> {
  const { source, readAs, pods, untilMs, canaryPods } = asked;
  const metrics = readAs.settings.metrics.filter((metric) => metric.kind === 'count');
  const errors = metrics.filter(({ name }) => name === errorsName);
  const settings = { ...readAs.settings, metrics };
  const fetch: FetchPast = async (selector, span, signal) => {
    const seen = await askSource(source, (options) => pastSamples(source, selector, span, options, signal), parts);
    return seen.kind === 'answered' ? { kind: 'ok', value: seen.answer } : down(seen.sentence);
  };
  return learnedFrom(
    {
      settings,
      wanted: errors.map((metric: CountMetric) => ({ metric, readers: readersOf({ ...readAs, settings }, pods) })),
      pods,
      untilMs,
      canaryPods,
    },
    { fetch, clock: parts.clock },
    new AbortController().signal,
  );
}

/** Whoever counts them pod by pod; the pods themselves do, as far as they expose it. */
function readersOf(readAs: ReadAs, pods: ReadonlyMap<string, KnownPod>): readonly WantedReader[] {
  const name = isOfSidecars(readAs.source) ? 'gateway' : 'app';
  const reads = readsOf(name, readAs, pods);
  return reads.kind === 'preset' && reads.preset.isByPod ? [{ name, preset: reads.preset, choice: undefined }] : [];
}
