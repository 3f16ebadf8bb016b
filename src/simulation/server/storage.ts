/**
 * Holds every object under one rising resourceVersion and the changes that led here, so that watches and paged lists can
 * go back. It never judges a change.
 */
import type { ResourceKind } from '../../kube/resources.ts';
import type { Stored } from './objects.ts';

export interface Change {
  readonly version: number;
  /** "deployments.apps" */
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** As it is now; of a deleted object its last state, at the version of its deletion. */
  readonly object: Stored;
  /** As it was before. */
  readonly before?: Stored;
}

type Listener = (change: Change) => void;

/** The first version, so that 1 is a place in the past as on any server that has run for a while. */
const FIRST_VERSION = 100;

export class Storage {
  readonly #historyLength: number;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #byUid = new Map<string, { readonly resource: string; readonly key: string }>();
  readonly #listeners = new Set<Listener>();
  #history: Change[] = [];
  /** Changes up to this version are forgotten. */
  #forgotten = FIRST_VERSION;
  #version = FIRST_VERSION;

  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  /** The newest resourceVersion. */
  get version(): number {
    return this.#version;
  }

  /** The oldest version that `since` and `at` can answer for. */
  get oldestVersion(): number {
    return this.#forgotten;
  }

  get(kind: ResourceKind, namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(resourceKey(kind))?.get(objectKey(namespace, name));
  }

  byUid(uid: string): Stored | undefined {
    const place = this.#byUid.get(uid);
    return place === undefined ? undefined : this.#objects.get(place.resource)?.get(place.key);
  }

  /** In the order of their keys. */
  all(kind: ResourceKind, namespace?: string): Stored[] {
    const objects = [...(this.#objects.get(resourceKey(kind))?.entries() ?? [])];
    return inOrder(objects.filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace));
  }

  /** Every object of every kind. */
  everything(): Stored[] {
    return [...this.#objects.values()].flatMap((objects) => [...objects.values()]);
  }

  /** Stores the object under the next version and returns it so. */
  put(kind: ResourceKind, object: Stored): Stored {
    const resource = resourceKey(kind);
    const key = objectKey(object.metadata.namespace, object.metadata.name);
    const objects = this.#objects.get(resource) ?? new Map<string, Stored>();
    this.#objects.set(resource, objects);
    const before = objects.get(key);
    const stored = at(object, ++this.#version);
    objects.set(key, stored);
    this.#byUid.set(stored.metadata.uid, { resource, key });
    const type = before === undefined ? 'ADDED' : 'MODIFIED';
    this.#announce({ version: this.#version, resource, type, object: stored, ...(before ? { before } : {}) });
    return stored;
  }

  /** Takes the object out; its last state gets the version of its end. */
  remove(kind: ResourceKind, object: Stored): Stored {
    const resource = resourceKey(kind);
    const key = objectKey(object.metadata.namespace, object.metadata.name);
    const before = this.#objects.get(resource)?.get(key);
    this.#objects.get(resource)?.delete(key);
    this.#byUid.delete(object.metadata.uid);
    const last = at(object, ++this.#version);
    this.#announce({
      version: this.#version,
      resource,
      type: 'DELETED',
      object: last,
      ...(before === undefined ? {} : { before }),
    });
    return last;
  }

  /** Changes after a version; undefined when that is forgotten. */
  since(version: number): readonly Change[] | undefined {
    if (version < this.#forgotten) return undefined;
    return this.#history.slice(firstAfter(this.#history, version));
  }

  /** The objects of a kind as they were at a version; undefined when that is forgotten. */
  at(kind: ResourceKind, version: number): Stored[] | undefined {
    const later = this.since(version);
    if (later === undefined) return undefined;
    const resource = resourceKey(kind);
    const objects = new Map(this.#objects.get(resource));
    for (const change of later.filter((one) => one.resource === resource).toReversed()) {
      const key = objectKey(change.object.metadata.namespace, change.object.metadata.name);
      if (change.before === undefined) objects.delete(key);
      else objects.set(key, change.before);
    }
    return inOrder([...objects.entries()]);
  }

  /** Forgets every change so far, as a compaction does: watches from before are Gone. */
  compact(): void {
    this.#history = [];
    this.#forgotten = this.#version;
  }

  /** Told about each change at once; returns how to stop that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #announce(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > 2 * this.#historyLength) {
      this.#history = this.#history.slice(-this.#historyLength);
      this.#forgotten = (this.#history[0]?.version ?? this.#version + 1) - 1;
    }
    for (const listener of this.#listeners) listener(change);
  }
}

export function resourceKey({ plural, group }: ResourceKind): string {
  return `${plural}.${group}`;
}

function objectKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function at(object: Stored, version: number): Stored {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function inOrder(entries: readonly (readonly [string, Stored])[]): Stored[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

function firstAfter(history: readonly Change[], version: number): number {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((history[middle]?.version ?? 0) > version) high = middle;
    else low = middle + 1;
  }
  return low;
}
