/** Reads off routes and EndpointSlices what a request can reach; it knows nothing of releases. */
import type { EndpointSlice, HTTPRoute } from '../../../src/traffic/objects.ts';

const serviceLabel = 'kubernetes.io/service-name';

/** Names of the Services that get requests by this route, with their part in percent. */
export function sharesOf(route: { readonly spec: HTTPRoute['spec'] }): ReadonlyMap<string, number> {
  const backends = route.spec.rules?.[0]?.backendRefs ?? [];
  const sum = backends.reduce((total, { weight = 1 }) => total + weight, 0);
  return new Map(backends.map(({ name, weight = 1 }) => [name, sum === 0 ? 0 : (100 * weight) / sum]));
}

/** Percent of the requests that goes to the canary Service by this route. */
export function canaryPercentOf(route: { readonly spec: HTTPRoute['spec'] }): number {
  return [...sharesOf(route)].reduce((sum, [name, percent]) => sum + (name.endsWith('-canary') ? percent : 0), 0);
}

/** Different pods that are ready and not ending behind any backend with a weight. */
export function readyBehind(route: HTTPRoute, slices: readonly EndpointSlice[]): number {
  const shares = sharesOf(route);
  const addresses = new Set<string>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.[serviceLabel] ?? '';
    if ((shares.get(service) ?? 0) === 0) continue;
    for (const { addresses: own = [], conditions = {} } of slice.endpoints ?? [])
      if (conditions.ready === true && conditions.terminating !== true) for (const one of own) addresses.add(one);
  }
  return addresses.size;
}
