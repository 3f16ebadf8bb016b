/** Tells people what happened to an object, in Kubernetes Events; it never delays, never throws, and drops rather than grows. */
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isKubeError } from './errors.ts';
import { events } from './resources.ts';

/** The object an event is about. */
interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventNote {
  readonly about: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word that machines compare: `RolledBack`. */
  readonly reason: string;
  /** What Serin did or tried, one CamelCase word: `Shift`. */
  readonly action: string;
  /** One sentence for people; cut at 1024 bytes. */
  readonly note: string;
}

export interface RecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Who says it; default `serin`. */
  readonly component?: string;
  /** Which process of it says it, such as the pod's name. */
  readonly instance: string;
  /** Events that wait to be written; more are dropped. Default 1000. */
  readonly capacity?: number;
  readonly onError?: (error: unknown) => void;
}

export interface RecorderCounts {
  written: number;
  /** Given up because the queue was full or the server kept refusing. */
  dropped: number;
}

/** One object, reason and note: written as one Event with a count. */
interface Series {
  readonly note: EventNote;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Name of the Event once it exists. */
  name?: string;
}

/** A series that was quiet for so long begins anew, as the API server will have expired its Event (one hour) or soon does. */
const seriesAgeMs = 10 * 60_000;
const seriesKept = 1000;
const triesPerEvent = 3;
const longestNoteBytes = 1024;

/**
 * Core v1 Events, not events.k8s.io: both are the same objects in the server, but only core ones may carry the
 * `count` and `lastTimestamp` by which `kubectl describe`, `kubectl get events` and dashboards count and sort.
 */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #capacity: number;
  readonly #series = new Map<string, Series>();
  /** Series with something unwritten, in order. */
  readonly #pending = new Set<string>();
  readonly #counts: RecorderCounts = { written: 0, dropped: 0 };
  #wake: () => void = () => {};
  #isStarted = false;
  #ordinal = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? 1000;
  }

  get counts(): Readonly<RecorderCounts> {
    return this.#counts;
  }

  /** Returns at once; the event is written by `run`, or dropped and counted. */
  record(note: EventNote): void {
    const key = keyOfSeries(note);
    const nowMs = this.#options.clock.nowMs();
    const known = this.#series.get(key);
    const series =
      known !== undefined && nowMs - known.lastMs < seriesAgeMs
        ? known
        : { note, firstMs: nowMs, lastMs: nowMs, count: 0 };
    if (!this.#pending.has(key) && this.#pending.size >= this.#capacity) {
      this.#counts.dropped++;
      return;
    }
    series.count++;
    series.lastMs = nowMs;
    this.#keep(key, series);
    this.#pending.add(key);
    this.#wake();
  }

  /** Writes events one after the other until `signal` aborts. What waits then is dropped. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isStarted) throw new Error('the event recorder was started twice');
    this.#isStarted = true;
    while (!signal.aborted) {
      const key = first(this.#pending);
      if (key === undefined) await this.#untilRecorded(signal);
      else await this.#writeSeries(key, signal);
    }
    this.#counts.dropped += this.#pending.size;
    this.#pending.clear();
  }

  async #writeSeries(key: string, signal: AbortSignal): Promise<void> {
    this.#pending.delete(key);
    const series = this.#series.get(key);
    if (series === undefined) return;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        await this.#write(series, signal);
        this.#counts.written++;
        return;
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onError?.(error);
        if (tries >= triesPerEvent || (isKubeError(error) && error.retry === 'never')) break;
        await this.#options.clock.sleep(1000 * tries, signal);
      }
    }
    this.#counts.dropped++;
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { namespace } = series.note.about;
    if (series.name !== undefined) {
      try {
        const seen = { count: series.count, lastTimestamp: secondsOf(series.lastMs) };
        await client.mergePatch(events, { namespace, name: series.name }, seen, {}, signal);
        return;
      } catch (error) {
        // Events expire; the count goes on in a new one.
        if (!isKubeError(error, 'NotFound')) throw error;
      }
    }
    const created = await client.create(events, this.#eventOf(series), {}, signal);
    series.name = created.metadata.name;
  }

  #eventOf({ note, count, firstMs, lastMs }: Series) {
    const { about } = note;
    const component = this.#options.component ?? 'serin';
    const suffix = `${this.#options.clock.nowMs().toString(16)}${(this.#ordinal++ % 4096).toString(16).padStart(3, '0')}`;
    return {
      metadata: { namespace: about.namespace, name: `${stemOf(about.name, 252 - suffix.length)}.${suffix}` },
      involvedObject: about,
      type: note.type,
      reason: note.reason,
      action: note.action,
      message: cut(note.note),
      count,
      firstTimestamp: secondsOf(firstMs),
      lastTimestamp: secondsOf(lastMs),
      source: { component },
      reportingComponent: component,
      reportingInstance: this.#options.instance,
    };
  }

  /** Keeps the newest series; forgetting one only means that its next event is a new object. */
  #keep(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    for (const old of this.#series.keys()) {
      if (this.#series.size <= seriesKept + this.#capacity) return;
      if (!this.#pending.has(old)) this.#series.delete(old);
    }
  }

  #untilRecorded(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = () => resolve();
    signal.addEventListener('abort', onAbort);
    this.#wake = () => resolve();
    return promise.finally(() => {
      this.#wake = () => {};
      signal.removeEventListener('abort', onAbort);
    });
  }
}

function keyOfSeries({ about, type, reason, note }: EventNote): string {
  return JSON.stringify([about.uid, type, reason, note]);
}

function first(keys: Iterable<string>): string | undefined {
  for (const key of keys) return key;
  return undefined;
}

/** A name that was cut may not end in a dash or a dot. */
function stemOf(name: string, length: number): string {
  return name.slice(0, length).replace(/[^a-z0-9]+$/, '');
}

function secondsOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= longestNoteBytes) return note;
  // A character cut in half decodes to U+FFFD; drop it.
  return `${bytes
    .subarray(0, longestNoteBytes - 4)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
