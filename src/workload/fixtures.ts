/** Builds the objects and the API server of this folder's and traffic's tests; nothing of it is in the program. */
import { KubeClient } from '../kube/client.ts';
import { KubeError, type KubeErrorCode } from '../kube/errors.ts';
import type { OwnerReference } from '../kube/resources.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import type { Deployment, Pod, PodTemplate, ReplicaSet } from './objects.ts';

export const ROLLOUT_UID = 'rollout-uid-1';
const DEPLOYMENT_UID = 'deployment-uid-1';

export function template(image = 'shop/checkout:1', labels: Record<string, string> = {}): PodTemplate {
  return { metadata: { labels: { app: 'checkout', ...labels } }, spec: { containers: [{ name: 'app', image }] } };
}

export function deployment(
  spec: Partial<Deployment['spec']> = {},
  metadata: Partial<Deployment['metadata']> = {},
  status: Deployment['status'] = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'checkout',
      namespace: 'shop',
      uid: DEPLOYMENT_UID,
      resourceVersion: '100',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { replicas: 4, selector: { matchLabels: { app: 'checkout' } }, template: template(), ...spec },
    status: { observedGeneration: 3, ...status },
  };
}

export const byDeployment: OwnerReference = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'checkout',
  uid: DEPLOYMENT_UID,
  controller: true,
};

export const byRecord: OwnerReference = {
  apiVersion: 'serin.dev/v1alpha1',
  kind: 'ReleaseRecord',
  name: 'checkout-record',
  uid: 'record-uid-1',
  controller: true,
};

export function ownedBy({ metadata }: ReplicaSet): OwnerReference {
  const { name, uid } = metadata;
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true };
}

/** A ReplicaSet of the Deployment named after its hash. */
export function replicaSet(
  hash: string,
  owner: OwnerReference | undefined = byDeployment,
  change: {
    spec?: Partial<ReplicaSet['spec']>;
    metadata?: Partial<ReplicaSet['metadata']>;
    status?: ReplicaSet['status'];
  } = {},
): ReplicaSet {
  const labels = { app: 'checkout', 'pod-template-hash': hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `checkout-${hash}`,
      namespace: 'shop',
      uid: `uid-${hash}`,
      resourceVersion: '7',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      ...change.metadata,
    },
    spec: {
      replicas: 4,
      selector: { matchLabels: labels },
      template: template('shop/checkout:1', { 'pod-template-hash': hash }),
      ...change.spec,
    },
    status: { observedGeneration: 1, replicas: 4, availableReplicas: 4, ...change.status },
  };
}

/** A ready pod of a ReplicaSet. */
export function pod(
  owner: OwnerReference | undefined,
  name: string,
  change: { status?: Pod['status']; metadata?: Partial<Pod['metadata']>; spec?: Partial<Pod['spec']> } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: '1',
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      ...change.metadata,
    },
    spec: { containers: [{ name: 'app' }], ...change.spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...change.status },
  };
}

export interface RecordedApi {
  readonly client: KubeClient;
  readonly requests: KubeRequest[];
}

/** An API server that notes what it is asked and answers with `answer`, which may throw. */
export function recordedApi(answer: (request: KubeRequest) => unknown = () => ({ metadata: {} })): RecordedApi {
  const requests: KubeRequest[] = [];
  const transport: Transport = {
    async request<T>(request: KubeRequest) {
      requests.push(request);
      return answer(request) as T;
    },
    stream: () => Promise.reject(new Error('nothing is watched in these tests')),
    close: () => Promise.resolve(),
  };
  return { client: new KubeClient({ transport }), requests };
}

/** An API server where the name of what is created is taken by `found`. */
export function apiWith(found: object): RecordedApi {
  return recordedApi(({ method }) => {
    if (method === 'POST') throw refused('AlreadyExists');
    return found;
  });
}

/** An API server that refuses everything. */
export function refusingApi(code: KubeErrorCode): RecordedApi {
  return recordedApi(() => {
    throw refused(code);
  });
}

export function refused(code: KubeErrorCode, message: string = code): KubeError {
  return new KubeError(message, { code, retry: 'never' });
}
