/**
 * Owns where each built-in default stands in the reference. The words of a field name its default too, because the API
 * server shows them (`kubectl explain`); where they and the program differ, nothing is generated.
 */
import { builtInDefaults } from '../src/api/effective.ts';
import { flagSourceDefaults } from '../src/api/flag-source.ts';
import { metricSourceDefaults } from '../src/api/metric-source.ts';

/** The compiler asks for a place when a default is added. */
type Places<T> = {
  readonly [K in keyof T]: T[K] extends string | number | readonly unknown[] ? string : Places<T[K]>;
};

const rolloutPlaces: Places<typeof builtInDefaults> = {
  stepWeightPercents: 'Rollout.spec.strategy.steps',
  atLeast: 'Rollout.spec.strategy.steps[].atLeast',
  bake: 'Rollout.spec.strategy.bake',
  podsReadyWithin: 'Rollout.spec.strategy.podsReadyWithin',
  drain: 'Rollout.spec.traffic.drain',
  confidencePercent: 'Rollout.spec.analysis.confidence',
  checkWithin: 'Rollout.spec.strategy.steps[].check.within',
  mode: 'Rollout.spec.analysis.mode',
  tolerate: 'Rollout.spec.analysis.metrics[].errors.tolerate',
  ruleOut: 'Rollout.spec.analysis.metrics[].errors.ruleOut',
  latencyTolerate: 'Rollout.spec.analysis.metrics[].latency.tolerate',
  latencyRuleOut: 'Rollout.spec.analysis.metrics[].latency.ruleOut',
  costTolerate: 'Rollout.spec.analysis.metrics[].cost.tolerate',
  maxExtraPerMonth: 'Rollout.spec.analysis.metrics[].cost.maxExtraPerMonth',
  whenUnsure: { after: 'Rollout.spec.analysis.whenUnsure.after', do: 'Rollout.spec.analysis.whenUnsure.do' },
  onSourceDown: { after: 'Rollout.spec.analysis.onSourceDown.after', do: 'Rollout.spec.analysis.onSourceDown.do' },
  observe: 'Rollout.spec.onAnomaly[].flag.observe',
};

const metricSourcePlaces: Places<typeof metricSourceDefaults> = {
  timeout: 'MetricSource.spec.prometheus.timeout',
  dataPlane: 'MetricSource.spec.dataPlane',
};

const flagSourcePlaces: Places<Omit<typeof flagSourceDefaults, 'verifyFileWithin'>> = {
  verifyWithin: 'FlagSource.spec.verify.within',
  timeout: 'FlagSource.spec.http.timeout',
  fileDelay: 'FlagSource.spec.flagdFile.delay',
  overrideSuffix: 'FlagSource.spec.featureFlag.overrideSuffix',
  project: 'FlagSource.spec.unleash.project',
  fliptEnvironment: 'FlagSource.spec.flipt.environment',
  fliptNamespace: 'FlagSource.spec.flipt.namespace',
  header: 'FlagSource.spec.http.auth.header',
  scheme: 'FlagSource.spec.http.auth.scheme',
  success: 'FlagSource.spec.http.write.success',
  readBackMethod: 'FlagSource.spec.http.readBack.method',
};

const known: ReadonlyMap<string, string> = new Map([
  ...placed(rolloutPlaces, builtInDefaults),
  ...placed(metricSourcePlaces, metricSourceDefaults),
  ...placed(flagSourcePlaces, flagSourceDefaults),
]);

function placed(places: object, defaults: object): [string, string][] {
  const values: Readonly<Record<string, unknown>> = { ...defaults };
  return Object.entries(places).flatMap(([name, place]: [string, unknown]) => {
    const value = values[name];
    if (typeof place === 'string') return [[place, spelled(value)]];
    return typeof place === 'object' && place !== null && typeof value === 'object' && value !== null
      ? placed(place, value)
      : [];
  });
}

function spelled(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return `${value.slice(0, -1).join(', ')} and ${String(value.at(-1))}`;
}

/** What a field's words say, apart from its default. `path` is like `Rollout.spec.strategy.steps[].atLeast`. */
export function defaultOf(path: string, words: string): { readonly meaning: string; readonly default: string } {
  const [, meaning, said] = /^([\s\S]*?)\s*Default: ([\s\S]+)\.$/.exec(words) ?? [undefined, words, undefined];
  const inCode = known.get(path);
  const plain = said?.replaceAll('"', '');
  if (inCode !== undefined && inCode !== plain)
    throw new Error(`${path}: its words name the default ${said ?? '(none)'}, the program uses ${inCode}.`);
  const isWords = said !== undefined && said.includes(' ') && !said.startsWith('"');
  return { meaning: meaning ?? words, default: said === undefined ? '' : isWords ? said : `\`${said}\`` };
}
