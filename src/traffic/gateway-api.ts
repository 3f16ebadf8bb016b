/**
 * Shows an HTTPRoute as the decision sees it and puts a split on it. The route is its user's: only backends and their
 * weights are written, and Serin's one annotation while a release runs.
 */
import type { KubeClient } from '../kube/client.ts';
import { httpRoutes } from '../kube/resources.ts';
import type { RouteView } from '../release/world.ts';
import { yieldFields } from '../workload/fields.ts';
import { SPLIT_ANNOTATION } from '../workload/marks.ts';
import { canaryServiceName } from './canary-service.ts';
import type { ConvergenceWatch } from './convergence.ts';
import type { HTTPRoute, Service } from './objects.ts';
import { readSplit, type SplitRoute, withSplit } from './split.ts';

export interface RouteSeen {
  readonly name: string;
  /** Undefined when it does not exist. */
  readonly route?: HTTPRoute | undefined;
  /** Name of the user's Service. */
  readonly service: string;
  /** That Service itself: it may keep sessions on one backend. */
  readonly backend?: Service | undefined;
  /** What the Rollout says instead of the table of gateways. */
  readonly settleMs?: number | undefined;
}

type Operation = Parameters<KubeClient['jsonPatch']>[2][number];

/** Annotation of a Service by which Traefik keeps sessions on one backend. */
const STICKY_ANNOTATION = 'traefik.ingress.kubernetes.io/service.sticky.cookie';

export function viewRoute(seen: RouteSeen, watch: ConvergenceWatch): RouteView {
  const { name, route, service } = seen;
  if (route === undefined) return missing(name);
  const { sessionPersistence, ...split } = readSplit(route, service, canaryServiceName(service));
  return {
    kind: 'HTTPRoute',
    name,
    exists: true,
    ...split,
    sessionPersistence: sessionPersistence || keepsSessions(seen.backend),
    parents: watch.observe(route, split.canaryWeightPercent !== undefined, seen.settleMs),
  };
}

/**
 * Writes the split on the route as it was looked at; throws Conflict when it changed since.
 *
 * @returns the route as written, or undefined when there was nothing to write.
 */
export async function splitRoute(
  client: KubeClient,
  route: HTTPRoute,
  service: string,
  weightPercent: number | 'out',
  signal?: AbortSignal,
): Promise<HTTPRoute | undefined> {
  const split = withSplit(route, service, canaryServiceName(service), weightPercent);
  if (split === undefined) return undefined;
  const { resourceVersion } = route.metadata;
  const operations = [...refOperations(route, split), ...markOperations(route, split.annotation)];
  const written = await client.jsonPatch<HTTPRoute>(
    httpRoutes,
    route.metadata,
    operations,
    { resourceVersion },
    signal,
  );
  if (split.annotation === undefined) await yieldFields(client, httpRoutes, written, signal);
  return written;
}

function refOperations(route: HTTPRoute, split: SplitRoute): Operation[] {
  return split.rules.flatMap((rule, at): Operation[] => {
    if (rule === route.spec.rules?.[at]) return [];
    return [{ op: 'replace', path: `/spec/rules/${at}/backendRefs`, value: rule.backendRefs ?? [] }];
  });
}

function markOperations(route: HTTPRoute, annotation: string | undefined): Operation[] {
  const { annotations } = route.metadata;
  const path = `/metadata/annotations/${SPLIT_ANNOTATION.replace('/', '~1')}`;
  if (annotation === undefined) return annotations?.[SPLIT_ANNOTATION] === undefined ? [] : [{ op: 'remove', path }];
  if (annotations === undefined)
    return [{ op: 'add', path: '/metadata/annotations', value: { [SPLIT_ANNOTATION]: annotation } }];
  return [{ op: 'add', path, value: annotation }];
}

function keepsSessions(service: Service | undefined): boolean {
  if (service === undefined) return false;
  return service.spec.sessionAffinity === 'ClientIP' || service.metadata.annotations?.[STICKY_ANNOTATION] === 'true';
}

function missing(name: string): RouteView {
  return {
    kind: 'HTTPRoute',
    name,
    exists: false,
    serves: false,
    canaryWeightPercent: undefined,
    uniform: true,
    sessionPersistence: false,
    parents: [],
  };
}
