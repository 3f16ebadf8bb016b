// The judge's answer about one attempt: the only words the release core and the collector share. It carries no logic.

/** How bad the canary looks. Each level includes the restraint of those before it. */
export type Level =
  /** Harm evidence below 5 : 1. */
  | 'calm'
  /** Harm evidence of 5 : 1 or more: no step forward. */
  | 'doubt'
  /** Harm evidence of 100 : 1 or more, by two windows or an overwhelming one: lower the weight, keep watching. */
  | 'brake'
  /** Enough for a rollback, but carried by a single canary pod: brake, replace the pod, look again. */
  | 'onePod'
  /** Roll back. Stays so for the rest of the attempt. */
  | 'harmful';

export type Answer =
  /** No MetricSource is configured at all: readiness and restarts are all that is watched. */
  | { readonly kind: 'noSource' }
  /**
   * Nothing was judged yet and nothing is known to be broken. `waiting`: the first window has not closed. `unanswered`: the
   * source has not answered yet, or no more, and it is too early to call that an outage; not even the first weight may rise.
   * `noSeries`: the source answers, but has no series for the selector that the sentence names.
   * Neither counts as "a source did answer": no step may rest on it (S4).
   */
  | { readonly kind: 'noEvidence'; readonly reason: 'waiting' | 'unanswered' | 'noSeries'; readonly sentence: string }
  /**
   * An outage and NOT a verdict (S7): the source failed, or its samples went stale, for more than three windows.
   * `sinceMs` is the time of the last good sample (or of the first try); `everAnswered`: a window was judged in this attempt.
   */
  | { readonly kind: 'sourceDown'; readonly sinceMs: number; readonly everAnswered: boolean; readonly sentence: string }
  | Judged;

export interface Judged {
  readonly kind: 'judged';
  readonly level: Level;
  /** Calm, the answer is fresh, and the accept evidence gathered in this step is 5 : 1 or more. */
  readonly stepAcceptable: boolean;
  /** Calm, the answer is fresh, and the accept evidence of the whole attempt is 20 : 1 or more. */
  readonly finalAcceptable: boolean;
  /** Harm evidence below 5 : 1 and accept evidence of the whole attempt 20 : 1 or more. */
  readonly brakeReleasable: boolean;
  /** Requests a second that reach the canary, over the last windows. */
  readonly canaryRequestsPerSecond: number;
  /** Requests a second to both versions, over the last windows: the base of the brake weight. */
  readonly totalRequestsPerSecond: number;
  readonly canaryRequests: number;
  readonly canaryErrors: number;
  readonly stableRequests: number;
  readonly stableErrors: number;
  /** Everything up to this moment has been judged; milliseconds since the epoch on the operator's own clock (S4). */
  readonly freshAtMs: number;
  readonly judge: 'twoArms' | 'bake';
  /** Rates and counts first, then the evidence. */
  readonly sentence: string;
  /** From the brake on, the metric that carries the verdict: 'errors', 'latency', or the name of a query or a threshold. */
  readonly culprit?: string;
  /** Metrics that were asked for and that nobody counts: nothing is acceptable by evidence while there are any. */
  readonly notJudged?: readonly string[];
  /** In a sentence, that other requests reach the canary than the route says: nothing is acceptable by evidence then. */
  readonly splitOff?: string;
  /** Counts of the metric that carries the verdict, where these are counts; of `errors` they are the counts above. */
  readonly culpritCounts?: {
    readonly canaryTotal: number;
    readonly canaryBad: number;
    readonly stableTotal: number;
    readonly stableBad: number;
  };
  /** After a flag was turned on for both: whether the old version alone got worse than it was before. */
  readonly stableShift?: { readonly harmful: boolean; readonly sentence: string };
  /** What a calm answer still waits for: "waiting to rule out more than 0.20pp extra errors, about 90s at current traffic". */
  readonly waitingFor?: string;
  /** What the new version costs, where that is asked for. Never part of the evidence of harm. */
  readonly cost?: CostView;
}

/** Whether the new version costs more than is tolerated. */
export interface CostView {
  /** `dearer` stays so for the rest of the attempt. `unknown`: nothing is acceptable by evidence meanwhile, see `waits`. */
  readonly state: 'fine' | 'dearer' | 'unknown';
  /** What is asked for when it is dearer. */
  readonly do: 'hold' | 'rollback';
  /** With amounts, where they come from and how sure they are; or why nothing is known. */
  readonly sentence: string;
  /** Where it is dearer: 'cost', or the name of a price. */
  readonly culprit?: string;
  /** What has to wait while it is unknown: the next step, or only the promotion, because a larger weight will tell. */
  readonly waits?: 'step' | 'promotion';
}
