/** Says how the judge looks at a Rollout: by which settings, and by which backends of a gateway. It reads no numbers. */
import { defaultSettings, type JudgeSettings } from '../analysis/settings.ts';
import { parseRuleOut, parseTolerate } from '../analysis/tolerance.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { GatewayBackends } from '../signals/subject.ts';
import { canaryServiceName } from '../traffic/canary-service.ts';
import type { HTTPRoute } from '../traffic/objects.ts';
import { isRefTo } from '../traffic/rule.ts';

/** Pinned with the attempt, so that an edit of the Rollout never mixes evidence of two kinds. */
export function judgeSettingsOf({ analysis, strategy }: Pick<EffectiveSpec, 'analysis' | 'strategy'>): JudgeSettings {
  const tolerate = parseTolerate(analysis.errors.tolerate);
  const ruleOut = parseRuleOut(analysis.errors.ruleOut);
  return {
    ...defaultSettings,
    ...('kind' in tolerate ? {} : { tolerate }),
    ...('kind' in ruleOut ? {} : { ruleOut }),
    confidencePercent: analysis.confidencePercent,
    bakeMs: strategy.bakeMs,
  };
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
