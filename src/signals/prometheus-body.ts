// Reads what a Prometheus server sent, or says in one sentence why it is not an answer. It trusts nothing about the
// body: proxies, login pages and half answers come here too.
import type { Dispatcher } from 'undici';
import { type Fetched, down } from './fetched.ts';
import { type Sample, type Series, tidy } from './series.ts';

export interface Answered {
  readonly series: readonly Series[];
  /** The server's own time when it answered, to the second; undefined when it did not say. */
  readonly serverTimeMs: number | undefined;
}

/** `who` begins every sentence. */
export async function readBody(
  response: Dispatcher.ResponseData,
  who: string,
  mostSeries: number,
  largestBytes: number,
): Promise<Fetched<Answered>> {
  const { statusCode, headers, body } = response;
  if (statusCode >= 300 && statusCode < 400) {
    await body.dump();
    return down(
      `${who} redirects (${statusCode}) to ${shown(headers.location)}; redirects are not followed: set the MetricSource to the final address.`,
    );
  }
  const text = await textOf(body, largestBytes);
  if (text === undefined) return down(`${who} sent more than ${largestBytes / 1024 / 1024} MiB for one query.`);
  const parsed = parse(text);
  if (statusCode !== 200) return down(refusal(who, statusCode, parsed, text));
  if (!isRecord(parsed))
    return down(
      `${who} answered ${looksLikePage(text) ? 'with a web page' : 'without JSON'} where the Prometheus API was expected: is the address right, or does a login stand before it?`,
    );
  return seriesOf(parsed, who, mostSeries, serverTime(headers.date));
}

function seriesOf(
  answer: Readonly<Record<string, unknown>>,
  who: string,
  mostSeries: number,
  serverTimeMs: number | undefined,
): Fetched<Answered> {
  if (answer.status === 'error') return down(`${who} refused the query: ${shown(answer.error)}.`);
  const found = isRecord(answer.data) && answer.data.resultType === 'matrix' ? answer.data.result : undefined;
  if (answer.status !== 'success' || !Array.isArray(found)) {
    return down(`${who} answered JSON that is not a Prometheus result of raw samples: is the address right?`);
  }
  if (found.length > mostSeries) return down(`${who} has more than ${mostSeries} series for one query.`);
  const series = found.map(seriesIn);
  if (series.some((one) => one === undefined)) return down(`${who} answered samples in an unknown form.`);
  return { kind: 'ok', value: { series: tidy(series.filter((one) => one !== undefined)), serverTimeMs } };
}

function seriesIn(found: unknown): Series | undefined {
  if (!isRecord(found) || !isRecord(found.metric)) return undefined;
  const labels = Object.fromEntries(Object.entries(found.metric).map(([name, value]) => [name, String(value)]));
  const values = found.values ?? [];
  if (!Array.isArray(values)) return undefined;
  return { labels, samples: values.flatMap(sampleIn) };
}

/** A counter that is not a number, infinite or negative says nothing; the samples around it do. */
function sampleIn(pair: unknown): readonly Sample[] {
  if (!Array.isArray(pair)) return [];
  const [seconds, text] = pair as readonly unknown[];
  const value = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
  const isUsable = typeof seconds === 'number' && Number.isFinite(value) && value >= 0;
  return isUsable ? [{ atMs: Math.round(seconds * 1000), value }] : [];
}

function refusal(who: string, statusCode: number, parsed: unknown, text: string): string {
  const said = isRecord(parsed) && typeof parsed.error === 'string' ? `: ${shown(parsed.error)}` : '';
  switch (statusCode) {
    case 401:
    case 403:
      return `${who} refuses Serin (${statusCode})${said}: it asks for credentials or rights that the MetricSource does not have.`;
    case 404:
      return `${who} has no Prometheus API at this address (404): check the address and its path.`;
    case 429:
      return `${who} is asked too often (429): its rate limit is below one query a second for each release.`;
    case 503:
      return `${who} is not available (503)${said}.`;
    default:
      return `${who} answered with status ${statusCode}${said || (looksLikePage(text) ? ' and a web page' : '')}.`;
  }
}

async function textOf(body: Dispatcher.ResponseData['body'], largestBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (bytes > largestBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function serverTime(date: string | string[] | undefined): number | undefined {
  const parsed = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

function looksLikePage(text: string): boolean {
  return /^\s*</.test(text);
}

function shown(said: unknown): string {
  return (typeof said === 'string' ? said : 'nowhere known').slice(0, 200);
}

function isRecord(thing: unknown): thing is Readonly<Record<string, unknown>> {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing);
}
