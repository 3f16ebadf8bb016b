// Reads what money there is in metrics: OpenCost's allocations and prices of nodes, or requests from kube-state-metrics. What they
// do not say comes from the pods themselves and the price table, and the words say which it was.
import type { PodShape, Prices } from '../analysis/money.ts';
import { anyOf, quoted } from './presets/preset.ts';
import type { Series } from './series.ts';

export interface MoneySeen {
  /** From OpenCost, or from kube-state-metrics; undefined where neither tells of every pod. */
  readonly shapes: { readonly canary: PodShape; readonly stable: PodShape; readonly of: string } | undefined;
  /** From OpenCost, of the nodes that the pods are on. */
  readonly prices: Omit<Prices, 'currency'> | undefined;
  /** What is wrong with how OpenCost is scraped, in a sentence. */
  readonly note: string | undefined;
}

export const noMoneySeen: MoneySeen = { shapes: undefined, prices: undefined, note: undefined };

const allocations = ['container_cpu_allocation', 'container_memory_allocation_bytes', 'container_gpu_allocation'];
const nodePrices = ['node_cpu_hourly_cost', 'node_ram_hourly_cost', 'node_gpu_hourly_cost'];
const requests = 'kube_pod_container_resource_requests';

export function podMoneySelector(namespace: string, pods: readonly string[]): string {
  return `{__name__=~${quoted([...allocations, requests].join('|'))},namespace=${quoted(namespace)},pod=~${anyOf(pods)}}`;
}

/** The same, where the server has renamed the labels. */
export function renamedSelector(namespace: string, pods: readonly string[]): string {
  return `{__name__=~${quoted(allocations.join('|'))},exported_namespace=${quoted(namespace)},exported_pod=~${anyOf(pods)}}`;
}

/** Undefined where OpenCost says of no pod which node it is on. */
export function nodePricesSelector(ofPods: readonly Series[]): string | undefined {
  const nodes = nodesIn(ofPods);
  return nodes.length === 0 ? undefined : `{__name__=~${quoted(nodePrices.join('|'))},node=~${anyOf(nodes)}}`;
}

export const renamedNote =
  'OpenCost is there, but its labels arrive as exported_pod: the platform team sets honor_labels: true where it is scraped.';

export function moneyIn(
  ofPods: readonly Series[],
  ofNodes: readonly Series[],
  pods: { readonly canary: readonly string[]; readonly stable: readonly string[] },
  isRenamed: boolean,
): MoneySeen {
  const opencost = shapesOf(pods, (pod) => allocatedTo(ofPods, pod));
  const requested = shapesOf(pods, (pod) => requestedBy(ofPods, pod));
  const prices = pricesIn(ofNodes);
  const isPriced = opencost !== undefined && prices !== undefined;
  return {
    shapes: isPriced
      ? { ...opencost, of: 'allocations of OpenCost' }
      : requested && { ...requested, of: 'requests as kube-state-metrics shows them' },
    prices,
    note: isRenamed ? renamedNote : undefined,
  };
}

/** The mean of all pods of each version; undefined while one of them is missing. */
function shapesOf(
  { canary, stable }: { readonly canary: readonly string[]; readonly stable: readonly string[] },
  shapeOf: (pod: string) => PodShape | undefined,
): { readonly canary: PodShape; readonly stable: PodShape } | undefined {
  const [one, other] = [canary, stable].map((pods) => {
    const shapes = pods.flatMap((pod) => shapeOf(pod) ?? []);
    return shapes.length === 0 || shapes.length < pods.length ? undefined : meanShape(shapes);
  });
  return one && other && { canary: one, stable: other };
}

export function meanShape(shapes: readonly PodShape[]): PodShape {
  const mean = (of: (shape: PodShape) => number) => shapes.reduce((sum, shape) => sum + of(shape), 0) / shapes.length;
  return {
    cpu: mean(({ cpu }) => cpu),
    memoryBytes: mean(({ memoryBytes }) => memoryBytes),
    gpu: mean(({ gpu }) => gpu),
  };
}

function allocatedTo(all: readonly Series[], pod: string): PodShape | undefined {
  const [cpu, memoryBytes, gpu = 0] = allocations.map((metric) =>
    sumOfContainers(all.filter(({ labels }) => labels['__name__'] === metric && labels['pod'] === pod)),
  );
  return cpu === undefined || memoryBytes === undefined ? undefined : { cpu, memoryBytes, gpu };
}

function requestedBy(all: readonly Series[], pod: string): PodShape | undefined {
  const own = all.filter(({ labels }) => labels['__name__'] === requests && labels['pod'] === pod);
  if (own.length === 0) return undefined;
  const of = (resource: RegExp) =>
    sumOfContainers(own.filter(({ labels }) => resource.test(labels['resource'] ?? ''))) ?? 0;
  return { cpu: of(/^cpu$/), memoryBytes: of(/^memory$/), gpu: of(/gpu$/) };
}

/** Two servers, or two jobs, may show the same container: its mean counts once. */
function sumOfContainers(all: readonly Series[]): number | undefined {
  const byContainer = [...Map.groupBy(all, ({ labels }) => labels['container'] ?? '').values()];
  const values = byContainer.flatMap((series) => meanOf(series) ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

function pricesIn(ofNodes: readonly Series[]): Omit<Prices, 'currency'> | undefined {
  const [cpuHour, memoryGibHour, gpuHour = 0] = nodePrices.map((metric) =>
    meanOf(ofNodes.filter(({ labels }) => labels['__name__'] === metric)),
  );
  return cpuHour === undefined || memoryGibHour === undefined ? undefined : { cpuHour, memoryGibHour, gpuHour };
}

/**
 * One price for all nodes that either version is on: that a new pod came to a cheaper node is nothing that the version did.
 */
function meanOf(all: readonly Series[]): number | undefined {
  const values = all.flatMap(({ samples }) => samples.at(-1)?.value ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function nodesIn(ofPods: readonly Series[]): readonly string[] {
  const named = ofPods.filter(({ labels }) => allocations.includes(labels['__name__'] ?? ''));
  return [...new Set(named.flatMap(({ labels }) => labels['node'] ?? []))].toSorted();
}
