/** Carries one request to the API server and back within a deadline; it never repeats a write and never reads what it carries. */
import type { Clock } from './clock.ts';
import type { ClusterConnection } from './config.ts';
import { linkTo, withDeadline } from './deadline.ts';
import { errorOfFailure, KubeError } from './errors.ts';
import { Exchange } from './exchange.ts';
import { linesOf } from './lines.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Act as somebody else; the server asks whether we may. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface KubeRequest {
  readonly method: Method;
  /** Path on the API server, from `pathOf`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Media type of the body; default `application/json`. */
  readonly contentType?: string;
  /** For the whole call, repeats included; for `stream`, until the answer begins. Default 10 000. */
  readonly timeoutMs?: number | undefined;
  readonly impersonate?: Impersonation | undefined;
  /** What is tried on which object, for messages: "patch Deployment shop/checkout". Default: method and path. */
  readonly action?: string;
  /** Path without names, for metrics. Default: `other`. */
  readonly pathTemplate?: string;
}

/** The way to an API server, real or simulated. What fails throws a KubeError, and nothing else. */
export interface Transport {
  /** Returns the parsed JSON answer. A GET is repeated, within its deadline, on 429, 503 and broken sockets; a write never is. */
  request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T>;
  /** Opens a watch and gives its lines as they come, at the reader's pace. Reading on or aborting frees the socket. */
  stream(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<string>>;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** Called around every write that is not a dry run; `after` only when the server answered with success. */
export interface WriteHook {
  before(request: KubeRequest): void | Promise<void>;
  after(request: KubeRequest): void | Promise<void>;
}

/** Told about each answer; `status` is 0 when there was none. */
export type RequestHook = (method: Method, pathTemplate: string, status: number, ms: number) => void;

export interface TransportOptions {
  readonly connection: ClusterConnection;
  readonly clock: Clock;
  /** Default `serin`. */
  readonly userAgent?: string;
  readonly onWrite?: WriteHook;
  readonly onRequest?: RequestHook;
}

const defaultTimeoutMs = 10_000;
/** Tries of one GET, the first included. */
const maxTries = 3;
/** A server that asks for more patience than this gets it from the caller's backoff. */
const longestRetryAfterMs = 5_000;
const repeatAfterMs = 200;
/** Far above the largest object that etcd takes (1.5 MiB), with room for the event around it. */
const maxLineBytes = 16 * 1024 * 1024;

export class HttpTransport implements Transport {
  readonly #clock: Clock;
  readonly #onWrite: WriteHook | undefined;
  readonly #exchange: Exchange;

  constructor(options: TransportOptions) {
    this.#clock = options.clock;
    this.#onWrite = options.onWrite;
    this.#exchange = new Exchange(options);
  }

  async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
    const isWrite = request.method !== 'GET' && request.query?.['dryRun'] === undefined;
    if (isWrite) await this.#onWrite?.before(request);
    const answer = await this.#ask(request, signal);
    if (isWrite) await this.#onWrite?.after(request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what it asked for; nothing here knows kinds
    return answer as T;
  }

  async stream(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const link = linkTo(signal);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    try {
      const open = () => this.#exchange.open(request, link.controller.signal);
      const body = await withDeadline(this.#clock, timeoutMs, open, signal);
      return readLines(request, body, () => link.release(), signal);
    } catch (error) {
      link.controller.abort();
      link.release();
      throw errorOfFailure(request, error, signal);
    }
  }

  close(): Promise<void> {
    return this.#exchange.close();
  }

  async #ask(request: KubeRequest, signal?: AbortSignal): Promise<unknown> {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    try {
      return await withDeadline(this.#clock, timeoutMs, (inner) => this.#tryInTurn(request, inner), signal);
    } catch (error) {
      throw errorOfFailure(request, error, signal);
    }
  }

  async #tryInTurn(request: KubeRequest, signal: AbortSignal): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#exchange.ask(request, signal);
      } catch (error) {
        const failure = errorOfFailure(request, error, signal);
        const waitMs = request.method === 'GET' && tries < maxTries ? waitBeforeRepeatMs(failure) : undefined;
        if (waitMs === undefined || signal.aborted) throw error;
        await this.#clock.sleep(waitMs, signal);
      }
    }
  }
}

function waitBeforeRepeatMs({ code, httpStatus, retryAfterMs }: KubeError): number | undefined {
  const passes = code === 'Network' || code === 'TooManyRequests' || httpStatus === 503;
  const waitMs = retryAfterMs ?? repeatAfterMs;
  return passes && waitMs <= longestRetryAfterMs ? waitMs : undefined;
}

async function* readLines(
  request: KubeRequest,
  body: AsyncIterable<Uint8Array>,
  release: () => void,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  try {
    yield* linesOf(body, maxLineBytes);
  } catch (error) {
    throw errorOfFailure(request, error, signal);
  } finally {
    release();
  }
}
