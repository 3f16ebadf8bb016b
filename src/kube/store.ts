/** Holds the last known state of one resource, found by key or by index; it never fetches and never decides what a change means. */
import { keyOf } from './resources.ts';

/** The least a stored object has. What else it has is up to the reflector's `project`. */
export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

/** What happened to one object. A recreated object (other UID) is a `deleted` followed by an `added`, never an `updated`. */
export type Change<T> =
  | { readonly kind: 'added'; readonly key: string; readonly object: T }
  | { readonly kind: 'updated'; readonly key: string; readonly object: T; readonly previous: T }
  | { readonly kind: 'deleted'; readonly key: string; readonly object: T };

/** Under which values an object is found; it may be none. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface StoreOptions<T> {
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Called for each listener or index function that threw; the store goes on. */
  readonly onListenerError?: (error: unknown, key: string) => void;
}

export class Store<T extends Stored> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<
    string,
    { readonly of: IndexFunction<T>; readonly keysByValue: Map<string, Set<string>> }
  >();
  /** The values under which a key is filed, per index, so that unfiling never depends on calling the index function again. */
  readonly #filed = new Map<string, ReadonlyMap<string, readonly string[]>>();
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #onListenerError: (error: unknown, key: string) => void;
  #listenerErrors = 0;

  constructor(options: StoreOptions<T> = {}) {
    this.#onListenerError = options.onListenerError ?? (() => {});
    for (const [name, of] of Object.entries(options.indexes ?? {})) {
      this.#indexes.set(name, { of, keysByValue: new Map() });
    }
  }

  get size(): number {
    return this.#objects.size;
  }

  /** How often a listener or an index function threw. */
  get listenerErrors(): number {
    return this.#listenerErrors;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf({ namespace, name }));
  }

  all(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Objects that the named index files under `value`. An index that does not exist is a mistake and throws. */
  list(index: string, value: string): readonly T[] {
    const entry = this.#indexes.get(index);
    if (entry === undefined)
      throw new Error(`the store has no index "${index}"; it is declared where the store is made`);
    return [...(entry.keysByValue.get(value) ?? [])]
      .map((key) => this.#objects.get(key))
      .filter((object) => object !== undefined);
  }

  /** Calls `listener` after every change, in the order of changes; returns the function that ends it. */
  onChange(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Puts in one object as seen; the same resourceVersion again is no change. */
  put(object: T): void {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    if (previous === undefined) return this.#set(key, object, { kind: 'added', key, object });
    if (previous.metadata.uid !== object.metadata.uid) {
      this.#remove(key, previous);
      return this.#set(key, object, { kind: 'added', key, object });
    }
    if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#set(key, object, { kind: 'updated', key, object, previous });
  }

  /** Takes out the object of this key, if there is one. */
  remove(key: string): void {
    const previous = this.#objects.get(key);
    if (previous !== undefined) this.#remove(key, previous);
  }

  /** Makes the content equal to `objects`, telling listeners only what differs. */
  replaceAll(objects: readonly T[]): void {
    const kept = new Set(objects.map((object) => keyOf(object.metadata)));
    for (const key of this.#objects.keys()) if (!kept.has(key)) this.remove(key);
    for (const object of objects) this.put(object);
  }

  #set(key: string, object: T, change: Change<T>): void {
    this.#unfile(key);
    this.#objects.set(key, object);
    this.#file(key, object);
    this.#tell(change);
  }

  #remove(key: string, previous: T): void {
    this.#unfile(key);
    this.#objects.delete(key);
    this.#tell({ kind: 'deleted', key, object: previous });
  }

  #file(key: string, object: T): void {
    const filed = new Map<string, readonly string[]>();
    for (const [name, { of, keysByValue }] of this.#indexes) {
      const values = this.#guarded(key, () => of(object)) ?? [];
      filed.set(name, values);
      for (const value of values) {
        const keys = keysByValue.get(value);
        if (keys === undefined) keysByValue.set(value, new Set([key]));
        else keys.add(key);
      }
    }
    this.#filed.set(key, filed);
  }

  #unfile(key: string): void {
    for (const [name, values] of this.#filed.get(key) ?? []) {
      const keysByValue = this.#indexes.get(name)?.keysByValue;
      for (const value of values) {
        const keys = keysByValue?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) keysByValue?.delete(value);
      }
    }
    this.#filed.delete(key);
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) this.#guarded(change.key, () => listener(change));
  }

  /** S15: one object that a listener or an index chokes on must not take the others with it. */
  #guarded<R>(key: string, run: () => R): R | undefined {
    try {
      return run();
    } catch (error) {
      this.#listenerErrors++;
      this.#onListenerError(error, key);
      return undefined;
    }
  }
}
