// Turns the series of one query into targets: who was scraped when, and which counters of it belong to which version.
// It decides which of several views of the same requests is read, and never reads two.
import type { Arm, Placed, Preset } from './presets/preset.ts';
import type { Sample, Series } from './series.ts';

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
}

export interface Counter {
  readonly arm: Arm;
  readonly isBad: boolean;
  readonly samples: readonly Sample[];
}

/** Which metric of which job is read; kept for the attempt, for another choice would count requests anew. */
export interface Choice {
  readonly stream: string;
  readonly job: string;
}

export interface Picture {
  readonly targets: readonly Target[];
  readonly choice: Choice | undefined;
  readonly hasStableRequests: boolean;
  /** Usual time between scrapes; undefined until one target was seen twice. */
  readonly intervalMs: number | undefined;
}

type Located = Exclude<Placed, { kind: 'foreign' }> & { readonly samples: readonly Sample[] };
type Requests = Extract<Located, { kind: 'requests' }>;

/** `countedMs`: by target, up to when it was counted before. */
export function pictureOf(
  all: readonly Series[],
  preset: Preset,
  pods: ReadonlyMap<string, KnownPod>,
  kept: Choice | undefined,
  countedMs: ReadonlyMap<number, number> = new Map(),
): Picture {
  const located = all.flatMap((series) => locate(series, preset));
  const requests = located.filter((one) => one.kind === 'requests');
  const choice = chosen(requests, kept);
  const targets = choice ? oneForEachPod(targetsOf(located, choice, pods), countedMs) : [];
  return {
    targets,
    choice,
    hasStableRequests: targets.some((target) => target.counters.some((counter) => counter.arm === 'stable')),
    intervalMs: usualInterval(targets),
  };
}

function locate({ labels, samples }: Series, preset: Preset): readonly Located[] {
  const placed = preset.place(labels);
  return placed.kind === 'foreign' || samples.length === 0 ? [] : [{ ...placed, samples }];
}

/** The metric that ranks first, from the job that sees most targets; what was chosen before wins while it has series. */
function chosen(requests: readonly Requests[], kept: Choice | undefined): Choice | undefined {
  if (kept && requests.some((one) => isOf(one, kept))) return kept;
  const [best] = requests
    .map((one) => ({ stream: one.stream, job: one.target.job, rank: one.rank, seen: 0 }))
    .map((option) => ({ ...option, seen: instancesOf(requests, option) }))
    .toSorted((one, other) => one.rank - other.rank || other.seen - one.seen || (one.job < other.job ? -1 : 1));
  return best ? { stream: best.stream, job: best.job } : kept;
}

function instancesOf(requests: readonly Requests[], choice: Choice): number {
  return new Set(requests.filter((one) => isOf(one, choice)).map((one) => one.target.instance)).size;
}

function isOf(one: Requests, choice: Choice): boolean {
  return one.stream === choice.stream && one.target.job === choice.job;
}

function targetsOf(
  located: readonly Located[],
  choice: Choice,
  pods: ReadonlyMap<string, KnownPod>,
): readonly Target[] {
  const byTarget = Map.groupBy(
    located.filter((one) => one.target.job === choice.job && (one.kind === 'heartbeat' || isOf(one, choice))),
    ({ target }) => JSON.stringify([target.pod ?? '', target.instance]),
  );
  return [...byTarget]
    .map(([name, parts]) => targetOf(name, parts, pods))
    .toSorted((one, other) => one.key - other.key);
}

/**
 * A pod that is scraped at several ports shows the same counters at each of them, and a request counted twice is evidence
 * that nobody gave. The one that was counted last stays, for another one would be counted from its beginning.
 */
function oneForEachPod(targets: readonly Target[], countedMs: ReadonlyMap<number, number>): readonly Target[] {
  const ranked = targets
    .map((target) => ({
      target,
      rank: [Number(target.counters.length > 0), countedMs.get(target.key) ?? 0, target.scrapesMs.length],
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

function firstDifference(one: readonly number[], other: readonly number[]): number {
  return one.map((value, index) => value - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function targetOf(name: string, parts: readonly Located[], pods: ReadonlyMap<string, KnownPod>): Target {
  const pod = pods.get(parts[0]?.target.pod ?? '');
  const beats = parts.flatMap((part) =>
    part.samples.filter(({ value }) => part.kind === 'requests' || value > 0).map(({ atMs }) => atMs),
  );
  return {
    key: digest(name),
    arm: pod?.arm ?? 'both',
    pod,
    scrapesMs: [...new Set(beats)].toSorted((one, other) => one - other),
    counters: parts.filter((part) => part.kind === 'requests'),
  };
}

function usualInterval(targets: readonly Target[]): number | undefined {
  const gaps = targets
    .flatMap(({ scrapesMs }) => scrapesMs.slice(1).map((atMs, index) => atMs - (scrapesMs[index] ?? atMs)))
    .toSorted((one, other) => one - other);
  return gaps[Math.floor(gaps.length / 2)];
}

/** 53 bits of a name (FNV-1a, twice): two of a thousand targets collide once in ten billion releases. */
function digest(name: string): number {
  let low = 0x811c9dc5;
  let high = 0x2f0b4a27;
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + index), 0x01000193);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
