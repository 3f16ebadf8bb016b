/**
 * Decides what a Rollout's spec means once Serin's built-in defaults are filled in; it never reads the cluster or a clock.
 * The defaults live here and not in the CRD, because the API server would write them into the user's object and Git would
 * see them as drift.
 */
import { parseDurationMs } from './duration.ts';
import type { RolloutSpec } from './rollout.ts';

interface EffectiveStep {
  /** Share of the requests that goes to the new version, 0 < w <= 100, resolution 0.01. */
  readonly weightPercent: number;
  /** The step lasts at least this long, counted from the moment its weight converged. */
  readonly atLeastMs: number;
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

interface EffectiveAnalysis {
  /** Name of a MetricSource; absent means: the one marked default, if there is one. */
  readonly source?: string | undefined;
  readonly confidencePercent: number;
  /** Tolerances as written; `src/analysis/tolerance.ts` reads them. */
  readonly errors: { readonly tolerate: string; readonly ruleOut: string };
  readonly whenUnsure: { readonly afterMs: number; readonly do: 'proceed' | 'hold' | 'rollback' };
  readonly onSourceDown: { readonly afterMs: number; readonly do: 'hold' | 'rollback' };
}

/** A Rollout's spec with nothing left open: every default filled in, every duration in milliseconds. */
export interface EffectiveSpec {
  readonly target: { readonly apiVersion: 'apps/v1'; readonly kind: 'Deployment'; readonly name: string };
  readonly traffic: EffectiveTraffic;
  readonly strategy: EffectiveStrategy;
  readonly analysis: EffectiveAnalysis;
}

/** What holds where a Rollout says nothing. Shown by `serin plan`, printed in the reference. */
export const builtInDefaults = {
  stepWeightPercents: [5, 25, 50],
  atLeast: '30s',
  bake: '5m',
  podsReadyWithin: '10m',
  drain: '15s',
  confidencePercent: 99.9,
  tolerate: '10% or 0.01pp',
  ruleOut: '2x + 0.2pp',
  whenUnsure: { after: '10m', do: 'proceed' },
  onSourceDown: { after: '5m', do: 'hold' },
} as const;

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
  const steps = strategy?.steps ?? builtInDefaults.stepWeightPercents.map((weight) => ({ weight, atLeast: undefined }));
  return {
    steps: steps.map((step) => ({
      weightPercent: step.weight,
      atLeastMs: parseDurationMs(step.atLeast ?? builtInDefaults.atLeast),
    })),
    bakeMs: parseDurationMs(strategy?.bake ?? builtInDefaults.bake),
    podsReadyWithinMs: parseDurationMs(strategy?.podsReadyWithin ?? builtInDefaults.podsReadyWithin),
    allowTwoVersions: strategy?.allowTwoVersions ?? false,
  };
}

function effectiveAnalysis(analysis: RolloutSpec['analysis'] = {}): EffectiveAnalysis {
  const { errors = {} } = analysis.metrics?.[0] ?? {};
  return {
    ...(analysis.source === undefined ? {} : { source: analysis.source }),
    confidencePercent: analysis.confidence ?? builtInDefaults.confidencePercent,
    errors: {
      tolerate: errors.tolerate ?? builtInDefaults.tolerate,
      ruleOut: errors.ruleOut ?? builtInDefaults.ruleOut,
    },
    whenUnsure: wait(analysis.whenUnsure, builtInDefaults.whenUnsure),
    onSourceDown: wait(analysis.onSourceDown, builtInDefaults.onSourceDown),
  };
}

function wait<Act>(
  written: { readonly after?: string | undefined; readonly do?: Act | undefined } = {},
  builtIn: { readonly after: string; readonly do: Act },
) {
  return { afterMs: parseDurationMs(written.after ?? builtIn.after), do: written.do ?? builtIn.do };
}
