/** What the team of the demo keeps in Git: a plain Deployment, its Service and HTTPRoute, and a Rollout. Only times differ from what one would use. */
import { metricSourceKind, rolloutKind } from '../api/kinds.ts';
import type { RolloutSpec } from '../api/rollout.ts';
import { deployments, httpRoutes, type ResourceKind, services } from '../kube/resources.ts';
import type { Writable } from '../kube/verbs.ts';

export const shop = {
  namespace: 'shop',
  name: 'checkout',
  host: 'checkout.example.com',
  replicas: 4,
  gateway: { name: 'gateway', namespace: 'gateways' },
} as const;

export interface Version {
  /** "v2"; pods tell it with each answer. */
  readonly name: string;
  /** Share of its answers that are 500, from 0 to 1. */
  readonly badRate: number;
}

interface Manifest {
  readonly kind: ResourceKind;
  readonly object: Writable;
}

const { namespace, name } = shop;
const labels = { app: name };

/** The application alone, as it runs before anybody has heard of Serin. */
export function application(version: Version): readonly Manifest[] {
  return [
    { kind: deployments, object: deploymentOf(version) },
    {
      kind: services,
      object: {
        metadata: { name, namespace },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
    },
    {
      kind: httpRoutes,
      object: {
        metadata: { name, namespace },
        spec: {
          parentRefs: [shop.gateway],
          hostnames: [shop.host],
          rules: [{ backendRefs: [{ name, port: 80 }] }],
        },
      },
    },
  ];
}

/** The one object that changes from release to release. */
export function deploymentOf(version: Version): Writable {
  const env = [
    { name: 'VERSION', value: version.name },
    { name: 'BAD_RATE', value: String(version.badRate) },
  ];
  const container = {
    name: 'app',
    image: `registry.example.com/shop/checkout:${version.name}`,
    env,
    ports: [{ name: 'http', containerPort: 8080 }],
  };
  return {
    metadata: { name, namespace },
    spec: {
      replicas: shop.replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

const rolloutSpec: RolloutSpec = {
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
  traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }], settle: '1s', drain: '1s' },
  strategy: {
    steps: [
      { weight: 30, atLeast: '5s' },
      { weight: 60, atLeast: '5s' },
    ],
    bake: '5s',
  },
  analysis: { whenUnsure: { after: '30s' } },
};

/** What attaches Serin to the application: the Rollout of the team, and the MetricSource of the platform. */
export function attachment(prometheusUrl: string): readonly Manifest[] {
  return [
    {
      kind: metricSourceKind,
      object: { metadata: { name: 'prometheus' }, spec: { prometheus: { address: prometheusUrl }, default: true } },
    },
    { kind: rolloutKind, object: { metadata: { name, namespace }, spec: rolloutSpec } },
  ];
}
