// Keeps the evidence of every attempt up to date: asks the metric sources when samples are due, and says at once when
// an answer changes. One slow source never delays another attempt (S15), and it never acts.
import type { Dispatcher } from 'undici';
import type { Answer } from '../analysis/answer.ts';
import type { EvidenceView } from '../analysis/explain.ts';
import type { Mode } from '../analysis/judge.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { AttemptReader } from './attempt-reader.ts';
import { Allowance } from './body-bytes.ts';
import type { EngineReader } from './engine-reader.ts';
import { type PrometheusAddress, rawSamples } from './prometheus.ts';
import type { SavedEvidence } from './saved.ts';
import type { Subject } from './subject.ts';

export interface CollectorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly dispatcher?: Dispatcher;
  /** The answer for this attempt is another one now; called from within `run`, and must not throw. */
  readonly onChange: (key: string) => void;
}

export interface Reading {
  readonly answer: Answer;
  /** For status; undefined before anything was counted. */
  readonly saved: SavedEvidence | undefined;
  /** Figures for people; computed when read. */
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
  #wake: AbortController | undefined;
  #wakesAtMs = 0;
  /** What `onChange` threw: `run` ends with it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Begins to read an attempt, or learns what changed about it. Safe to call at every look. */
  watch(subject: Subject): void {
    const known = this.#attempts.get(subject.key);
    if (known && sameSettings(known.subject, subject)) return known.update(subject);
    this.#attempts.set(subject.key, new AttemptReader(subject, this.#options.random));
    this.#wake?.abort();
  }

  /** Evidence of health for the step counts from here on. The same step again changes nothing, also after a restart. */
  stepStarted(key: string, stepKey: string): void {
    this.#attempts.get(key)?.stepStarted(stepKey, this.#options.clock.nowMs());
  }

  /** With traffic on both versions, or the bake, when stable has none any more. The same mode again changes nothing. */
  arm(key: string, mode: Mode): void {
    this.#attempts.get(key)?.arm(mode, this.#options.clock.nowMs());
  }

  reading(key: string): Reading | undefined {
    const attempt = this.#attempts.get(key);
    if (!attempt) return undefined;
    return {
      answer: attempt.answer(this.#options.clock.nowMs()),
      get saved() {
        return attempt.saved();
      },
      get explain() {
        return attempt.explain();
      },
    };
  }

  forget(key: string): void {
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

  #ask(signal: AbortSignal): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, attempt] of this.#attempts) {
      const { source } = attempt.subject;
      for (const engine of source ? attempt.due(nowMs) : []) {
        if (source) this.#supervise(this.#read(key, attempt, engine, source, signal));
      }
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
    engine.isBusy = true;
    try {
      await attempt.read(
        engine,
        () => clock.nowMs(),
        (selector, rangeMs) =>
          rawSamples(source, selector, rangeMs, { ...this.#options, allowance: this.#allowance }, signal),
      );
    } catch (error) {
      engine.fail(`MetricSource ${source.name} could not be read: ${wordsOf(error)}.`, clock.nowMs());
    }
    engine.isBusy = false;
    if (signal.aborted) return;
    if (this.#attempts.get(key) === attempt) this.#tell(key);
    if (engine.dueMs < this.#wakesAtMs) this.#wake?.abort();
  }

  #tell(key: string): void {
    const answer = this.#answerOf(key);
    if (!answer) return;
    const gist = gistOf(answer);
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
      this.#attempts.set(key, new AttemptReader(subject, this.#options.random));
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
  return JSON.stringify(one.settings) === JSON.stringify(other.settings);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the reason is unknown';
}

/** What of an answer makes the operator look again; counts alone do not. */
function gistOf(answer: Answer): string {
  if (answer.kind !== 'judged') return JSON.stringify([answer.kind, answer.kind === 'noEvidence' ? answer.reason : '']);
  const { level, stepAcceptable, finalAcceptable, brakeReleasable, judge } = answer;
  return JSON.stringify([level, stepAcceptable, finalAcceptable, brakeReleasable, judge]);
}
