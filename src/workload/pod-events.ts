/**
 * Decides which Events tell why a pod is not ready, and in which words. What a probe's own command wrote is never shown: as the
 * log of an application it may hold a secret, and status is read by more people.
 */
import { containersOf } from './late-container.ts';
import type { Pod, PodEvent } from './objects.ts';

/** The kubelet's reason for a probe that fails; the container runs. */
const PROBED = 'Unhealthy';
/** Its reasons for a pod of which no container could be created yet. */
const NOT_CREATED = new Set(['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox']);
/** What it says of volumes now and then, beside an Event that names the cause. */
const SUMMARY = /^Unable to attach or mount volumes/;
/** Put before the newest of many Events that differ a little. */
const COMBINED = /^\(combined from similar events\): /;
const RUNTIME_ID = /\b[0-9a-f]{32,64}\b/g;

/** Whether an Event is one of those that `wordsOfEvents` reads. */
export function isTelling({ reason = '' }: PodEvent): boolean {
  return reason === PROBED || NOT_CREATED.has(reason);
}

/** The newest that the kubelet said of this pod, in its own words; undefined when no Event says why it is not ready. */
export function wordsOfEvents(pod: Pod, events: readonly PodEvent[]): string | undefined {
  const isOfNow = hasStarted(pod) ? isOfProbe : isOfCreation;
  const own = events.filter((event) => event.involvedObject.uid === pod.metadata.uid && isOfNow(event));
  const [first] = own.toSorted((a, b) => Number(isSummary(a)) - Number(isSummary(b)) || newestFirst(a, b));
  if (first?.message === undefined) return undefined;
  const container = containerIn(first);
  const message = plainly(first.message);
  const said = isOfProbe(first) ? probeWords(pod, container, message) : message;
  return container === undefined ? said : `container ${container}: ${said}`;
}

/** Without what each try has anew: words that change all the time would be news all the time. */
export function plainly(message: string): string {
  return message.replace(COMBINED, '').replaceAll(RUNTIME_ID, '…');
}

/** Once a container was created its volumes and its network are there, and Events that say otherwise are old. */
function hasStarted(pod: Pod): boolean {
  return containersOf(pod).some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);
}

function isOfProbe({ reason }: PodEvent): boolean {
  return reason === PROBED;
}

function isOfCreation({ reason = '' }: PodEvent): boolean {
  return NOT_CREATED.has(reason);
}

function isSummary({ message = '' }: PodEvent): boolean {
  return SUMMARY.test(message);
}

function newestFirst(a: PodEvent, b: PodEvent): number {
  return (b.lastTimestamp ?? '').localeCompare(a.lastTimestamp ?? '');
}

/** Of `spec.containers{app}`. */
function containerIn({ involvedObject }: PodEvent): string | undefined {
  return /^spec\.\w+\{([^}]+)\}$/.exec(involvedObject.fieldPath ?? '')?.[1];
}

/** A probe that failed is told with what its command wrote; one that could not be made, in words of the container runtime. */
function probeWords(pod: Pod, container: string | undefined, message: string): string {
  const [, said, probe = '', how] = /^((\w+) probe (failed|errored))/.exec(message) ?? [];
  if (how === 'errored' || !runsCommand(pod, container, probe)) return message;
  return `${said ?? 'a probe failed'} (what its command wrote is in the Events of the pod)`;
}

/** Without the container's name, or where the message is in another form, any command of the pod may have written it. */
function runsCommand(pod: Pod, container: string | undefined, probe: string): boolean {
  const all: readonly Probed[] = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const meant = container === undefined ? all : all.filter(({ name }) => name === container);
  return meant.some((one) => {
    const probes = { Readiness: one.readinessProbe, Liveness: one.livenessProbe, Startup: one.startupProbe };
    const asked = Object.entries(probes).filter(([name]) => !(probe in probes) || name === probe);
    return asked.some(([, how]) => how?.exec !== undefined);
  });
}

interface Probed {
  readonly name: string;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
}

interface Probe {
  readonly exec?: object;
}
