/**
 * Decides what a Rollout's spec means once Serin's built-in defaults are filled in; it never reads the cluster or a clock.
 * The defaults live here and not in the CRD, because the API server would write them into the user's object and Git would
 * see them as drift.
 */
import { type Check, LONGEST_ANSWER_MS } from './check-step.ts';
import { parseDurationMs, parseSpanMs } from './duration.ts';
import type { WrittenAlert } from './alerts.ts';
import type { WrittenRung } from './anomaly.ts';
import type { Metric } from './metric.ts';
import type { RolloutSpec } from './rollout.ts';

interface EffectiveStep {
  /** Share of the requests that goes to the new version, 0 <= w <= 100, resolution 0.01; 0 in checks before the first weight. */
  readonly weightPercent: number;
  /** The step lasts at least this long, counted from the moment its weight converged. 0 for a check. */
  readonly atLeastMs: number;
  /** Set: the step keeps the weight of the one before it and ends when this has passed. */
  readonly check?: EffectiveCheck | undefined;
  /** Set: the step keeps the weight of the one before it and turns this on. */
  readonly flag?: EffectiveFlagStep | undefined;
}

export interface EffectiveFlag {
  /** Name of a FlagSource. */
  readonly source: string;
  readonly name: string;
  readonly variant: string;
}

export interface EffectiveFlagStep extends EffectiveFlag {
  /** Share of the users that get the variant, in whole percent; absent: all of them. */
  readonly percent?: number | undefined;
}

/** What is done about harm, one after the other; the last is hold or rollback, and they stand nowhere else. */
export type EffectiveRung =
  | {
      readonly kind: 'flag';
      readonly source: string;
      readonly name: string;
      readonly variant: string;
      /** From the decision to the next rung at most, the change of the flag included (S14). */
      readonly observeMs: number;
    }
  | { readonly kind: 'observe'; readonly forMs: number }
  | { readonly kind: 'notify' }
  | { readonly kind: 'hold' }
  | { readonly kind: 'rollback' };

/** An alert of the metric source that counts while it fires. */
export interface EffectiveAlert {
  /** Label matchers in PromQL, in braces. */
  readonly matching: string;
  readonly do: 'hold' | 'rollback';
  /** It counts also when it fired already as the release began. */
  readonly alsoIfBefore: boolean;
}

export interface EffectiveCheck {
  readonly requests: readonly EffectiveRequest[];
  /** Tried again for so long before it counts as failed. */
  readonly withinMs: number;
  /** Absent: the port that the Service sends to. */
  readonly port?: number | undefined;
}

export interface EffectiveRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Absent: any from 200 to 299. */
  readonly status?: number | undefined;
  /** A text that the answer has to contain; absent: anything. */
  readonly body?: string | undefined;
  readonly withinMs: number;
}

/** One metric that is judged. Tolerances as written; `src/analysis/tolerance.ts` reads them. */
export type EffectiveMetric =
  | { readonly kind: 'errors'; readonly tolerate: string; readonly ruleOut: string }
  | { readonly kind: 'restarts' }
  /** `tolerate` is a percentage: "10%". */
  | {
      readonly kind: 'latency';
      readonly thresholdMs?: number | undefined;
      readonly tolerate: string;
      readonly ruleOut: string;
    }
  /** Two selectors in PromQL. */
  | {
      readonly kind: 'counters';
      readonly name: string;
      readonly bad: string;
      readonly total: string;
      readonly tolerate: string;
      readonly ruleOut: string;
    }
  /** An expression in PromQL with one limit. */
  | {
      readonly kind: 'threshold';
      readonly name: string;
      readonly query: string;
      readonly max?: number | undefined;
      readonly min?: number | undefined;
    }
  | ({ readonly kind: 'cost' } & EffectiveDearer)
  /** A selector in PromQL, and what each count of it costs. */
  | ({
      readonly kind: 'price';
      readonly name: string;
      readonly counter: string;
      readonly unitPrice: number;
    } & EffectiveDearer);

/** `tolerate` is a percentage: "15%". Only what is more than both is dearer. */
interface EffectiveDearer {
  readonly tolerate: string;
  readonly maxExtraPerMonth: number;
  readonly do: 'hold' | 'rollback';
}

interface EffectiveTraffic {
  /** Absent: nothing sends requests to the pods, as with queue workers. */
  readonly service?: string | undefined;
  /** Empty: the share of the pods is the share of the requests. */
  readonly routes: readonly { readonly kind: 'HTTPRoute'; readonly name: string }[];
  /** Services on the same pods that may reach the new version at once; every other one is pinned to the old version. */
  readonly alsoReachable: readonly string[];
  /** Wait after the route says it has converged; absent means: by the gateway's own table. */
  readonly settleMs?: number | undefined;
  readonly drainMs: number;
}

interface EffectiveStrategy {
  readonly steps: readonly EffectiveStep[];
  readonly bakeMs: number;
  readonly podsReadyWithinMs: number;
  readonly allowTwoVersions: boolean;
}

export interface EffectiveAnalysis {
  /** `observe`: everything is judged and nothing is done about it. */
  readonly mode: 'enforce' | 'observe';
  /** Name of a MetricSource; absent means: the one marked default, if there is one. */
  readonly source?: string | undefined;
  readonly confidencePercent: number;
  /** At least one of them compares the two versions. */
  readonly metrics: readonly EffectiveMetric[];
  readonly whenUnsure: { readonly afterMs: number; readonly do: 'proceed' | 'hold' | 'rollback' };
  readonly onSourceDown: { readonly afterMs: number; readonly do: 'hold' | 'rollback' };
  readonly alerts: readonly EffectiveAlert[];
}

/** A Rollout's spec with nothing left open: every default filled in, every duration in milliseconds. */
export interface EffectiveSpec {
  readonly target: { readonly apiVersion: 'apps/v1'; readonly kind: 'Deployment'; readonly name: string };
  readonly traffic: EffectiveTraffic;
  readonly strategy: EffectiveStrategy;
  readonly analysis: EffectiveAnalysis;
  readonly onAnomaly: readonly EffectiveRung[];
}

/** What holds where a Rollout says nothing. Shown by `serin plan`, printed in the reference. */
export const builtInDefaults = {
  stepWeightPercents: [5, 25, 50],
  atLeast: '30s',
  bake: '5m',
  podsReadyWithin: '10m',
  drain: '15s',
  confidencePercent: 99.9,
  checkWithin: '1m',
  mode: 'enforce',
  tolerate: '10% or 0.01pp',
  ruleOut: '2x + 0.2pp',
  latencyTolerate: '10%',
  latencyRuleOut: '2x + 1pp',
  costTolerate: '15%',
  maxExtraPerMonth: 10,
  whenUnsure: { after: '10m', do: 'proceed' },
  onSourceDown: { after: '5m', do: 'hold' },
  observe: '2m',
} as const;

/** The ladder of a Rollout that says nothing of one. */
export const builtInLadder: readonly EffectiveRung[] = [{ kind: 'rollback' }];

/**
 * The spec with Serin's defaults applied.
 *
 * @throws RangeError when a duration cannot be read, which the CRD rules out for objects that came through the API server.
 */
export function effectiveSpec(spec: RolloutSpec): EffectiveSpec {
  return {
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: spec.targetRef.name },
    traffic: effectiveTraffic(spec.traffic),
    strategy: effectiveStrategy(spec.strategy),
    analysis: effectiveAnalysis(spec.analysis),
    onAnomaly: spec.onAnomaly === undefined ? builtInLadder : spec.onAnomaly.map(effectiveRung),
  };
}

function effectiveTraffic(traffic: NonNullable<RolloutSpec['traffic']> = {}): EffectiveTraffic {
  return {
    ...(traffic.service === undefined ? {} : { service: traffic.service }),
    routes: (traffic.routes ?? []).map((route) => ({ kind: 'HTTPRoute', name: route.name })),
    alsoReachable: traffic.alsoReachable ?? [],
    ...(traffic.settle === undefined ? {} : { settleMs: parseDurationMs(traffic.settle) }),
    drainMs: parseDurationMs(traffic.drain ?? builtInDefaults.drain),
  };
}

function effectiveStrategy(strategy: RolloutSpec['strategy']): EffectiveStrategy {
  return {
    steps: effectiveSteps(strategy?.steps ?? builtInDefaults.stepWeightPercents.map((weight) => ({ weight }))),
    bakeMs: parseDurationMs(strategy?.bake ?? builtInDefaults.bake),
    podsReadyWithinMs: parseDurationMs(strategy?.podsReadyWithin ?? builtInDefaults.podsReadyWithin),
    allowTwoVersions: strategy?.allowTwoVersions ?? false,
  };
}

type Steps = NonNullable<NonNullable<RolloutSpec['strategy']>['steps']>;

/** A check and a flag stand at the weight of the step before them. */
function effectiveSteps(written: Steps): readonly EffectiveStep[] {
  let weightPercent = 0;
  return written.map((step) => {
    weightPercent = step.weight ?? weightPercent;
    if (step.check !== undefined) return { weightPercent, atLeastMs: 0, check: effectiveCheck(step.check) };
    const judged = { weightPercent, atLeastMs: parseDurationMs(step.atLeast ?? builtInDefaults.atLeast) };
    return step.flag === undefined ? judged : { ...judged, flag: step.flag };
  });
}

function effectiveCheck({ requests, within, port }: Check): EffectiveCheck {
  return {
    requests: requests.map(effectiveRequest),
    withinMs: parseDurationMs(within ?? builtInDefaults.checkWithin),
    ...(port === undefined ? {} : { port }),
  };
}

function effectiveRequest({ method = 'GET', path, headers = [], expect = {} }: Check['requests'][number]) {
  const { status, body, within } = expect;
  return {
    method,
    path,
    headers,
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
    withinMs: within === undefined ? LONGEST_ANSWER_MS : parseSpanMs(within),
  };
}

function effectiveAnalysis(analysis: RolloutSpec['analysis'] = {}): EffectiveAnalysis {
  return {
    mode: analysis.mode ?? builtInDefaults.mode,
    ...(analysis.source === undefined ? {} : { source: analysis.source }),
    confidencePercent: analysis.confidence ?? builtInDefaults.confidencePercent,
    metrics: (analysis.metrics ?? [{ errors: {} }]).map(effectiveMetric),
    whenUnsure: wait(analysis.whenUnsure, builtInDefaults.whenUnsure),
    onSourceDown: wait(analysis.onSourceDown, builtInDefaults.onSourceDown),
    alerts: (analysis.alerts ?? []).map(effectiveAlert),
  };
}

function effectiveMetric({ errors, latency, query, restarts, cost, price }: Metric): EffectiveMetric {
  if (restarts !== undefined) return { kind: 'restarts' };
  if (query !== undefined) return effectiveQuery(query);
  if (cost !== undefined) return { kind: 'cost', ...effectiveDearer(cost) };
  if (price !== undefined) {
    const { name, counter, unitPrice } = price;
    return { kind: 'price', name, counter, unitPrice, ...effectiveDearer(price) };
  }
  const { tolerate, ruleOut, latencyTolerate, latencyRuleOut } = builtInDefaults;
  if (latency === undefined)
    return { kind: 'errors', tolerate: errors?.tolerate ?? tolerate, ruleOut: errors?.ruleOut ?? ruleOut };
  return {
    kind: 'latency',
    ...(latency.threshold === undefined ? {} : { thresholdMs: parseSpanMs(latency.threshold) }),
    tolerate: latency.tolerate ?? latencyTolerate,
    ruleOut: latency.ruleOut ?? latencyRuleOut,
  };
}

/** The rules of the CRD see to it that a query has either both counters or a value. */
function effectiveQuery(query: NonNullable<Metric['query']>): EffectiveMetric {
  const { name, bad = '', total = '', value, max, min } = query;
  if (value !== undefined)
    return {
      kind: 'threshold',
      name,
      query: value,
      ...(max === undefined ? {} : { max }),
      ...(min === undefined ? {} : { min }),
    };
  const { tolerate = builtInDefaults.tolerate, ruleOut = builtInDefaults.ruleOut } = query;
  return { kind: 'counters', name, bad, total, tolerate, ruleOut };
}

function effectiveAlert(written: WrittenAlert): EffectiveAlert {
  return { matching: written.matching, do: written.do ?? 'hold', alsoIfBefore: written.alsoIfBefore ?? false };
}

function effectiveDearer(written: NonNullable<Metric['cost']>): EffectiveDearer {
  const { tolerate = builtInDefaults.costTolerate, maxExtraPerMonth = builtInDefaults.maxExtraPerMonth } = written;
  return { tolerate, maxExtraPerMonth, do: written.do ?? 'hold' };
}

function wait<Act>(
  written: { readonly after?: string | undefined; readonly do?: Act | undefined } = {},
  builtIn: { readonly after: string; readonly do: Act },
) {
  return { afterMs: parseDurationMs(written.after ?? builtIn.after), do: written.do ?? builtIn.do };
}

/** The rules of the CRD see to it that a rung is one thing. */
function effectiveRung({ flag, observe, notify, hold }: WrittenRung): EffectiveRung {
  if (flag !== undefined) {
    const { observe: written, ...named } = flag;
    return { kind: 'flag', ...named, observeMs: parseDurationMs(written ?? builtInDefaults.observe) };
  }
  if (observe !== undefined) return { kind: 'observe', forMs: parseDurationMs(observe.for ?? builtInDefaults.observe) };
  if (notify !== undefined) return { kind: 'notify' };
  return { kind: hold === undefined ? 'rollback' : 'hold' };
}
