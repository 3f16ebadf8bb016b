/** A few objects in memory behind the Transport interface, with resourceVersions and merge patches as the API server has them. Only tests of this folder use it. */
import { KubeError } from './errors.ts';
import type { KubeRequest, Transport } from './transport.ts';

interface Held {
  readonly metadata: Record<string, unknown>;
  readonly [field: string]: unknown;
}

export class MemoryApi implements Transport {
  readonly objects = new Map<string, Held>();
  readonly requests: KubeRequest[] = [];
  /** Runs before each request; what it throws is the answer, what it awaits is the delay. */
  before: (request: KubeRequest, signal?: AbortSignal) => void | Promise<void> = () => {};
  /** Runs when the request has taken effect; what it throws is an answer that was lost. */
  after: (request: KubeRequest) => void = () => {};
  #version = 0;

  async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
    this.requests.push(request);
    await this.before(request, signal);
    if (signal?.aborted) throw failure('Aborted');
    const answer: unknown = this.#answer(request);
    this.after(request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the real transport
    return structuredClone(answer) as T;
  }

  stream(): Promise<AsyncIterable<string>> {
    return Promise.reject(failure('Unexpected'));
  }

  async close(): Promise<void> {}

  writes(): readonly KubeRequest[] {
    return this.requests.filter(({ method }) => method !== 'GET');
  }

  #answer(request: KubeRequest): Held {
    const sent = isRecord(request.body) ? request.body : {};
    if (request.method === 'POST') {
      const path = `${request.path}/${String(metadataOf(sent)['name'])}`;
      if (this.objects.has(path)) throw failure('AlreadyExists');
      return this.#keep(path, sent);
    }
    const held = this.objects.get(request.path);
    if (held === undefined) throw failure('NotFound');
    if (request.method === 'GET') return held;
    const guard = metadataOf(sent)['resourceVersion'];
    if (guard !== undefined && guard !== held.metadata['resourceVersion']) throw failure('Conflict');
    return this.#keep(request.path, merged(held, sent));
  }

  #keep(path: string, object: Record<string, unknown>): Held {
    const metadata = { uid: `uid-${++this.#version}`, ...metadataOf(object), resourceVersion: String(this.#version) };
    const held: Held = { ...object, metadata };
    this.objects.set(path, held);
    return held;
  }
}

export function failure(code: KubeError['code']): KubeError {
  return new KubeError(`the memory API says ${code}`, {
    code,
    retry: code === 'NotFound' || code === 'Forbidden' ? 'never' : 'backoff',
  });
}

function merged(into: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...into };
  for (const [name, value] of Object.entries(patch)) {
    const old = result[name];
    result[name] = isRecord(value) && isRecord(old) ? merged(old, value) : value;
  }
  return result;
}

function metadataOf(object: Record<string, unknown>): Record<string, unknown> {
  return isRecord(object['metadata']) ? object['metadata'] : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
