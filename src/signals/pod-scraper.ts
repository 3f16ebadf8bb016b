// Scrapes the pods of one attempt and remembers the last minute of it, so that a verdict need not wait for a server to scrape. It
// answers as a Prometheus that had scraped them would; whose counters they are is decided elsewhere.
import type { Clock } from '../kube/clock.ts';
import type { Exposed } from './exposition.ts';
import { type Fetched, down } from './fetched.ts';
import type { PodEndpoint, PodReads } from './pod-reads.ts';
import type { Arm } from './presets/preset.ts';
import type { Answered } from './prometheus-body.ts';
import { type Matcher, parsePlain } from './promql.ts';
import type { Sample, Series } from './series.ts';

/** The label `job` of everything that is read this way: a saved choice says by it how an attempt is read. */
export const scrapeJob = 'serin-scrape';

export interface ScrapeTarget extends PodEndpoint {
  readonly namespace: string;
  readonly arm: Arm;
}

export interface PodScraperOptions {
  readonly clock: Clock;
  readonly reads: PodReads;
}

/** What one pod said. */
interface Ring {
  readonly labels: Readonly<Record<string, string>>;
  beats: readonly Sample[];
  readonly series: Map<string, { readonly labels: Series['labels']; samples: readonly Sample[] }>;
  notCounts: number;
  failure: string | undefined;
}

/** Of stable a sample tells its rate; of the canary all that there usually are. */
const most = { canary: 100, stable: 20 } as const;
/** Long enough for a pod that is late by some rounds. */
const rememberedRounds = 16;
const rememberedMs = 60_000;
/** Of all pods together: what a tenant can make the operator hold. */
const mostSeries = 20_000;
const mostBytes = 32 * 1024 * 1024;
/** Every release may hold this much, whatever others do; more only while there is room for all (S15). */
const ownBytes = 2 * 1024 * 1024;
/** About what one takes in memory. */
const sampleBytes = 72;
const seriesBytes = 256;
/** Reading takes time from everything else, so pods that say more than this are read less often. */
const bytesPerSecond = 16 * 1024 * 1024;
/** A timer may be early by a little. */
const earlyMs = 100;

export class PodScraper {
  readonly #options: PodScraperOptions;
  readonly #rings = new Map<string, Ring>();
  #roundMs: number | undefined;
  /** The metrics that the last round asked for. */
  #metrics: string | undefined;
  #heldBytes = 0;
  #takenBytes = 0;
  #isClosed = false;
  #nextRoundMs = 0;

  constructor(options: PodScraperOptions) {
    this.#options = options;
  }

  /** When the pods are to be scraped next, on the operator's clock; 0 before the first time. */
  get nextRoundMs(): number {
    return this.#nextRoundMs;
  }

  /** Forgets everything, and takes nothing more of what all share. */
  close(): void {
    this.#rings.clear();
    this.#hold(0);
    this.#isClosed = true;
  }

  /**
   * The raw samples that a plain selector matches, as `rawSamples` gives them: after a round over all pods if one is due, else of
   * the last ones. Down when no pod answered. To be called again only when it has answered.
   */
  async read(
    targets: readonly ScrapeTarget[],
    intervalMs: number,
    selector: string,
    rangeMs: number,
    signal: AbortSignal,
  ): Promise<Fetched<Answered>> {
    const matches = matchesOf(selector);
    const chosen = [...sampled(targets, 'canary'), ...sampled(targets, 'stable')];
    const nowMs = this.#options.clock.nowMs();
    // A clock that was set back must not stop the rounds.
    const isDue = nowMs >= this.#nextRoundMs - earlyMs || nowMs < (this.#roundMs ?? nowMs);
    if (isDue || matches.metrics !== this.#metrics) await this.#round(chosen, intervalMs, matches, nowMs, signal);
    if (chosen.length === 0) return down(nowhere);
    const failures = chosen.flatMap(({ address }) => this.#rings.get(address)?.failure ?? []);
    if (failures.length === chosen.length) return down(failures[0] ?? nowhere);
    return { kind: 'ok', value: this.#answered(matches, (this.#roundMs ?? nowMs) - rangeMs) };
  }

  /** All samples of a round have the time at which it began: windows close for all pods at once. */
  async #round(
    targets: readonly ScrapeTarget[],
    intervalMs: number,
    matches: Matches,
    atMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    this.#nextRoundMs = atMs + intervalMs;
    this.#roundMs = atMs;
    this.#metrics = matches.metrics;
    this.#forget(atMs, intervalMs);
    const read = await Promise.all(
      targets.map(async (target) => {
        const ring = this.#ringOf(target);
        const { exposed, bytes } = await this.#options.reads.read(this, target, matches.metric, signal);
        ring.failure = exposed.kind === 'down' ? exposed.sentence : this.#keep(ring, exposed.value, matches, atMs);
        ring.beats = [...ring.beats, { atMs, value: ring.failure === undefined ? 1 : 0 }];
        return bytes;
      }),
    );
    const tookMs = (1000 * read.reduce((sum, bytes) => sum + bytes, 0)) / bytesPerSecond;
    this.#nextRoundMs = atMs + Math.max(intervalMs, tookMs);
  }

  /** Why the pod's samples were not taken; undefined when they were: all of a scrape, or none. */
  #keep(ring: Ring, exposed: readonly Exposed[], matches: Matches, atMs: number): string | undefined {
    const kept = exposed
      .map(({ labels, value }) => ({ labels: { ...withoutClaims(labels, ring.labels), ...ring.labels }, value }))
      .filter(({ labels }) => matches.all(labels));
    const samples = kept.map(({ labels, value }) => ({ key: keyOf(labels), value }));
    const added = samples.filter(({ key }) => !ring.series.has(key)).length;
    const held = [...this.#rings.values()].reduce((sum, { series }) => sum + series.size, 0);
    if (held + added > mostSeries)
      return `The pods of this release expose more than ${mostSeries} series of their requests: drop labels of these counters.`;
    const addedBytes = samples.reduce(
      (sum, { key }) => sum + sampleBytes + (ring.series.has(key) ? 0 : bytesOf(key)),
      0,
    );
    if (!this.#hold(this.#heldBytes + addedBytes))
      return 'The pods of this release expose more of their requests than there is room for: drop labels of these counters.';
    ring.notCounts = samples.filter(({ value }) => !isCount(value)).length;
    for (const { key, value } of samples.filter((one) => isCount(one.value))) {
      const series = ring.series.get(key) ?? { labels: labelsOf(key), samples: [] };
      // A line that stands twice counts once.
      if (series.samples.at(-1)?.atMs !== atMs) series.samples = [...series.samples, { atMs, value }];
      ring.series.set(key, series);
    }
    return undefined;
  }

  #ringOf(target: ScrapeTarget): Ring {
    const { host } = new URL(target.address);
    const labels = { job: scrapeJob, instance: host, namespace: target.namespace, pod: target.pod };
    const known = this.#rings.get(target.address);
    // Another pod may be given the address of one that is gone.
    if (known?.labels.pod === target.pod) return known;
    const ring: Ring = { labels, beats: [], series: new Map(), notCounts: 0, failure: undefined };
    this.#rings.set(target.address, ring);
    return ring;
  }

  #forget(nowMs: number, intervalMs: number): void {
    const untilMs = nowMs - Math.max(rememberedMs, rememberedRounds * intervalMs);
    const isRecent = ({ atMs }: Sample) => atMs > untilMs && atMs < nowMs;
    for (const [address, ring] of this.#rings) {
      ring.beats = ring.beats.filter(isRecent);
      for (const [key, series] of ring.series) {
        series.samples = series.samples.filter(isRecent);
        if (series.samples.length === 0) ring.series.delete(key);
      }
      if (ring.beats.length === 0) this.#rings.delete(address);
    }
    const all = [...this.#rings.values()].flatMap(({ series }) => [...series]);
    this.#hold(all.reduce((sum, [key, { samples }]) => sum + bytesOf(key) + sampleBytes * samples.length, 0));
  }

  /** Whether so much may be held; it is, then. */
  #hold(bytes: number): boolean {
    const { room } = this.#options.reads;
    const neededBytes = Math.max(0, bytes - ownBytes) - this.#takenBytes;
    if (neededBytes > 0 && (this.#isClosed || bytes > mostBytes || !room.take(neededBytes))) return false;
    if (neededBytes < 0) room.give(-neededBytes);
    this.#takenBytes += neededBytes;
    this.#heldBytes = bytes;
    return true;
  }

  #answered(matches: Matches, afterMs: number): Answered {
    const rings = [...this.#rings.values()];
    const found = rings.flatMap(({ labels, beats, series }): readonly Series[] => [
      { labels: { ...labels, __name__: 'up' }, samples: beats },
      ...series.values(),
    ]);
    const series = found
      .filter(({ labels }) => matches.all(labels))
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ atMs }) => atMs > afterMs) }))
      .filter(({ samples }) => samples.length > 0);
    return {
      series,
      notCounts: rings.reduce((sum, { notCounts }) => sum + notCounts, 0),
      serverTimeMs: undefined,
    };
  }
}

const nowhere =
  'No pod of this release says where its metrics are: annotate the template with prometheus.io/port, or name a port of it metrics.';

export interface Matches {
  /** What it says about the metric's name; two selectors with the same want the same of a pod. */
  readonly metrics: string;
  /** By the metric's name alone. */
  readonly metric: (name: string) => boolean;
  readonly all: (labels: Readonly<Record<string, string>>) => boolean;
}

/** An absent label is an empty one, and a pattern is anchored, as Prometheus has it. The selectors are Serin's own. */
export function matchesOf(selector: string): Matches {
  const plain = parsePlain(selector);
  if (!plain) throw new Error('only plain selectors are answered by scraping');
  const named: readonly Matcher[] =
    plain.name === undefined ? [] : [{ label: '__name__', operator: '=', value: plain.name }];
  const tests = [...named, ...plain.matchers].map((matcher) => ({ label: matcher.label, holds: testOf(matcher) }));
  const ofName = tests.filter(({ label }) => label === '__name__');
  const metrics = [...named, ...plain.matchers].filter(({ label }) => label === '__name__');
  return {
    metrics: JSON.stringify(metrics),
    // Whether a pod is up, it does not say itself.
    metric: (name) => name !== 'up' && ofName.every(({ holds }) => holds(name)),
    all: (labels) => tests.every(({ label, holds }) => holds(labels[label] ?? '')),
  };
}

function testOf({ operator, value }: Matcher): (found: string) => boolean {
  if (operator === '=') return (found) => found === value;
  if (operator === '!=') return (found) => found !== value;
  const pattern = new RegExp(`^(?:${value})$`, 's');
  return operator === '=~' ? (found) => pattern.test(found) : (found) => !pattern.test(found);
}

/** The same pods at every round, whatever they count: those whose names come first in an order that means nothing. */
function sampled(targets: readonly ScrapeTarget[], arm: Arm): readonly ScrapeTarget[] {
  return targets
    .filter((target) => target.arm === arm)
    .map((target) => ({ target, rank: rankOf(target.pod) }))
    .toSorted((one, other) => one.rank - other.rank || (one.target.pod < other.target.pod ? -1 : 1))
    .slice(0, most[arm])
    .map(({ target }) => target);
}

/** FNV-1a, 32 bits. */
function rankOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** What a pod says about where it was scraped is kept beside what is so, as Prometheus does. */
function withoutClaims(
  labels: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [Object.hasOwn(own, name) ? `exported_${name}` : name, value]),
  );
}

function isCount(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Written anew: what was cut out of the text of an answer keeps all of it in memory. */
function labelsOf(key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(JSON.parse(key) as readonly (readonly [string, string])[]);
}

/** The key, and the labels beside it. */
function bytesOf(key: string): number {
  return seriesBytes + 3 * key.length;
}
