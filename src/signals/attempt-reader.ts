// Owns the reading of one attempt: which readers count, what they have counted, and the judge's state. It asks nothing
// by itself; the collector moves it.
import type { Answer } from '../analysis/answer.ts';
import { calibrated } from '../analysis/calibration.ts';
import type { Window } from '../analysis/engine.ts';
import { restartsName } from '../analysis/metric.ts';
import { type Course, type JudgeEvent, courseAfter, openCourse } from '../analysis/course.ts';
import { type EvidenceView, evidenceView } from '../analysis/view.ts';
import {
  type EngineName,
  type JudgeState,
  type Mode,
  type ReaderName,
  armJudge,
  openJudge,
  startStep,
} from '../analysis/judge.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import type { Random } from '../kube/clock.ts';
import { AlertReader, type AskAlerts, type FiringAlert } from './alerts.ts';
import { type Facts, answerOf } from './answers.ts';
import { CostReader } from './cost-reader.ts';
import { EngineReader, type Question } from './engine-reader.ts';
import type { Fetched } from './fetched.ts';
import { type HistoryParts, learnedFrom } from './history.ts';
import { historyOf } from './history-asked.ts';
import { KnownPods } from './known-pods.ts';
import { type Learned, learnedIn, nothingLearned } from './learned.ts';
import type { PodScraper } from './pod-scraper.ts';
import { PodsWay, type Way } from './pods-way.ts';
import type { Answered } from './prometheus-body.ts';
import { isActive, isOfSidecars, readerNames, readsOf } from './reader-presets.ts';
import { RestartReader } from './restarts.ts';
import { type EngineMemory, type SavedEvidence, restoreEvidence, saveEvidence } from './saved.ts';
import { asSecond } from './series.ts';
import type { Subject } from './subject.ts';
import { type Ask, ThresholdReader } from './thresholds.ts';

export type Fetch = (selector: string, rangeMs: number) => Promise<Fetched<Answered>>;

interface Step {
  readonly key: string;
  readonly atMs: number;
  /** From 0 to 1; undefined where nobody says how requests are shared, and while the routes are being changed. */
  readonly share: number | undefined;
}

/** A reader that only fails is waited for this long before the others judge without it. */
const failingPatienceMs = 20_000;
/** How often pods are read for what they use. */
const costScrapeMs = 15_000;

export class AttemptReader {
  #subject: Subject;
  /** The subject's, with what was learned of the time before; they stay once the judge is open. */
  #settings: JudgeSettings;
  /** Undefined until the past was asked; no window is judged before that. */
  #learned: Learned | undefined;
  #isLearning = false;
  /** The judge and how it came to be what it is. */
  #course: Course | undefined;
  #step: Step | undefined;
  #mode: { readonly mode: Mode; readonly atMs: number } | undefined;
  #firstAskedMs: number | undefined;
  readonly #readers: readonly EngineReader[];
  readonly #thresholds: ThresholdReader;
  readonly #pods = new KnownPods();
  readonly #way: PodsWay;
  readonly #scraper: PodScraper | undefined;
  readonly #alerts: AlertReader;
  readonly #restarts: RestartReader | undefined;
  readonly #cost: CostReader;
  /** Of its own: what pods use is read less often, and is not thrown away with the counters of requests. */
  readonly #costScraper: PodScraper | undefined;
  /** What was saved last, and the very parts that it was made of. */
  #packed: { readonly of: readonly unknown[]; readonly evidence: SavedEvidence | undefined } = {
    of: [],
    evidence: undefined,
  };

  /** `scraper`: absent where pods cannot be scraped at all; `costScraper` likewise, or where nobody asks for cost. */
  constructor(subject: Subject, random: Random, scraper?: PodScraper, costScraper?: PodScraper) {
    const learned = learnedIn(subject.resume?.learned) ?? nothingLearned;
    const settings = calibrated(subject.settings, learned.calibrations);
    const restored = subject.resume && restoreEvidence(subject.resume, subject.key, settings);
    this.#subject = subject;
    this.#learned = restored && learned;
    this.#settings = restored ? settings : subject.settings;
    this.#course = restored?.course;
    this.#readers = readerNames(subject).map(
      (name) => new EngineReader(name, subject.beganAtMs, restored?.memories.get(name), random),
    );
    this.#scraper = scraper;
    this.#costScraper = costScraper;
    this.#way = new PodsWay(restored?.memories.get('app')?.choice);
    const isOwn = subject.resume?.key === subject.key;
    this.#thresholds = new ThresholdReader(subject.thresholds ?? [], isOwn ? subject.resume?.thresholds : undefined);
    this.#alerts = new AlertReader(subject.alerts);
    const counted = restored === undefined ? undefined : subject.resume?.restarts;
    this.#restarts = subject.restarts && new RestartReader(subject.beganAtMs, counted);
    this.#cost = new CostReader(subject.cost, isOwn ? subject.resume?.cost : undefined);
  }

  get subject(): Subject {
    return this.#subject;
  }

  /** What may have changed about the same attempt: its gateway, its source, its pods. */
  update(subject: Subject): void {
    this.#subject = subject;
  }

  /** Readers to ask now. */
  due(nowMs: number): readonly EngineReader[] {
    if (!this.#subject.source) return [];
    const due = this.#active().filter((reader) => !reader.isBusy && reader.dueMs <= nowMs);
    if (due.length > 0) this.#firstAskedMs ??= nowMs;
    return due;
  }

  /** Whether to look at the thresholds now. */
  isLookDue(nowMs: number): boolean {
    return this.#subject.source !== undefined && !this.#thresholds.isBusy && this.#thresholds.dueMs <= nowMs;
  }

  /** Counts restarts of pods, where that is asked for and due: nobody but Kubernetes is asked. Says whether there was anything. */
  countRestarts(nowMs: number): boolean {
    const listed = this.#subject.restarts?.();
    if (!listed || !this.#restarts || this.#restarts.dueMs > nowMs) return false;
    this.#restarts.see(listed, nowMs);
    if (!this.#needsSource) this.#course ??= this.#openedWithoutSource();
    const window = this.#judge && this.#restarts.cut(listed, nowMs);
    if (!window) return false;
    this.#happens({ kind: 'window', reader: this.#restarts.name, window });
    return true;
  }

  /** Whether to look at the alerts now. */
  isAlertLookDue(nowMs: number): boolean {
    return this.#subject.source !== undefined && this.#alerts.dueMs <= nowMs;
  }

  /** Whether to look at the cost now. */
  isCostDue(nowMs: number): boolean {
    return this.#subject.source !== undefined && !this.#cost.isBusy && this.#cost.dueMs <= nowMs;
  }

  /** When to look at this attempt again. */
  nextDueMs(): number {
    const restartsMs = this.#restarts?.dueMs ?? Infinity;
    if (!this.#subject.source) return restartsMs;
    const looksMs = this.#thresholds.isBusy ? Infinity : this.#thresholds.dueMs;
    const costMs = this.#cost.isBusy ? Infinity : this.#cost.dueMs;
    return Math.min(
      looksMs,
      costMs,
      restartsMs,
      this.#alerts.dueMs,
      ...this.#active().map((reader) => (reader.isBusy ? Infinity : reader.dueMs)),
    );
  }

  /** Asks the source through `fetch`, or the pods themselves, and counts what came. */
  async read(reader: EngineReader, now: () => number, fetch: Fetch, signal: AbortSignal): Promise<void> {
    const askedMs = now();
    this.#pods.update(this.#subject.pods(), askedMs);
    const pods = this.#pods.all;
    const reads = readsOf(reader.name, this.#subject, pods);
    if (reads.kind === 'refused') return reader.refuse(reads.sentence, askedMs);
    const question = reader.question(reads.preset, pods, askedMs);
    if (!question) return reader.postpone(askedMs);
    const scrape = this.#scrape(signal);
    const way = reader.name === 'app' ? this.#way.now(scrape !== undefined) : 'asked';
    if (way === 'lost') return reader.fail(this.#lost(), askedMs);
    const answer = await answered(question, way === 'scraped' && scrape ? scrape : fetch, now);
    reader.take(answer, reads.preset, pods, askedMs, now());
    if (reader.name === 'app') this.#settleWay(reader, way, now());
    this.#course ??= this.#opened(now());
    if (this.#judge) this.#count(reader, now());
    reader.forgetSamples();
    if (way === 'scraped' && this.#scraper) reader.dueMs = Math.min(reader.dueMs, this.#scraper.nextRoundMs);
  }

  /** Whether the past is to be asked now: once, when it is known who counts, and before the first window is judged. */
  isPastDue(nowMs: number): boolean {
    return this.#learned === undefined && !this.#isLearning && this.#counting(nowMs).length > 0;
  }

  /** Learns what can be learned of the time before the attempt. It is bounded, and its failure means that nothing is known. */
  async learn(parts: HistoryParts, signal: AbortSignal): Promise<void> {
    this.#isLearning = true;
    let learned = nothingLearned;
    try {
      learned = await learnedFrom(historyOf(this.#subject, this.#readers), parts, signal);
    } catch {
      // What is wrong with the attempt itself is found, and mended, where its answer is read.
    }
    this.#settings = calibrated(this.#subject.settings, learned.calibrations);
    this.#learned = learned;
  }

  /** Gives back what is held for it; it must not be read again. */
  close(): void {
    this.#scraper?.close();
    this.#costScraper?.close();
  }

  /** One look at what both versions cost. */
  async lookAtCost(now: () => number, fetch: Fetch, signal: AbortSignal): Promise<void> {
    if (this.#mode?.mode === 'bake') return this.#cost.rest(now());
    const { scrape } = this.#subject;
    const scraper = this.#costScraper;
    const scraped: Fetch | undefined =
      scrape && scraper
        ? (selector, rangeMs) => scraper.read(scrape.targets(), costScrapeMs, selector, rangeMs, signal)
        : undefined;
    await this.#cost.look(this.#subject, { fetch, scrape: scraped, now });
  }

  /** One look at every threshold, through `ask`. */
  async look(now: () => number, ask: Ask): Promise<void> {
    this.#thresholds.isBusy = true;
    try {
      await this.#thresholds.look(ask, now, this.#hasTraffic(now()));
    } finally {
      this.#thresholds.isBusy = false;
    }
  }

  /** One look at the alerts, through `ask`. */
  async lookAtAlerts(now: () => number, ask: AskAlerts): Promise<void> {
    const { namespace, source } = this.#subject;
    const namespaceLabel = source?.confine?.namespaceLabel;
    await this.#alerts.look(ask, now, this.#hasTraffic(now()), { namespace, namespaceLabel });
  }

  /** The alerts that count now. */
  firing(nowMs: number): readonly FiringAlert[] {
    return this.#alerts.firing(nowMs);
  }

  stepStarted(stepKey: string, weightPercent: number | undefined, nowMs: number): void {
    if (this.#step?.key === stepKey) return;
    this.#step = { key: stepKey, atMs: nowMs, share: weightPercent === undefined ? undefined : weightPercent / 100 };
    this.#thresholds.stepStarted();
    this.#happens({ kind: 'step', key: stepKey, atMs: nowMs });
  }

  stepEnded(): void {
    if (this.#step) this.#step = { ...this.#step, share: undefined };
  }

  arm(mode: Mode, nowMs: number): void {
    if (this.#mode?.mode === mode) return;
    this.#mode = { mode, atMs: nowMs };
    this.#happens({ kind: 'mode', mode, atMs: nowMs });
  }

  answer(nowMs: number): Answer {
    return this.#alerts.addTo(this.#cost.addTo(this.#thresholds.addTo(this.#judged(nowMs))));
  }

  /** Undefined before anything was counted or looked at. */
  saved(): SavedEvidence | undefined {
    const { key } = this.#subject;
    const settings = this.#settings;
    const { saved: thresholds } = this.#thresholds;
    const { saved: cost } = this.#cost;
    const { saved: alerts } = this.#alerts;
    const judge = this.#judge ?? (thresholds || cost || alerts ? openJudge([], settings) : undefined);
    if (!judge) return undefined;
    const memories = new Map<EngineName, EngineMemory>();
    for (const { name, memory } of this.#judge ? this.#readers : []) if (memory) memories.set(name, memory);
    const of = [
      key,
      settings,
      judge,
      this.#course,
      ...[...memories.values()].flatMap(({ ledger, choice }) => [ledger, choice]),
    ];
    // Packing takes longer than a whole look, and there are several looks between two answers of the source.
    if (!isSame(this.#packed.of, of))
      this.#packed = { of, evidence: saveEvidence(key, settings, judge, memories, this.#course) };
    return (
      this.#packed.evidence && {
        ...this.#packed.evidence,
        ...(this.#learned ? { learned: this.#learned } : {}),
        ...(thresholds ? { thresholds } : {}),
        ...(alerts ? { alerts } : {}),
        ...(this.#judge && this.#restarts?.saved ? { restarts: this.#restarts.saved } : {}),
        ...(cost ? { cost } : {}),
      }
    );
  }

  explain(): EvidenceView | undefined {
    return this.#judge && evidenceView(this.#judge, this.#settings);
  }

  get #judge(): JudgeState | undefined {
    return this.#course?.judge;
  }

  #happens(event: JudgeEvent): void {
    if (this.#course) this.#course = courseAfter(this.#course, event, this.#settings);
  }

  #judged(nowMs: number): Answer {
    const { source } = this.#subject;
    const answer = source ? this.#ofWholeFleet(answerOf(this.#facts(source.name), nowMs)) : this.#withoutSource(nowMs);
    return this.#restarts ? this.#restarts.addTo(answer) : answer;
  }

  /** Restarts are all that can speak then: where other metrics are asked for, nothing but harm is to be heard of them. */
  #withoutSource(nowMs: number): Answer {
    const answer = this.#judge ? answerOf(this.#facts('none'), nowMs) : undefined;
    if (answer?.kind !== 'judged') return { kind: 'noSource' };
    const isAll = this.#settings.metrics.every(({ name }) => name === restartsName);
    return isAll || answer.level !== 'calm' ? answer : { kind: 'noSource' };
  }

  /** Of a large fleet only some of stable's pods are scraped: enough to tell their rate of errors, but not how many requests all get. */
  #ofWholeFleet(answer: Answer): Answer {
    const app = this.#readers.find(({ name }) => name === 'app');
    const isAlone = !this.#active().some(({ name, hasStable }) => name === 'gateway' && hasStable);
    if (answer.kind !== 'judged' || !app || !isAlone || !this.#way.isScraped || app.stablePods === 0) return answer;
    const factor = Math.max(1, this.#subject.pods().stable.length / app.stablePods);
    const { canaryRequestsPerSecond: canary, totalRequestsPerSecond: total } = answer;
    return { ...answer, totalRequestsPerSecond: canary + factor * Math.max(0, total - canary) };
  }

  #scrape(signal: AbortSignal): Fetch | undefined {
    const { scrape } = this.#subject;
    const scraper = this.#scraper;
    if (!scrape || !scraper) return undefined;
    return (selector, rangeMs) => scraper.read(scrape.targets(), scrape.intervalMs, selector, rangeMs, signal);
  }

  #settleWay(reader: EngineReader, way: Way, nowMs: number): void {
    this.#way.settle(reader, way, nowMs);
    reader.shortestMs = this.#way.isScraped ? this.#subject.scrape?.intervalMs : undefined;
  }

  #lost(): string {
    return `MetricSource ${this.#subject.source?.name} no longer has Serin scrape pods (spec.scrape), with which this attempt began; the platform team restores it, or the release is begun again.`;
  }

  /** Where nobody counts requests, they are taken to come from the first step on. */
  #hasTraffic(nowMs: number): boolean {
    const answer = this.#judged(nowMs);
    return answer.kind === 'judged' ? answer.canaryRequestsPerSecond > 0 : this.#step !== undefined;
  }

  #count(reader: EngineReader, nowMs: number): void {
    const aheadMs = reader.sourceTime(nowMs) - nowMs;
    for (const cut of reader.cut(this.#judge?.mode !== 'bake', this.#pods.all, nowMs)) {
      // The readers' clocks differ, and steps know only the operator's own.
      const window = { ...cut, startMs: cut.startMs - aheadMs, endMs: cut.endMs - aheadMs };
      this.#happens({ kind: 'window', reader: reader.name, window: this.#planned(window, reader.name) });
    }
  }

  /**
   * Only where the whole window lies in the step, and what is counted are the requests that the routes share: the gateway's.
   * Pods and their sidecars also count the requests that come past the routes.
   */
  #planned(window: Window, name: EngineName): Window {
    const { share, key } = this.#step ?? {};
    const { mode, stepKey, stepSinceMs = Infinity } = this.#judge ?? {};
    const isOfStep = mode === 'twoArms' && stepKey === key && window.startMs >= stepSinceMs;
    const isShared = name === 'gateway' && !isOfSidecars(this.#subject.source);
    return share !== undefined && isOfStep && isShared ? { ...window, plannedShare: share } : window;
  }

  /**
   * The readers are chosen before the first window is counted, by whether they see stable's requests: a choice that
   * looked at the canary could choose the reader that suits it.
   */
  #opened(nowMs: number): Course | undefined {
    const readers = this.#counting(nowMs).map(({ name, hasLatency }) => ({ name, hasLatency }));
    return readers.length === 0 || !this.#learned ? undefined : this.#courseOf(readers);
  }

  /** Restarts need nobody's answer, and nothing is learned of them. */
  #openedWithoutSource(): Course {
    this.#learned ??= nothingLearned;
    return this.#courseOf([]);
  }

  /** Something besides restarts is to be judged, and somebody can be asked about it. */
  get #needsSource(): boolean {
    return this.#subject.source !== undefined && this.#settings.metrics.some(({ name }) => name !== restartsName);
  }

  #courseOf(readers: readonly ReaderName[]): Course {
    const opened = openJudge([...readers, ...(this.#restarts ? [this.#restarts] : [])], this.#settings);
    const stepped = this.#step ? startStep(opened, this.#step.key, this.#step.atMs) : opened;
    return openCourse(this.#mode ? armJudge(stepped, this.#mode.mode, this.#mode.atMs) : stepped);
  }

  /** Those that will judge; none until it is known of each. */
  #counting(nowMs: number): readonly EngineReader[] {
    const active = this.#active();
    const isLate = nowMs - (this.#firstAskedMs ?? nowMs) > failingPatienceMs;
    const isKnown = active.every((reader) => reader.isSettled || (reader.failing !== undefined && isLate));
    return isKnown ? active.filter(({ hasStable }) => hasStable) : [];
  }

  #active(): readonly EngineReader[] {
    return this.#readers.filter(({ name }) => isActive(name, this.#subject));
  }

  #facts(sourceName: string): Facts {
    const judged = this.#judge?.metrics.flatMap((metric) => metric.engines.map(({ name }) => name));
    const counting = this.#active().filter(({ name }) => judged?.includes(name) ?? true);
    const engines = [...counting, ...(this.#restarts && judged?.includes(restartsName) ? [this.#restarts] : [])];
    return {
      sourceName,
      settings: this.#settings,
      judge: this.#judge,
      engines,
      firstAskedMs: this.#firstAskedMs,
      canarySinceMs: oldest(this.#subject.pods().canary.map(({ startedAtMs }) => startedAtMs)),
    };
  }
}

/** Both halves of a question, or why one of them has no answer. */
async function answered(
  { selector, second, rangeMs }: Question,
  fetch: Fetch,
  now: () => number,
): Promise<Fetched<Answered>> {
  const askedMs = now();
  const first = await fetch(selector, rangeMs);
  if (first.kind === 'down' || second === undefined) return first;
  // From the same moment on: a counter without its value before would seem to be born, and count from its beginning.
  const other = await fetch(second, rangeMs + Math.max(0, now() - askedMs));
  if (other.kind === 'down') return other;
  const series = [...first.value.series, ...asSecond(other.value.series)];
  return { kind: 'ok', value: { ...first.value, series, notCounts: first.value.notCounts + other.value.notCounts } };
}

function oldest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}
