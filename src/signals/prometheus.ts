// Asks a Prometheus server: for raw samples, or for one number. Whatever goes wrong on the way is an answer in words; it never
// follows a redirect, never waits longer than its timeout and never reads an endless body.
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { Allowance } from './body-bytes.ts';
import { confinedQuery } from './confine.ts';
import { type Fetched, down } from './fetched.ts';
import { type NamedAlert, alertsIn, mostAlerts } from './firing-alerts.ts';
import { type Answered, readAnswer, readBody } from './prometheus-body.ts';
import { type LookedAt, numberIn } from './prometheus-number.ts';
import type { Secret } from './secret.ts';
import { whyUnreachable } from './unreachable.ts';

/** A MetricSource, as far as reading it goes. */
export interface PrometheusAddress {
  /** Name of the MetricSource, for sentences. */
  readonly name: string;
  /** Base URL; /api/v1 is added. */
  readonly address: string;
  readonly timeoutMs: number;
  readonly access?: SourceAccess;
  /** Queries that tenants wrote see only series whose label of this name is the Rollout's namespace. */
  readonly confine?: { readonly namespaceLabel: string };
}

/** How the operator is let in. */
export interface SourceAccess {
  /** Value of the Authorization header. */
  readonly authorization?: Secret;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  /** Trusts the source's own authority. Absent: the dispatcher that all share. */
  readonly dispatcher?: Dispatcher;
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
/** One series is one number; two show that there are several. */
const enoughSeries = 2;

/**
 * The raw samples of every series that `selector` matches, over the last `rangeMs` (left-open, up to the server's now).
 * One query is one moment: Prometheus shows all or none of a scrape.
 */
export function rawSamples(
  source: PrometheusAddress,
  selector: string,
  rangeMs: number,
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<Answered>> {
  const form = { query: `${selector}[${Math.ceil(rangeMs)}ms]`, limit: String(mostSeries + 1) };
  return asked(source, form, options, signal, (response) => readBody(response, whoOf(source), limitsOf(options)));
}

/** A time that is past, on the server's clock; left-open. */
export interface PastSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The same of a span that is past. */
export function pastSamples(
  source: PrometheusAddress,
  selector: string,
  { fromMs, untilMs }: PastSpan,
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<Answered>> {
  const form = {
    query: `${selector}[${Math.ceil(untilMs - fromMs)}ms]`,
    time: String(untilMs / 1000),
    limit: String(mostSeries + 1),
  };
  return asked(source, form, options, signal, (response) => readBody(response, whoOf(source), limitsOf(options)));
}

/** What an expression came to at the beginning of a span that is past, and at every `stepMs` of it. */
export function pastValues(
  source: PrometheusAddress,
  query: string,
  { fromMs, untilMs, stepMs }: PastSpan & { readonly stepMs: number },
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<Answered>> {
  const form = { query, start: String(fromMs / 1000), end: String(untilMs / 1000), step: String(stepMs / 1000) };
  return asked({ ...source, path: 'query_range' }, form, options, signal, (response) =>
    readBody(response, whoOf(source), limitsOf(options)),
  );
}

/** The one number that a query of a tenant in `namespace` gives now, confined where the source says so. */
export async function instantNumber(
  source: PrometheusAddress,
  namespace: string,
  query: string,
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<LookedAt>> {
  const label = source.confine?.namespaceLabel;
  const confined =
    label === undefined ? { kind: 'query' as const, query } : confinedQuery(query, { label, value: namespace });
  if (confined.kind === 'refused')
    return down(`Serin does not ask ${whoOf(source)} this query: ${confined.why} (confine of the MetricSource).`);
  const form = { query: confined.query, limit: String(enoughSeries) };
  return asked(source, form, options, signal, async (response) => {
    const answer = await readAnswer(response, whoOf(source), limitsOf(options));
    return answer.kind === 'down' ? answer : numberIn(answer.value.json, whoOf(source));
  });
}

/** Which alerts a selector finds firing now, or at a moment that is past. It is asked as it is: whose it may be was seen to. */
export function firingAlerts(
  source: PrometheusAddress,
  query: string,
  atMs: number | undefined,
  options: PrometheusOptions,
  signal: AbortSignal,
): Promise<Fetched<readonly NamedAlert[]>> {
  const form = { query, limit: String(mostAlerts + 1), ...(atMs === undefined ? {} : { time: String(atMs / 1000) }) };
  return asked(source, form, options, signal, async (response) => {
    const answer = await readAnswer(response, whoOf(source), limitsOf(options));
    return answer.kind === 'down' ? answer : alertsIn(answer.value.json, whoOf(source));
  });
}

/** Of the API. */
type Way = 'query' | 'query_range';

async function asked<T>(
  source: PrometheusAddress & { readonly path?: Way },
  form: Readonly<Record<string, string>>,
  options: PrometheusOptions,
  signal: AbortSignal,
  read: (response: Dispatcher.ResponseData) => Promise<Fetched<T>>,
): Promise<Fetched<T>> {
  const limit = new AbortController();
  const timer = options.clock.after(source.timeoutMs, () => limit.abort());
  const dispatcher = source.access?.dispatcher ?? options.dispatcher;
  try {
    const response = await request(queryUrl(source), {
      method: 'POST',
      headers: headersOf(source),
      body: new URLSearchParams({ ...form, timeout: `${source.timeoutMs}ms` }).toString(),
      signal: AbortSignal.any([signal, limit.signal]),
      ...(dispatcher ? { dispatcher } : {}),
    });
    return await read(response);
  } catch (error) {
    if (!limit.signal.aborted) return down(`${whoOf(source)} ${whyUnreachable(error)}.`);
    return down(
      `${whoOf(source)} did not answer within ${source.timeoutMs / 1000} s: it is overloaded, or something on the way drops what is sent.`,
    );
  } finally {
    timer.cancel();
  }
}

/** The credential leaves here, for this one address: redirects are not followed. */
function headersOf({ access }: PrometheusAddress): Record<string, string> {
  return {
    ...Object.fromEntries((access?.headers ?? []).map(({ name, value }) => [name.toLowerCase(), value])),
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    ...(access?.authorization ? { authorization: access.authorization.reveal() } : {}),
  };
}

function limitsOf(options: PrometheusOptions) {
  return {
    series: mostSeries,
    samples: mostSamples,
    bytes: options.largestBytes ?? largestBytes,
    allowance: options.allowance ?? new Allowance(largestBytes),
  };
}

function queryUrl({ address, path = 'query' }: PrometheusAddress & { readonly path?: Way }): string {
  return `${address.replace(/\/+$/, '')}/api/v1/${path}`;
}

function whoOf({ name, address }: PrometheusAddress): string {
  return `MetricSource ${name} (${address})`;
}
