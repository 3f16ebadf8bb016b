/** What the team of the demo keeps in Git: a plain Deployment, its Service and HTTPRoute, and a Rollout. Only times differ from what one would use. */
import { rolloutKind } from '../api/kinds.ts';
import type { RolloutSpec } from '../api/rollout.ts';
import { deployments, httpRoutes, type ResourceKind, services } from '../kube/resources.ts';
import type { Writable } from '../kube/verbs.ts';

/** What the demos on both clusters have in common. */
export const shopName = 'checkout';
export const shopReplicas = 4;

/** The application of one demo, and where it lives. */
export interface Shop {
  readonly namespace: string;
  /** By which the gateway finds the route. */
  readonly host: string;
  readonly gateway: { readonly name: string; readonly namespace: string };
  /** What runs in the pods of a version, without the environment that makes it one. */
  container(version: Version): { readonly image: string };
  /** Time that pods have for their end. */
  readonly graceSeconds: number;
  /** Of the pods. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly rollout: RolloutSpec;
}

export interface Version {
  /** "v2"; pods tell it with each answer. */
  readonly name: string;
  /** Share of its answers that are 500, from 0 to 1. */
  readonly errorRate: number;
}

export interface Manifest {
  readonly kind: ResourceKind;
  readonly object: Writable;
}

const labels = { app: shopName };

/** The application alone, as it runs before anybody has heard of Serin. */
export function application(shop: Shop, version: Version): readonly Manifest[] {
  const metadata = { name: shopName, namespace: shop.namespace };
  return [
    { kind: deployments, object: deploymentOf(shop, version) },
    {
      kind: services,
      object: { metadata, spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] } },
    },
    {
      kind: httpRoutes,
      object: {
        metadata,
        spec: {
          parentRefs: [shop.gateway],
          hostnames: [shop.host],
          rules: [{ backendRefs: [{ name: shopName, port: 80 }] }],
        },
      },
    },
  ];
}

/** The one object that changes from release to release. */
export function deploymentOf(shop: Shop, version: Version): Writable {
  const { annotations, graceSeconds: terminationGracePeriodSeconds } = shop;
  const env = [
    { name: 'VERSION', value: version.name },
    { name: 'ERROR_RATE', value: String(version.errorRate) },
  ];
  const container = { name: 'app', env, ports: [{ name: 'http', containerPort: 8080 }], ...shop.container(version) };
  const metadata = { labels, ...(annotations === undefined ? {} : { annotations }) };
  return {
    metadata: { name: shopName, namespace: shop.namespace },
    spec: {
      replicas: shopReplicas,
      selector: { matchLabels: labels },
      template: { metadata, spec: { terminationGracePeriodSeconds, containers: [container] } },
    },
  };
}

/** What the team writes to have its application released by Serin. */
export function rolloutOf({ namespace, rollout }: Shop): Manifest {
  return { kind: rolloutKind, object: { metadata: { name: shopName, namespace }, spec: rollout } };
}

/** What the Rollouts of both demos say; the rest is times. */
export function rolloutSpec(times: {
  readonly settle?: string;
  readonly drain: string;
  readonly bake: string;
  readonly analysis: RolloutSpec['analysis'];
}): RolloutSpec {
  const { settle, drain, bake, analysis } = times;
  const routes = [{ kind: 'HTTPRoute' as const, name: shopName }];
  return {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: shopName },
    traffic: { service: shopName, routes, drain, ...(settle === undefined ? {} : { settle }) },
    strategy: { steps: [30, 60].map((weight) => ({ weight, atLeast: '5s' })), bake },
    analysis,
  };
}

/** The shop on the cluster that exists for a minute; its node runs every image. */
export const embeddedShop: Shop = {
  namespace: 'shop',
  host: 'checkout.example.com',
  gateway: { name: 'gateway', namespace: 'gateways' },
  graceSeconds: 30,
  container: ({ name }) => ({ image: `registry.example.com/shop/checkout:${name}` }),
  rollout: rolloutSpec({ settle: '1s', drain: '1s', bake: '5s', analysis: { whenUnsure: { after: '30s' } } }),
};
