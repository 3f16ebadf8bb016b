/** What can be asked of each verb of the API, and what each answer means; it has no behaviour of its own. */
import type { Draft } from './resources.ts';
import type { Impersonation } from './transport.ts';

export interface CallOptions {
  /** Default 10 000 ms. */
  readonly timeoutMs?: number;
  readonly impersonate?: Impersonation | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Everything is checked and answered by the server, admission included, and nothing is kept. */
  readonly dryRun?: boolean;
  /** Who owns the fields that this write sets; default is the client's. */
  readonly fieldManager?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers instead of failing with a Conflict that is not to be retried. Default false. */
  readonly force?: boolean;
  readonly subresource?: string;
}

export interface PatchOptions extends WriteOptions {
  /** The write happens only if the object still has this resourceVersion; else it throws a Conflict and nothing changed. */
  readonly resourceVersion?: string;
  /** Such as `status`. */
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean;
  /** Preconditions: another object of the same name, or a changed one, is left alone and a Conflict thrown. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default: the server's for this kind (Background for most). */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

export interface ListOptions extends CallOptions {
  /** Left out: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Not older than this; `'0'`: any state that the server has at hand, perhaps stale. Left out: the most recent. */
  readonly resourceVersion?: string | undefined;
  /** Objects a page; default 500. */
  readonly pageSize?: number;
}

export interface Listed<T> {
  readonly items: readonly T[];
  /** The state the list shows, to watch from. */
  readonly resourceVersion: string;
}

/** One operation of a JSON patch (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** An object to write: a literal or a typed one. */
export type Writable = Draft | (Draft & Readonly<Record<string, unknown>>);
