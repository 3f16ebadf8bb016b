// Decides what of the past an attempt asks for: of each metric that counts, who counts it pod by pod. It asks nobody.
import type { CountMetric } from '../analysis/metric.ts';
import { errorsName } from '../analysis/metric.ts';
import type { EngineReader } from './engine-reader.ts';
import type { HistoryAsked, Wanted, WantedReader } from './history.ts';
import type { KnownPod } from './picture.ts';
import { type ReadAs, isActive, readsOf } from './reader-presets.ts';
import type { Subject } from './subject.ts';

/** More pods say the same, and cost more. */
const mostPods = 32;

export function historyOf(subject: Subject, readers: readonly EngineReader[]): HistoryAsked {
  const { settings, beganAtMs } = subject;
  const { canary, stable } = subject.pods();
  const pods = new Map(
    evenly(stable).map((pod): [string, KnownPod] => [pod.name, { ...pod, arm: 'stable', isLive: true }]),
  );
  const counting = readers.filter(({ name, hasStable }) => hasStable && isActive(name, subject));
  const metrics = settings.metrics.filter((metric) => metric.kind === 'count');
  const readAs = { ...subject, settings: { ...settings, metrics } };
  return {
    settings,
    wanted: metrics.map((metric) => wantedOf(metric, readAs, counting, pods)),
    pods,
    untilMs: counting[0]?.sourceTime(beganAtMs) ?? beganAtMs,
    canaryPods: Math.max(1, canary.length),
  };
}

function wantedOf(
  metric: CountMetric,
  readAs: ReadAs,
  counting: readonly EngineReader[],
  pods: ReadonlyMap<string, KnownPod>,
): Wanted {
  const names = metric.name === errorsName ? ['app', 'gateway'] : [`query:${metric.name}`];
  const readers = counting
    .filter(({ name }) => names.includes(name))
    .flatMap((reader): WantedReader[] => {
      const { name } = reader;
      const reads = readsOf(name, readAs, pods);
      if (reads.kind === 'refused' || !reads.preset.isByPod) return [];
      return [{ name, preset: reads.preset, choice: reader.memory?.choice }];
    });
  return { metric, readers };
}

function evenly<T extends { readonly name: string }>(all: readonly T[]): readonly T[] {
  if (all.length <= mostPods) return all;
  const inOrder = all.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return inOrder.filter(
    (_, place) => Math.floor((place * mostPods) / all.length) !== Math.floor(((place - 1) * mostPods) / all.length),
  );
}
