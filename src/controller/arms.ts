/** Lists the pods of one version, by the UID of their ReplicaSet: for the judge, for checks, for scraping. It knows nothing of numbers. */
import type { PodRef } from '../signals/picture.ts';
import { createdAtMs, type Pod } from '../workload/objects.ts';
import type { Stores } from './stores.ts';

/** Where pods are found by their controller. */
export interface PodLists {
  readonly pods: Pick<Stores['pods'], 'list'>;
}

/** Only those of the namespace: who owns it, anybody may write into a pod. */
export function controlledPods(
  { pods }: PodLists,
  namespace: string,
  replicaSetUid: string | undefined,
): readonly Pod[] {
  if (replicaSetUid === undefined) return [];
  return pods.list('controller', replicaSetUid).filter(({ metadata }) => metadata.namespace === namespace);
}

/** Pods that serve or served: terminating ones too, their last requests still count. */
export function armPods(stores: PodLists, namespace: string, replicaSetUid: string | undefined): readonly PodRef[] {
  return controlledPods(stores, namespace, replicaSetUid).map((pod) => ({
    name: pod.metadata.name,
    startedAtMs: startedAtMs(pod),
  }));
}

/** When its counters began at zero: the start of its last container, else of the pod. */
function startedAtMs(pod: Pod): number {
  const starts = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => {
    const { startedAt } = state?.running ?? {};
    return startedAt === undefined ? [] : [Date.parse(startedAt)];
  });
  return starts.length === 0 ? createdAtMs(pod) : Math.max(...starts);
}
