// Decides what pods used in a block of time, from raw samples: rates for each pod, from what one target said of it. Pods that are
// still warming up are left out, and so are those with too few requests to say what one takes.
import type { CostBlock } from '../analysis/cost.ts';
import type { PodUse } from '../analysis/efficiency.ts';
import { growth } from './increments.ts';
import type { PodRef } from './picture.ts';
import { appPreset } from './presets/app.ts';
import type { Arm, Preset } from './presets/preset.ts';
import { type Series, timesIn } from './series.ts';

export interface UsePod extends PodRef {
  readonly arm: Arm;
}

/** What is used, best first. */
export const usageMetrics = {
  cpu: ['container_cpu_usage_seconds_total', 'process_cpu_seconds_total'],
  memory: ['container_memory_working_set_bytes', 'process_resident_memory_bytes'],
} as const;

/** By pod, what one target says of one thing. */
export type Told = ReadonlyMap<string, Heard>;

interface Heard {
  readonly series: readonly Series[];
  /** When it was scraped, in order. */
  readonly timesMs: readonly number[];
}

export interface Usage {
  readonly cpu: Told;
  readonly memory: Told;
  readonly requests: Told;
  /** By name of the price. */
  readonly units: Readonly<Record<string, Told>>;
}

/** The first minute of a pod: caches are empty, code is compiled. */
const warmUpMs = 60_000;
/** With fewer, chance decides what a request took. */
const fewestRequests = 20;
const shortestMs = 30_000;
const longestMs = 300_000;
const stepMs = 15_000;
/** A pod that nobody has scraped for longer does not hold the others up. */
const patienceMs = 120_000;

/** Requests as in the preset for what pods expose, so that probes are left out here too. */
export function requestsPreset(namespace: string, pods: readonly UsePod[]): Preset {
  const arms = new Map(pods.map(({ name, arm }) => [name, arm]));
  return appPreset(namespace, [...arms.keys()], (pod) => arms.get(pod));
}

export function usageIn(all: readonly Series[], preset: Preset, units: Usage['units']): Usage {
  const requests = all.flatMap((series) => {
    const placed = preset.place(series.labels);
    return placed.kind === 'requests' && placed.target.pod !== undefined ? [{ series, rank: placed.rank }] : [];
  });
  const ranks = [...new Set(requests.map(({ rank }) => rank))].toSorted((one, other) => one - other);
  return {
    requests: bestOf(
      ranks.map((rank) => told(requests.filter((one) => one.rank === rank).map(({ series }) => series))),
    ),
    cpu: bestOf(usageMetrics.cpu.map((metric) => told(named(all, metric)))),
    memory: bestOf(usageMetrics.memory.map((metric) => told(named(all, metric)))),
    units,
  };
}

/** What the preset's own series say, by pod. */
export function told(all: readonly Series[]): Told {
  const byPod = Map.groupBy(all, ({ labels }) => labels['pod'] ?? '');
  byPod.delete('');
  return new Map([...byPod].map(([pod, series]) => [pod, heard(ofOneTarget(ofContainers(series)))]));
}

function heard(series: readonly Series[]): Heard {
  const timesMs = [...new Set(series.flatMap(timesIn))].toSorted((one, other) => one - other);
  return { series, timesMs };
}

/**
 * The next block from `fromMs` on, as soon as every pod has told enough of it; undefined while that is to be waited for. Without a
 * block where nobody has told anything for minutes.
 */
export function nextBlock(
  usage: Usage,
  pods: readonly UsePod[],
  fromMs: number,
  newestMs: number,
): { readonly block: CostBlock | undefined; readonly untilMs: number } | undefined {
  // One that is warming up is not waited for, and was not there yet in what is gone over.
  const awaited = pods.filter(({ startedAtMs }) => startedAtMs + warmUpMs <= fromMs);
  for (let untilMs = fromMs + shortestMs; untilMs <= newestMs; untilMs += stepMs) {
    const lengthMs = untilMs - fromMs;
    const loads = awaited.map((pod) => rateOf(usage.requests.get(pod.name), fromMs, untilMs));
    const isPatient = lengthMs < longestMs;
    const isLate = lengthMs >= patienceMs;
    const isEmpty = !loads.some((load) => load !== undefined);
    if (isEmpty && lengthMs >= longestMs) return { block: undefined, untilMs };
    const waits =
      isEmpty ||
      loads.some(
        (load) => (load === undefined && !isLate) || (load !== undefined && load.grown > 0 && isPatient && isFew(load)),
      );
    if (!waits) return { block: blockOf(usage, pods, fromMs, untilMs), untilMs };
  }
  return undefined;
}

function blockOf(usage: Usage, pods: readonly UsePod[], fromMs: number, untilMs: number): CostBlock {
  const all = pods.map((pod) => ({ pod, load: rateOf(usage.requests.get(pod.name), fromMs, untilMs) }));
  const serving = all.flatMap(({ pod, load }) => {
    const isWarm = load !== undefined && load.sinceMs >= pod.startedAtMs + warmUpMs;
    return isWarm && !isFew(load) ? [{ name: pod.name, isCanary: pod.arm === 'canary', load: load.perSecond }] : [];
  });
  const uses = (of: Told) =>
    serving.flatMap(({ name, isCanary, load }): readonly PodUse[] => {
      const rate = rateOf(of.get(name), fromMs, untilMs);
      return rate === undefined ? [] : [{ pod: name, isCanary, use: rate.perSecond, load }];
    });
  return {
    lengthMs: untilMs - fromMs,
    traffic: trafficOf(all),
    cpu: uses(usage.cpu),
    memory: serving.flatMap(({ name, isCanary }): readonly PodUse[] => {
      const use = lastOf(usage.memory.get(name), fromMs - shortestMs, untilMs);
      return use === undefined ? [] : [{ pod: name, isCanary, use, load: 1 }];
    }),
    units: Object.fromEntries(
      Object.entries(usage.units).map(([name, of]) => [name, withZeros(uses(of), serving, of)]),
    ),
  };
}

/** Also of the pods that nobody has heard of in this block: they are taken to get as much as the others of their version. */
function trafficOf(all: readonly { readonly pod: UsePod; readonly load: Rate | undefined }[]): number {
  return (['canary', 'stable'] as const).reduce((sum, arm) => {
    const own = all.filter(({ pod }) => pod.arm === arm);
    const loads = own.flatMap(({ load }) => load?.perSecond ?? []);
    const whole = loads.reduce((part, load) => part + load, 0);
    return loads.length === 0 ? sum : sum + (whole * own.length) / loads.length;
  }, 0);
}

/** A pod that has never counted any has used none, once another one of the release shows that they are counted. */
function withZeros(
  uses: readonly PodUse[],
  serving: readonly { readonly name: string; readonly isCanary: boolean; readonly load: number }[],
  of: Told,
): readonly PodUse[] {
  const silent = uses.length === 0 ? [] : serving.filter(({ name }) => !of.has(name));
  return [...uses, ...silent.map(({ name, isCanary, load }) => ({ pod: name, isCanary, use: 0, load }))];
}

interface Rate {
  readonly perSecond: number;
  readonly grown: number;
  readonly sinceMs: number;
}

function isFew({ grown }: Rate): boolean {
  return grown < fewestRequests;
}

/** From the last scrape before the block to the last one in it: so blocks neither overlap nor leave anything out. */
function rateOf(of: Heard | undefined, fromMs: number, untilMs: number): Rate | undefined {
  if (of === undefined) return undefined;
  const sinceMs = of.timesMs.findLast((atMs) => atMs <= fromMs) ?? of.timesMs[0];
  const lastMs = of.timesMs.findLast((atMs) => atMs <= untilMs);
  if (sinceMs === undefined || lastMs === undefined || lastMs <= Math.max(sinceMs, fromMs)) return undefined;
  // The target was scraped at the beginning, so what is new since then began from zero.
  const grown = of.series.reduce((sum, { samples }) => sum + growth(samples, sinceMs, lastMs, () => true), 0);
  return { perSecond: (1000 * grown) / (lastMs - sinceMs), grown, sinceMs };
}

function lastOf(of: Heard | undefined, afterMs: number, untilMs: number): number | undefined {
  const last = (of?.series ?? []).flatMap(({ samples }) => {
    const sample = samples.findLast(({ atMs }) => atMs <= untilMs);
    return sample !== undefined && sample.atMs > afterMs ? [sample.value] : [];
  });
  return last.length === 0 ? undefined : last.reduce((sum, value) => sum + value, 0);
}

function named(all: readonly Series[], metric: string): readonly Series[] {
  return all.filter(({ labels }) => labels['__name__'] === metric);
}

/** cAdvisor also has the sum of a pod and its sandbox: what its containers use is what is meant. */
function ofContainers(series: readonly Series[]): readonly Series[] {
  const own = series.filter(({ labels }) => (labels['container'] ?? '') !== '' && labels['container'] !== 'POD');
  return own.length > 0 ? own : series;
}

/** The same pod scraped twice counts once. */
function ofOneTarget(series: readonly Series[]): readonly Series[] {
  const targets = [...Map.groupBy(series, ({ labels }) => JSON.stringify([labels['job'], labels['instance']]))];
  const seen = (all: readonly Series[]) => all.reduce((sum, one) => sum + one.samples.length, 0);
  const [first] = targets.toSorted(([oneName, one], [otherName, other]) =>
    seen(other) === seen(one) ? (oneName < otherName ? -1 : 1) : seen(other) - seen(one),
  );
  return first?.[1] ?? [];
}

const nobody: Told = new Map();

/** The one that tells of most pods; of several the one that comes first. */
function bestOf(all: readonly Told[]): Told {
  return all.reduce((best, one) => (one.size > best.size ? one : best), nobody);
}
