/** Sends one request once (twice after a 401) and reads the answer, within bounds; it never waits, repeats or swallows. */
import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { actionOf, errorOfAnswer, KubeError } from './errors.ts';
import { type Door, ServerLink } from './link.ts';
import type { KubeRequest, RequestHook, TransportOptions } from './transport.ts';

/** A page of 500 large objects fits; an answer without end does not. */
const maxAnswerBytes = 128 * 1024 * 1024;

type Answer = Dispatcher.ResponseData;

export class Exchange {
  readonly #link: ServerLink;
  readonly #clock: Clock;
  readonly #server: URL;
  readonly #userAgent: string;
  readonly #onRequest: RequestHook | undefined;

  constructor(options: TransportOptions) {
    this.#clock = options.clock;
    this.#server = new URL(options.connection.server);
    this.#link = new ServerLink(options.connection, options.clock);
    this.#userAgent = options.userAgent ?? 'serin';
    this.#onRequest = options.onRequest;
  }

  /** The parsed JSON of a successful answer. */
  async ask(request: KubeRequest, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#send(request, 'requests', signal);
    const text = await textOf(answer, request);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new KubeError(`${actionOf(request)}: the answer is not JSON; is ${this.#server.origin} an API server?`, {
        code: 'Unexpected',
        retry: 'backoff',
        cause: error,
      });
    }
  }

  /** The body of a successful answer, as it comes. */
  async open(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#send(request, 'watches', signal);
    // Cut before anybody reads it, the body has no listener yet, and an 'error' that nobody hears ends the process.
    body.on('error', () => {});
    return body;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #send(request: KubeRequest, sockets: 'requests' | 'watches', signal: AbortSignal): Promise<Answer> {
    const door = await this.#link.door();
    let answer = await this.#sendOnce(request, door, sockets, signal);
    if (answer.statusCode === 401) {
      // Refused before anything was done, so this is safe for writes too.
      await answer.body.dump();
      answer = await this.#sendOnce(request, await this.#link.door(door), sockets, signal);
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    throw errorOfAnswer(request, answer.statusCode, await textOf(answer, request), headerOf(answer, 'retry-after'));
  }

  async #sendOnce(
    request: KubeRequest,
    door: Door,
    sockets: 'requests' | 'watches',
    signal: AbortSignal,
  ): Promise<Answer> {
    const startMs = this.#clock.monotonicMs();
    let status = 0;
    try {
      const answer = await door[sockets].request({
        origin: this.#server.origin,
        path: this.#target(request),
        method: request.method,
        headers: this.#headers(request, door),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
      });
      status = answer.statusCode;
      return answer;
    } finally {
      this.#onRequest?.(request.method, request.pathTemplate ?? 'other', status, this.#clock.monotonicMs() - startMs);
    }
  }

  #target({ path, query }: KubeRequest): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) parameters.set(name, String(value));
    const search = parameters.toString();
    return this.#server.pathname.replace(/\/$/, '') + path + (search === '' ? '' : `?${search}`);
  }

  #headers(request: KubeRequest, door: Door): Record<string, string | string[]> {
    const { impersonate } = request;
    return {
      accept: 'application/json',
      'user-agent': this.#userAgent,
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      ...(impersonate === undefined ? {} : { 'impersonate-user': impersonate.user }),
      ...(impersonate?.groups === undefined ? {} : { 'impersonate-group': [...impersonate.groups] }),
      ...door.headers,
    };
  }
}

async function textOf(answer: Answer, request: KubeRequest): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) {
      throw new KubeError(`${actionOf(request)}: the answer is larger than ${maxAnswerBytes} bytes`, {
        code: 'Unexpected',
        retry: 'backoff',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerOf(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : undefined;
}
