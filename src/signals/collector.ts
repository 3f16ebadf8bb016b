// Keeps the evidence of every attempt up to date: asks the metric sources when samples are due, and says at once when
// an answer changes. One slow source never delays another attempt (S15), and it never acts.
import type { Dispatcher } from 'undici';
import type { Answer } from '../analysis/answer.ts';
import type { EvidenceView } from '../analysis/view.ts';
import type { Mode } from '../analysis/judge.ts';
import type { Clock, Random } from '../kube/clock.ts';
import type { FiringAlert } from './alerts.ts';
import { AttemptReader, type Fetch } from './attempt-reader.ts';
import { Allowance } from './body-bytes.ts';
import type { EngineReader } from './engine-reader.ts';
import type { FetchPast } from './history.ts';
import { PodReads } from './pod-reads.ts';
import { PodScraper } from './pod-scraper.ts';
import {
  type PrometheusAddress,
  type PrometheusOptions,
  firingAlerts,
  instantNumber,
  pastSamples,
  rawSamples,
} from './prometheus.ts';
import type { SavedEvidence } from './saved.ts';
import type { Subject } from './subject.ts';

export interface CollectorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly dispatcher?: Dispatcher;
  /** For pods that are scraped. Absent: none is. */
  readonly scrapes?: Dispatcher;
  /** The answer for this attempt is another one now; called from within `run`, and must not throw. */
  readonly onChange: (key: string) => void;
}

/** Each part is computed when it is read. */
export interface Reading {
  readonly answer: Answer;
  /** Alerts that count now. */
  readonly alerts: readonly FiringAlert[];
  /** For status; undefined before anything was counted. */
  readonly saved: SavedEvidence | undefined;
  /** Figures for people. */
  readonly explain: EvidenceView | undefined;
}

/** For all answers that are read at once, beyond the small part that each has for itself. */
const largeAnswersBytes = 64 * 1024 * 1024;
const longestSleepMs = 1_000;
const shortestSleepMs = 50;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #attempts = new Map<string, AttemptReader>();
  readonly #told = new Map<string, string>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #allowance = new Allowance(largeAnswersBytes);
  readonly #podReads: PodReads | undefined;
  /** How every question to a source is asked. */
  readonly #asking: PrometheusOptions;
  #wake: AbortController | undefined;
  #wakesAtMs = 0;
  /** What `onChange` threw: `run` ends with it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const { clock, scrapes } = options;
    this.#asking = { ...options, allowance: this.#allowance };
    this.#podReads = scrapes && new PodReads({ clock, dispatcher: scrapes, allowance: this.#allowance });
  }

  /** Begins to read an attempt, or learns what changed about it. Safe to call at every look. */
  watch(subject: Subject): void {
    const known = this.#attempts.get(subject.key);
    if (known && sameSettings(known.subject, subject)) return known.update(subject);
    known?.close();
    this.#attempts.set(subject.key, this.#opened(subject));
    this.#wake?.abort();
  }

  /**
   * Evidence of health for the step counts from here on. The same step again changes nothing, also after a restart.
   * `weightPercent`: what the routes send to the canary from now on; undefined where nothing shares the requests out.
   */
  stepStarted(key: string, stepKey: string, weightPercent?: number): void {
    this.#attempts.get(key)?.stepStarted(stepKey, weightPercent, this.#options.clock.nowMs());
  }

  /** The routes are being changed: until the next step nobody knows how requests are shared. */
  stepEnded(key: string): void {
    this.#attempts.get(key)?.stepEnded();
  }

  /** With traffic on both versions, or the bake, when stable has none any more. The same mode again changes nothing. */
  arm(key: string, mode: Mode): void {
    this.#attempts.get(key)?.arm(mode, this.#options.clock.nowMs());
  }

  reading(key: string): Reading | undefined {
    const attempt = this.#attempts.get(key);
    if (!attempt) return undefined;
    const nowMs = this.#options.clock.nowMs();
    return {
      get answer() {
        return attempt.answer(nowMs);
      },
      get alerts() {
        return attempt.firing(nowMs);
      },
      get saved() {
        return attempt.saved();
      },
      get explain() {
        return attempt.explain();
      },
    };
  }

  forget(key: string): void {
    this.#attempts.get(key)?.close();
    this.#attempts.delete(key);
    this.#told.delete(key);
  }

  /** Reads until the signal aborts; then waits for what is under way. Rejects only with what `onChange` threw. */
  async run(signal: AbortSignal): Promise<void> {
    let toldMs = -Infinity;
    while (!signal.aborted) {
      const nowMs = this.#options.clock.monotonicMs();
      this.#ask(signal);
      // Answers also change by growing old.
      if (nowMs - toldMs >= longestSleepMs) {
        toldMs = nowMs;
        for (const key of this.#attempts.keys()) this.#tell(key);
      }
      this.#wake = new AbortController();
      await this.#options.clock.sleep(this.#pauseMs(), AbortSignal.any([signal, this.#wake.signal]));
      if (this.#failure) throw this.#failure.error;
    }
    await Promise.all(this.#underWay);
  }

  #opened(subject: Subject): AttemptReader {
    const { clock, random } = this.#options;
    const scraper = () => this.#podReads && new PodScraper({ clock, reads: this.#podReads });
    return new AttemptReader(subject, random, scraper(), subject.cost && scraper());
  }

  #ask(signal: AbortSignal): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, attempt] of this.#attempts) {
      this.#countRestarts(key, attempt, nowMs);
      const { source } = attempt.subject;
      if (!source) continue;
      for (const engine of attempt.due(nowMs)) this.#supervise(this.#read(key, attempt, engine, source, signal));
      for (const look of this.#looks(attempt, source, nowMs, signal))
        this.#supervise(this.#look(key, attempt, look, signal));
    }
  }

  /** Those that are due and begun, beside the counters of requests. */
  #looks(
    attempt: AttemptReader,
    source: PrometheusAddress,
    nowMs: number,
    signal: AbortSignal,
  ): readonly Promise<void>[] {
    const options = this.#asking;
    const now = () => this.#options.clock.nowMs();
    const looks: Promise<void>[] = [];
    if (attempt.isLookDue(nowMs))
      looks.push(
        attempt.look(now, (query) => instantNumber(source, attempt.subject.namespace, query, options, signal)),
      );
    if (attempt.isAlertLookDue(nowMs))
      looks.push(attempt.lookAtAlerts(now, (query, atMs) => firingAlerts(source, query, atMs, options, signal)));
    if (attempt.isCostDue(nowMs)) {
      const fetch: Fetch = (selector, rangeMs) => rawSamples(source, selector, rangeMs, options, signal);
      looks.push(attempt.lookAtCost(now, fetch, signal));
    }
    return looks;
  }

  #countRestarts(key: string, attempt: AttemptReader, nowMs: number): void {
    try {
      if (attempt.countRestarts(nowMs)) this.#tell(key);
    } catch {
      // Evidence that cannot be read any more is found, and mended, where the answer is read.
    }
  }

  #supervise(task: Promise<void>): void {
    const settled = task
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#wake?.abort();
      })
      .finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** A surprise while reading is a failing source as far as the release is concerned, so it holds. */
  async #read(
    key: string,
    attempt: AttemptReader,
    engine: EngineReader,
    source: PrometheusAddress,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options;
    const options = this.#asking;
    engine.isBusy = true;
    try {
      const fetch: Fetch = (selector, rangeMs) => rawSamples(source, selector, rangeMs, options, signal);
      await attempt.read(engine, () => clock.nowMs(), fetch, signal);
      if (attempt.isPastDue(clock.nowMs())) this.#supervise(this.#learn(attempt, source, signal));
    } catch (error) {
      engine.fail(`MetricSource ${source.name} could not be read: ${wordsOf(error)}.`, clock.nowMs());
    }
    engine.isBusy = false;
    this.#after(key, attempt, engine.dueMs, signal);
  }

  /** The judge opens with the next answer after it. */
  async #learn(attempt: AttemptReader, source: PrometheusAddress, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const options = this.#asking;
    const fetch: FetchPast = (selector, span, until) => pastSamples(source, selector, span, options, until);
    await attempt.learn({ fetch, clock }, signal);
    this.#wake?.abort();
  }

  /** What could not be looked at proves nothing, so whatever happens here is no more than silence (S7). */
  async #look(key: string, attempt: AttemptReader, look: Promise<void>, signal: AbortSignal): Promise<void> {
    // What is wrong with the attempt itself is found, and mended, where its answer is read.
    await look.catch(() => undefined);
    this.#after(key, attempt, attempt.nextDueMs(), signal);
  }

  #after(key: string, attempt: AttemptReader, dueMs: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (this.#attempts.get(key) === attempt) this.#tell(key);
    if (dueMs < this.#wakesAtMs) this.#wake?.abort();
  }

  #tell(key: string): void {
    const answer = this.#answerOf(key);
    if (!answer) return;
    const firing = this.#attempts.get(key)?.firing(this.#options.clock.nowMs()) ?? [];
    const gist = gistOf(answer) + firing.map((alert) => alert.do).join();
    if (this.#told.get(key) === gist) return;
    this.#told.set(key, gist);
    this.#options.onChange(key);
  }

  /** An attempt whose evidence cannot be read any more begins to be read anew; it must not end the others (S15). */
  #answerOf(key: string): Answer | undefined {
    const attempt = this.#attempts.get(key);
    if (!attempt) return undefined;
    try {
      return attempt.answer(this.#options.clock.nowMs());
    } catch {
      const { resume: _unreadable, ...subject } = attempt.subject;
      attempt.close();
      this.#attempts.set(key, this.#opened(subject));
      return undefined;
    }
  }

  #pauseMs(): number {
    const nowMs = this.#options.clock.nowMs();
    const dueMs = [...this.#attempts.values()].reduce((soonest, one) => Math.min(soonest, one.nextDueMs()), Infinity);
    const pauseMs = Math.min(Math.max(dueMs - nowMs, shortestSleepMs), longestSleepMs);
    this.#wakesAtMs = nowMs + pauseMs;
    return pauseMs;
  }
}

function sameSettings(one: Subject, other: Subject): boolean {
  const pinned = ({ settings, queries = [], thresholds = [], cost, alerts }: Subject) =>
    JSON.stringify([settings, queries, thresholds, cost?.settings, cost?.counters, alerts?.watched, alerts?.beganAtMs]);
  return pinned(one) === pinned(other);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the reason is unknown';
}

/** What of an answer makes the operator look again; counts alone do not. */
function gistOf(answer: Answer): string {
  if (answer.kind !== 'judged') return JSON.stringify([answer.kind, answer.kind === 'noEvidence' ? answer.reason : '']);
  const { level, culprit, stepAcceptable, finalAcceptable, brakeReleasable, judge, cost } = answer;
  const isDearer = cost?.state === 'dearer';
  return JSON.stringify([level, culprit ?? '', stepAcceptable, finalAcceptable, brakeReleasable, judge, isDearer]);
}
