/** Turns every change of a watched object into looks at the Rollouts that it concerns; it never decides what a change means. */
import { keyOf, type KubeObject, refOf } from '../kube/resources.ts';
import type { KeyQueue } from '../kube/queue.ts';
import type { Change, Store } from '../kube/store.ts';
import { affectedBy } from './affected.ts';
import { kindsWatched, type Rollout, type Stores, type Watched } from './stores.ts';
import { priorityOfChange } from './urgency.ts';

export interface WakeUpParts {
  readonly stores: Stores;
  readonly queue: Pick<KeyQueue, 'add'>;
  /** Told of what is gone, before its Rollouts are looked at. */
  readonly onGone: (resource: Watched, uid: string) => void;
}

export function wakeOnChanges({ stores, queue, onGone }: WakeUpParts): void {
  const onChange = (resource: Watched, change: Change<KubeObject>): void => {
    if (change.kind === 'deleted') onGone(resource, change.object.metadata.uid);
    for (const key of affectedBy(stores, resource, change))
      queue.add(key, { priority: priorityOfChange(resource, rolloutOf(stores, key)) });
  };
  for (const resource of Object.keys(kindsWatched) as Watched[]) {
    const store = stores[resource] as unknown as Store<KubeObject>;
    store.onChange((change) => onChange(resource, change));
  }
}

/** Looks at all Rollouts of a namespace. */
export function wakeNamespace({ stores, queue }: Omit<WakeUpParts, 'onGone'>, namespace: string): void {
  for (const rollout of stores.rollouts.list('namespace', namespace)) queue.add(keyOf(rollout.metadata));
}

export function rolloutOf(stores: Pick<Stores, 'rollouts'>, key: string): Rollout | undefined {
  const { namespace, name } = refOf(key);
  return stores.rollouts.get(namespace, name);
}
