/**
 * Knows which autoscaler sizes a Deployment, for what a version would cost with all the traffic: read once a minute in namespaces
 * where a release asks about cost, and nowhere else. It never writes one.
 */
import type { Scaling } from '../analysis/money.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { horizontalPodAutoscalers, type KubeObject } from '../kube/resources.ts';
import { quantity } from '../workload/quantity.ts';

export interface AutoscalersOptions {
  readonly client: Pick<KubeClient, 'list'>;
  readonly clock: Clock;
}

interface Autoscaler extends KubeObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly metrics?: readonly {
      readonly resource?: Resource;
      readonly containerResource?: Resource;
    }[];
  };
}

interface Resource {
  readonly name?: string;
  readonly target?: { readonly averageUtilization?: number; readonly averageValue?: unknown };
}

interface Known {
  /** A text says why they are not known. */
  all: readonly Autoscaler[] | string;
  dueMs: number;
  wantedMs: number;
}

const againMs = 60_000;
const wantedForMs = 300_000;
const longestSleepMs = 1_000;

export class Autoscalers {
  readonly #options: AutoscalersOptions;
  readonly #namespaces = new Map<string, Known>();

  constructor(options: AutoscalersOptions) {
    this.#options = options;
  }

  /** How a Deployment is sized now; a text says why that is not known, without a full stop. */
  scalingOf(namespace: string, deployment: string, replicas: number): Scaling | string {
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#namespaces.get(namespace) ?? {
      all: 'autoscalers are being read',
      dueMs: nowMs,
      wantedMs: nowMs,
    };
    known.wantedMs = nowMs;
    this.#namespaces.set(namespace, known);
    if (typeof known.all === 'string') return known.all;
    const own = known.all.find(({ spec }) => isFor(spec?.scaleTargetRef, deployment));
    return own === undefined ? { kind: 'fixed', replicas } : scalingBy(own, replicas);
  }

  /** Reads until `signal` aborts; what fails is told where it is asked for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const nowMs = clock.monotonicMs();
      for (const [namespace, known] of this.#namespaces) {
        if (known.wantedMs < nowMs - wantedForMs) this.#namespaces.delete(namespace);
        else if (known.dueMs <= nowMs) await this.#read(namespace, known, signal);
      }
      await clock.sleep(longestSleepMs, signal);
    }
  }

  async #read(namespace: string, known: Known, signal: AbortSignal): Promise<void> {
    try {
      known.all = (await this.#options.client.list<Autoscaler>(horizontalPodAutoscalers, { namespace }, signal)).items;
    } catch (error) {
      const isForbidden = isKubeError(error, 'Forbidden');
      // A cluster without that kind has no autoscalers; an outage takes nothing away that was known.
      if (isKubeError(error, 'NotFound')) known.all = [];
      else if (isForbidden || typeof known.all === 'string')
        known.all = isForbidden
          ? 'the operator may not list horizontalpodautoscalers.autoscaling there, a right that the platform team gives'
          : 'autoscalers could not be read';
    }
    known.dueMs = this.#options.clock.monotonicMs() + againMs;
  }
}

function isFor(target: { readonly kind?: string; readonly name?: string } | undefined, deployment: string): boolean {
  return target?.kind === 'Deployment' && target.name === deployment;
}

function scalingBy({ metadata, spec = {} }: Autoscaler, replicas: number): Scaling {
  const { minReplicas: min = 1, maxReplicas: max = replicas, metrics } = spec;
  const { name } = metadata;
  // Without metrics the API server means 80 % of the request for CPU.
  const resources = metrics?.map(({ resource, containerResource }) => resource ?? containerResource);
  const cpu =
    resources === undefined ? { target: { averageUtilization: 80 } } : resources.find((one) => one?.name === 'cpu');
  const { averageUtilization, averageValue } = cpu?.target ?? {};
  const cores = quantity(averageValue);
  if (averageUtilization !== undefined)
    return { kind: 'autoscaler', name, min, max, target: { ofRequest: averageUtilization / 100 } };
  return cores === undefined
    ? { kind: 'otherAutoscaler', name, replicas }
    : { kind: 'autoscaler', name, min, max, target: { cores } };
}
