// Owns the reading of one attempt: which engines count, what they have counted, and the judge's state. It asks nothing
// by itself; the collector moves it.
import type { Answer } from '../analysis/answer.ts';
import { type EvidenceView, evidenceView } from '../analysis/explain.ts';
import {
  type EngineName,
  type JudgeState,
  type Mode,
  armJudge,
  judgeWindow,
  openJudge,
  startStep,
} from '../analysis/judge.ts';
import type { Random } from '../kube/clock.ts';
import { type Facts, answerOf } from './answers.ts';
import { EngineReader } from './engine-reader.ts';
import type { Fetched } from './fetched.ts';
import { KnownPods } from './known-pods.ts';
import { appPreset } from './presets/app.ts';
import type { Preset } from './presets/preset.ts';
import { traefikPreset } from './presets/traefik.ts';
import type { Answered } from './prometheus-body.ts';
import { type EngineMemory, type SavedEvidence, restoreEvidence, saveEvidence } from './saved.ts';
import type { Subject } from './subject.ts';

/** An engine that only fails is waited for this long before the others judge without it. */
const failingPatienceMs = 20_000;

export class AttemptReader {
  #subject: Subject;
  #judge: JudgeState | undefined;
  #step: { readonly key: string; readonly atMs: number } | undefined;
  #mode: { readonly mode: Mode; readonly atMs: number } | undefined;
  #firstAskedMs: number | undefined;
  readonly #engines: readonly EngineReader[];
  readonly #pods = new KnownPods();

  constructor(subject: Subject, random: Random) {
    const restored = subject.resume && restoreEvidence(subject.resume, subject.key, subject.settings);
    this.#subject = subject;
    this.#judge = restored?.judge;
    this.#engines = (['gateway', 'app'] as const).map(
      (name) => new EngineReader(name, subject.beganAtMs, restored?.memories.get(name), random),
    );
  }

  get subject(): Subject {
    return this.#subject;
  }

  /** What may have changed about the same attempt: its gateway, its source, its pods. */
  update(subject: Subject): void {
    this.#subject = subject;
  }

  /** Engines to ask now. */
  due(nowMs: number): readonly EngineReader[] {
    if (!this.#subject.source) return [];
    const due = this.#active().filter((engine) => !engine.isBusy && engine.dueMs <= nowMs);
    if (due.length > 0) this.#firstAskedMs ??= nowMs;
    return due;
  }

  /** When to look at this attempt again. */
  nextDueMs(): number {
    if (!this.#subject.source) return Infinity;
    return Math.min(...this.#active().map((engine) => (engine.isBusy ? Infinity : engine.dueMs)));
  }

  /** Asks through `fetch` and counts what came. */
  async read(
    engine: EngineReader,
    now: () => number,
    fetch: (selector: string, rangeMs: number) => Promise<Fetched<Answered>>,
  ): Promise<void> {
    const askedMs = now();
    this.#pods.update(this.#subject.pods(), askedMs);
    const preset = this.#preset(engine.name);
    const pods = this.#pods.all;
    const question = engine.question(preset, pods, askedMs);
    if (!question) return engine.postpone(askedMs);
    const fetched = await fetch(question.selector, question.rangeMs);
    engine.take(fetched, preset, pods, askedMs, now());
    this.#judge ??= this.#opened(now());
    if (this.#judge) this.#count(engine, now());
  }

  stepStarted(stepKey: string, nowMs: number): void {
    if (this.#step?.key === stepKey) return;
    this.#step = { key: stepKey, atMs: nowMs };
    if (this.#judge) this.#judge = startStep(this.#judge, stepKey, this.#sourceTime(nowMs));
  }

  arm(mode: Mode, nowMs: number): void {
    if (this.#mode?.mode === mode) return;
    this.#mode = { mode, atMs: nowMs };
    if (this.#judge) this.#judge = armJudge(this.#judge, mode, this.#sourceTime(nowMs));
  }

  answer(nowMs: number): Answer {
    if (!this.#subject.source) return { kind: 'noSource' };
    return answerOf(this.#facts(this.#subject.source.name), nowMs);
  }

  /** Undefined before anything was counted. */
  saved(): SavedEvidence | undefined {
    if (!this.#judge) return undefined;
    const memories = new Map<EngineName, EngineMemory>();
    for (const { name, memory } of this.#engines) if (memory) memories.set(name, memory);
    return saveEvidence(this.#subject.key, this.#subject.settings, this.#judge, memories);
  }

  explain(): EvidenceView | undefined {
    return this.#judge && evidenceView(this.#judge, this.#subject.settings);
  }

  #count(engine: EngineReader, nowMs: number): void {
    const { settings } = this.#subject;
    for (const window of engine.cut(this.#judge?.mode !== 'bake', this.#pods.all, nowMs)) {
      if (this.#judge) this.#judge = judgeWindow(this.#judge, engine.name, window, settings);
    }
  }

  /**
   * The engines are chosen before the first window is counted, by whether they see stable's requests: a choice that
   * looked at the canary could choose the engine that suits it.
   */
  #opened(nowMs: number): JudgeState | undefined {
    const active = this.#active();
    const isLate = nowMs - (this.#firstAskedMs ?? nowMs) > failingPatienceMs;
    const isKnown = active.every(
      (engine) => engine.isSettled(this.#preset(engine.name)) || (engine.failing !== undefined && isLate),
    );
    const names = active.filter((engine) => engine.hasStable).map((engine) => engine.name);
    if (!isKnown || names.length === 0) return undefined;
    const { settings } = this.#subject;
    const opened = openJudge(names, settings);
    const stepped = this.#step ? startStep(opened, this.#step.key, this.#sourceTime(this.#step.atMs)) : opened;
    return this.#mode ? armJudge(stepped, this.#mode.mode, this.#sourceTime(this.#mode.atMs)) : stepped;
  }

  #sourceTime(nowMs: number): number {
    const engine = this.#engines.find((one) => one.hasAnswered);
    return engine ? engine.sourceTime(nowMs) : nowMs;
  }

  #active(): readonly EngineReader[] {
    const { gateway, source } = this.#subject;
    const hasGateway = gateway !== undefined && source?.dataPlane !== 'app';
    return this.#engines.filter(({ name }) => name === 'app' || hasGateway);
  }

  #preset(name: EngineName): Preset {
    const { namespace, gateway } = this.#subject;
    if (name === 'gateway' && gateway) return traefikPreset({ namespace, ...gateway });
    const pods = this.#pods.all;
    return appPreset(namespace, [...pods.keys()].toSorted(), (pod) => pods.get(pod)?.arm);
  }

  #facts(sourceName: string): Facts {
    const judged = this.#judge?.engines.map(({ name }) => name);
    const engines = this.#active().filter(({ name }) => judged?.includes(name) ?? true);
    return {
      sourceName,
      settings: this.#subject.settings,
      judge: this.#judge,
      engines,
      firstAskedMs: this.#firstAskedMs,
      canarySinceMs: oldest(this.#subject.pods().canary.map(({ startedAtMs }) => startedAtMs)),
    };
  }
}

function oldest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}
