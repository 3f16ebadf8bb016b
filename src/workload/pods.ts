/** Decides what the state of pods says about their ReplicaSet: ready, crashing, and why not ready in the cluster's own words. */
import type { ReplicaSetView } from '../release/world.ts';
import type { Condition, ContainerStatus, KubeEvent, Pod, ReplicaSet } from './objects.ts';

type Trouble = NonNullable<ReplicaSetView['trouble']>;

/** Reasons of the kubelet for a container that waits for its image. */
const IMAGE_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
/** A container that waits for one of these is on its way and in no trouble. */
const STARTING_REASONS = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** From the most telling down: an image that is not there explains pods that are not ready, never the other way round. */
const TELLING: readonly Trouble['reason'][] = ['ImagePull', 'QuotaExceeded', 'Unschedulable', 'NotReady'];

function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Ready, and not on its way out. */
export function isReady(pod: Pod): boolean {
  return !isTerminating(pod) && conditionOf(pod, 'Ready')?.status === 'True';
}

/** Some container, an init container too, waits in CrashLoopBackOff. */
export function isCrashLooping(pod: Pod): boolean {
  return !isTerminating(pod) && containersOf(pod).some((one) => one.state?.waiting?.reason === 'CrashLoopBackOff');
}

/** A container that serves was restarted. Init containers are left out: they are often written to retry until something is there. */
export function wasRestarted(pod: Pod): boolean {
  return !isTerminating(pod) && servingContainersOf(pod).some((one) => (one.restartCount ?? 0) > 0);
}

/**
 * The most telling reason why pods of this ReplicaSet are missing or not ready; undefined when all are there and ready.
 *
 * @param events of the namespace; they only add the words of a failing probe.
 */
export function troubleOf(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  events: readonly KubeEvent[],
): Trouble | undefined {
  const waiting = pods.filter((pod) => !isTerminating(pod) && !isReady(pod));
  const found = [...waiting.map((pod) => troubleOfPod(pod, events)), refusalOf(replicaSet)];
  const troubles = found.filter((trouble) => trouble !== undefined);
  return troubles.toSorted((a, b) => TELLING.indexOf(a.reason) - TELLING.indexOf(b.reason))[0];
}

/** Pods that the API server did not let the ReplicaSet controller create. */
function refusalOf(replicaSet: ReplicaSet): Trouble | undefined {
  const failure = replicaSet.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status !== 'True' || failure.reason === 'FailedDelete') return undefined;
  const words = failure.message ?? failure.reason ?? 'pods cannot be created';
  return { reason: /exceeded quota/.test(words) ? 'QuotaExceeded' : 'NotReady', words };
}

function troubleOfPod(pod: Pod, events: readonly KubeEvent[]): Trouble | undefined {
  return stuckContainer(pod) ?? unscheduled(pod) ?? unready(pod, events);
}

function stuckContainer(pod: Pod): Trouble | undefined {
  const stuck = containersOf(pod).filter((one) => !STARTING_REASONS.has(one.state?.waiting?.reason ?? ''));
  const first = stuck.find((one) => IMAGE_REASONS.has(one.state?.waiting?.reason ?? '')) ?? stuck[0];
  if (first === undefined) return undefined;
  const { reason = '', message } = first.state?.waiting ?? {};
  const told = [`${reason}${message === undefined ? '' : `: ${message}`}`, lastExitOf(first)];
  return { reason: IMAGE_REASONS.has(reason) ? 'ImagePull' : 'NotReady', words: told.filter(Boolean).join('; ') };
}

function lastExitOf(container: ContainerStatus): string | undefined {
  const end = container.lastState?.terminated;
  if (end === undefined) return undefined;
  return `container ${container.name} ended with exit code ${end.exitCode ?? 'unknown'} (${end.reason ?? 'no reason'})`;
}

function unscheduled(pod: Pod): Trouble | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return { reason: 'Unschedulable', words: scheduled.message ?? scheduled.reason ?? 'the pod is not scheduled' };
}

function unready(pod: Pod, events: readonly KubeEvent[]): Trouble | undefined {
  const probe = events
    .filter((event) => event.involvedObject.uid === pod.metadata.uid && event.reason === 'Unhealthy')
    .toSorted((a, b) => (b.lastTimestamp ?? '').localeCompare(a.lastTimestamp ?? ''))[0];
  const words = probe?.message ?? conditionOf(pod, 'ContainersReady')?.message ?? conditionOf(pod, 'Ready')?.message;
  return words === undefined ? undefined : { reason: 'NotReady', words };
}

function conditionOf(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

function containersOf(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function servingContainersOf(pod: Pod): readonly ContainerStatus[] {
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name),
  );
  const inits = pod.status?.initContainerStatuses ?? [];
  return [...inits.filter((one) => sidecars.has(one.name)), ...(pod.status?.containerStatuses ?? [])];
}
