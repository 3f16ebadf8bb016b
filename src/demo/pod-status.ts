/** Puts the state of a running pod into the form in which kubelets report it; it knows no server. */
import type { Pod } from '../workload/objects.ts';

/** What of a pod's spec the demo's node obeys. */
export type PodSpec = Pod['spec'] & {
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly {
    readonly name: string;
    readonly image?: string;
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  }[];
};

export interface RunningPod {
  readonly ip: string;
  readonly startedAtMs: number;
  readonly isReady: boolean;
}

/** The port that the pod's first container names first; 8080 where it names none. */
export function namedPort({ containers: [container] }: PodSpec): number {
  return container?.ports?.[0]?.containerPort ?? 8080;
}

/** What the environment of the pod's first container says; '' where it does not say it. */
export function envOf({ containers: [container] }: PodSpec, name: string): string {
  return container?.env?.find((one) => one.name === name)?.value ?? '';
}

export function runningStatus(
  { containers }: PodSpec,
  { ip, startedAtMs, isReady }: RunningPod,
  nowMs: number,
): object {
  const ready = isReady ? 'True' : 'False';
  const startedAt = secondsOf(startedAtMs);
  return {
    phase: 'Running',
    hostIP: '127.0.0.1',
    podIP: ip,
    podIPs: [{ ip }],
    startTime: startedAt,
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: startedAt },
      { type: 'Initialized', status: 'True', lastTransitionTime: startedAt },
      { type: 'ContainersReady', status: ready, lastTransitionTime: secondsOf(nowMs) },
      { type: 'Ready', status: ready, lastTransitionTime: secondsOf(nowMs) },
    ],
    containerStatuses: containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: image,
      ready: isReady,
      started: true,
      restartCount: 0,
      state: { running: { startedAt } },
    })),
  };
}

/** Kubernetes writes whole seconds. */
function secondsOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
