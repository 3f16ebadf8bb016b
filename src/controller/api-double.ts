/**
 * An API server in memory for tests of the shell: objects, resourceVersions and their guards, watches that can be made to
 * lag. It knows no controllers, no admission and no schemas; what those do is tried on a real server.
 */
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import { isWatched, type Stores } from './stores.ts';

export interface SeenWrite {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly version: number;
}

type Refusal = (request: KubeRequest) => KubeError | undefined;

export class ApiDouble implements Transport {
  /** Every write that took effect, dry runs left out. */
  readonly writes: SeenWrite[] = [];
  /** Every dry run. */
  readonly dryRuns: SeenWrite[] = [];
  /** What a dry run of a patch answers with, laid over the patched object: stands for admission. */
  admission: (object: KubeObject) => KubeObject = (object) => object;
  readonly #objects = new Map<string, KubeObject>();
  readonly #changes: Change[] = [];
  readonly #wakes = new Set<() => void>();
  #version = 100;
  #shownUpTo = Number.POSITIVE_INFINITY;
  #refusals: Refusal[] = [];

  /** Puts an object there, as its user or a controller would. */
  put(
    object: { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string } },
    plural: string,
  ): KubeObject {
    const { namespace = '' } = object.metadata as { readonly namespace?: string };
    return this.#store(`${plural}/${namespace}/${object.metadata.name}`, object as unknown as KubeObject);
  }

  get(plural: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${plural}/${namespace}/${name}`);
  }

  /** True for the write from which on watches show nothing, until `catchUp`. */
  isLagging: (write: SeenWrite) => boolean = () => false;

  /** Lists and watches show the state of now, whatever happens, until `catchUp`; a GET shows the truth. */
  freeze(): void {
    this.#shownUpTo = this.#version;
  }

  /** Puts everything there is into stores, as lists without lag would. */
  fill(stores: Stores): void {
    for (const [key, object] of this.#objects) {
      const plural = key.slice(0, key.indexOf('/'));
      if (isWatched(plural)) (stores[plural] as unknown as Store<KubeObject>).put(object);
    }
  }

  catchUp(): void {
    this.isLagging = () => false;
    this.#shownUpTo = Number.POSITIVE_INFINITY;
    this.#wake();
  }

  /** The next request that matches is refused. */
  refuseNext(method: string, path: RegExp, code: KubeError['code']): void {
    const refusal: Refusal = (request) => {
      if (request.method !== method || !path.test(request.path)) return undefined;
      this.#refusals = this.#refusals.filter((one) => one !== refusal);
      return new KubeError(`${request.method} ${request.path}: refused for the test`, { code, retry: 'backoff' });
    };
    this.#refusals.push(refusal);
  }

  async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    for (const refusal of this.#refusals) {
      const error = refusal(request);
      if (error !== undefined) throw error;
    }
    // Not structuredClone: in Jest it makes objects of another realm, which no deep comparison finds equal.
    return JSON.parse(JSON.stringify(this.#answer(request))) as T;
  }

  async stream(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<string>> {
    return this.#lines(placeOf(request.path), Number(request.query?.['resourceVersion'] ?? 0), signal);
  }

  async close(): Promise<void> {
    this.#wake();
  }

  async *#lines({ plural }: Place, from: number, signal: AbortSignal): AsyncGenerator<string, void, void> {
    let at = from;
    while (!signal.aborted) {
      const next = this.#changes.find((change) => change.version > at && change.version <= this.#shownUpTo);
      if (next === undefined) await this.#news(signal);
      else {
        at = next.version;
        if (pluralOf(next.object) === plural) yield JSON.stringify({ type: next.type, object: next.object });
      }
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakes.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    return promise;
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  #answer(request: KubeRequest): unknown {
    const place = placeOf(request.path);
    if (request.method === 'GET') return place.name === undefined ? this.#list(place) : this.#must(place, request);
    const write = { method: request.method, path: request.path, body: request.body };
    if (request.query?.['dryRun'] !== undefined) {
      this.dryRuns.push(write);
      return request.method === 'POST' ? request.body : this.admission(this.#patched(place, request));
    }
    const version = this.#version;
    const answer = this.#write(place, request);
    if (this.isLagging(write)) this.#shownUpTo = Math.min(this.#shownUpTo, version);
    this.writes.push(write);
    return answer;
  }

  #list(place: Place): object {
    const isShown = ({ metadata }: KubeObject) =>
      place.namespace === undefined || metadata.namespace === place.namespace;
    const version = Math.min(this.#version, this.#shownUpTo);
    return {
      metadata: { resourceVersion: String(version) },
      items: this.#stateAt(place.plural, version).filter(isShown),
    };
  }

  /** What there was of a resource at a version. */
  #stateAt(plural: string, version: number): readonly KubeObject[] {
    const state = new Map<string, KubeObject>();
    for (const { type, object, version: at } of this.#changes) {
      const { namespace = '', name } = object.metadata;
      if (pluralOf(object) !== plural || at > version) continue;
      if (type === 'DELETED') state.delete(`${namespace}/${name}`);
      else state.set(`${namespace}/${name}`, object);
    }
    return [...state.values()];
  }

  #write(place: Place, request: KubeRequest): KubeObject | object {
    if (request.method === 'POST') return this.#create(place, request);
    if (request.method === 'DELETE') return this.#delete(place, request);
    return this.#store(keyOf(place), this.#patched(place, request));
  }

  #create(place: Place, request: KubeRequest): KubeObject {
    const object = request.body as KubeObject;
    const key = keyOf({ ...place, name: object.metadata.name });
    if (this.#objects.has(key)) throw new KubeError(`${key} exists`, { code: 'AlreadyExists', retry: 'never' });
    const { namespace } = place;
    return this.#store(key, {
      ...object,
      metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
    });
  }

  #delete(place: Place, request: KubeRequest): object {
    const object = this.#must(place, request);
    const { uid } = (request.body as { preconditions?: { uid?: string } }).preconditions ?? {};
    if (uid !== undefined && uid !== object.metadata.uid) throw conflict(place);
    this.#remove(place, object);
    return { kind: 'Status', status: 'Success', details: { uid: object.metadata.uid } };
  }

  #remove(place: Place, object: KubeObject): void {
    this.#objects.delete(keyOf(place));
    this.#announce('DELETED', {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    });
  }

  #patched(place: Place, request: KubeRequest): KubeObject {
    const object = this.#must(place, request);
    const patch = request.body as KubeObject;
    const wanted = patch.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== object.metadata.resourceVersion) throw conflict(place);
    return merged(object, patch) as KubeObject;
  }

  #must(place: Place, request: KubeRequest): KubeObject {
    const object = this.#objects.get(keyOf(place));
    if (object === undefined)
      throw new KubeError(`${request.method} ${request.path}: not found`, {
        code: 'NotFound',
        retry: 'never',
        httpStatus: 404,
      });
    return object;
  }

  #store(key: string, object: KubeObject): KubeObject {
    const before = this.#objects.get(key);
    const { uid, creationTimestamp } = before?.metadata ?? object.metadata;
    const version = ++this.#version;
    const metadata = {
      ...object.metadata,
      uid: uid ?? `uid-${version}`,
      creationTimestamp: creationTimestamp ?? '2026-01-01T00:00:00Z',
      resourceVersion: String(version),
    };
    const stored = { ...object, metadata };
    this.#objects.set(key, stored);
    this.#announce(before === undefined ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  #announce(type: Change['type'], object: KubeObject): void {
    this.#changes.push({ type, object, version: Number(object.metadata.resourceVersion) });
    this.#wake();
  }
}

interface Place {
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
}

function placeOf(path: string): Place {
  const parts = path.split('/').filter((part) => part !== '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name] = isInNamespace ? rest.slice(2) : rest;
  return {
    plural,
    ...(isInNamespace && rest[1] !== undefined ? { namespace: rest[1] } : {}),
    ...(name === undefined ? {} : { name }),
  };
}

function keyOf({ plural, namespace = '', name = '' }: Place): string {
  return `${plural}/${namespace}/${name}`;
}

function pluralOf(object: KubeObject): string {
  return `${object.kind.toLowerCase()}s`;
}

function conflict(place: Place): KubeError {
  return new KubeError(`${keyOf(place)}: the object has been modified`, {
    code: 'Conflict',
    retry: 'now',
    httpStatus: 409,
  });
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
