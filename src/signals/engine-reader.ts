// Reads one engine's counters for one attempt: asks the source when samples are due, and cuts what it finds into
// windows. It knows nothing of evidence, and an outage changes nothing that was counted.
import type { Window } from '../analysis/engine.ts';
import type { EngineName } from '../analysis/judge.ts';
import type { Random } from '../kube/clock.ts';
import type { Fetched } from './fetched.ts';
import { type Choice, type KnownPod, type Picture, pictureOf } from './picture.ts';
import type { Preset } from './presets/preset.ts';
import type { Answered } from './prometheus-body.ts';
import { goneOver, isOfAnother } from './replicas.ts';
import type { EngineMemory } from './saved.ts';
import { type Series, timesIn, upTo } from './series.ts';
import { type Ledger, cutWindows, nextDueMs, openLedger, windowLength } from './windows.ts';

export interface Question {
  readonly selector: string;
  /** Asked after it, never before: what fails must not be missing at a scrape that counts. */
  readonly second: string | undefined;
  readonly rangeMs: number;
}

const pollMs = 1_000;
const longestPauseMs = 15_000;
/** A scrape is visible a moment after its time stamp. */
const visibleAfterMs = 150;
/** Samples that were not read for longer are lost: counting begins anew after the gap. */
const longestRangeMs = 600_000;
const firstRangeMs = 120_000;
/** A Date header has whole seconds: differences up to this are no difference. */
const sameClockMs = 2_000;
/** Behind one address several replicas may answer in turn; the one that was counted is waited for this long. */
const replicaPatienceMs = 15_000;
/** A source never shows what is later than its own now; what is later by more than its clock can be misread is wrong. */
const futureMs = 2 * sameClockMs + 1_000;
/** A source that asks for more patience is asked all the same, or a typing error of a proxy would end the judging. */
const longestRetryAfterMs = 60_000;

export class EngineReader {
  readonly name: EngineName;
  /** When to ask next, on the operator's clock. */
  dueMs = 0;
  isBusy = false;
  /** Why the last question got no answer, since when; undefined while the source answers. */
  failing: { readonly sinceMs: number; readonly sentence: string } | undefined;
  hasAnswered = false;
  example = '';
  /** No window is shorter; undefined for the usual. */
  shortestMs: number | undefined;
  /** What was wrong with samples of the last answer, for people; undefined when nothing was. */
  oddity: string | undefined;
  readonly #random: Random;
  readonly #beganAtMs: number;
  #ledger: Ledger | undefined;
  #choice: Choice | undefined;
  /** Without its samples: hundreds of attempts may be read at once, and wait for days. */
  #picture: Picture | undefined;
  /** What was answered last, until it is cut. */
  #uncut: Picture | undefined;
  #selectorsTried = 0;
  /** How many ways to ask there are. */
  #selectors = 1;
  #isRefused = false;
  #isByPod = false;
  #fromMs = 0;
  #aheadMs = 0;
  /** Since when only another replica of the source answers. */
  #anotherSinceMs: number | undefined;
  /** The operator's own time when the last window was cut. */
  #cutAtMs: number | undefined;
  #failures = 0;

  constructor(name: EngineName, beganAtMs: number, memory: EngineMemory | undefined, random: Random) {
    this.name = name;
    this.#beganAtMs = beganAtMs;
    this.#ledger = memory?.ledger;
    this.#choice = memory?.choice;
    this.#random = random;
  }

  /** Undefined until the source answered once. */
  get memory(): EngineMemory | undefined {
    return this.#ledger ? { ledger: this.#ledger, choice: this.#choice } : undefined;
  }

  /** Requests to stable were found: this engine can judge. */
  get hasStable(): boolean {
    return this.#picture?.hasStableRequests ?? false;
  }

  /** How long stable's requests took was found too. */
  get hasLatency(): boolean {
    return this.#picture?.hasStableLatency ?? false;
  }

  /** Pods of stable that are read. */
  get stablePods(): number {
    return (this.#picture?.targets ?? []).filter(({ arm, pod }) => arm === 'stable' && pod?.isLive === true).length;
  }

  /** Every way to ask was tried, one found stable's requests, or there is nothing to ask for. */
  get isSettled(): boolean {
    return this.hasStable || this.#isRefused || (this.hasAnswered && this.#selectorsTried >= this.#selectors);
  }

  /**
   * The end of the last window, on the operator's clock; undefined before the first. Never later than the moment at which
   * it was cut: a source whose clock jumps must not make old evidence look fresh (S4).
   */
  get lastCutMs(): number | undefined {
    const cutMs = this.#ledger?.cutMs;
    return cutMs === undefined ? undefined : Math.min(cutMs - this.#aheadMs, this.#cutAtMs ?? cutMs);
  }

  /** Usual time between windows, once it is known. */
  get windowMs(): number | undefined {
    return this.#ledger?.intervalMs === undefined ? undefined : windowLength(this.#ledger, this.shortestMs);
  }

  /** The source's clock now. */
  sourceTime(nowMs: number): number {
    return nowMs + this.#aheadMs;
  }

  /** Undefined when there is nothing to ask for: no pod is known yet. */
  question(preset: Preset, pods: ReadonlyMap<string, KnownPod>, nowMs: number): Question | undefined {
    const sourceNowMs = this.sourceTime(nowMs);
    this.#cutAtMs ??= nowMs;
    this.#fromMs = Math.max(sourceNowMs - longestRangeMs, this.#neededFrom(pods, sourceNowMs));
    this.example = preset.example;
    const selector = preset.selectors[this.#selectorsTried % preset.selectors.length];
    if (selector === undefined) return undefined;
    return { selector, second: preset.second, rangeMs: sourceNowMs - this.#fromMs + sameClockMs };
  }

  /** There is nothing to read, and never will be: the sentence says why. */
  refuse(sentence: string, nowMs: number): void {
    this.#isRefused = true;
    this.failing = { sinceMs: this.failing?.sinceMs ?? nowMs, sentence };
    this.dueMs = nowMs + longestPauseMs;
  }

  /** Forgets what was seen: nothing of it was judged, and it is read in another way from now on. */
  reopen(nowMs: number): void {
    this.#ledger = undefined;
    this.#choice = undefined;
    this.#picture = undefined;
    this.#uncut = undefined;
    this.#selectorsTried = 0;
    this.#failures = 0;
    this.failing = undefined;
    this.dueMs = nowMs;
  }

  postpone(nowMs: number): void {
    this.dueMs = nowMs + pollMs;
  }

  /** What was answered, without counting it yet. `askedMs`, `nowMs`: the operator's clock before and after. */
  take(
    fetched: Fetched<Answered>,
    preset: Preset,
    pods: ReadonlyMap<string, KnownPod>,
    askedMs: number,
    nowMs: number,
  ): void {
    if (fetched.kind === 'down') return this.fail(fetched.sentence, nowMs, fetched.retryAfterMs);
    this.failing = undefined;
    this.#failures = 0;
    this.hasAnswered = true;
    this.#learnClock(fetched.value.serverTimeMs, askedMs, nowMs);
    this.#ledger ??= openLedger(this.sourceTime(this.#beganAtMs));
    const series = this.#timely(fetched.value, this.sourceTime(nowMs));
    const picture = pictureOf(series, preset, pods, this.#choice, this.#ledger.countedMs);
    if (this.#awaitsReplica(picture.targets, nowMs)) {
      this.dueMs = nowMs + pollMs / 2;
      return;
    }
    this.#picture = withoutSamples(picture);
    this.#uncut = picture;
    this.#choice = picture.choice;
    this.#isByPod = preset.isByPod;
    this.#selectors = preset.selectors.length;
    if (!picture.choice) this.#selectorsTried += 1;
    else if (!this.hasStable) this.#selectorsTried += preset.selectors.length;
    this.dueMs = nowMs + pollMs;
  }

  /** Asks less and less often while nothing is answered, so that a source that comes back is not met by everybody at once. */
  fail(sentence: string, nowMs: number, retryAfterMs = 0): void {
    this.failing = { sinceMs: this.failing?.sinceMs ?? nowMs, sentence };
    this.#failures += 1;
    const pauseMs = pollMs * Math.min(2 ** (this.#failures - 1), 5) * (0.75 + this.#random() / 2);
    this.dueMs = nowMs + Math.max(pauseMs, Math.min(retryAfterMs, longestRetryAfterMs));
  }

  /** Counts what was taken last: every window that can be closed now. */
  cut(needsStable: boolean, pods: ReadonlyMap<string, KnownPod>, nowMs: number): readonly Window[] {
    if (!this.#ledger || !this.#uncut || this.failing) return [];
    const { targets, intervalMs } = this.#uncut;
    const sourceNowMs = this.sourceTime(nowMs);
    const cut = cutWindows(this.#ledger, {
      targets,
      intervalMs,
      fromMs: this.#fromMs,
      nowMs: sourceNowMs,
      needsStable,
      ...(this.shortestMs === undefined ? {} : { shortestMs: this.shortestMs }),
      pods: [...pods.values()].filter(({ isLive }) => isLive),
    });
    this.#ledger = cut.ledger;
    if (cut.windows.length > 0) this.#cutAtMs = nowMs;
    const dueMs = nextDueMs(cut.ledger, targets, this.shortestMs);
    const inMs = (dueMs ?? 0) + visibleAfterMs - sourceNowMs;
    const isPredictable = cut.ledger.intervalMs !== undefined && !this.#awaitsPods(pods) && inMs > 0;
    this.dueMs = nowMs + (isPredictable ? Math.min(Math.max(inMs, pollMs / 2), longestPauseMs) : pollMs);
    return cut.windows;
  }

  /** To be called when what was taken will not be cut, or was. */
  forgetSamples(): void {
    this.#uncut = undefined;
  }

  #awaitsReplica(targets: Picture['targets'], nowMs: number): boolean {
    const { countedMs } = this.#ledger ?? {};
    if (!this.#ledger || !countedMs || !isOfAnother(targets, countedMs)) {
      this.#anotherSinceMs = undefined;
      return false;
    }
    this.#anotherSinceMs ??= nowMs;
    if (nowMs - this.#anotherSinceMs < replicaPatienceMs) return true;
    this.#anotherSinceMs = undefined;
    this.#ledger = { ...this.#ledger, countedMs: goneOver(targets, countedMs) };
    return false;
  }

  /** Without samples of the future: counted once, they would let nothing count that comes before them. */
  #timely({ series, notCounts }: Answered, sourceNowMs: number): readonly Series[] {
    const latestMs = sourceNowMs + futureMs;
    const lateMs = series.flatMap((one) => timesIn(one).filter((atMs) => atMs > latestMs));
    const aheadMs = lateMs.reduce((most, atMs) => Math.max(most, atMs - sourceNowMs), 0);
    this.oddity = oddityOf(notCounts, lateMs.length, aheadMs);
    return series.flatMap((one) => upTo(one, latestMs) ?? []);
  }

  /** How far back samples are needed: before the oldest that is not counted, and over the life of new pods. */
  #neededFrom(pods: ReadonlyMap<string, KnownPod>, sourceNowMs: number): number {
    const intervalMs = this.#ledger?.intervalMs;
    if (!this.#ledger || intervalMs === undefined || this.#ledger.countedMs.size === 0) {
      return Math.min(this.sourceTime(this.#beganAtMs), sourceNowMs) - firstRangeMs;
    }
    const seen = new Set(this.#seenPods());
    const lives = [...pods.values()].filter(({ name, isLive }) => isLive && !seen.has(name));
    const recent = lives
      .map(({ startedAtMs }) => startedAtMs)
      .filter((atMs) => atMs > sourceNowMs - longestRangeMs / 2);
    const counted = this.#uncountedFrom(sourceNowMs);
    return Math.min(counted - 3 * intervalMs, ...recent.map((atMs) => atMs - sameClockMs));
  }

  #uncountedFrom(sourceNowMs: number): number {
    const { countedMs, cutMs } = this.#ledger ?? {};
    const live = (this.#picture?.targets ?? []).filter(({ pod }) => pod?.isLive !== false);
    const marks = this.#picture
      ? live.flatMap(({ key }) => countedMs?.get(key) ?? [])
      : [...(countedMs?.values() ?? [])];
    const recent = marks.filter((atMs) => atMs > sourceNowMs - longestRangeMs);
    return Math.min(sourceNowMs, cutMs ?? sourceNowMs, ...recent);
  }

  #awaitsPods(pods: ReadonlyMap<string, KnownPod>): boolean {
    if (!this.#isByPod) return false;
    const seen = new Set(this.#seenPods());
    return [...pods.values()].some(({ name, arm, isLive }) => arm === 'canary' && isLive && !seen.has(name));
  }

  #seenPods(): readonly string[] {
    return (this.#picture?.targets ?? []).flatMap(({ pod, scrapesMs }) =>
      pod && scrapesMs.length > 0 ? pod.name : [],
    );
  }

  #learnClock(serverTimeMs: number | undefined, askedMs: number, nowMs: number): void {
    if (serverTimeMs === undefined) return;
    const aheadMs = serverTimeMs + 500 - (askedMs + nowMs) / 2;
    if (Math.abs(aheadMs - this.#aheadMs) > sameClockMs) this.#aheadMs = Math.abs(aheadMs) > sameClockMs ? aheadMs : 0;
  }
}

function withoutSamples(picture: Picture): Picture {
  return { ...picture, targets: picture.targets.map((target) => ({ ...target, counters: [], latencies: [] })) };
}

function oddityOf(notCounts: number, late: number, aheadMs: number): string | undefined {
  if (late > 0)
    return `${late} of its samples are dated in the future, by up to ${Math.round(aheadMs / 1000)} s: compare the clocks of the metric source and of this operator`;
  if (notCounts > 0)
    return `${notCounts} of its samples are no counts (not a number, infinite or negative): see what is exposed`;
  return undefined;
}
