/** What an application team keeps in Git: a plain Deployment, its Service and HTTPRoute, and the few lines of a Rollout. */
import type { Metric } from '../../../src/api/metric.ts';
import type { RolloutSpec } from '../../../src/api/rollout.ts';
import { sources } from './ground.ts';

export const shopName = 'shop';
/** What the local test cluster offers: its Gateway and the application that it has as an image. */
const gateway = { name: 'gateway', namespace: 'serin-gateway' };
const workloadImage = 'serin.test/workload';

/** The parts of a version that differ from release to release. */
export interface Version {
  /** Number of the version: the application answers `x-version: v7`. */
  readonly number: number;
  /** Part of its answers that are 500, from 0 to 1. */
  readonly errorRate?: number;
  /** How long every answer takes at least. */
  readonly latencyMs?: number;
  /** Part of its answers that take longer by `slowMs`, from 0 to 1. */
  readonly slowShare?: number;
  readonly slowMs?: number;
  /** How long after its start each of its pods ends with an error. */
  readonly crashAfterMs?: number;
  /** What each answer costs. */
  readonly cpuMsPerRequest?: number;
  /** Calls of an API with a price, counted in `priced_calls_total`. */
  readonly callsPerRequest?: number;
  /** Part of its answers that are 500 where the flag of the scene is on; 0: it has no code behind the flag. */
  readonly flaggedErrorRate?: number;
}

/** A shop of which the new code is behind a flag. */
export interface Flagged {
  /** Name of the FlagSource. */
  readonly source: string;
  readonly flag: string;
  /** What its pods need to ask for the flag. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly image: string;
  /** `ladder`: harm turns it off first. `step`: a step of the release turns it on. */
  readonly use: 'ladder' | 'step';
  readonly observe: string;
}

export interface ShopOptions {
  readonly namespace: string;
  /** `scrape`: as `app`, and the operator reads the pods' endpoints itself. */
  readonly dataPlane?: keyof typeof sources;
  /** Latency is judged too. */
  readonly latency?: boolean;
  /** What is judged beside errors. */
  readonly metrics?: readonly Metric[];
  /** Of its container. */
  readonly resources?: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly flagged?: Flagged;
  readonly steps?: readonly { weight: number; atLeast: string }[];
  readonly bake?: string;
  /** How the new version gets its share; default `routes`. */
  readonly sharing?: 'routes' | 'service';
}

export function versionName({ number }: Version): string {
  return `v${number}`;
}

export function hostOf(namespace: string): string {
  return `${namespace}.test`;
}

/** The steps, tolerances and times of the stories: a healthy step lasts 10 to 15 s at 100 requests a second. */
export const storySettings = {
  steps: [10, 25, 50].map((weight) => ({ weight, atLeast: '5s' })),
  bake: '15s',
  drain: '5s',
  ruleOut: '2x + 4pp',
} as const;

export function deploymentOf(options: ShopOptions, version: Version, replicas: number) {
  const labels = { app: shopName };
  return {
    metadata: { name: shopName, namespace: options.namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels, annotations: scrape }, spec: podOf(version, options) },
    },
  };
}

const scrape = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', 'prometheus.io/path': '/metrics' };

/** A variable of the container, where the version says something about it. */
function where(name: string, value: number | undefined) {
  return value === undefined ? [] : [{ name, value: String(value) }];
}

function podOf(version: Version, { flagged, resources }: ShopOptions) {
  const env = [
    { name: 'VERSION', value: versionName(version) },
    { name: 'ERROR_RATE', value: String(version.errorRate ?? 0) },
    { name: 'LATENCY_MS', value: String(version.latencyMs ?? 0) },
    { name: 'SLOW_SHARE', value: String(version.slowShare ?? 0) },
    { name: 'SLOW_MS', value: String(version.slowMs ?? 0) },
    ...where('CRASH_AFTER_MS', version.crashAfterMs),
    ...where('CPU_MS_PER_REQUEST', version.cpuMsPerRequest),
    ...where('CALLS_PER_REQUEST', version.callsPerRequest),
    ...where('FLAGGED_ERROR_RATE', version.flaggedErrorRate),
    ...(flagged?.env ?? []),
  ];
  // All tags are the same program; beyond the last one VERSION alone tells versions apart.
  const image = flagged?.image ?? `${workloadImage}:v${Math.min(version.number, 60)}`;
  const ready = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 };
  const ports = [{ name: 'http', containerPort: 8080 }];
  const limits = resources === undefined ? {} : { resources };
  const container = { name: 'app', image, imagePullPolicy: 'Never', env, ports, readinessProbe: ready, ...limits };
  return { terminationGracePeriodSeconds: 30, containers: [container] };
}

export function serviceOf({ namespace }: ShopOptions) {
  return {
    metadata: { name: shopName, namespace },
    spec: { selector: { app: shopName }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

export function routeOf({ namespace }: ShopOptions) {
  return {
    metadata: { name: shopName, namespace },
    spec: {
      parentRefs: [gateway],
      hostnames: [hostOf(namespace)],
      rules: [{ backendRefs: [{ name: shopName, port: 80 }] }],
    },
  };
}

export function rolloutOf(options: ShopOptions): { metadata: { name: string; namespace: string }; spec: RolloutSpec } {
  const { namespace, dataPlane = 'app', bake = storySettings.bake, latency, metrics = [] } = options;
  const routes = options.sharing === 'service' ? {} : { routes: [{ kind: 'HTTPRoute' as const, name: shopName }] };
  return {
    metadata: { name: shopName, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: shopName },
      traffic: { service: shopName, ...routes, drain: storySettings.drain },
      strategy: { steps: stepsOf(options), bake },
      analysis: {
        source: sources[dataPlane],
        metrics: [{ errors: { ruleOut: storySettings.ruleOut } }, ...(latency ? [{ latency: {} }] : []), ...metrics],
      },
      ...ladderOf(options),
    },
  };
}

/** The flag is turned on at the first weight, when few users are on the new version. */
function stepsOf({ flagged, steps = storySettings.steps }: ShopOptions) {
  if (flagged?.use !== 'step') return [...steps];
  const { source, flag: name } = flagged;
  return steps.flatMap((step, index) => (index === 0 ? [step, { flag: { source, name, variant: 'on' } }] : [step]));
}

function ladderOf({ flagged }: ShopOptions) {
  if (flagged?.use !== 'ladder') return {};
  const { source, flag: name, observe } = flagged;
  return { onAnomaly: [{ flag: { source, name, variant: 'off', observe } }, { rollback: {} }] };
}
