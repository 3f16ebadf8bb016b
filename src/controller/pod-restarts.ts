/** Says how often the pods of one version were restarted, as Kubernetes has it. It counts nothing over time. */
import type { PodRestarts } from '../signals/restarts.ts';
import { type ContainerStatus, createdAtMs, type Pod } from '../workload/objects.ts';
import { isTerminating, servingContainersOf } from '../workload/pods.ts';
import { controlledPods, type PodLists } from './arms.ts';

/** Of pods that run: one that waits for its first container cannot be restarted, and one on its way out ends by intent. */
export function armRestarts(
  stores: PodLists,
  namespace: string,
  replicaSetUid: string | undefined,
): readonly PodRestarts[] {
  return controlledPods(stores, namespace, replicaSetUid).flatMap((pod) => {
    const containers = servingContainersOf(pod);
    if (isTerminating(pod) || !containers.some(hasRun)) return [];
    return {
      name: pod.metadata.name,
      startedAtMs: firstRunMs(pod, containers),
      restarts: containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
      isOutOfMemory: containers.some(({ lastState }) => lastState?.terminated?.reason === 'OOMKilled'),
    };
  });
}

function hasRun({ state, restartCount = 0 }: ContainerStatus): boolean {
  return restartCount > 0 || state?.running !== undefined || state?.terminated !== undefined;
}

/** The start of a container that was never restarted, else the end of the init containers: neither moves with a restart. */
function firstRunMs(pod: Pod, containers: readonly ContainerStatus[]): number {
  const starts = containers
    .filter(({ restartCount = 0 }) => restartCount === 0)
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? ''));
  const { lastTransitionTime } = pod.status?.conditions?.find(({ type }) => type === 'Initialized') ?? {};
  const known = [...starts, Date.parse(lastTransitionTime ?? '')].filter((atMs) => !Number.isNaN(atMs));
  return known.length === 0 ? createdAtMs(pod) : Math.min(...known);
}
