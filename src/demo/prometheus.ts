/** The demo's Prometheus: scrapes pods for real and answers the one query that Serin asks, raw samples of a selector. It computes nothing. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Agent } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { parseExposition } from '../signals/exposition.ts';
import type { PodNetwork } from './network.ts';
import { Samples } from './samples.ts';
import { parseSelector } from './selector.ts';
import { serve } from './serve.ts';

/** What is to be scraped, as service discovery finds it. */
export interface ScrapeTarget {
  /** "10.244.0.3:8080". */
  readonly address: string;
  readonly namespace: string;
  readonly pod: string;
}

export interface PrometheusOptions {
  readonly clock: Clock;
  readonly network: PodNetwork;
  /** Asked before each round. */
  readonly targets: () => readonly ScrapeTarget[];
  readonly intervalMs?: number;
}

export interface Prometheus {
  readonly url: string;
  /** Scrapes until `signal` aborts, then closes everything. */
  run(signal: AbortSignal): Promise<void>;
}

export async function openPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { clock } = options;
  const samples = new Samples();
  const served = await serve((request, response) => {
    // Whoever asked has gone in the middle of the question.
    answer(samples, clock, request, response).catch(() => response.destroy());
  });
  return {
    url: served.url,
    async run(signal) {
      const agent = new Agent({ pipelining: 1 });
      try {
        await scraping(options, samples, agent, signal);
      } finally {
        await served.close();
        await agent.destroy();
      }
    },
  };
}

async function scraping(
  options: PrometheusOptions,
  samples: Samples,
  agent: Agent,
  signal: AbortSignal,
): Promise<void> {
  const { clock, targets, intervalMs = 1_000 } = options;
  let dueMs = clock.monotonicMs();
  while (!signal.aborted) {
    await Promise.all(targets().map((target) => scrape(target, options, samples, agent)));
    // In step with the clock: the judge learns the interval from the samples.
    dueMs = Math.max(dueMs + intervalMs, clock.monotonicMs());
    await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal);
  }
}

/** All samples of a scrape have the time at which it began; one that fails leaves `up` at 0. */
async function scrape(
  target: ScrapeTarget,
  { clock, network }: PrometheusOptions,
  samples: Samples,
  agent: Agent,
): Promise<void> {
  const atMs = clock.nowMs();
  const { address, namespace, pod } = target;
  const own = { job: 'pods', instance: address, namespace, pod };
  const found = await metricsOf(network.originOf(address), agent);
  const up = { labels: { __name__: 'up', ...own }, value: found === undefined ? 0 : 1 };
  const exposed = (found ?? []).map(({ labels, value }) => ({ labels: { ...labels, ...own }, value }));
  samples.add([up, ...exposed], atMs);
}

/** Undefined when the target does not answer as it should. */
async function metricsOf(
  origin: string | undefined,
  agent: Agent,
): Promise<ReturnType<typeof parseExposition> | undefined> {
  if (origin === undefined) return undefined;
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path: '/metrics',
      method: 'GET',
      headersTimeout: 2_000,
      bodyTimeout: 2_000,
    });
    const said = await body.text();
    return statusCode === 200 ? parseExposition(said) : undefined;
  } catch {
    return undefined;
  }
}

async function answer(
  samples: Samples,
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://prometheus');
  const say = (status: number, said: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(said));
  };
  if (pathname !== '/api/v1/query')
    return say(404, refusal('not_found', 'the Prometheus of the demo has /api/v1/query only'));
  const asked = request.method === 'POST' ? new URLSearchParams(await text(request)) : searchParams;
  const selector = parseSelector(asked.get('query') ?? '');
  if (selector === undefined)
    return say(400, refusal('bad_data', 'the Prometheus of the demo answers selectors with a range, and nothing else'));
  const result = samples.query(selector, clock.nowMs());
  say(200, { status: 'success', data: { resultType: 'matrix', result } });
}

function refusal(errorType: string, error: string): object {
  return { status: 'error', errorType, error };
}
