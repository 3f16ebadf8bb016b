// Owns the form in which a preset says which series count requests: what to ask for, and what each series stands for.

/** Which version served a request; `both`: a target that counts for both, as a gateway does. */
export type Arm = 'canary' | 'stable';

export interface Preset {
  /** Tried in turn until one returns series. Without the range, which the collector adds. */
  readonly selectors: readonly string[];
  /** Named when there is no series: short, for people. */
  readonly example: string;
  place(labels: Readonly<Record<string, string>>): Placed;
}

export type Placed =
  | { readonly kind: 'foreign' }
  /** Proof that a target was scraped, whatever it counted: a value of 0 means that the scrape failed. */
  | { readonly kind: 'heartbeat'; readonly target: TargetName }
  | {
      readonly kind: 'requests';
      readonly target: TargetName;
      readonly arm: Arm;
      readonly isBad: boolean;
      /** Two streams count the same requests; only the preferred one may be read. Lowest rank wins. */
      readonly stream: string;
      readonly rank: number;
    };

export interface TargetName {
  /** What is scraped by several jobs is still one target's requests: the collector keeps to one job. */
  readonly job: string;
  readonly instance: string;
  /** The pod, where targets are pods. */
  readonly pod: string | undefined;
}

/** A value inside double quotes in PromQL. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** A matcher for exactly these values. */
export function anyOf(values: readonly string[]): string {
  return quoted(values.map((value) => value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'));
}

/** Failed on the server's side: 500 to 599, also written as a class, "5xx". Undefined when it is not a status code. */
export function isServerError(code: string | undefined): boolean | undefined {
  if (code === undefined || !/^[1-5](\d\d|xx)$/i.test(code)) return undefined;
  return code.startsWith('5');
}
