/**
 * Says what a container that is not ready is waiting for, as far as the pod itself shows it: its volumes, its probes, a container
 * before it. It knows no Events, in which the kubelet says more.
 */
import type { ContainerStatus, Pod } from './objects.ts';

/** What the first container that is not ready is waiting for, as far as the pod itself shows it. */
export function lateContainer(pod: Pod): string | undefined {
  const late = containersOf(pod).find((one) => one.ready !== true && !hasFinished(one));
  if (late === undefined) return undefined;
  const { name, state, started }: Started = late;
  if (state?.waiting !== undefined) return creating(pod, name);
  if (state?.running === undefined) return undefined;
  const isInit = pod.status?.initContainerStatuses?.includes(late) === true && !isSidecar(pod, name);
  if (isInit) return `init container ${name} has not finished`;
  const { readinessProbe, startupProbe } = specOf(pod, name) ?? {};
  if (started !== true && startupProbe !== undefined)
    return `container ${name} runs, but its startup probe (${probeWords(startupProbe)}) has not succeeded`;
  if (readinessProbe === undefined) return undefined;
  return `container ${name} runs, but its readiness probe (${probeWords(readinessProbe)}) does not succeed`;
}

interface Started extends ContainerStatus {
  readonly started?: boolean;
}

/** An init container that ended well is not ready and need not be. */
function hasFinished({ state }: ContainerStatus): boolean {
  return state?.terminated?.exitCode === 0;
}

function creating(pod: Pod, container: string): string {
  const needed = neededBy(pod);
  const whatFor = needed.length === 0 ? 'its volumes, its network' : needed.join(', ');
  return `container ${container} is not created yet: is there ${whatFor}? (kubectl describe pod ${pod.metadata.name})`;
}

/** What the volumes of the pod are made of, by name: without it no container is created. */
function neededBy(pod: Pod): readonly string[] {
  const { volumes } = pod.spec as { readonly volumes?: readonly Volume[] };
  return (volumes ?? []).flatMap(({ configMap, secret, persistentVolumeClaim: claim }) => [
    ...(configMap?.name === undefined || configMap.optional === true ? [] : [`ConfigMap ${configMap.name}`]),
    ...(secret?.secretName === undefined || secret.optional === true ? [] : [`Secret ${secret.secretName}`]),
    ...(claim?.claimName === undefined ? [] : [`PersistentVolumeClaim ${claim.claimName}`]),
  ]);
}

interface Volume {
  readonly configMap?: { readonly name?: string; readonly optional?: boolean };
  readonly secret?: { readonly secretName?: string; readonly optional?: boolean };
  readonly persistentVolumeClaim?: { readonly claimName?: string };
}

interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port?: number | string };
  readonly tcpSocket?: { readonly port?: number | string };
  readonly grpc?: { readonly port?: number };
  readonly exec?: { readonly command?: readonly string[] };
}

interface Probed {
  readonly name: string;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

function probeWords({ httpGet, tcpSocket, grpc, exec }: Probe): string {
  if (httpGet !== undefined) return `GET :${httpGet.port ?? ''}${httpGet.path ?? '/'}`;
  if (tcpSocket !== undefined) return `TCP :${tcpSocket.port ?? ''}`;
  if (grpc !== undefined) return `gRPC :${grpc.port ?? ''}`;
  return exec?.command?.[0] === undefined ? 'of its own kind' : `exec ${exec.command[0]}`;
}

function specOf(pod: Pod, name: string): Probed | undefined {
  const all: readonly Probed[] = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return all.find((one) => one.name === name);
}

export function isSidecar(pod: Pod, name: string): boolean {
  return pod.spec.initContainers?.some((one) => one.name === name && one.restartPolicy === 'Always') === true;
}

/** Init containers first, as they run. */
export function containersOf(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}
