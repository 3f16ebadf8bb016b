/** Reads routes, Services and EndpointSlices into what the demo's gateway does with requests. Pure: it answers none and writes nothing. */
import type { EndpointSlice, HTTPRoute, ParentRef, RouteRule, Service } from '../traffic/objects.ts';

export interface RoutedBackend {
  /** "shop/checkout". */
  readonly service: string;
  readonly weight: number;
  /** Addresses of pods that are ready, "10.244.0.3:8080". */
  readonly endpoints: readonly string[];
}

export interface Routed {
  /** "shop/checkout": the route. */
  readonly key: string;
  readonly hostnames: readonly string[];
  readonly backends: readonly RoutedBackend[];
  /** Undefined: this gateway obeys it. Else what in it the gateway cannot do. */
  readonly unsupported: string | undefined;
  /** Services that do not exist, or that have no such port. */
  readonly unresolved: readonly string[];
}

export interface Objects {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

type Slice = EndpointSlice & {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
};

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Which of the gateways that a route names is this one. */
export function parentIn(
  route: HTTPRoute,
  gateway: { readonly name: string; readonly namespace: string },
): ParentRef | undefined {
  const { namespace } = route.metadata;
  return route.spec.parentRefs?.find(
    (ref) => ref.name === gateway.name && (ref.namespace ?? namespace) === gateway.namespace,
  );
}

export function routed(route: HTTPRoute, objects: Objects): Routed {
  const { namespace = '', name } = route.metadata;
  const rules = route.spec.rules ?? [];
  const refs = rules[0]?.backendRefs ?? [];
  const backends = refs.map((ref) => ({
    ref,
    found: endpointsOf(ref.namespace ?? namespace, ref.name, ref.port, objects),
  }));
  return {
    key: `${namespace}/${name}`,
    hostnames: hostnamesOf(route),
    backends: backends.map(({ ref, found }) => ({
      service: `${ref.namespace ?? namespace}/${ref.name}`,
      weight: ref.weight ?? 1,
      endpoints: found ?? [],
    })),
    unsupported: rules.map(unsupportedIn).find((words) => words !== undefined) ?? tooMany(rules),
    unresolved: backends.filter(({ found }) => found === undefined).map(({ ref }) => ref.name),
  };
}

/** The route that answers for a host; one without hostnames answers for all. */
export function routeFor(all: readonly Routed[], host: string): Routed | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return all.find(
    ({ hostnames, unsupported }) => unsupported === undefined && (hostnames.length === 0 || hostnames.includes(name)),
  );
}

function tooMany(rules: readonly RouteRule[]): string | undefined {
  return rules.length > 1 ? 'more than one rule' : undefined;
}

/** A gateway that quietly ignored what it cannot do would answer requests that were meant for somebody else. */
function unsupportedIn(rule: RouteRule): string | undefined {
  const unknown = Object.keys(rule).find(
    (field) => field !== 'backendRefs' && field !== 'name' && !isEveryPath(rule, field),
  );
  return unknown === undefined ? undefined : `rules with ${unknown}`;
}

/** The API server writes this match into rules that have none. */
function isEveryPath(rule: RouteRule, field: string): boolean {
  if (field !== 'matches') return false;
  return JSON.stringify(rule[field]) === JSON.stringify([{ path: { type: 'PathPrefix', value: '/' } }]);
}

function hostnamesOf({ spec: { hostnames } }: HTTPRoute): readonly string[] {
  return Array.isArray(hostnames) ? hostnames.map((one) => String(one).toLowerCase()) : [];
}

/** Undefined when there is no such Service or port. */
function endpointsOf(
  namespace: string,
  name: string,
  port: number | undefined,
  { services, slices }: Objects,
): readonly string[] | undefined {
  const service = services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  const servicePort = service?.spec.ports?.find((one) => one.port === port);
  if (servicePort === undefined) return undefined;
  const own = slices.filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.[SERVICE_NAME_LABEL] === name,
  );
  return [...new Set(own.flatMap((slice) => readyIn(slice, servicePort.name ?? '')))].toSorted();
}

/** By the API an absent `ready` means true. */
function readyIn({ ports, endpoints }: Slice, portName: string): readonly string[] {
  const port = ports?.find(({ name = '' }) => name === portName)?.port;
  if (port === undefined) return [];
  return (endpoints ?? [])
    .filter(({ conditions = {} }) => conditions.ready !== false)
    .flatMap(({ addresses = [] }) => addresses.map((address) => `${address}:${port}`));
}
