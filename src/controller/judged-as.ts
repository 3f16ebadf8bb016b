/** Says how the judge looks at a Rollout: by which settings, and by which backends of a gateway. It reads no numbers. */
import { costName } from '../analysis/cost.ts';
import { defaultErrors, errorsName, restartsMetric, type Unweighted, weighted } from '../analysis/metric.ts';
import { defaultSettings, type JudgeSettings, logBrake, logRollback } from '../analysis/settings.ts';
import { parseRuleOut, parseTolerate } from '../analysis/tolerance.ts';
import type { FreshJudge } from '../release/fresh-judge.ts';
import type { EffectiveMetric, EffectiveSpec } from '../api/effective.ts';
import type { CostSubject } from '../signals/cost-reader.ts';
import type { CounterPair } from '../signals/presets/counters.ts';
import type { GatewayBackends } from '../signals/subject.ts';
import type { ThresholdMetric } from '../signals/threshold.ts';
import { canaryServiceName } from '../traffic/canary-service.ts';
import type { HTTPRoute } from '../traffic/objects.ts';
import { isRefTo } from '../traffic/rule.ts';

type Widened = NonNullable<FreshJudge['widen']>;
type Analysis = Pick<EffectiveSpec, 'analysis'>;
/** All of a spec that says how it is judged. */
type Judged = Analysis & { readonly strategy: Pick<EffectiveSpec['strategy'], 'bakeMs'> };

/** Pinned with the attempt, so that an edit of the Rollout never mixes evidence of two kinds. */
export function judgeSettingsOf({ analysis, strategy }: Judged, widen?: Widened): JudgeSettings {
  const metrics = analysis.metrics
    .flatMap((metric) => comparedBy(metric) ?? [])
    .map((metric) => (metric.name === widen?.metric ? widened(metric, widen) : metric));
  return {
    ...defaultSettings,
    metrics: metrics.length === 0 ? [defaultErrors] : weighted(metrics),
    confidencePercent: analysis.confidencePercent,
    bakeMs: strategy.bakeMs,
  };
}

/** After something was done about harm it has to be shown that at least half of it is gone, and no more. */
function widened(metric: Unweighted, { excess }: Widened): Unweighted {
  return { ...metric, ruleOut: { ...metric.ruleOut, absolute: Math.max(metric.ruleOut.absolute, excess / 2) } };
}

/** Undefined for a limit, which compares nothing. */
function comparedBy(metric: EffectiveMetric): Unweighted | undefined {
  switch (metric.kind) {
    case 'errors':
      return { kind: 'count', name: errorsName, ...tolerances(metric) };
    case 'restarts':
      return restartsMetric;
    case 'counters':
      return { kind: 'count', name: metric.name, ...tolerances(metric) };
    case 'latency': {
      const { thresholdMs, tolerate } = metric;
      return {
        kind: 'latency',
        name: 'latency',
        // Written as "10%", which the rules of the CRD see to.
        tolerateRatio: 1 + Number.parseFloat(tolerate) / 100,
        ruleOut: tolerances(metric).ruleOut,
        ...(thresholdMs === undefined ? {} : { thresholdSeconds: thresholdMs / 1000 }),
      };
    }
    case 'threshold':
    case 'cost':
    case 'price':
      return undefined;
    default:
      return metric satisfies never;
  }
}

/** A text that no API server with the CRDs of this version would have let in means the default. */
function tolerances(written: { readonly tolerate: string; readonly ruleOut: string }) {
  const tolerate = parseTolerate(written.tolerate);
  const ruleOut = parseRuleOut(written.ruleOut);
  return {
    tolerate: 'kind' in tolerate ? defaultErrors.tolerate : tolerate,
    ruleOut: 'kind' in ruleOut ? defaultErrors.ruleOut : ruleOut,
  };
}

/** The counters that the user names. */
export function queriesOf({ analysis }: Analysis): readonly CounterPair[] {
  return analysis.metrics.flatMap((metric) =>
    metric.kind === 'counters' ? [{ name: metric.name, bad: metric.bad, total: metric.total }] : [],
  );
}

/** What is asked about cost, pinned with the attempt; undefined when nothing is. */
export function costOf({ analysis }: Analysis): Pick<CostSubject, 'settings' | 'counters'> | undefined {
  const asked = analysis.metrics.filter((metric) => metric.kind === 'cost' || metric.kind === 'price');
  if (asked.length === 0) return undefined;
  const certainty = { ...defaultSettings, confidencePercent: analysis.confidencePercent };
  return {
    settings: {
      metrics: asked.map((metric) => ({
        name: metric.kind === 'cost' ? costName : metric.name,
        // Written as "15%", which the rules of the CRD see to.
        tolerateRatio: 1 + Number.parseFloat(metric.tolerate) / 100,
        maxExtraPerMonth: metric.maxExtraPerMonth,
        do: metric.do,
        ...(metric.kind === 'price' ? { unitPrice: metric.unitPrice } : {}),
      })),
      logHold: logBrake(certainty),
      logRollback: logRollback(certainty),
    },
    counters: asked.flatMap((metric) =>
      metric.kind === 'price' ? [{ name: metric.name, counter: metric.counter }] : [],
    ),
  };
}

/** The numbers with a limit that the user names. */
export function thresholdsOf({ analysis }: Analysis): readonly ThresholdMetric[] {
  return analysis.metrics.flatMap((metric) => {
    if (metric.kind !== 'threshold') return [];
    const { name, query, max, min } = metric;
    return [{ name, query, ...(max === undefined ? {} : { max }), ...(min === undefined ? {} : { min }) }];
  });
}

/** How the gateway counts: by the backends of the first route that names the Service. Undefined without one. */
export function gatewayBackendsOf(
  routes: readonly HTTPRoute[],
  service: string | undefined,
): GatewayBackends | undefined {
  if (service === undefined) return undefined;
  for (const route of routes) {
    const refs = (route.spec.rules ?? []).flatMap((rule) => rule.backendRefs ?? []);
    const port = refs.find((ref) => isRefTo(ref, service, route.metadata.namespace))?.port;
    if (port !== undefined)
      return { canaryService: canaryServiceName(service), stableService: service, route: route.metadata.name, port };
  }
  return undefined;
}
