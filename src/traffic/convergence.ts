/**
 * Remembers since when each gateway has been seen to have accepted a route as it is now. The status of a route is the
 * only word of most gateways, and it speaks of the control plane: hence the time to settle after it. It never decides
 * whether that is long enough.
 */
import type { Clock } from '../kube/clock.ts';
import type { RouteView } from '../release/world.ts';
import type { HTTPRoute, ParentRef, RouteParentStatus } from './objects.ts';

type Parent = RouteView['parents'][number];

/**
 * Time in milliseconds between a gateway's "accepted" and the moment when every proxy works that way, by controllerName.
 * Traefik applies what it has watched at most every 2 s; the others push at once, and the rest is margin.
 */
const SETTLE_MS: Readonly<Record<string, number>> = {
  'traefik.io/gateway-controller': 5_000,
  'gateway.envoyproxy.io/gatewayclass-controller': 5_000,
  'istio.io/gateway-controller': 5_000,
  'istio.io/unmanaged-gateway': 5_000,
  'istio.io/mesh-controller': 5_000,
  'io.cilium/gateway-controller': 5_000,
  'gateway.nginx.org/nginx-gateway-controller': 5_000,
};
/** Load balancers of clouds, by the beginning of their controllerName. */
const CLOUD_CONTROLLERS = [
  'networking.gke.io/',
  'gateway.k8s.aws/',
  'application-networking.k8s.aws/',
  'alb.networking.azure.io/',
];
const CLOUD_SETTLE_MS = 120_000;
const UNKNOWN_SETTLE_MS = 30_000;

/** What was seen of one gateway for one route. */
interface Sighting {
  readonly generation: number;
  /** Monotonic time; undefined while it has not accepted this generation. */
  readonly sinceMs: number | undefined;
  /** Whether backends resolved when the canary was not in the route; a route that was broken before need not be whole now. */
  readonly resolvedBefore: boolean | undefined;
}

export class ConvergenceWatch {
  readonly #clock: Clock;
  readonly #routes = new Map<string, ReadonlyMap<string, Sighting>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Routes that are remembered; they stay until `forget`. */
  get size(): number {
    return this.#routes.size;
  }

  /**
   * Notes what the route's status says now; to be called with every look.
   *
   * @param hasCanary whether the canary is among the backends: without it, what is seen is what must not get worse.
   * @param settleMs what the Rollout says, instead of the table.
   */
  observe(route: HTTPRoute, hasCanary: boolean, settleMs?: number): Parent[] {
    const before = this.#routes.get(route.metadata.uid);
    const now = new Map<string, Sighting>();
    const parents: Parent[] = [];
    for (const parent of reporting(route)) {
      const key = keyOf(parent, route.metadata.namespace);
      const sighting = this.#sight(route, parent, hasCanary, before?.get(key));
      now.set(key, sighting);
      parents.push({
        key,
        accepted: sighting.sinceMs !== undefined,
        acceptedForMs: sighting.sinceMs === undefined ? 0 : this.#clock.monotonicMs() - sighting.sinceMs,
        settleMs: settleMs ?? settleMsOf(parent.controllerName),
      });
    }
    this.#routes.set(route.metadata.uid, now);
    return parents;
  }

  /** The route is gone, or no Rollout asks about it any more. */
  forget(routeUid: string): void {
    this.#routes.delete(routeUid);
  }

  #sight(route: HTTPRoute, parent: RouteParentStatus, hasCanary: boolean, before: Sighting | undefined): Sighting {
    const generation = route.metadata.generation ?? 0;
    const resolved = holds(parent, 'ResolvedRefs', generation);
    const accepted = holds(parent, 'Accepted', generation);
    // Only a status that speaks of this generation may count as what it was like before.
    const resolvedBefore = hasCanary || !accepted ? before?.resolvedBefore : resolved;
    const isAccepted = accepted && (resolved || resolvedBefore === false);
    const isSame = before?.generation === generation && before.sinceMs !== undefined;
    const sinceMs = isAccepted ? (isSame ? before.sinceMs : this.#clock.monotonicMs()) : undefined;
    return { generation, sinceMs, resolvedBefore };
  }
}

/** Time that this gateway needs after it accepted a route, in milliseconds. */
export function settleMsOf(controllerName: string): number {
  const known = SETTLE_MS[controllerName];
  if (known !== undefined) return known;
  return CLOUD_CONTROLLERS.some((start) => controllerName.startsWith(start)) ? CLOUD_SETTLE_MS : UNKNOWN_SETTLE_MS;
}

/** Entries of gateways that the route still asks for; a gateway that it left may keep its old entry for ever. */
function reporting(route: HTTPRoute): readonly RouteParentStatus[] {
  const { namespace } = route.metadata;
  const wanted = new Set((route.spec.parentRefs ?? []).map((ref) => refKeyOf(ref, namespace)));
  return (route.status?.parents ?? []).filter(({ parentRef }) => wanted.has(refKeyOf(parentRef, namespace)));
}

/** True, and said of this generation by a controller that says of which generation it speaks. */
function holds(parent: RouteParentStatus, type: string, generation: number): boolean {
  const condition = parent.conditions?.find((one) => one.type === type);
  if (condition?.status !== 'True') return false;
  const observed = condition.observedGeneration ?? 0;
  return observed === 0 || observed >= generation;
}

function keyOf(parent: RouteParentStatus, namespace: string | undefined): string {
  return `${refKeyOf(parent.parentRef, namespace)} ${parent.controllerName}`;
}

function refKeyOf(ref: ParentRef, routeNamespace: string | undefined): string {
  const { kind = 'Gateway', namespace = routeNamespace ?? '', name, sectionName = '', port = '' } = ref;
  return [kind, namespace, name, sectionName, port].join('/');
}
