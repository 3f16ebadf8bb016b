/** The way to the double inside one process, as a Transport: deadlines and errors are the same as over a wire. */
import type { Clock } from '../kube/clock.ts';
import { withDeadline } from '../kube/deadline.ts';
import { errorOfAnswer, errorOfFailure, type KubeError } from '../kube/errors.ts';
import type { KubeRequest, Transport, WriteHook } from '../kube/transport.ts';
import type { Asked, User } from './server/asked.ts';
import { copyOf } from './server/objects.ts';
import { Refusal, statusOf } from './server/refusals.ts';
import type { Way } from './way.ts';

export interface InProcessOptions {
  readonly way: Way;
  readonly user: User;
  readonly clock: Clock;
  /** Called around every write that is not a dry run, as the transport over a wire does. */
  readonly onWrite?: WriteHook;
}

const defaultTimeoutMs = 10_000;

export class InProcessTransport implements Transport {
  readonly #options: InProcessOptions;
  readonly #closed = new AbortController();

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
    const { clock, way, onWrite } = this.#options;
    const asked = this.#asked(request);
    const isWrite = request.method !== 'GET' && request.query?.['dryRun'] === undefined;
    if (isWrite) await onWrite?.before(request);
    try {
      const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
      const answer = await withDeadline(clock, timeoutMs, (inner) => way.ask(asked, this.#untilClosed(inner)), signal);
      if (answer.status >= 300) throw errorOfAnswer(request, answer.status, JSON.stringify(answer.body), undefined);
      if (isWrite) await onWrite?.after(request);
      return copyOf(answer.body) as T;
    } catch (error) {
      throw errorOfFailure(request, error, signal);
    }
  }

  async stream(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const { clock, way } = this.#options;
    const asked = this.#asked(request);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const life = this.#untilClosed(signal);
    try {
      return await withDeadline(clock, timeoutMs, () => way.open(asked, life), signal);
    } catch (error) {
      throw failureOf(request, error, signal);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  #untilClosed(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closed.signal]);
  }

  #asked(request: KubeRequest): Asked {
    const { method, path, query = {}, body, contentType = 'application/json', impersonate } = request;
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const { user } = this.#options;
    return {
      method,
      path,
      query: Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
      ...(body === undefined ? {} : { body: copyOf(body) }),
      contentType,
      user: impersonate === undefined ? user : { name: impersonate.user, groups: impersonate.groups ?? [] },
      userAgent: 'serin',
    };
  }
}

function failureOf(request: KubeRequest, error: unknown, signal: AbortSignal): KubeError {
  if (!(error instanceof Refusal)) return errorOfFailure(request, error, signal);
  return errorOfAnswer(request, error.status, JSON.stringify(statusOf(error)), undefined);
}
