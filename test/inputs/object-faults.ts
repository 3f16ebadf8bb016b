/**
 * Objects that cannot work together: what Serin answers, and what makes it attach by itself. The names are those of the table in
 * `docs/faults.md`; a test gives each row names of its own.
 */
import type { Reason } from '../../src/api/reasons.ts';
import { type Cluster, type KubeObject, deploymentOf, rolloutOf, routeOf, serviceOf } from './world.ts';

export interface ObjectFault {
  readonly input: string;
  /** What is applied instead of a Deployment, Service, HTTPRoute and Rollout that fit each other. */
  readonly world: (name: string) => readonly KubeObject[];
  readonly reason: Reason;
  readonly sentence: string;
  /** What its owner does about it. */
  readonly cure: string;
  readonly heal: (cluster: Cluster, name: string) => Promise<void>;
}

const other = (name: string): string => `${name}-other`;

/** The four that fit each other, some of them changed. */
function applied(name: string, changes: Partial<Record<string, KubeObject | undefined>>): readonly KubeObject[] {
  const whole: Readonly<Record<string, KubeObject | undefined>> = {
    Deployment: deploymentOf(name),
    Service: serviceOf(name),
    HTTPRoute: routeOf(name),
    Rollout: rolloutOf(name),
    ...changes,
  };
  return Object.values(whole).filter((object) => object !== undefined);
}

/** Deletes what is there under the name and creates the right one: some fields cannot be changed. */
async function replaced(cluster: Cluster, object: KubeObject): Promise<void> {
  await cluster.delete(object);
  await cluster.apply(object);
}

export const objectFaults: readonly ObjectFault[] = [
  {
    input: 'no Deployment of that name',
    world: (name) => applied(name, { Deployment: undefined }),
    reason: 'TargetMissing',
    sentence: 'Deployment checkout does not exist in shop; Serin attaches when it is created.',
    cure: 'create the Deployment',
    heal: (cluster, name) => cluster.apply(deploymentOf(name)),
  },
  {
    input: 'no Service of that name',
    world: (name) => applied(name, { Service: undefined }),
    reason: 'ServiceMissing',
    sentence: 'Service checkout (traffic.service) does not exist; create it or correct the name.',
    cure: 'create the Service',
    heal: (cluster, name) => cluster.apply(serviceOf(name)),
  },
  {
    input: 'a Service of type ExternalName',
    world: (name) =>
      applied(name, { Service: { ...serviceOf(name), spec: { type: 'ExternalName', externalName: 'shop.example' } } }),
    reason: 'ServiceUnsupported',
    sentence:
      'Service checkout is of type ExternalName and has no pods; name the Service whose selector matches checkout.',
    cure: 'make it an ordinary Service',
    heal: (cluster, name) => replaced(cluster, serviceOf(name)),
  },
  {
    input: 'a Service without a selector',
    world: (name) => applied(name, { Service: { ...serviceOf(name), spec: { ports: [{ port: 80 }] } } }),
    reason: 'ServiceUnsupported',
    sentence:
      'Service checkout has no selector, so Serin cannot tell its versions apart; name one that selects the pods of checkout.',
    cure: 'give it the selector',
    heal: (cluster, name) => cluster.patch(serviceOf(name), { spec: { selector: { app: name } } }),
  },
  {
    input: 'a Service that selects other pods',
    world: (name) => applied(name, { Service: serviceOf(name, { selector: { app: other(name) } }) }),
    reason: 'ServiceSelectsOthers',
    sentence:
      'The selector of Service checkout does not match the pods of Deployment checkout; correct traffic.service or the labels.',
    cure: 'correct the selector',
    heal: (cluster, name) => cluster.patch(serviceOf(name), { spec: { selector: { app: name } } }),
  },
  {
    input: 'a Service that selects pods of another Deployment too',
    world: (name) => {
      const labels = { app: name, site: name };
      const shared = deploymentOf(name, { template: { metadata: { labels }, spec: containers } });
      const neighbour = deploymentOf(other(name), {
        replicas: 1,
        template: { metadata: { labels: { app: other(name), site: name } }, spec: containers },
      });
      return [
        ...applied(name, { Deployment: shared, Service: serviceOf(name, { selector: { site: name } }) }),
        neighbour,
      ];
    },
    reason: 'ServiceShared',
    sentence:
      'Service checkout also selects pods of Deployment shop/checkout-other; a release would cut them off. Narrow its selector, or list it in traffic.alsoReachable if both versions may be reached through it.',
    cure: 'narrow the selector',
    heal: (cluster, name) => cluster.patch(serviceOf(name), { spec: { selector: { app: name } } }),
  },
  {
    input: 'no HTTPRoute of that name',
    world: (name) => applied(name, { HTTPRoute: undefined }),
    reason: 'RouteMissing',
    sentence: 'HTTPRoute checkout (traffic.routes) does not exist; create it or correct the name.',
    cure: 'create the route',
    heal: (cluster, name) => cluster.apply(routeOf(name)),
  },
  {
    input: 'an HTTPRoute that does not name the Service',
    world: (name) => applied(name, { HTTPRoute: routeOf(name, other(name)) }),
    reason: 'RouteDoesNotServe',
    sentence:
      'No rule of HTTPRoute checkout has a backend that names Service checkout; correct the route or traffic.service.',
    cure: 'correct the route',
    heal: (cluster, name) => cluster.apply(routeOf(name)),
  },
  {
    input: 'strategy `Recreate`',
    world: (name) => applied(name, { Deployment: deploymentOf(name, { strategy: { type: 'Recreate' } }) }),
    reason: 'RecreateStrategy',
    sentence:
      'Deployment checkout has strategy Recreate: it says that two versions must not run together. Set strategy.allowTwoVersions: true in the Rollout if they may.',
    cure: '`allowTwoVersions: true`, or another strategy',
    heal: (cluster, name) => cluster.patch(rolloutOf(name), { spec: { strategy: { allowTwoVersions: true } } }),
  },
  {
    input: '`revisionHistoryLimit: 0`',
    world: (name) => applied(name, { Deployment: deploymentOf(name, { revisionHistoryLimit: 0 }) }),
    reason: 'NoHistory',
    sentence:
      'Deployment checkout has revisionHistoryLimit 0, so its stable ReplicaSet would be deleted while a release holds it; set it to 1 or more.',
    cure: 'set it to 1 or more',
    heal: (cluster, name) => cluster.patch(deploymentOf(name), { spec: { revisionHistoryLimit: 3 } }),
  },
  {
    input: 'a selector that contains `pod-template-hash`',
    world: (name) => {
      const labels = { app: name, 'pod-template-hash': 'abc' };
      const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: containers } };
      return applied(name, { Deployment: deploymentOf(name, spec) });
    },
    reason: 'SelectorMentionsHash',
    sentence:
      'The selector of Deployment checkout contains pod-template-hash, so no second revision can run beside it; create the Deployment with a selector without it.',
    cure: 'create the Deployment anew',
    heal: (cluster, name) => replaced(cluster, deploymentOf(name)),
  },
  {
    input: 'a second Rollout on one Deployment',
    world: (name) => [
      ...applied(name, {}),
      // The first by name, where both were created in one second; see the test.
      { ...rolloutOf(name), metadata: { name: other(name) } },
    ],
    reason: 'HeldByOther',
    sentence: 'Deployment checkout is held by Serin (Rollout shop/checkout…); only one of them can release it.',
    cure: 'delete one of the two',
    heal: (cluster, name) => cluster.delete({ ...rolloutOf(name), metadata: { name: other(name) } }),
  },
  {
    input: 'a Deployment that another controller owns',
    world: (name) => [
      ...applied(name, {}),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'platform-app' }, data: {} },
    ],
    reason: 'HeldByOther',
    sentence: 'Deployment checkout is held by its owner, ConfigMap shop/platform-app; only one of them can release it.',
    cure: 'release it with its owner, or take the owner off',
    heal: (cluster, name) => cluster.patch(deploymentOf(name), { metadata: { ownerReferences: null } }),
  },
  {
    input: 'a Deployment with marks of Argo Rollouts',
    world: (name) =>
      applied(name, {
        Deployment: {
          ...deploymentOf(name),
          metadata: { name, annotations: { 'rollout.argoproj.io/workload-generation': '1' } },
        },
      }),
    reason: 'HeldByOther',
    sentence:
      'Deployment checkout is held by Argo Rollouts (annotation rollout.argoproj.io/workload-generation); only one of them can release it.',
    cure: 'take the other tool off, and its mark',
    heal: (cluster, name) =>
      cluster.patch(deploymentOf(name), {
        metadata: { annotations: { 'rollout.argoproj.io/workload-generation': null } },
      }),
  },
  {
    input: 'a Deployment that its owner paused',
    world: (name) => applied(name, { Deployment: deploymentOf(name, { paused: true }) }),
    reason: 'PausedByOther',
    sentence:
      'Deployment checkout was paused by kubectl-client-side-apply before it was settled; resume it so that Serin can attach.',
    cure: '`kubectl rollout resume`',
    heal: (cluster, name) => cluster.patch(deploymentOf(name), { spec: { paused: false } }),
  },
  {
    input: 'the label `serin.dev/attached: released`',
    world: (name) =>
      applied(name, {
        Deployment: { ...deploymentOf(name), metadata: { name, labels: { 'serin.dev/attached': 'released' } } },
      }),
    reason: 'Released',
    sentence:
      'Deployment checkout carries serin.dev/attached=released, so Serin leaves it alone; remove that label to attach again.',
    cure: 'remove the label',
    heal: (cluster, name) =>
      cluster.patch(deploymentOf(name), { metadata: { labels: { 'serin.dev/attached': null } } }),
  },
  {
    input: 'pods that the API server would not admit (here: no such ServiceAccount)',
    world: (name) => applied(name, { Deployment: deploymentOf(name, {}, { serviceAccountName: other(name) }) }),
    reason: 'RehearsalRefused',
    sentence:
      'A canary of checkout would be refused (…serviceaccount "checkout-other" not found…); see quotas and policies of the namespace.',
    cure: 'create what is missing, or make room',
    heal: (cluster, name) =>
      cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: other(name) } }),
  },
];

const containers = {
  containers: [{ name: 'app', image: 'serin.test/workload:v1', imagePullPolicy: 'Never' }],
} as const;
