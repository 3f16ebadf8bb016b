/**
 * Owns one request to a flag backend and what its answer means. It follows no redirect, never waits longer than it is told and
 * never reads an endless body; what goes wrong is a FlagError in words, which holds no credential whatever the server says.
 */
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { DeadlineExceeded, withDeadline } from '../kube/deadline.ts';
import { Allowance, readBytes } from '../signals/body-bytes.ts';
import { shown, shownPlace } from '../signals/said.ts';
import type { Secret } from '../signals/secret.ts';
import { whyUnreachable } from '../signals/unreachable.ts';
import { FlagError } from './flag-error.ts';
import { parsed } from './previous.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: { readonly header: string; readonly value: Secret };
  readonly body?: string;
  /** Status codes that are answers and not errors. */
  readonly accepts: readonly number[];
  /** What is tried, on which flag of which source: begins a sentence, as in "Turning on flag a of FlagSource b". */
  readonly doing: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Undefined when it is not JSON. */
  readonly json: unknown;
}

export interface Exchange {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly dispatcher?: Dispatcher;
}

/** How a backend is spoken to. */
export function exchangeWith(
  { timeoutMs }: { readonly timeoutMs: number },
  { clock, dispatcher }: { readonly clock: Clock; readonly dispatcher?: Dispatcher | undefined },
): Exchange {
  return { clock, timeoutMs, ...(dispatcher === undefined ? {} : { dispatcher }) };
}

/** All flags of a large project fit. */
const largestBytes = 16 * 1024 * 1024;
const longestRetryMs = 600_000;

/** Throws a FlagError, or the reason of `signal`. */
export async function exchange(call: Call, options: Exchange, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  try {
    return await withDeadline(options.clock, options.timeoutMs, (limited) => answerTo(call, options, limited), signal);
  } catch (error) {
    if (error instanceof FlagError) throw error;
    signal.throwIfAborted();
    const why =
      error instanceof DeadlineExceeded
        ? `did not answer within ${options.timeoutMs / 1000} s; whoever runs it looks into it, or the timeout of the FlagSource is made longer`
        : whyUnreachable(error, 'FlagSource');
    throw failed(call, 'unreachable', `the server ${why}`);
  }
}

async function answerTo(call: Call, { dispatcher }: Exchange, signal: AbortSignal): Promise<Answer> {
  const response = await request(call.url, {
    method: call.method,
    headers: { accept: 'application/json', ...call.headers, ...authorization(call) },
    signal,
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(dispatcher === undefined ? {} : { dispatcher }),
  });
  const { statusCode: status } = response;
  const body = await readBytes(response.body, largestBytes, new Allowance(largestBytes));
  if (!call.accepts.includes(status)) throw refusal(call, response, body.kind === 'noRoom' ? '' : body.text);
  if (body.kind !== 'whole')
    throw failed(call, 'unreachable', `the answer is longer than ${largestBytes / 1024 / 1024} MiB, and is not read`);
  return { status, text: body.text, json: parsed(body.text) };
}

/** It leaves here for this one address: redirects are not followed. */
function authorization({ auth }: Call): Record<string, string> {
  return auth === undefined ? {} : { [auth.header.toLowerCase()]: auth.value.reveal() };
}

function refusal(call: Call, { statusCode: status, headers }: Dispatcher.ResponseData, text: string): FlagError {
  const said = saidIn(call, text);
  const answered = `the server answered ${status}${said === '' ? '' : ` (${said})`}`;
  if (status >= 300 && status < 400)
    return failed(
      call,
      'invalid',
      `${answered}: a redirect${placeOf(headers['location'])}, which is not followed; the platform team writes the address that it leads to into the FlagSource`,
    );
  switch (status) {
    case 401:
      return failed(
        call,
        'denied',
        `${answered}: the credential is not accepted; the platform team renews the Secret of the FlagSource`,
      );
    case 403:
      return /change.?request/i.test(text)
        ? failed(
            call,
            'refused',
            `${answered}: changes need an approval there; whoever owns the flag makes this one by hand, or lets the credential of the FlagSource skip change requests`,
          )
        : failed(call, 'denied', `${answered}: the credential may not do it; the platform team gives it the right`);
    case 404:
    case 410:
      return failed(
        call,
        'notFound',
        `${answered}: there is no such thing; correct the name of the flag, or what the FlagSource says of where flags are`,
      );
    case 409:
    case 412:
    case 423:
      return failed(
        call,
        'refused',
        `${answered}: something stands against it there, such as a change of somebody else; whoever owns the flag looks at it`,
      );
    case 429: {
      const retryAfterMs = retryAfterOf(headers);
      const more = retryAfterMs === undefined ? {} : { retryAfterMs };
      return failed(call, 'rateLimited', `${answered}: it is asked too often; Serin tries again later`, more);
    }
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
      return failed(
        call,
        'invalid',
        `${answered}: it does not take the request; correct the FlagSource, or the flag and variant of the Rollout`,
      );
    default:
      return failed(call, 'unreachable', `${answered}; whoever runs it looks into it, and Serin tries again`);
  }
}

/** The error of a call, with what was tried before what went wrong. */
export function failed(
  call: Pick<Call, 'doing'>,
  code: FlagError['code'],
  why: string,
  more: { readonly retryAfterMs?: number } = {},
): FlagError {
  return new FlagError(code, `${call.doing} failed: ${why}.`, more);
}

/** A server may say again what it was sent. */
function saidIn({ auth }: Call, text: string): string {
  const bare = auth?.value.reveal();
  const words = bare?.split(' ') ?? [];
  const hidden = [bare ?? '', ...words]
    .filter((one) => one.length > 4)
    .reduce((left, one) => left.replaceAll(one, '***'), text);
  return shown(messageIn(hidden) ?? hidden);
}

function messageIn(text: string): string | undefined {
  const { message, details } = Object(parsed(text)) as { readonly message?: unknown; readonly details?: unknown };
  const first: unknown = Array.isArray(details) ? Object(details[0]).message : undefined;
  const said = typeof first === 'string' ? first : message;
  return typeof said === 'string' ? said : undefined;
}

function placeOf(location: string | string[] | undefined): string {
  const [first] = [location].flat();
  return first === undefined ? '' : ` to ${shownPlace(first)}`;
}

/** Seconds, or a date on the clock of the server. */
function retryAfterOf(headers: Dispatcher.ResponseData['headers']): number | undefined {
  const [after = ''] = [headers['retry-after']].flat();
  const [date = ''] = [headers['date']].flat();
  const ms = /^\d{1,9}$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.parse(date);
  return ms >= 0 ? Math.min(ms, longestRetryMs) : undefined;
}
