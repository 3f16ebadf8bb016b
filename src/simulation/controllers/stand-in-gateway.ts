/** A gateway that accepts every route at once and says so; it carries no requests. */
import type { Clock } from '../../kube/clock.ts';
import { httpRoutes, refOf } from '../../kube/resources.ts';
import type { HTTPRoute, RouteParentStatus } from '../../traffic/objects.ts';
import type { ApiServer } from '../server/api-server.ts';
import type { Change } from '../server/storage.ts';
import { secondsAt } from './deployment/conditions.ts';
import { Hand, keyOfObject } from './hand.ts';
import type { Controller } from './runner.ts';

const CONTROLLER = 'traefik.io/gateway-controller';

export class Gateway implements Controller {
  readonly name = 'gateway';
  readonly #hand: Hand;
  readonly #clock: Clock;

  constructor({ server, clock }: { readonly server: ApiServer; readonly clock: Clock }) {
    this.#hand = new Hand(server, this.name, 'traefik');
    this.#clock = clock;
  }

  all(): readonly string[] {
    return this.#hand.all(httpRoutes).map(keyOfObject);
  }

  concerns({ resource, type, object }: Change): readonly string[] {
    return resource === 'httproutes.gateway.networking.k8s.io' && type !== 'DELETED' ? [keyOfObject(object)] : [];
  }

  sync(key: string): undefined {
    const route = this.#hand.find<HTTPRoute>(httpRoutes, refOf(key));
    if (route === undefined || this.#hasSpoken(route)) return;
    const generation = route.metadata.generation ?? 0;
    const lastTransitionTime = secondsAt(this.#clock.nowMs());
    const condition = (type: string) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      observedGeneration: generation,
      lastTransitionTime,
    });
    const conditions = [condition('Accepted'), condition('ResolvedRefs')];
    const parents = (route.spec.parentRefs ?? []).map(
      (parentRef): RouteParentStatus => ({ parentRef, controllerName: CONTROLLER, conditions }),
    );
    this.#hand.patch(httpRoutes, route, { status: { parents } }, 'status');
  }

  #hasSpoken({ metadata, status }: HTTPRoute): boolean {
    const conditions = (status?.parents ?? []).flatMap((parent) => parent.conditions ?? []);
    return (
      conditions.length > 0 && conditions.every(({ observedGeneration }) => observedGeneration === metadata.generation)
    );
  }
}
