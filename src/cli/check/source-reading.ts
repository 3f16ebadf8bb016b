/**
 * Asks a metric source for the counters that the operator would judge by. An address inside the cluster is asked through
 * the API server, as the person at the terminal; any other from this machine. That there is no way from here says nothing
 * about the operator.
 */
import { Agent } from 'undici';
import { countingPolls } from '../../controller/source-polls.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { isKubeError, type KubeError } from '../../kube/errors.ts';
import { type PrometheusOptions, rawSamples } from '../../signals/prometheus.ts';
import type { Fetched } from '../../signals/fetched.ts';
import type { Answered } from '../../signals/prometheus-body.ts';
import type { SourceOf } from '../../signals/subject.ts';
import { ApiDispatcher, type InCluster } from './api-dispatcher.ts';

export type SourceReading =
  | { readonly kind: 'answered'; readonly answer: Answered }
  /** It answered, and wrongly: that is so from everywhere. */
  | { readonly kind: 'wrong'; readonly sentence: string }
  /** It could not be reached from here. */
  | { readonly kind: 'unseen'; readonly sentence: string };

export interface Question {
  readonly source: SourceOf;
  readonly selector: string;
  readonly rangeMs: number;
}

export function readSource({ source, selector, rangeMs }: Question, parts: AskingParts): Promise<SourceReading> {
  const signal = new AbortController().signal;
  return askSource(source, (options) => rawSamples(source, selector, rangeMs, options, signal), parts);
}

/** What is to be asked, in whatever way there is to the source. */
export type Ask = (options: PrometheusOptions) => Promise<Fetched<Answered>>;

export interface AskingParts {
  readonly client: KubeClient;
  readonly clock: Clock;
}

export async function askSource(source: SourceOf, ask: Ask, { client, clock }: AskingParts): Promise<SourceReading> {
  const service = serviceIn(source.address);
  if (service === undefined) return directly(ask, clock);
  const proxied = await throughApi(source, ask, service, client, clock);
  if (proxied.kind !== 'unseen' || service.isCertain) return proxied;
  const direct = await directly(ask, clock);
  return direct.kind === 'unseen' ? proxied : direct;
}

/** "http://prometheus.monitoring.svc:9090", and "prometheus.monitoring" where it may be one. */
function serviceIn(address: string): (InCluster & { readonly isCertain: boolean }) | undefined {
  const { hostname, port, protocol } = new URL(address);
  const found = /^([a-z0-9-]+)\.([a-z][a-z0-9-]*)(\.svc(?:\.[a-z0-9.-]+)?)?$/.exec(hostname);
  if (found === null) return undefined;
  const [, name = '', namespace = '', svc] = found;
  const isTls = protocol === 'https:';
  const usual = isTls ? '443' : '80';
  return { namespace, target: `${isTls ? 'https:' : ''}${name}:${port || usual}`, isCertain: svc !== undefined };
}

async function throughApi(
  source: SourceOf,
  ask: Ask,
  service: InCluster & { readonly isCertain: boolean },
  client: KubeClient,
  clock: Clock,
): Promise<SourceReading> {
  let failure: unknown;
  const dispatcher = new ApiDispatcher(client, service, (error) => (failure = error));
  const fetched = await ask({ clock, dispatcher });
  if (fetched.kind === 'ok') return { kind: 'answered', answer: fetched.value };
  return isKubeError(failure)
    ? refusedThere(source, failure, service.isCertain)
    : { kind: 'wrong', sentence: fetched.sentence };
}

function refusedThere({ name, address }: SourceOf, error: KubeError, isCertain: boolean): SourceReading {
  const who = `MetricSource ${name} (${address})`;
  const words = error.message.split(': the API server refused: ').at(-1) ?? error.message;
  if (error.code === 'Unexpected')
    return {
      kind: 'wrong',
      sentence: `${who} answered without JSON where the Prometheus API was expected: is the address right?`,
    };
  if (error.code === 'NotFound' && isCertain)
    return { kind: 'wrong', sentence: `${who} is not there (${words}); the platform team corrects the address.` };
  return { kind: 'unseen', sentence: `${who} could not be asked through the API server (${words}).` };
}

async function directly(ask: Ask, clock: Clock): Promise<SourceReading> {
  let isReached = false;
  const agent = new Agent();
  const dispatcher = countingPolls(agent, (_origin, result) => (isReached ||= result !== 'failed'));
  try {
    const fetched = await ask({ clock, dispatcher });
    if (fetched.kind === 'ok') return { kind: 'answered', answer: fetched.value };
    return { kind: isReached ? 'wrong' : 'unseen', sentence: fetched.sentence };
  } finally {
    await agent.close();
  }
}
