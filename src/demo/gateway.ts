/** The demo's gateway: sends real requests to pods by the weights of its HTTPRoutes, and says in their status what it has taken up. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { httpRoutes } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../traffic/objects.ts';
import { Balancer } from './balance.ts';
import type { PodNetwork } from './network.ts';
import { createForward, type Forward, refuse } from './proxy.ts';
import { withParent } from './route-status.ts';
import { parentIn, type Routed, routed, routeFor } from './routing.ts';
import { serve } from './serve.ts';

export interface GatewayOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly network: PodNetwork;
  /** Kept equal to the cluster by somebody else. */
  readonly routes: Store<HTTPRoute>;
  readonly services: Store<Service>;
  readonly slices: Store<EndpointSlice>;
  /** How routes name it in their parentRefs. */
  readonly name: { readonly name: string; readonly namespace: string };
  /** Changes are taken up together, at most this often, as real gateways do it. */
  readonly throttleMs?: number;
  /** Told what is in force from now on. */
  readonly onRoutes?: (routes: readonly Routed[]) => void;
}

export interface Gateway {
  readonly url: string;
  /** Takes up changes until `signal` aborts, then closes everything. Rejects when it cannot write what it should. */
  run(signal: AbortSignal): Promise<void>;
}

/** Answers from now on; what it knows of routes it learns in `run`. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const inForce: { routes: readonly Routed[] } = { routes: [] };
  const { forward, close } = createForward();
  const answer = answering(options.network, forward, inForce);
  const served = await serve((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return {
    url: served.url,
    async run(signal) {
      try {
        await takeUp(options, inForce, signal);
      } finally {
        await served.close();
        await close();
      }
    },
  };
}

function answering(network: PodNetwork, forward: Forward, inForce: { readonly routes: readonly Routed[] }) {
  const balancer = new Balancer();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = routeFor(inForce.routes, request.headers.host ?? '');
    if (route === undefined) return refuse(response, 404, 'no route for this host');
    const backend = balancer.backend(route);
    const endpoint = backend === undefined ? undefined : balancer.endpoint(backend);
    if (endpoint === undefined) return refuse(response, 503, 'no pod is ready');
    const origin = network.originOf(endpoint);
    if (origin === undefined) return refuse(response, 502, 'nobody listens at the address of the pod');
    await forward(origin, request, response);
  };
}

async function takeUp(
  options: GatewayOptions,
  inForce: { routes: readonly Routed[] },
  signal: AbortSignal,
): Promise<void> {
  const { clock, throttleMs = 200, onRoutes } = options;
  const news = new News([options.routes, options.services, options.slices], signal);
  while (!signal.aborted) {
    await news.wait();
    if (signal.aborted) break;
    const own = options.routes.all().filter((route) => parentIn(route, options.name) !== undefined);
    const seen = own.map((route) => ({ route, routed: routed(route, objectsOf(options)) }));
    inForce.routes = seen.map((one) => one.routed);
    onRoutes?.(inForce.routes);
    for (const one of seen) await report(options, one.route, one.routed);
    await clock.sleep(throttleMs, signal);
  }
}

function objectsOf({ services, slices }: GatewayOptions) {
  return { services: services.all(), slices: slices.all() };
}

async function report({ client, clock, name }: GatewayOptions, route: HTTPRoute, seen: Routed): Promise<void> {
  const parentRef = parentIn(route, name);
  if (parentRef === undefined) return;
  const parents = withParent(route, parentRef, seen, clock.nowMs());
  if (isDeepStrictEqual(parents, route.status?.parents)) return;
  try {
    await client.patchStatus(httpRoutes, route.metadata, { parents });
  } catch (error) {
    // Deleted meanwhile: nobody reads its status any more.
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

/** Wakes when one of several stores changed, however often it did. */
class News {
  #isThere = true;
  #wake: (() => void) | undefined;

  constructor(stores: readonly { onChange(listener: () => void): () => void }[], signal: AbortSignal) {
    const note = () => {
      this.#isThere = true;
      this.#wake?.();
    };
    const ends = stores.map((store) => store.onChange(note));
    signal.addEventListener('abort', () => {
      for (const end of ends) end();
      note();
    });
  }

  async wait(): Promise<void> {
    if (!this.#isThere) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    this.#isThere = false;
  }
}
