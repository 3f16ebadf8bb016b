/** Puts the collector of counts and the judging of Rollouts together, and counts how metric sources answer; it judges nothing itself. */
import { Agent, type Dispatcher, getGlobalDispatcher } from 'undici';
import type { Metrics, PollResult } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { Collector } from '../signals/collector.ts';
import { Autoscalers } from './autoscalers.ts';
import { Judging } from './judging.ts';
import { metricSourceOf } from './metric-sources.ts';
import { SourceAccessReader } from './source-access.ts';
import { countingPolls } from './source-polls.ts';
import type { MetricSource, Stores } from './stores.ts';

export interface JudgementParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: Pick<Stores, 'metricsources' | 'pods' | 'services'>;
  /** Reads what MetricSources demand, and autoscalers. */
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  /** The namespace of this process; default: `serin-system`. */
  readonly ownNamespace: string | undefined;
  readonly metrics: Pick<Metrics, 'judgePolled'>;
  /** How metric sources are reached; default: directly. */
  readonly sources: Dispatcher | undefined;
  /** The answer about this Rollout is another one now. */
  readonly onChange: (rollout: string) => void;
  /** Another source may be used now, or one no more: it concerns every Rollout. */
  readonly onAccess: () => void;
}

export interface Judgement {
  readonly judging: Judging;
  /** Reads metric sources until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function judgementOf(parts: JudgementParts): Judgement {
  const { clock, random, stores, metrics, client, sources, onChange, onAccess } = parts;
  const onPoll = (origin: string, result: PollResult): void => {
    const source = stores.metricsources.all().find((one) => isAt(one, origin));
    metrics.judgePolled(source?.metadata.name ?? 'unknown', result);
  };
  const access = new SourceAccessReader({
    client,
    clock,
    ownNamespace: parts.ownNamespace ?? 'serin-system',
    onChange: onAccess,
    observed: (dispatcher) => countingPolls(dispatcher, onPoll),
  });
  // Certificates of pods are for no address, and nothing that is sent to them is a secret.
  const scrapes = new Agent({ connect: { rejectUnauthorized: false }, pipelining: 1 });
  const collector = new Collector({
    clock,
    random,
    scrapes,
    dispatcher: countingPolls(sources ?? getGlobalDispatcher(), onPoll),
    onChange: (attempt) => {
      const rollout = judging.rolloutOf(attempt);
      if (rollout !== undefined) onChange(rollout);
    },
  });
  const autoscalers = new Autoscalers({ client, clock });
  const judging = new Judging({
    collector,
    stores,
    sourceOf: (name, namespace) => access.admit(metricSourceOf(stores.metricsources.all(), name), namespace),
    scalingOf: (namespace, deployment, replicas) => autoscalers.scalingOf(namespace, deployment, replicas),
    nowMs: () => clock.nowMs(),
  });
  return {
    judging,
    run: async (signal) => {
      try {
        await Promise.all([collector.run(signal), access.run(signal), autoscalers.run(signal)]);
      } finally {
        await scrapes.destroy();
      }
    },
  };
}

function isAt({ spec }: MetricSource, origin: string): boolean {
  return spec !== undefined && URL.parse(spec.prometheus.address)?.origin === origin;
}
