/** FeatureFlags, FeatureFlagSources and ConfigMaps in memory behind a KubeClient, guarded as the API server guards them. Only tests use it. */
import { KubeClient } from '../kube/client.ts';
import { KubeError, type KubeErrorCode } from '../kube/errors.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import { jsonPatched } from '../simulation/server/patches.ts';
import type { FlagSourceOf } from './source.ts';
import type { FlagChange } from './target.ts';

export const namespace = 'shop';
export const never = new AbortController().signal;

export interface Held {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export class FlagsInMemory implements Transport {
  readonly kube = new KubeClient({ transport: this });
  readonly requests: KubeRequest[] = [];
  /** Runs before each request is answered; what it throws is the answer. */
  before: (request: KubeRequest) => void = () => {};
  /** Runs when a request has taken effect; what it throws is an answer that was lost. */
  after: (request: KubeRequest) => void = () => {};
  /** Kinds (in the plural) that this cluster does not know. */
  readonly unknown = new Set<string>();
  readonly #objects = new Map<string, Held>();
  #version = 0;

  /** As a person or Git writes it: whole, whatever was there. */
  put(plural: string, name: string, content: object, labels: Readonly<Record<string, string>> = {}): void {
    this.#keep(`${base(plural)}/${name}`, { ...content, metadata: { namespace, name, uid: name, labels } });
  }

  remove(plural: string, name: string): void {
    this.#objects.delete(`${base(plural)}/${name}`);
  }

  get(plural: string, name: string): Held | undefined {
    return this.#objects.get(`${base(plural)}/${name}`);
  }

  writes(): readonly KubeRequest[] {
    return this.requests.filter(({ method }) => method !== 'GET');
  }

  async request<T>(request: KubeRequest): Promise<T> {
    this.requests.push(request);
    this.before(request);
    const answer: unknown = this.#answer(request);
    this.after(request);
    return copied(answer) as T;
  }

  stream(): Promise<AsyncIterable<string>> {
    return Promise.reject(failure('Unexpected'));
  }

  async close(): Promise<void> {}

  #answer({ method, path, body }: KubeRequest): object {
    const plural = path.split('/namespaces/')[1]?.split('/')[1] ?? '';
    if (this.unknown.has(plural)) throw failure('NotFound');
    if (method === 'POST') return this.#created(path, body as Held);
    const held = this.#objects.get(path);
    if (method === 'GET' && path.endsWith(`/${plural}`)) return this.#listed(path);
    if (held === undefined) throw failure('NotFound');
    return method === 'GET' ? held : this.#patched(path, held, body);
  }

  #listed(path: string): object {
    const items = [...this.#objects].filter(([at]) => at.startsWith(`${path}/`)).map(([, object]) => object);
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }

  #created(path: string, body: Held): Held {
    const at = `${path}/${body.metadata.name}`;
    if (this.#objects.has(at)) throw failure('AlreadyExists');
    return this.#keep(at, body);
  }

  #patched(path: string, held: Held, body: unknown): Held {
    const next = jsonPatched(held, body) as Held;
    if (next.metadata.resourceVersion !== held.metadata.resourceVersion) throw failure('Conflict');
    return this.#keep(path, next);
  }

  #keep(path: string, object: { readonly metadata: object }): Held {
    const held = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } } as Held;
    this.#objects.set(path, copied(held));
    return held;
  }
}

export function failure(code: KubeErrorCode): KubeError {
  return new KubeError(`the memory says ${code}`, { code, retry: code === 'Conflict' ? 'now' : 'backoff' });
}

export const featureFlagSource: FlagSourceOf = {
  name: 'flags',
  verifyWithinMs: 10_000,
  backend: { kind: 'featureFlag', overrideSuffix: 'serin' },
};

/** Turns a flag off whose owner has turned it on. */
export const off: FlagChange = { id: 'abcd1234-1-1', flag: 'new-pricing', variant: 'off', namespace };

export const newPricing = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'on',
} as const;

/** The owner's FeatureFlag, and who reads it. */
export function shopFlags(flag: object = newPricing): FlagsInMemory {
  const memory = new FlagsInMemory();
  memory.put('featureflags', 'shop-flags', { spec: { flagSpec: { flags: { 'new-pricing': flag } } } });
  memory.put('featureflagsources', 'shop', listing('shop-flags', 'shop-flags-serin'));
  return memory;
}

/** What a FeatureFlagSource lists, in order. */
export function listing(...names: readonly string[]): object {
  return { spec: { sources: names.map((source) => ({ source, provider: 'kubernetes' })) } };
}

function base(plural: string): string {
  return plural === 'configmaps'
    ? `/api/v1/namespaces/${namespace}/configmaps`
    : `/apis/core.openfeature.dev/v1beta1/namespaces/${namespace}/${plural}`;
}

/** As it comes over a wire. */
function copied<T>(object: T): T {
  return JSON.parse(JSON.stringify(object)) as T;
}
