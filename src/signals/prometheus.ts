// Asks a Prometheus server for raw samples. Whatever goes wrong on the way is an answer in words; it never follows a
// redirect, never waits longer than its timeout and never reads an endless body.
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { Allowance } from './body-bytes.ts';
import { type Fetched, down } from './fetched.ts';
import { type Answered, readBody } from './prometheus-body.ts';
import { whyUnreachable } from './unreachable.ts';

/** A MetricSource, as far as reading it goes. */
export interface PrometheusAddress {
  /** Name of the MetricSource, for sentences. */
  readonly name: string;
  /** Base URL; /api/v1 is added. */
  readonly address: string;
  readonly timeoutMs: number;
}

export interface PrometheusOptions {
  readonly clock: Clock;
  readonly dispatcher?: Dispatcher;
  /** Longest body that is read. Default: 16 MiB, which takes a tenth of a second to read. */
  readonly largestBytes?: number;
  /** Shared by all queries that are under way. Default: one for this query alone. */
  readonly allowance?: Allowance;
}

/** More series than this are a selector gone wrong; a cut-off answer would miss errors. */
const mostSeries = 20_000;
const mostSamples = 500_000;
const largestBytes = 16 * 1024 * 1024;

/**
 * The raw samples of every series that `selector` matches, over the last `rangeMs` (left-open, up to the server's now).
 * One query is one moment: Prometheus shows all or none of a scrape.
 */
export async function rawSamples(
  source: PrometheusAddress,
  selector: string,
  rangeMs: number,
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<Answered>> {
  const limit = new AbortController();
  const timer = options.clock.after(source.timeoutMs, () => limit.abort());
  try {
    const response = await request(queryUrl(source), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: queryOf(selector, rangeMs, source.timeoutMs),
      signal: AbortSignal.any([signal, limit.signal]),
      ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
    });
    return await readBody(response, whoOf(source), limitsOf(options));
  } catch (error) {
    if (!limit.signal.aborted) return down(`${whoOf(source)} ${whyUnreachable(error)}.`);
    return down(
      `${whoOf(source)} did not answer within ${source.timeoutMs / 1000} s: it is overloaded, or something on the way drops what is sent.`,
    );
  } finally {
    timer.cancel();
  }
}

function limitsOf(options: PrometheusOptions) {
  return {
    series: mostSeries,
    samples: mostSamples,
    bytes: options.largestBytes ?? largestBytes,
    allowance: options.allowance ?? new Allowance(largestBytes),
  };
}

function queryOf(selector: string, rangeMs: number, timeoutMs: number): string {
  return new URLSearchParams({
    query: `${selector}[${Math.ceil(rangeMs)}ms]`,
    timeout: `${timeoutMs}ms`,
    limit: String(mostSeries + 1),
  }).toString();
}

function queryUrl({ address }: PrometheusAddress): string {
  return `${address.replace(/\/+$/, '')}/api/v1/query`;
}

function whoOf({ name, address }: PrometheusAddress): string {
  return `MetricSource ${name} (${address})`;
}
