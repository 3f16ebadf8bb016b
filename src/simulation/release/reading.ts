/**
 * Owns what the judge is told in a simulated release, and when: windows of one scrape each, known a moment after they end.
 * It gives the answer that the operator's collector would give of the same counts.
 */
import type { Answer } from '../../analysis/answer.ts';
import type { Window } from '../../analysis/engine.ts';
import type { Counts } from '../../analysis/errors.ts';
import { judgedAnswer } from '../../analysis/explain.ts';
import { type JudgeState, armJudge, judgeWindow, openJudge, startStep } from '../../analysis/judge.ts';
import type { JudgeSettings } from '../../analysis/settings.ts';
import { type Verdict, verdictOf } from '../../analysis/verdict.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import { type Arrived, noneServed, type Served, served } from './arrivals.ts';

/** Scrape, storage and query. */
export const lagMs = 1000;

export class Reading {
  readonly #settings: JudgeSettings;
  readonly #scrapeMs: number;
  #judge: JudgeState;
  #answer: Answer = { kind: 'noEvidence', reason: 'waiting', sentence: 'Waiting for the first samples.' };
  #canary: readonly Served[] = [];
  #stable: Served = noneServed;
  #startMs: number;
  /** Cut, and not known yet. */
  #pending: (() => void)[] = [];

  constructor(settings: JudgeSettings, scrapeMs: number, startMs: number) {
    this.#settings = settings;
    this.#scrapeMs = scrapeMs;
    this.#startMs = startMs;
    const hasLatency = settings.metrics.some(({ kind }) => kind === 'latency');
    this.#judge = openJudge([{ name: 'app', hasLatency }], settings);
  }

  get answer(): Answer {
    return this.#answer;
  }

  get verdict(): Verdict {
    return verdictOf(this.#judge, this.#settings);
  }

  /** When the present window ends. */
  get cutMs(): number {
    return this.#startMs + this.#scrapeMs;
  }

  count({ canary, stable }: Arrived): void {
    this.#stable = served(this.#stable, stable);
    const groups = Math.max(canary.length, this.#canary.length);
    this.#canary = Array.from({ length: groups }, (_, group) =>
      served(this.#canary[group] ?? noneServed, canary[group] ?? noneServed),
    );
  }

  /** The present window ends; what it says is known at the next `learn`. */
  cut(): void {
    const window = windowOf(this.#startMs, this.#scrapeMs, this.#canary, this.#stable);
    this.#pending.push(() => {
      this.#judge = judgeWindow(this.#judge, 'app', window, this.#settings);
      this.#answer = judgedAnswer(this.#judge, this.#settings, window.endMs, true);
    });
    [this.#startMs, this.#canary, this.#stable] = [this.cutMs, [], noneServed];
  }

  learn(): void {
    for (const one of this.#pending.splice(0)) one();
  }

  /** Steps and the bake begin with the attempt's own memory, as the operator tells its collector. */
  follow(attempt: Attempt | undefined, nowMs: number): void {
    if (attempt === undefined || attempt.stage === 'promote' || attempt.stage === 'retreat') return;
    this.#judge = armJudge(this.#judge, attempt.stage === 'bake' ? 'bake' : 'twoArms', nowMs);
    if (attempt.convergedAtMs !== undefined)
      this.#judge = startStep(this.#judge, `${attempt.step}:${attempt.convergedAtMs}`, nowMs);
  }
}

function windowOf(startMs: number, lengthMs: number, groups: readonly Served[], stable: Served): Window {
  const canary = groups.reduce(served, noneServed);
  const counts = ({ requests, errors }: Counts): Counts => ({ requests, errors });
  const latency = canary.durations && stable.durations && { canary: canary.durations, stable: stable.durations };
  const isGrouped = groups.length > 1;
  return {
    startMs,
    endMs: startMs + lengthMs,
    lengthMs,
    canary: counts(canary),
    stable: counts(stable),
    canaryGroups: isGrouped ? groups.map(counts) : [],
    ...(latency === undefined
      ? {}
      : { latency: { ...latency, canaryGroups: isGrouped ? groups.flatMap(({ durations }) => durations ?? []) : [] } }),
  };
}
