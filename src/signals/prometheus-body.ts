// Reads what a Prometheus server sent, or says in one sentence why it is not an answer. It trusts nothing about the
// body: proxies, login pages and half answers come here too.
import type { Dispatcher } from 'undici';
import { type Allowance, abandon, readBytes } from './body-bytes.ts';
import { type Down, type Fetched, down } from './fetched.ts';
import { shown, shownPlace } from './said.ts';
import { costOf, isRecord, seriesIn } from './samples-body.ts';
import { type Series, tidy } from './series.ts';

export interface Answered {
  readonly series: readonly Series[];
  /** Samples that are no counts: not a number, infinite or negative. */
  readonly notCounts: number;
  /** The server's own time when it answered, to the second; undefined when it did not say. */
  readonly serverTimeMs: number | undefined;
}

/** What an answer may cost. */
export interface Limits {
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
  /** Shared by all answers that are read at once. */
  readonly allowance: Allowance;
}

/** An error needs a sentence, not a page. */
const errorBytes = 64 * 1024;

/** `who` begins every sentence. Rejects when the body breaks off. */
export async function readBody(
  response: Dispatcher.ResponseData,
  who: string,
  limits: Limits,
): Promise<Fetched<Answered>> {
  const answer = await readAnswer(response, who, limits);
  return answer.kind === 'down' ? answer : seriesOf(answer.value.json, who, limits, answer.value.serverTimeMs);
}

/** A JSON object that some server sent, whatever is in it. */
export interface AnsweredJson {
  readonly json: Readonly<Record<string, unknown>>;
  readonly serverTimeMs: number | undefined;
}

/** Only the way to the answer: what it says is the caller's to read. Rejects when the body breaks off. */
export async function readAnswer(
  response: Dispatcher.ResponseData,
  who: string,
  limits: Limits,
): Promise<Fetched<AnsweredJson>> {
  const { statusCode, headers, body } = response;
  const unread = unreadable(response, who, limits.bytes);
  if (unread) {
    abandon(body);
    return unread;
  }
  if (statusCode !== 200) {
    // The status says what matters, also when the page that came with it breaks off or never ends.
    const read = await readBytes(body, errorBytes, limits.allowance).catch(() => undefined);
    const text = read === undefined || read.kind === 'noRoom' ? '' : read.text;
    return down(refusal(who, statusCode, parse(text), text), retryAfter(headers['retry-after']));
  }
  const read = await readBytes(body, limits.bytes, limits.allowance);
  if (read.kind === 'tooLarge') return tooLarge(who, limits.bytes);
  if (read.kind === 'noRoom')
    return down(
      `${who} sends a large answer while others are being read; it is asked again for what does not fit now.`,
    );
  const parsed = parse(read.text);
  if (!isRecord(parsed)) return down(`${who} ${noApi(read.text)}`);
  if (parsed.status === 'error') return down(`${who} refused the query: ${errorIn(parsed) ?? 'it does not say why'}.`);
  return { kind: 'ok', value: { json: parsed, serverTimeMs: serverTime(headers.date) } };
}

/** What is known not to be an answer before its body is read. */
function unreadable(
  { statusCode, headers }: Dispatcher.ResponseData,
  who: string,
  largestBytes: number,
): Down | undefined {
  if (statusCode >= 300 && statusCode < 400)
    return down(
      `${who} redirects (${statusCode}) to ${shownPlace(oneOf(headers.location) ?? 'nowhere')}; redirects are not followed: set the MetricSource to the final address.`,
    );
  // Nothing was asked for that would have to be unpacked, and what is unpacked has no size that could be known before.
  const encoding = oneOf(headers['content-encoding']) ?? 'identity';
  if (encoding !== 'identity')
    return down(`${who} answers compressed (${shown(encoding)}), which was not asked for: see the proxy before it.`);
  return Number(oneOf(headers['content-length'])) > largestBytes && statusCode === 200
    ? tooLarge(who, largestBytes)
    : undefined;
}

function tooLarge(who: string, largestBytes: number): Down {
  return down(
    `${who} sends more than ${largestBytes / 1024 / 1024} MiB for one query, and no more is read: drop labels of these counters that no release needs.`,
  );
}

function noApi(text: string): string {
  const what = looksLikePage(text) ? 'with a web page' : 'without JSON';
  return `answered ${what} where the Prometheus API was expected: is the address right, or does a login stand before it?`;
}

function seriesOf(
  answer: Readonly<Record<string, unknown>>,
  who: string,
  limits: Limits,
  serverTimeMs: number | undefined,
): Fetched<Answered> {
  const found = isRecord(answer.data) && answer.data.resultType === 'matrix' ? answer.data.result : undefined;
  if (answer.status !== 'success' || !Array.isArray(found)) {
    return down(`${who} answered JSON that is not a Prometheus result of raw samples: is the address right?`);
  }
  const cost = found.reduce((sum: number, one) => sum + costOf(one), 0);
  if (found.length > limits.series || cost > limits.samples) {
    const many = found.length > limits.series ? `${limits.series} series` : `${limits.samples} samples`;
    return down(`${who} has more than ${many} for one query: drop labels of these counters that no release needs.`);
  }
  const read = found.map(seriesIn).filter((one) => one !== undefined);
  if (read.length < found.length) return down(`${who} answered samples in an unknown form.`);
  const notCounts = read.reduce((sum, one) => sum + one.notCounts, 0);
  return { kind: 'ok', value: { series: tidy(read.map(({ series }) => series)), notCounts, serverTimeMs } };
}

function refusal(who: string, statusCode: number, parsed: unknown, text: string): string {
  const error = isRecord(parsed) ? errorIn(parsed) : undefined;
  const said = error === undefined ? '' : `: ${error}`;
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

function errorIn({ error }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof error === 'string' && error !== '' ? shown(error) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function serverTime(date: string | string[] | undefined): number | undefined {
  const parsed = Date.parse(oneOf(date) ?? '');
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** In whole seconds; the form with a date would need the server's clock to be right. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = oneOf(header) ?? '';
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function looksLikePage(text: string): boolean {
  return /^\s*</.test(text);
}
