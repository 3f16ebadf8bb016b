/** Lists the pods of one version for the judge, by the UID of their ReplicaSet; it knows nothing of numbers. */
import type { PodRef } from '../signals/picture.ts';
import { createdAtMs, type Pod } from '../workload/objects.ts';
import type { Stores } from './stores.ts';

/**
 * Pods that serve or served: terminating ones too, their last requests still count. Only those of the namespace: who owns
 * it, anybody may write into a pod.
 */
export function armPods(
  stores: Pick<Stores, 'pods'>,
  namespace: string,
  replicaSetUid: string | undefined,
): readonly PodRef[] {
  if (replicaSetUid === undefined) return [];
  return stores.pods
    .list('controller', replicaSetUid)
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map((pod) => ({ name: pod.metadata.name, startedAtMs: startedAtMs(pod) }));
}

/** When its counters began at zero: the start of its last container, else of the pod. */
function startedAtMs(pod: Pod): number {
  const starts = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => {
    const { startedAt } = state?.running ?? {};
    return startedAt === undefined ? [] : [Date.parse(startedAt)];
  });
  return starts.length === 0 ? createdAtMs(pod) : Math.max(...starts);
}
