// Turns the series of one query into targets: who was scraped when, and which counters of it belong to which version.
// It decides which of several views of the same requests is read, and never reads two.
import type { Distribution } from './distribution.ts';
import { type Latency, distributionsOf, isReadable } from './latencies.ts';
import type { Arm, Placed, PlacedRequests, Preset, TargetName } from './presets/preset.ts';
import { type Sample, type Series, timesIn } from './series.ts';

/** A pod of one version, from Kubernetes. */
export interface PodRef {
  readonly name: string;
  /** When its container started, milliseconds since the epoch. */
  readonly startedAtMs: number;
}

export interface KnownPod extends PodRef {
  readonly arm: Arm;
  /** Listed now: its samples are waited for. */
  readonly isLive: boolean;
}

export interface Target {
  /** Short and stable, so that thousands of them fit into status. */
  readonly key: number;
  readonly arm: Arm | 'both';
  readonly pod: KnownPod | undefined;
  /** Times of successful scrapes, in order. */
  readonly scrapesMs: readonly number[];
  readonly counters: readonly Counter[];
  /** How long its requests took; those of all targets have the same boundaries. */
  readonly latencies: readonly Distribution[];
}

export interface Counter {
  readonly arm: Arm;
  readonly isBad: boolean;
  /** Failures that are counted among the requests of another counter are no requests of their own. */
  readonly counts: PlacedRequests['counts'];
  readonly samples: readonly Sample[];
}

/** Which metric of which job is read; kept for the attempt, for another choice would count requests anew. */
export interface Choice {
  readonly stream: string;
  readonly job: string;
  /** The histogram that is read; undefined where there was none. */
  readonly latency?: string;
}

export interface Picture {
  readonly targets: readonly Target[];
  readonly choice: Choice | undefined;
  readonly hasStableRequests: boolean;
  /** A histogram says how long stable's requests took. */
  readonly hasStableLatency: boolean;
  /** Usual time between scrapes; undefined until one target was seen twice. */
  readonly intervalMs: number | undefined;
}

type Located = Exclude<Placed, { kind: 'foreign' }> & { readonly series: Series };
type Requests = PlacedRequests & { readonly samples: readonly Sample[] };
type Heartbeat = Extract<Located, { kind: 'heartbeat' }>;

interface Parts {
  readonly all: readonly Located[];
  readonly requests: readonly Requests[];
  readonly latencies: readonly Latency[];
}

/** `countedMs`: by target, up to when it was counted before. */
export function pictureOf(
  all: readonly Series[],
  preset: Preset,
  pods: ReadonlyMap<string, KnownPod>,
  kept: Choice | undefined,
  countedMs: ReadonlyMap<number, number> = new Map(),
): Picture {
  const parts = partsOf(all.flatMap((series) => locate(series, preset)));
  const choice = chosen(parts, kept);
  const targets = choice ? oneForEachPod(targetsOf(parts, choice, pods), countedMs) : [];
  return {
    targets,
    choice,
    hasStableRequests: targets.some((target) => target.counters.some((one) => one.arm === 'stable' && isAll(one))),
    hasStableLatency: targets.some((target) => target.latencies.some(({ arm }) => arm === 'stable')),
    intervalMs: usualInterval(targets),
  };
}

function locate(series: Series, preset: Preset): readonly Located[] {
  const placed = preset.place(series.labels, series.isSecond === true);
  return placed.kind === 'foreign' || timesIn(series).length === 0 ? [] : [{ ...placed, series }];
}

function partsOf(all: readonly Located[]): Parts {
  const latencies = all.filter((one) => one.kind === 'latency').filter(isReadable);
  const native = latencies.flatMap(({ requests, isBad, target, arm, series }): readonly Requests[] => {
    const samples = (series.histograms ?? []).map(({ atMs, count }) => ({ atMs, value: count }));
    if (!requests || isBad === undefined) return [];
    return [{ kind: 'requests', target, arm, isBad, counts: 'requests', ...requests, samples }];
  });
  const plain = all
    .filter((one) => one.kind === 'requests')
    .filter(({ series }) => series.samples.length > 0)
    .map(({ series, ...one }) => ({ ...one, samples: series.samples }));
  return { all, requests: [...plain, ...native], latencies };
}

/** The metric that ranks first, from the job that sees most targets; what was chosen before wins while it has series. */
function chosen(parts: Parts, kept: Choice | undefined): Choice | undefined {
  const requests = parts.requests.filter(isAll);
  const choice = kept && requests.some((one) => isOf(one, kept)) ? kept : (best(requests) ?? kept);
  return choice && withLatency(choice, parts.latencies);
}

function best(requests: readonly Requests[]): Choice | undefined {
  const [first] = requests
    .map((one) => ({ stream: one.stream, job: one.target.job, rank: one.rank, seen: 0 }))
    .map((option) => ({ ...option, seen: instancesOf(requests, option) }))
    .toSorted((one, other) => one.rank - other.rank || other.seen - one.seen || (one.job < other.job ? -1 : 1));
  return first && { stream: first.stream, job: first.job };
}

/** The histogram that ranks first among those of stable: a choice that looked at the canary could suit it. */
function withLatency(choice: Choice, latencies: readonly Latency[]): Choice {
  if (choice.latency !== undefined) return choice;
  const [first] = latencies
    .filter(({ arm, target }) => arm === 'stable' && target.job === choice.job)
    .toSorted((one, other) => one.rank - other.rank);
  return first ? { ...choice, latency: first.stream } : choice;
}

function instancesOf(requests: readonly Requests[], choice: Choice): number {
  return new Set(requests.filter((one) => isOf(one, choice)).map((one) => one.target.instance)).size;
}

function isOf(one: Requests, choice: Choice): boolean {
  return one.stream === choice.stream && one.target.job === choice.job;
}

function targetsOf(parts: Parts, choice: Choice, pods: ReadonlyMap<string, KnownPod>): readonly Target[] {
  const ofJob = <T extends { readonly target: TargetName }>(all: readonly T[]) =>
    all.filter(({ target }) => target.job === choice.job);
  const requests = ofJob(parts.requests.filter((one) => isOf(one, choice)));
  const beats = ofJob(parts.all.filter((one) => one.kind === 'heartbeat'));
  const latencies = distributionsOf(
    ofJob(parts.latencies.filter(({ stream, isBad }) => stream === choice.latency && isBad !== true)),
    nameOf,
  );
  const byName = Map.groupBy([...requests, ...beats], ({ target }) => nameOf(target));
  return [...byName]
    .map(([name, found]) => targetOf(name, found, latencies.get(name) ?? [], pods))
    .toSorted((one, other) => one.key - other.key);
}

function nameOf({ pod, instance }: TargetName): string {
  return JSON.stringify([pod ?? '', instance]);
}

/**
 * A pod that is scraped at several ports shows the same counters at each of them, and a request counted twice is evidence
 * that nobody gave. The one that was counted last stays, for another one would be counted from its beginning.
 */
function oneForEachPod(targets: readonly Target[], countedMs: ReadonlyMap<number, number>): readonly Target[] {
  const ranked = targets
    .map((target) => ({
      target,
      rank: [Number(target.counters.some(isAll)), countedMs.get(target.key) ?? 0, target.scrapesMs.length],
    }))
    .toSorted((one, other) => firstDifference(other.rank, one.rank));
  const read = new Set<Target>();
  const pods = new Set<string>();
  for (const { target } of ranked) {
    if (target.pod === undefined || !pods.has(target.pod.name)) read.add(target);
    if (target.pod) pods.add(target.pod.name);
  }
  return targets.filter((target) => read.has(target));
}

function isAll({ counts }: Pick<Counter, 'counts'>): boolean {
  return counts === 'requests';
}

function firstDifference(one: readonly number[], other: readonly number[]): number {
  return one.map((value, index) => value - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function targetOf(
  name: string,
  found: readonly (Requests | Heartbeat)[],
  latencies: readonly Distribution[],
  pods: ReadonlyMap<string, KnownPod>,
): Target {
  const pod = pods.get(found[0]?.target.pod ?? '');
  const counters = found.filter((one) => one.kind === 'requests');
  const scrapesMs = found.flatMap(scrapesIn);
  return {
    key: digest(name),
    arm: pod?.arm ?? 'both',
    pod,
    scrapesMs: [...new Set(scrapesMs)].toSorted((one, other) => one - other),
    counters,
    latencies,
  };
}

/** What is asked second may have seen a scrape for which the first question came too early: that is not counted yet. */
function scrapesIn(found: Requests | Heartbeat): readonly number[] {
  const samples =
    found.kind === 'heartbeat'
      ? found.series.samples.filter(({ value }) => value > 0)
      : found.samples.filter(() => isAll(found));
  return samples.map(({ atMs }) => atMs);
}

function usualInterval(targets: readonly Target[]): number | undefined {
  const gaps = targets
    .flatMap(({ scrapesMs }) => scrapesMs.slice(1).map((atMs, index) => atMs - (scrapesMs[index] ?? atMs)))
    .toSorted((one, other) => one - other);
  return gaps[Math.floor(gaps.length / 2)];
}

/** 53 bits of a name (FNV-1a, twice): two of a thousand targets collide once in ten billion releases. */
export function digest(name: string): number {
  let low = 0x811c9dc5;
  let high = 0x2f0b4a27;
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + index), 0x01000193);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
