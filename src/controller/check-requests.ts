/**
 * Sends the requests of a check to pods, once, and says what came of it. It follows no redirect, uses no proxy, waits for no
 * answer longer than was said and reads no endless body; whatever goes wrong is words and never an exception.
 */
import { Agent, type Dispatcher } from 'undici';
import type { EffectiveRequest } from '../api/effective.ts';
import type { Clock, Timer } from '../kube/clock.ts';
import type { PodAddress } from './check-pods.ts';

export type Tried =
  | { readonly kind: 'passed' }
  /** A pod answered, and not as expected. */
  | { readonly kind: 'failed'; readonly sentence: string }
  /** Not one request to any of the pods got as far as an answer: that says nothing about the version (S7). */
  | { readonly kind: 'unreachable'; readonly sentence: string };

export interface AskParts {
  readonly clock: Clock;
  /** Opens the connection to one pod; default: directly. */
  readonly open?: () => Agent;
}

type Result =
  | { readonly kind: 'met' }
  | { readonly kind: 'wrong'; readonly words: string }
  | { readonly kind: 'unconnected'; readonly words: string };

type Answered = Result & { readonly pod: PodAddress; readonly request: EffectiveRequest };

const CONNECTED_WITHIN_MS = 3_000;
const LARGEST_BODY_BYTES = 64 * 1024;
const LARGEST_HEAD_BYTES = 16 * 1024;

/** Pods side by side, the requests to each one after the other. */
export async function askPods(
  parts: AskParts,
  pods: readonly PodAddress[],
  requests: readonly EffectiveRequest[],
  signal: AbortSignal,
): Promise<Tried> {
  const results = (await Promise.all(pods.map((pod) => askPod(parts, pod, requests, signal)))).flat();
  const odd = results.find(({ kind }) => kind === 'wrong') ?? results.find(({ kind }) => kind === 'unconnected');
  if (odd === undefined || odd.kind === 'met') return { kind: 'passed' };
  const what = `check ${odd.request.method} ${odd.request.path}`;
  if (results.some(({ kind }) => kind !== 'unconnected'))
    return { kind: 'failed', sentence: `${what} on pod ${odd.pod.name}: ${odd.words}.` };
  const none = pods.length === 1 ? `pod ${odd.pod.name} cannot be asked` : `none of ${pods.length} pods can be asked`;
  return { kind: 'unreachable', sentence: `${what}: ${none} on port ${odd.pod.port}: ${odd.words}.` };
}

async function askPod(
  parts: AskParts,
  pod: PodAddress,
  requests: readonly EffectiveRequest[],
  signal: AbortSignal,
): Promise<readonly Answered[]> {
  const results: Answered[] = [];
  for (const request of requests) {
    const result = await askOnce(parts, pod, request, signal);
    results.push({ ...result, pod, request });
    // Where nobody listens, every further request would only wait as long again.
    if (result.kind === 'unconnected' || signal.aborted) break;
  }
  return results;
}

/** Over a connection of its own: of one that was left open nobody could say whether the next request got through. */
async function askOnce(
  parts: AskParts,
  pod: PodAddress,
  request: EffectiveRequest,
  signal: AbortSignal,
): Promise<Result> {
  const agent = parts.open?.() ?? new Agent({ connections: 1, maxHeaderSize: LARGEST_HEAD_BYTES });
  try {
    return await new Asking(parts.clock, agent, pod, request).ask(signal);
  } finally {
    await agent.destroy().catch(() => undefined);
  }
}

/** One request to one pod. */
class Asking {
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #pod: PodAddress;
  readonly #request: EffectiveRequest;
  readonly #limit = new AbortController();
  readonly #timers: Timer[] = [];
  #connectedMs: number | undefined;
  #isAnswered = false;

  constructor(clock: Clock, agent: Agent, pod: PodAddress, request: EffectiveRequest) {
    this.#clock = clock;
    this.#agent = agent;
    this.#pod = pod;
    this.#request = request;
    agent.once('connect', () => this.#connected());
  }

  async ask(signal: AbortSignal): Promise<Result> {
    this.#endAfter(CONNECTED_WITHIN_MS, () => this.#connectedMs === undefined);
    const startMs = this.#clock.monotonicMs();
    try {
      const { statusCode, body } = await this.#agent.request({
        ...this.#options(),
        signal: AbortSignal.any([signal, this.#limit.signal]),
      });
      this.#isAnswered = true;
      const text = this.#request.body === undefined ? abandoned(body) : await beginningOf(body);
      return this.#held(statusCode, text, this.#clock.monotonicMs() - (this.#connectedMs ?? startMs));
    } catch (error) {
      return this.#limit.signal.aborted ? this.#tooLate() : this.#broken(error);
    } finally {
      for (const timer of this.#timers) timer.cancel();
    }
  }

  /** Time to connect is the network's and not the version's, so what the version is given begins here. */
  #connected(): void {
    this.#connectedMs = this.#clock.monotonicMs();
    this.#endAfter(this.#request.withinMs, () => true);
  }

  #endAfter(ms: number, isStill: () => boolean): void {
    this.#timers.push(this.#clock.after(ms, () => void (isStill() && this.#limit.abort())));
  }

  #options(): Dispatcher.RequestOptions {
    const { method, path, headers } = this.#request;
    const { address, port } = this.#pod;
    return {
      origin: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
      path,
      method,
      headers: ['user-agent', 'serin-check', ...headers.flatMap(({ name, value }) => [name, value])],
      headersTimeout: 0,
      bodyTimeout: 0,
    };
  }

  #held(status: number, text: string, tookMs: number): Result {
    const { status: expected, body, withinMs } = this.#request;
    const isStatus = expected === undefined ? status >= 200 && status <= 299 : status === expected;
    if (!isStatus) return wrong(`status ${status}, expected ${expected ?? '200 to 299'}`);
    if (body !== undefined && !text.includes(body)) return wrong(`the answer does not contain ${JSON.stringify(body)}`);
    return tookMs > withinMs
      ? wrong(`the answer took ${Math.round(tookMs)}ms, at most ${withinMs}ms are allowed`)
      : met;
  }

  #tooLate(): Result {
    if (this.#connectedMs === undefined) return unconnected(`no connection within ${CONNECTED_WITHIN_MS / 1000}s`);
    return wrong(`no ${this.#isAnswered ? 'whole ' : ''}answer within ${this.#request.withinMs}ms`);
  }

  #broken(error: unknown): Result {
    if (this.#isAnswered) return wrong('the answer broke off before its end');
    return unconnected(wordsOf(error));
  }
}

const met: Result = { kind: 'met' };
const wrong = (words: string): Result => ({ kind: 'wrong', words });
const unconnected = (words: string): Result => ({ kind: 'unconnected', words });

type Body = Dispatcher.ResponseData['body'];

function abandoned(body: Body): string {
  body.on('error', () => undefined).destroy();
  return '';
}

/** The first 64 KiB; the rest is not waited for. */
async function beginningOf(body: Body): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= LARGEST_BODY_BYTES) break;
  }
  abandoned(body);
  return Buffer.concat(parts).toString('utf8', 0, LARGEST_BODY_BYTES);
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'it refuses connections'],
  ['EHOSTUNREACH', 'there is no way to it'],
  ['ENETUNREACH', 'there is no way to it'],
  ['ETIMEDOUT', 'no connection in time'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['ECONNRESET', 'it closed the connection without an answer'],
  ['UND_ERR_SOCKET', 'it closed the connection without an answer'],
  ['UND_ERR_HEADERS_OVERFLOW', 'the head of its answer is too large'],
]);

function wordsOf(error: unknown): string {
  const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'HTTPParserError') return 'what answers does not speak HTTP';
  return CODES.get(String(code)) ?? 'the connection failed';
}
