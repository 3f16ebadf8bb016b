// Decides by plain limits that people know: a query's number against the most or the least that is allowed, n of m looks. Kept
// apart from the evidence, it adds to an answer. A look without a number is no look: silence is never a verdict (S7).
import type { Answer, Judged } from '../analysis/answer.ts';
import type { Fetched } from './fetched.ts';
import type { LookedAt } from './prometheus-number.ts';
import { type Threshold, type ThresholdMetric, openThreshold, restoredThreshold } from './threshold.ts';

/** Plain JSON, a few hundred bytes: what of the looks survives a restart. */
export type SavedThresholds = readonly unknown[];

/** One query, asked once; confined where it has to be. */
export type Ask = (query: string) => Promise<Fetched<LookedAt>>;

const betweenLooksMs = 5_000;
/** Before the first request two looks would do; the later ones only keep them from growing old. */
const beforeTrafficMs = 15_000;
const longestRetryAfterMs = 60_000;

export class ThresholdReader {
  isBusy = false;
  readonly #thresholds: readonly Threshold[];
  #dueMs: number;
  #hadTraffic = false;
  #lastJudged: Judged | undefined;

  constructor(metrics: readonly ThresholdMetric[], saved?: SavedThresholds) {
    this.#thresholds = metrics.map((metric) => restoredThreshold(metric, saved) ?? openThreshold(metric));
    this.#hadTraffic = this.#thresholds.some(({ hadTraffic }) => hadTraffic);
    this.#dueMs = metrics.length === 0 ? Infinity : 0;
  }

  /** When to look again, on the operator's clock. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Undefined while nothing was seen. */
  get saved(): SavedThresholds | undefined {
    const seen = this.#thresholds.filter(({ hasLooked }) => hasLooked);
    return seen.length === 0 ? undefined : seen.map((threshold) => threshold.saved);
  }

  /** A new weight: what was seen under the last one proves nothing about it. */
  stepStarted(): void {
    for (const threshold of this.#thresholds) threshold.stepStarted();
  }

  /** Looks once at every threshold. `hasTraffic`: requests reach the canary now. */
  async look(ask: Ask, now: () => number, hasTraffic: boolean): Promise<void> {
    this.#hadTraffic ||= hasTraffic;
    // Between two steps without traffic a release shows nothing of itself.
    const isIdle = this.#hadTraffic && !hasTraffic;
    const pausesMs = isIdle ? [] : await Promise.all(this.#thresholds.map((one) => this.#lookAt(one, ask, now)));
    const isWatched = this.#hadTraffic || this.#thresholds.some(({ isKnownBefore }) => !isKnownBefore);
    this.#dueMs = now() + Math.max(isWatched ? betweenLooksMs : beforeTrafficMs, ...pausesMs);
  }

  /**
   * What the looks add to an answer: harm with its culprit, latched, which outlives an outage; or why no step may rest on
   * evidence. An answer that is harmful already stays what it is.
   */
  addTo(answer: Answer): Answer {
    if (answer.kind === 'judged') this.#lastJudged = answer;
    const culprit = this.#thresholds.find(({ harm }) => harm !== undefined);
    if (culprit?.harm !== undefined)
      return this.#harmful(answer, culprit.name, culprit.harm.sentence, culprit.harm.atMs);
    const waiting = this.#thresholds.flatMap((threshold) => threshold.waitingFor ?? []);
    if (answer.kind !== 'judged' || waiting.length === 0 || answer.level === 'harmful') return answer;
    return {
      ...answer,
      stepAcceptable: false,
      finalAcceptable: false,
      brakeReleasable: false,
      sentence: [answer.sentence, ...this.#thresholds.flatMap(({ excuse }) => excuse ?? [])].join(' '),
      waitingFor: [...(answer.waitingFor === undefined ? [] : [answer.waitingFor]), ...waiting].join('; '),
    };
  }

  /** Milliseconds for which the source does not want to be asked again. */
  async #lookAt(threshold: Threshold, ask: Ask, now: () => number): Promise<number> {
    const fetched = await ask(threshold.query);
    threshold.take(fetched, this.#hadTraffic, now());
    return fetched.kind === 'down' ? Math.min(fetched.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
  }

  #harmful(answer: Answer, culprit: string, sentence: string, atMs: number): Answer {
    if (answer.kind === 'judged' && answer.level === 'harmful') return answer;
    const { waitingFor: _done, ...counted } = answer.kind === 'judged' ? answer : (this.#lastJudged ?? uncounted(atMs));
    return {
      ...counted,
      level: 'harmful',
      stepAcceptable: false,
      finalAcceptable: false,
      brakeReleasable: false,
      culprit,
      sentence,
    };
  }
}

/** A verdict by a threshold alone, where no request was ever counted. */
function uncounted(freshAtMs: number): Judged {
  return {
    kind: 'judged',
    level: 'calm',
    stepAcceptable: false,
    finalAcceptable: false,
    brakeReleasable: false,
    canaryRequestsPerSecond: 0,
    totalRequestsPerSecond: 0,
    canaryRequests: 0,
    canaryErrors: 0,
    stableRequests: 0,
    stableErrors: 0,
    freshAtMs,
    judge: 'twoArms',
    sentence: '',
  };
}
