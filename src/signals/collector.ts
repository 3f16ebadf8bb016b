// Keeps the evidence of every attempt up to date: asks the metric sources when samples are due, and says at once when
// an answer changes. One slow source never delays another attempt (S15), and it never acts.
import type { Dispatcher } from 'undici';
import type { Answer } from '../analysis/answer.ts';
import type { EvidenceView } from '../analysis/explain.ts';
import type { Mode } from '../analysis/judge.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { AttemptReader } from './attempt-reader.ts';
import type { EngineReader } from './engine-reader.ts';
import { down } from './fetched.ts';
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

const longestSleepMs = 1_000;
const shortestSleepMs = 50;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #attempts = new Map<string, AttemptReader>();
  readonly #told = new Map<string, string>();
  readonly #underWay = new Set<Promise<void>>();
  #wake: AbortController | undefined;

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

  /** Reads until the signal aborts; then waits for what is under way. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#ask(signal);
      for (const key of this.#attempts.keys()) this.#tell(key);
      this.#wake = new AbortController();
      await this.#options.clock.sleep(this.#pauseMs(), AbortSignal.any([signal, this.#wake.signal]));
    }
    await Promise.all(this.#underWay);
  }

  #ask(signal: AbortSignal): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, attempt] of this.#attempts) {
      for (const engine of attempt.due(nowMs)) {
        const task = this.#read(key, attempt, engine, signal).finally(() => this.#underWay.delete(task));
        this.#underWay.add(task);
      }
    }
  }

  async #read(key: string, attempt: AttemptReader, engine: EngineReader, signal: AbortSignal): Promise<void> {
    const { source } = attempt.subject;
    if (!source) return;
    const { clock } = this.#options;
    engine.isBusy = true;
    try {
      await attempt.read(
        engine,
        () => clock.nowMs(),
        (selector, rangeMs) => this.#fetch(source, selector, rangeMs, signal),
      );
    } finally {
      engine.isBusy = false;
    }
    if (this.#attempts.get(key) === attempt) this.#tell(key);
    this.#wake?.abort();
  }

  /** A surprise while reading is the source's failure as far as the release is concerned: it holds. */
  async #fetch(
    source: PrometheusAddress,
    selector: string,
    rangeMs: number,
    signal: AbortSignal,
  ): ReturnType<typeof rawSamples> {
    try {
      return await rawSamples(source, selector, rangeMs, this.#options, signal);
    } catch (error) {
      return down(
        `MetricSource ${source.name} could not be read: ${error instanceof Error ? error.message : 'unknown error'}.`,
      );
    }
  }

  #tell(key: string): void {
    const answer = this.#attempts.get(key)?.answer(this.#options.clock.nowMs());
    if (!answer) return;
    const gist = gistOf(answer);
    if (this.#told.get(key) === gist) return;
    this.#told.set(key, gist);
    this.#options.onChange(key);
  }

  #pauseMs(): number {
    const dueMs = Math.min(...[...this.#attempts.values()].map((attempt) => attempt.nextDueMs()));
    return Math.min(Math.max(dueMs - this.#options.clock.nowMs(), shortestSleepMs), longestSleepMs);
  }
}

function sameSettings(one: Subject, other: Subject): boolean {
  return JSON.stringify(one.settings) === JSON.stringify(other.settings);
}

/** What of an answer makes the operator look again; counts alone do not. */
function gistOf(answer: Answer): string {
  if (answer.kind !== 'judged') return JSON.stringify([answer.kind, answer.kind === 'noEvidence' ? answer.reason : '']);
  const { level, stepAcceptable, finalAcceptable, brakeReleasable, judge } = answer;
  return JSON.stringify([level, stepAcceptable, finalAcceptable, brakeReleasable, judge]);
}
