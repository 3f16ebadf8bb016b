// Owns the form in which a preset says which series count requests and how long they took: what to ask for, and what each
// series stands for.

/** Which version served a request; `both`: a target that counts for both, as a gateway does. */
export type Arm = 'canary' | 'stable';

export type Labels = Readonly<Record<string, string>>;

export interface Preset {
  /** Tried in turn until one returns requests. Without the range, which the collector adds. */
  readonly selectors: readonly string[];
  /** Asked right after each of them, where the failures have a selector of their own. */
  readonly second?: string;
  /** Named when there is no series: short, for people. */
  readonly example: string;
  /** Each target is a pod, so a new pod's first samples are waited for. */
  readonly isByPod: boolean;
  /** `isSecond`: what the second selector returned. */
  place(labels: Labels, isSecond?: boolean): Placed;
}

export type Placed =
  | { readonly kind: 'foreign' }
  /** Proof that a target was scraped, whatever it counted: a value of 0 means that the scrape failed. */
  | { readonly kind: 'heartbeat'; readonly target: TargetName }
  | PlacedRequests
  | PlacedLatency;

export interface PlacedRequests {
  readonly kind: 'requests';
  readonly target: TargetName;
  readonly arm: Arm;
  readonly isBad: boolean;
  /** What else it counts: failures that are counted among all requests too are no requests of their own. */
  readonly counts: 'requests' | 'failuresOnly';
  /** Two streams count the same requests; only the preferred one may be read. Lowest rank wins. */
  readonly stream: string;
  readonly rank: number;
}

/** How long requests took: one boundary of a classic histogram (it has the label `le`), or a native one. */
export interface PlacedLatency {
  readonly kind: 'latency';
  readonly form: 'classic' | 'native';
  readonly target: TargetName;
  readonly arm: Arm;
  /**
   * Failed requests are judged as errors. Their time is left out: one that fails at once would make a version look fast, and
   * one that fails late would be held against it twice. Undefined where the histogram does not tell them apart.
   */
  readonly isBad: boolean | undefined;
  readonly stream: string;
  readonly rank: number;
  readonly secondsPerUnit: number;
  /** A native histogram counts its requests too, as this stream. */
  readonly requests?: { readonly stream: string; readonly rank: number };
}

export interface TargetName {
  /** What is scraped by several jobs is still one target's requests: the collector keeps to one job. */
  readonly job: string;
  readonly instance: string;
  /** The pod, where targets are pods. */
  readonly pod: string | undefined;
}

export const foreign: Placed = { kind: 'foreign' };

/** A value inside double quotes in PromQL. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** A matcher for exactly these values. */
export function anyOf(values: readonly string[]): string {
  return quoted(patternOf(values));
}

/** A pattern for exactly these values. */
export function patternOf(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
}

/** Failed on the server's side: 500 to 599, also written as a class, "5xx". Undefined when it is not a status code. */
export function isServerError(code: string | undefined): boolean | undefined {
  if (code === undefined || !/^[1-5](\d\d|xx)$/i.test(code)) return undefined;
  return code.startsWith('5');
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: what OpenTelemetry calls a server's error. */
const serverErrorsOfGrpc = new Set(['2', '4', '12', '13', '14', '15']);

/** gRPC fails with status 200 and says so elsewhere. */
export function isGrpcError(status: string | undefined): boolean {
  return status !== undefined && serverErrorsOfGrpc.has(status);
}
