/** Says what is set aside for the pods of one version: the requests in their specs, as admission left them. It knows no prices. */
import type { PodShape } from '../analysis/money.ts';
import { meanShape } from '../signals/cost-money.ts';
import type { Pod } from '../workload/objects.ts';
import { isTerminating } from '../workload/pods.ts';
import { quantity } from '../workload/quantity.ts';

interface Requesting {
  readonly restartPolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, unknown>>;
    readonly limits?: Readonly<Record<string, unknown>>;
  };
}

/** The mean of the pods that are not ending; undefined while there are none. */
export function shapeOf(pods: readonly Pod[]): PodShape | undefined {
  const shapes = pods.filter((pod) => !isTerminating(pod)).map(podShape);
  return shapes.length === 0 ? undefined : meanShape(shapes);
}

/** As the scheduler counts: all containers and sidecars together, or the largest of those that run before, and the overhead. */
function podShape({ spec }: Pod): PodShape {
  const { overhead } = spec as { readonly overhead?: Readonly<Record<string, unknown>> };
  const inits: readonly Requesting[] = spec.initContainers ?? [];
  const containers: readonly Requesting[] = [
    ...spec.containers,
    ...inits.filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  const before = inits.filter(({ restartPolicy }) => restartPolicy !== 'Always');
  const whole = (of: (container: Requesting) => number, extra?: unknown) =>
    Math.max(
      containers.reduce((sum, container) => sum + of(container), 0),
      ...before.map(of),
    ) + (quantity(extra) ?? 0);
  return {
    cpu: whole((container) => requested(container, 'cpu'), overhead?.['cpu']),
    memoryBytes: whole((container) => requested(container, 'memory'), overhead?.['memory']),
    gpu: whole(gpusOf),
  };
}

/** A limit without a request is the request. */
function requested({ resources = {} }: Requesting, resource: string): number {
  return quantity(resources.requests?.[resource] ?? resources.limits?.[resource]) ?? 0;
}

/** "nvidia.com/gpu", "amd.com/gpu", … */
function gpusOf(container: Requesting): number {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const names = Object.keys({ ...limits, ...requests }).filter((name) => name.endsWith('/gpu'));
  return names.reduce((sum, name) => sum + requested(container, name), 0);
}
