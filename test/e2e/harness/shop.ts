/** What an application team keeps in Git: a plain Deployment, its Service and HTTPRoute, and the few lines of a Rollout. */
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
}

export interface ShopOptions {
  readonly namespace: string;
  /** `scrape`: as `app`, and the operator reads the pods' endpoints itself. */
  readonly dataPlane?: keyof typeof sources;
  /** Latency is judged too. */
  readonly latency?: boolean;
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

export function deploymentOf({ namespace }: ShopOptions, version: Version, replicas: number) {
  const labels = { app: shopName };
  return {
    metadata: { name: shopName, namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels, annotations: scrape }, spec: podOf(version) },
    },
  };
}

const scrape = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', 'prometheus.io/path': '/metrics' };

function podOf(version: Version) {
  const env = [
    { name: 'VERSION', value: versionName(version) },
    { name: 'ERROR_RATE', value: String(version.errorRate ?? 0) },
    { name: 'LATENCY_MS', value: String(version.latencyMs ?? 0) },
    { name: 'SLOW_SHARE', value: String(version.slowShare ?? 0) },
    { name: 'SLOW_MS', value: String(version.slowMs ?? 0) },
    ...(version.crashAfterMs === undefined ? [] : [{ name: 'CRASH_AFTER_MS', value: String(version.crashAfterMs) }]),
  ];
  // All tags are the same program; beyond the last one VERSION alone tells versions apart.
  const image = `${workloadImage}:v${Math.min(version.number, 60)}`;
  const ready = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 };
  const ports = [{ name: 'http', containerPort: 8080 }];
  const container = { name: 'app', image, imagePullPolicy: 'Never', env, ports, readinessProbe: ready };
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
  const { namespace, dataPlane = 'app', steps = storySettings.steps, bake = storySettings.bake, latency } = options;
  const routes = options.sharing === 'service' ? {} : { routes: [{ kind: 'HTTPRoute' as const, name: shopName }] };
  return {
    metadata: { name: shopName, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: shopName },
      traffic: { service: shopName, ...routes, drain: storySettings.drain },
      strategy: { steps: [...steps], bake },
      analysis: {
        source: sources[dataPlane],
        metrics: [{ errors: { ruleOut: storySettings.ruleOut } }, ...(latency ? [{ latency: {} }] : [])],
      },
    },
  };
}
