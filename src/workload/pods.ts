/**
 * Decides what the state of pods says about their ReplicaSet: ready, crashing, and why not ready in the cluster's own words.
 * What an application wrote when it ended is never shown: a log may hold a secret, and status is read by more people.
 */
import type { ReplicaSetView } from '../release/world.ts';
import { containersOf, isSidecar, lateContainer } from './late-container.ts';
import {
  type Condition,
  type ContainerStatus,
  createdAtMs,
  type Pod,
  type PodEvent,
  type ReplicaSet,
} from './objects.ts';
import { wordsOfEvents } from './pod-events.ts';

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
/** The container never ran, so the words are those of the container runtime. */
const NEVER_RAN_REASONS = new Set(['StartError', 'ContainerCannotRun', 'ContainerStatusUnknown']);
/** Status is read in a terminal, and all that is remembered of an attempt has to fit into it. */
const MOST_CHARACTERS = 400;

/** From the most telling down: an image that is not there explains pods that are not ready, never the other way round. */
const TELLING: readonly Trouble['reason'][] = ['ImagePull', 'QuotaExceeded', 'Unschedulable', 'NotReady'];

export function isTerminating(pod: Pod): boolean {
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

/** When a container that serves was last restarted, as far as the kubelet says how its last run ended. */
export function restartedAtMs(pod: Pod): number | undefined {
  const ends = servingContainersOf(pod)
    .filter((one) => (one.restartCount ?? 0) > 0)
    .map((one) => Date.parse(one.lastState?.terminated?.finishedAt ?? ''))
    .filter((atMs) => !Number.isNaN(atMs));
  return isTerminating(pod) || ends.length === 0 ? undefined : Math.max(...ends);
}

/**
 * The most telling reason why pods of this ReplicaSet are missing or not ready; undefined when all are there and ready.
 *
 * @param events those that are known; they only add words.
 */
export function troubleOf(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  events: readonly PodEvent[],
): Trouble | undefined {
  const found = [...unreadyOf(pods).map((pod) => troubleOfPod(pod, events)), refusalOf(replicaSet)];
  const troubles = found.filter((trouble) => trouble !== undefined);
  const [first] = troubles.toSorted((a, b) => TELLING.indexOf(a.reason) - TELLING.indexOf(b.reason));
  return first === undefined ? undefined : { ...first, words: inShort(first.words) };
}

/** Pods of which only Events may say why they are not ready, those first whose words are shown. */
export function silentPods(pods: readonly Pod[]): readonly Pod[] {
  return unreadyOf(pods).filter((pod) => spokenTrouble(pod) === undefined);
}

/** Oldest first, so that each look shows the words of the same pod. */
function unreadyOf(pods: readonly Pod[]): readonly Pod[] {
  const waiting = pods.filter((pod) => !isTerminating(pod) && !isReady(pod));
  return waiting.toSorted((a, b) => createdAtMs(a) - createdAtMs(b) || a.metadata.name.localeCompare(b.metadata.name));
}

/** On one line, of bounded length, and without characters that would move a reader's cursor: others wrote it. */
function inShort(words: string): string {
  const line = words.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}

/** Pods that the API server did not let the ReplicaSet controller create. */
function refusalOf(replicaSet: ReplicaSet): Trouble | undefined {
  const failure = replicaSet.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status !== 'True' || failure.reason === 'FailedDelete') return undefined;
  const words = failure.message ?? failure.reason ?? 'pods cannot be created';
  return {
    reason: /(exceeded|failed) quota/.test(words) ? 'QuotaExceeded' : 'NotReady',
    // Each try has another name for the pod, and words that change all the time are written all the time.
    words: words.replace(/^pods "[^"]*" is forbidden: /, 'pods are forbidden: '),
  };
}

function troubleOfPod(pod: Pod, events: readonly PodEvent[]): Trouble | undefined {
  return spokenTrouble(pod) ?? unready(pod, events);
}

/** What the status of the pod says by itself. */
function spokenTrouble(pod: Pod): Trouble | undefined {
  return stuckContainer(pod) ?? unscheduled(pod) ?? ended(pod) ?? restarted(pod);
}

function stuckContainer(pod: Pod): Trouble | undefined {
  const stuck = containersOf(pod).filter((one) => !STARTING_REASONS.has(one.state?.waiting?.reason ?? ''));
  const first = stuck.find((one) => IMAGE_REASONS.has(one.state?.waiting?.reason ?? '')) ?? stuck[0];
  if (first === undefined) return undefined;
  const { reason = '', message } = first.state?.waiting ?? {};
  const isImage = IMAGE_REASONS.has(reason);
  // Of a crash the kubelet only says how long it waits now; how the container ended says more.
  const why = (isImage ? undefined : lastExitOf(first)) ?? message;
  return { reason: isImage ? 'ImagePull' : 'NotReady', words: why === undefined ? reason : `${reason}: ${why}` };
}

function lastExitOf(container: ContainerStatus): string | undefined {
  const end: Ended | undefined = container.state?.terminated ?? container.lastState?.terminated;
  if (end === undefined) return undefined;
  const { reason = 'no reason', exitCode = 'unknown', message } = end;
  const said = NEVER_RAN_REASONS.has(reason) && message !== undefined ? `: ${message}` : '';
  return `container ${container.name} ended with exit code ${exitCode} (${reason})${said}`;
}

interface Ended {
  readonly reason?: string;
  readonly exitCode?: number;
  readonly message?: string;
}

/** Between two crashes the container runs, and how the last run ended is all that is known against it. */
function restarted(pod: Pod): Trouble | undefined {
  const crashed = servingContainersOf(pod).find((one) => one.ready !== true && (one.restartCount ?? 0) > 0);
  const words = crashed === undefined ? undefined : lastExitOf(crashed);
  return words === undefined ? undefined : { reason: 'NotReady', words };
}

function unscheduled(pod: Pod): Trouble | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return { reason: 'Unschedulable', words: scheduled.message ?? scheduled.reason ?? 'the pod is not scheduled' };
}

/** Evicted, or refused by the node that it was sent to: the pod as a whole says why. */
function ended(pod: Pod): Trouble | undefined {
  const status: (Pod['status'] & Pick<Ended, 'reason' | 'message'>) | undefined = pod.status;
  if (status?.phase !== 'Failed') return undefined;
  const words = [status.reason, status.message].filter((word) => word !== undefined).join(': ');
  return { reason: 'NotReady', words: words === '' ? 'the pod failed' : words };
}

function unready(pod: Pod, events: readonly PodEvent[]): Trouble | undefined {
  const known = conditionOf(pod, 'ContainersReady')?.message ?? conditionOf(pod, 'Ready')?.message;
  // Before the kubelet has looked at the pod nothing is known against it.
  const words = wordsOfEvents(pod, events) ?? (known === undefined ? undefined : (lateContainer(pod) ?? known));
  return words === undefined ? undefined : { reason: 'NotReady', words };
}

function conditionOf(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function servingContainersOf(pod: Pod): readonly ContainerStatus[] {
  const inits = pod.status?.initContainerStatuses ?? [];
  return [...inits.filter((one) => isSidecar(pod, one.name)), ...(pod.status?.containerStatuses ?? [])];
}
