/** A healthy cluster with one workload in memory, for the tests of `serin check`: each of them breaks one thing. */
import { parseAllDocuments } from 'yaml';
import type { KubeRequest } from '../../kube/transport.ts';
import { isRecord } from '../manifests.ts';
import { checkout, rolloutPath, statuses, type Trial, trial, type TrialOptions } from '../trial.ts';
import { shippedPolicies } from './cluster-findings.ts';

const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: checkout, namespace: shop, generation: 1 }
spec:
  replicas: 2
  selector: { matchLabels: { app: checkout } }
  template:
    metadata: { labels: { app: checkout } }
    spec: { containers: [{ name: app, image: 'shop/checkout:1.4.2' }] }
status:
  observedGeneration: 1
  replicas: 2
  availableReplicas: 2
  conditions: [{ type: Progressing, status: 'True', reason: NewReplicaSetAvailable }]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: checkout-695d49c57z
  namespace: shop
  generation: 1
  labels: { app: checkout, pod-template-hash: 695d49c57z }
  ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: checkout, uid: uid-Deployment-checkout, controller: true }]
spec:
  replicas: 2
  selector: { matchLabels: { app: checkout, pod-template-hash: 695d49c57z } }
  template:
    metadata: { labels: { app: checkout, pod-template-hash: 695d49c57z } }
    spec: { containers: [{ name: app, image: 'shop/checkout:1.4.2' }] }
status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2 }
---
apiVersion: v1
kind: Pod
metadata:
  name: checkout-695d49c57z-1
  namespace: shop
  labels: { app: checkout, pod-template-hash: 695d49c57z }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: checkout-695d49c57z, uid: uid-ReplicaSet-checkout-695d49c57z, controller: true }]
spec: { containers: [{ name: app, image: 'shop/checkout:1.4.2' }] }
status: { phase: Running, conditions: [{ type: Ready, status: 'True' }] }
---
apiVersion: v1
kind: Service
metadata: { name: checkout, namespace: shop }
spec: { selector: { app: checkout }, ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: checkout-1, namespace: shop, labels: { kubernetes.io/service-name: checkout } }
addressType: IPv4
endpoints:
  - addresses: [10.0.0.1]
    conditions: { ready: true, serving: true, terminating: false }
    targetRef: { kind: Pod, name: checkout-695d49c57z-1, uid: uid-Pod-checkout-695d49c57z-1 }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: checkout, namespace: shop, generation: 1 }
spec: { parentRefs: [{ name: gateway }], rules: [{ backendRefs: [{ name: checkout, port: 80 }] }] }
status:
  parents:
    - parentRef: { name: gateway }
      controllerName: traefik.io/gateway-controller
      conditions:
        - { type: Accepted, status: 'True', observedGeneration: 1 }
        - { type: ResolvedRefs, status: 'True', observedGeneration: 1 }
---
apiVersion: serin.dev/v1alpha1
kind: MetricSource
metadata: { name: main }
spec: { prometheus: { address: 'http://prometheus.monitoring.svc:9090' }, default: true }
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: { name: serin, namespace: serin-system }
spec: { holderIdentity: serin-7d4b_1, renewTime: '2026-11-24T11:59:58Z' }
`;

const served: Readonly<Record<string, readonly string[]>> = {
  'admissionregistration.k8s.io/v1': ['mutatingadmissionpolicies', 'validatingadmissionpolicies'],
  'serin.dev/v1alpha1': ['rollouts', 'rolloutactions', 'releaserecords', 'metricsources'],
  'gateway.networking.k8s.io/v1': ['httproutes'],
};

/** What the source counts in a second, and how much of it fails. */
export interface Counted {
  readonly perSecond: number;
  readonly failedShare: number;
}

export interface SampleCluster extends Trial {
  /** Merges a patch into an object, `null` removes; its path is like "services/checkout". */
  readonly edit: (path: string, patch: object) => void;
  readonly remove: (path: string) => void;
  /** Rights that the person or the operator lacks: "person create rolloutactions", "operator patch services". */
  readonly denied: Set<string>;
  /** Undefined: the source has no such series. */
  counted: Counted | undefined;
  /** The guard holds what it should. */
  guards: boolean;
}

export function sampleCluster(options: TrialOptions = {}): SampleCluster {
  const stage = trial(options);
  const { api } = stage;
  const put = (path: string, object: object): void => api.put(path, object);
  for (const document of parseAllDocuments(objects)) {
    const object: SampleObject = document.toJS();
    const metadata = { ...object.metadata, uid: `uid-${object.kind}-${object.metadata.name}`, resourceVersion: '1' };
    put(pathOf(object), { ...object, metadata });
  }
  put(rolloutPath, checkout(statuses.idle));
  put('/version', { gitVersion: 'v1.36.3' });
  for (const [group, names] of Object.entries(served))
    put(`/apis/${group}`, { resources: names.map((name) => ({ name })) });
  putPolicies(put);
  const cluster: SampleCluster = {
    ...stage,
    edit(path, patch) {
      const key = keyIn(api.objects.keys(), path);
      put(key, merged(api.objects.get(key) ?? {}, patch));
    },
    remove: (path) => void api.objects.delete(keyIn(api.objects.keys(), path)),
    denied: new Set(),
    counted: { perSecond: 200, failedShare: 0.001 },
    guards: true,
  };
  api.respond = (request) => answer(request, cluster);
  return cluster;
}

function merged(into: object, patch: object): object {
  const result = new Map<string, unknown>(Object.entries(into));
  for (const [name, value] of Object.entries(patch)) {
    const old = result.get(name);
    if (value === null) result.delete(name);
    else result.set(name, isRecord(value) && isRecord(old) ? merged(old, value) : value);
  }
  return Object.fromEntries(result);
}

interface SampleObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function pathOf({ apiVersion, kind, metadata }: SampleObject): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${kind.toLowerCase()}s/${metadata.name}`;
}

function keyIn(keys: Iterable<string>, path: string): string {
  const found = [...keys].find((key) => key.endsWith(`/${path}`));
  if (found === undefined) throw new Error(`the sample has no ${path}`);
  return found;
}

function putPolicies(put: (path: string, object: object) => void): void {
  const root = '/apis/admissionregistration.k8s.io/v1';
  for (const [type, names] of Object.entries(shippedPolicies))
    for (const name of names) {
      put(`${root}/${type}admissionpolicies/${name}`, { metadata: { name } });
      put(`${root}/${type}admissionpolicybindings/${name}`, { metadata: { name }, spec: { policyName: name } });
    }
}

function answer(request: KubeRequest, cluster: SampleCluster): object | undefined {
  const { method, path, body } = request;
  if (path.includes('/proxy/')) return metricsOf(cluster);
  if (path.endsWith('accessreviews')) return { status: { allowed: !cluster.denied.has(rightIn(path, body)) } };
  if (method === 'PATCH') {
    const deployment = cluster.api.objects.get(path) as { readonly metadata: object; readonly spec: object };
    if (!cluster.guards) return deployment;
    const metadata = { ...deployment.metadata, annotations: { 'serin.dev/held': 'true' } };
    return { ...deployment, metadata, spec: { ...deployment.spec, paused: true } };
  }
  return method === 'POST' ? { metadata: {} } : undefined;
}

function rightIn(path: string, body: unknown): string {
  const { spec } = body as { readonly spec: { readonly resourceAttributes: { verb: string; resource: string } } };
  const who = path.endsWith('/selfsubjectaccessreviews') ? 'person' : 'operator';
  return `${who} ${spec.resourceAttributes.verb} ${spec.resourceAttributes.resource}`;
}

/** Counters of the one pod, scraped every 15 s for five minutes. */
function metricsOf({ counted, clock }: SampleCluster): object {
  const metric = { namespace: 'shop', pod: 'checkout-695d49c57z-1', job: 'pods', instance: '10.0.0.1:8080' };
  const scrapes = Array.from({ length: 20 }, (_, index) => index * 15);
  const series = (perSecond: number, labels: object) => ({
    metric: { ...metric, ...labels },
    values: scrapes.map((second) => [clock.nowMs() / 1000 - 300 + second, String(perSecond * second)]),
  });
  const { perSecond = 0, failedShare = 0 } = counted ?? {};
  const result = [
    series(perSecond * (1 - failedShare), { __name__: 'http_requests_total', code: '200' }),
    series(perSecond * failedShare, { __name__: 'http_requests_total', code: '500' }),
  ];
  return { status: 'success', data: { resultType: 'matrix', result: counted === undefined ? [] : result } };
}
