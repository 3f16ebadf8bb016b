// Owns how resources become money: what a version costs in a month if it gets all of the present traffic, on how many pods. Plain
// arithmetic; where prices come from and whether a version may cost more is decided elsewhere.

/** Per hour; a GiB is 2^30 bytes. */
export interface Prices {
  readonly cpuHour: number;
  readonly memoryGibHour: number;
  readonly gpuHour: number;
  readonly currency: string;
}

/** What OpenCost takes where no cloud tells it prices. */
export const defaultPrices: Prices = {
  cpuHour: 0.031611,
  memoryGibHour: 0.004237,
  gpuHour: 0.95,
  currency: 'USD',
};

/** What is set aside for one pod: its requests. */
export interface PodShape {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

/** What all the traffic needs. */
export interface Need {
  /** CPU seconds a second, of all pods together. */
  readonly cpu: number;
  /** Of one pod. */
  readonly memoryBytes: number;
}

/** How many pods there are at 100 percent of the traffic. */
export type Scaling =
  /** A number that a person chose. */
  | { readonly kind: 'fixed'; readonly replicas: number }
  /** An autoscaler that looks at CPU: enough pods that each uses `targetCpu` (cores), or this part of its request. */
  | {
      readonly kind: 'autoscaler';
      readonly name: string;
      readonly min: number;
      readonly max: number;
      readonly target: { readonly ofRequest: number } | { readonly cores: number };
    }
  /** One that looks at other things than CPU: as many pods as now. */
  | { readonly kind: 'otherAutoscaler'; readonly name: string; readonly replicas: number };

export const hoursPerMonth = 730;
const gibibyte = 2 ** 30;

/** R100 of a version: clamp(min, need / (target per pod), max), rounded up. */
export function replicasFor(scaling: Scaling, shape: PodShape, need: Need): number {
  if (scaling.kind !== 'autoscaler') return scaling.replicas;
  const { target, min, max } = scaling;
  const perPod = 'cores' in target ? target.cores : target.ofRequest * shape.cpu;
  // Without a request an autoscaler knows no utilisation, and stays where it is.
  const wanted = perPod > 0 ? Math.ceil(need.cpu / perPod - 1e-9) : min;
  return Math.min(max, Math.max(min, wanted));
}

/**
 * What is set aside for each pod, or used by it where that is more (as OpenCost counts), times the pods, in a month of 730 hours.
 */
export function monthlyCost(scaling: Scaling, shape: PodShape, need: Need, prices: Prices): number {
  const replicas = replicasFor(scaling, shape, need);
  if (replicas === 0) return 0;
  const cpu = Math.max(shape.cpu, need.cpu / replicas);
  const memory = Math.max(shape.memoryBytes, need.memoryBytes) / gibibyte;
  const hourly = cpu * prices.cpuHour + memory * prices.memoryGibHour + shape.gpu * prices.gpuHour;
  return replicas * hourly * hoursPerMonth;
}

/** The price of CPU that is used, whoever has set it aside. */
export function monthlyCpu(cores: number, prices: Prices): number {
  return cores * prices.cpuHour * hoursPerMonth;
}

/** The price of memory that is used. */
export function monthlyMemory(bytes: number, prices: Prices): number {
  return (bytes / gibibyte) * prices.memoryGibHour * hoursPerMonth;
}

/** "1240 USD", "3.20 USD". */
export function moneyWords(amount: number, currency: string): string {
  const rounded = Math.abs(amount) >= 100 ? String(Math.round(amount)) : amount.toFixed(2);
  return `${rounded} ${currency}`;
}
