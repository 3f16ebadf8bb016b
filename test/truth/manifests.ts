/** The objects that scenarios write, small and the same for both worlds. */
import type { Writable } from '../../src/kube/verbs.ts';

export interface WorkloadWish {
  readonly replicas?: number;
  readonly version?: string;
  /** Its pods run and never become ready. */
  readonly isNeverReady?: boolean;
  readonly spec?: object;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function templateOf(app: string, { version = 'v1', isNeverReady = false }: WorkloadWish = {}): object {
  const env = [{ name: 'VERSION', value: version }, ...(isNeverReady ? [{ name: 'NEVER_READY', value: '1' }] : [])];
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 5,
      containers: [
        {
          name: 'app',
          image: 'serin.test/workload:v1',
          imagePullPolicy: 'Never',
          env,
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

/** A Deployment without a namespace. */
export function deploymentOf(name: string, wish: WorkloadWish = {}): Writable & { readonly spec: object } {
  const { replicas = 1, spec = {}, labels, annotations } = wish;
  return {
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: templateOf(name, wish), ...spec },
  };
}

export function serviceOf(name: string, spec: object = {}): Writable {
  return {
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: 'web', port: 80, targetPort: 'http' }], ...spec },
  };
}

/** What a Rollout needs and no more. */
export function rolloutOf(name: string): Writable & { readonly spec: object } {
  return {
    metadata: { name },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }] },
    },
  };
}

/** A ReleaseRecord as an anchor. */
export function recordOf(name: string, finalizers: readonly string[] = []): Writable & { readonly spec: object } {
  return {
    metadata: { name, ...(finalizers.length === 0 ? {} : { finalizers }) },
    spec: {
      rollout: name,
      rolloutUid: 'a',
      deployment: name,
      deploymentUid: 'b',
      revision: '7f9c4d8b2x',
      attempt: 1,
      ...pinned,
    },
  };
}

const pinned = {
  traffic: { service: 'shop', routes: [], alsoReachable: [], drainMs: 5000 },
  strategy: { steps: [], bakeMs: 0, podsReadyWithinMs: 60_000, allowTwoVersions: false },
  analysis: {
    confidencePercent: 95,
    errors: { tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' },
    whenUnsure: { afterMs: 60_000, do: 'hold' },
    onSourceDown: { afterMs: 60_000, do: 'hold' },
  },
};
