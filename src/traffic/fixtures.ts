/** Builds the Services, slices and routes of this folder's tests; nothing of it is in the program. */
import type { Pod } from '../workload/objects.ts';
import type {
  BackendRef,
  Endpoint,
  EndpointSlice,
  HTTPRoute,
  RouteParentStatus,
  RouteRule,
  Service,
} from './objects.ts';

export function service(
  name = 'checkout',
  spec: Partial<Service['spec']> = {},
  metadata: Partial<Service['metadata']> = {},
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '20', ...metadata },
    spec: { type: 'ClusterIP', clusterIP: '10.0.0.1', selector: { app: 'checkout' }, ports: [{ port: 80 }], ...spec },
  };
}

/** An endpoint of a pod; ready unless said otherwise. */
export function endpoint(
  pod: Pod | { readonly name: string },
  conditions: Endpoint['conditions'] = { ready: true },
): Endpoint {
  const ref = 'metadata' in pod ? { name: pod.metadata.name, uid: pod.metadata.uid } : { name: pod.name, uid: 'gone' };
  return { addresses: ['10.1.0.1'], conditions, targetRef: { kind: 'Pod', ...ref } };
}

let slices = 0;
export function slice(endpoints: readonly Endpoint[] | null, of = 'checkout'): EndpointSlice {
  const name = `${of}-${slices++}`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: '1',
      labels: { 'kubernetes.io/service-name': of },
    },
    endpoints,
  };
}

export function backend(name: string, weight?: number, more: Partial<BackendRef> = {}): BackendRef {
  return { name, port: 80, ...(weight === undefined ? {} : { weight }), ...more };
}

export function route(
  rules: readonly RouteRule[],
  change: { metadata?: Partial<HTTPRoute['metadata']>; parents?: readonly RouteParentStatus[] } = {},
): HTTPRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name: 'checkout',
      namespace: 'shop',
      uid: 'route-uid',
      resourceVersion: '30',
      generation: 2,
      ...change.metadata,
    },
    spec: { parentRefs: [{ name: 'gateway', namespace: 'infra' }], rules },
    status: { parents: change.parents ?? [] },
  };
}

export function parent(
  conditions: Record<string, 'True' | 'False'>,
  observedGeneration = 2,
  more: Partial<RouteParentStatus> = {},
): RouteParentStatus {
  return {
    parentRef: { name: 'gateway', namespace: 'infra' },
    controllerName: 'traefik.io/gateway-controller',
    conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, observedGeneration })),
    ...more,
  };
}
