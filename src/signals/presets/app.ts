// The preset for counters that the pods expose themselves: which series are requests, and whose. Pods are told apart by
// the list of pods from Kubernetes, never by how their names look.
import { type Arm, type Placed, type Preset, anyOf, isServerError, quoted } from './preset.ts';

const plain = 'http_requests_total';
const openTelemetry = 'http_server_request_duration_seconds_count';

/** Probes of the kubelet reach a canary that no user reaches; counting them would pass for traffic. */
const probePaths = /^\/?(healthz?|livez?|readyz?|health\/.*|-\/(healthy|ready)|metrics|startupz?)\/?$/i;
const pathLabels = ['path', 'handler', 'route', 'http_route', 'url_path', 'uri', 'endpoint_path'] as const;

/** `armOf`: the arm of a pod by its name; undefined for pods of other workloads. */
export function appPreset(namespace: string, pods: readonly string[], armOf: (pod: string) => Arm | undefined): Preset {
  const of = (metric: string, some: readonly string[]) =>
    `${metric}{namespace=${quoted(namespace)},pod=~${anyOf(some)}}`;
  const names = `__name__=~"${plain}|${openTelemetry}|up"`;
  return {
    // Without a pod the matcher would mean: series without a pod.
    selectors: pods.length === 0 ? [] : [`{${names},namespace=${quoted(namespace)},pod=~${anyOf(pods)}}`],
    example: of(plain, pods.slice(0, 1)),
    place: (labels) => place(labels, armOf),
  };
}

function place(labels: Readonly<Record<string, string>>, armOf: (pod: string) => Arm | undefined): Placed {
  const { __name__: metric, pod, job = '', instance = '' } = labels;
  const arm = pod === undefined ? undefined : armOf(pod);
  if (arm === undefined) return { kind: 'foreign' };
  const target = { job, instance, pod };
  if (metric === 'up') return { kind: 'heartbeat', target };
  const isBad = isServerError(metric === plain ? plainStatus(labels) : labels.http_response_status_code);
  if (isBad === undefined || isProbe(labels)) return { kind: 'foreign' };
  return { kind: 'requests', target, arm, isBad, stream: metric ?? '', rank: metric === plain ? 0 : 1 };
}

function plainStatus(labels: Readonly<Record<string, string>>): string | undefined {
  return labels.code ?? labels.status ?? labels.status_code;
}

function isProbe(labels: Readonly<Record<string, string>>): boolean {
  return pathLabels.some((name) => probePaths.test(labels[name] ?? ''));
}
