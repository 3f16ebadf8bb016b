/** The scheduler of a cluster with one node that takes everything. */
import type { Clock } from '../../kube/clock.ts';
import { pods, refOf } from '../../kube/resources.ts';
import type { Pod } from '../../workload/objects.ts';
import type { ApiServer } from '../server/api-server.ts';
import type { Change } from '../server/storage.ts';
import { secondsAt } from './deployment/conditions.ts';
import { Hand, keyOfObject } from './hand.ts';
import { isEnding, nodeOf } from './pod-states.ts';
import type { Controller } from './runner.ts';

export const NODE = 'node-1';

export class Scheduler implements Controller {
  readonly name = 'scheduler';
  readonly #hand: Hand;
  readonly #clock: Clock;

  constructor({ server, clock }: { readonly server: ApiServer; readonly clock: Clock }) {
    this.#hand = new Hand(server, this.name, 'kube-scheduler');
    this.#clock = clock;
  }

  all(): readonly string[] {
    return this.#hand.all(pods).map(keyOfObject);
  }

  concerns({ resource, type, object }: Change): readonly string[] {
    return resource === 'pods.' && type === 'ADDED' ? [keyOfObject(object)] : [];
  }

  sync(key: string): undefined {
    const pod = this.#hand.find<Pod>(pods, refOf(key));
    if (pod === undefined || nodeOf(pod) !== undefined || isEnding(pod)) return;
    const bound = this.#hand.patch<Pod>(pods, pod, { spec: { nodeName: NODE } });
    const condition = {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: secondsAt(this.#clock.nowMs()),
    };
    const others = (bound.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
    this.#hand.patch(pods, bound, { status: { conditions: [...others, condition] } }, 'status');
  }
}
