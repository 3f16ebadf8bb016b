// The preset for what the pods expose themselves: which series count requests and how long they took, and whose they are. It
// reads only names and labels that client libraries are known to write.
import { type OfPod, type PodArms, placeByPod, podSelectors } from './pods.ts';
import { type Labels, type Placed, type Preset, anyOf, foreign, isServerError, quoted } from './preset.ts';

/** A metric's name and what its labels and its unit mean. */
interface Family {
  readonly metric: string;
  /** The first of them that is there is the status. */
  readonly status: readonly string[];
  readonly secondsPerUnit: number;
}

const plain: Family = { metric: 'http_requests_total', status: ['code', 'status', 'status_code'], secondsPerUnit: 1 };
/** Histograms count their requests too, in `_count`. */
const histograms: readonly Family[] = [
  // OpenTelemetry.
  { metric: 'http_server_request_duration_seconds', status: ['http_response_status_code'], secondsPerUnit: 1 },
  // What most middleware for the Prometheus clients of Go, Node and Python writes.
  { metric: 'http_request_duration_seconds', status: ['code', 'status', 'status_code'], secondsPerUnit: 1 },
  // Micrometer (Spring Boot).
  { metric: 'http_server_requests_seconds', status: ['status'], secondsPerUnit: 1 },
  // OpenTelemetry before its names were settled.
  { metric: 'http_server_duration_milliseconds', status: ['http_status_code'], secondsPerUnit: 0.001 },
  { metric: 'http_request_duration_milliseconds', status: ['code', 'status', 'status_code'], secondsPerUnit: 0.001 },
];

/** Probes of the kubelet reach a canary that no user reaches; counting them would pass for traffic. */
const probePaths =
  /^\/?(healthz?|livez?|readyz?|health\/.*|actuator\/(health|prometheus).*|-\/(healthy|ready)|metrics|startupz?)\/?$/i;
const pathLabels = [
  'path',
  'handler',
  'route',
  'http_route',
  'http_target',
  'url_path',
  'uri',
  'endpoint_path',
] as const;

/** `armOf`: the arm of a pod by its name; undefined for pods of other workloads. */
export function appPreset(
  namespace: string,
  pods: readonly string[],
  armOf: PodArms['armOf'],
  withLatency = false,
): Preset {
  const [first, ...others] = histograms;
  const buckets = withLatency ? histograms.flatMap(({ metric }) => [`${metric}_bucket`, metric]) : [];
  const preferred = [plain.metric, `${first?.metric}_count`, ...buckets, 'up'];
  const rest = [...others.map(({ metric }) => `${metric}_count`), ...buckets, 'up'];
  return {
    selectors: [preferred, rest].flatMap((names) => podSelectors({ namespace, pods }, names)),
    example: `${plain.metric}{namespace=${quoted(namespace)},pod=~${anyOf(pods.slice(0, 1))}}`,
    isByPod: true,
    place: (labels) => placed(placeByPod(labels, armOf), labels),
  };
}

interface Part {
  readonly family: Family;
  readonly rank: number;
  readonly of: 'counter' | 'buckets' | 'whole';
}

/** By the name of a series; there are thousands of them. */
const parts: ReadonlyMap<string, Part> = new Map(
  [plain, ...histograms].flatMap((family, rank): readonly (readonly [string, Part])[] =>
    family === plain
      ? [[family.metric, { family, rank, of: 'counter' }]]
      : [
          [`${family.metric}_count`, { family, rank, of: 'counter' }],
          [`${family.metric}_bucket`, { family, rank, of: 'buckets' }],
          [family.metric, { family, rank, of: 'whole' }],
        ],
  ),
);

function placed(ofPod: OfPod, labels: Labels): Placed {
  if (ofPod.kind === 'done') return ofPod.placed;
  const { __name__: stream = '' } = labels;
  const part = parts.get(stream);
  if (!part || isProbe(labels)) return foreign;
  const { family, rank, of } = part;
  const { arm, target } = ofPod;
  const { secondsPerUnit } = family;
  const isBad = isServerError(statusOf(labels, family));
  if (of === 'counter')
    return isBad === undefined ? foreign : { kind: 'requests', target, arm, isBad, counts: 'requests', stream, rank };
  // Native ones come first where both are there: they tell more apart.
  if (of === 'buckets')
    return { kind: 'latency', form: 'classic', target, arm, isBad, stream, rank: rank + 0.5, secondsPerUnit };
  const requests = { stream, rank: rank + 0.25 };
  return { kind: 'latency', form: 'native', target, arm, isBad, stream, rank, secondsPerUnit, requests };
}

function statusOf(labels: Labels, { status }: Family): string | undefined {
  return status.map((name) => labels[name]).find((value) => value !== undefined);
}

function isProbe(labels: Labels): boolean {
  return pathLabels.some((name) => labels[name] !== undefined && probePaths.test(labels[name]));
}
