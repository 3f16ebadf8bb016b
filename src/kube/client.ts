/** The verbs of the API for any kind of object, each guarded as its caller asks; it never retries a write and never reads before it writes. */
import { isKubeError } from './errors.ts';
import {
  apiVersionOf,
  describe,
  type KubeObject,
  type ObjectRef,
  pathOf,
  pathTemplateOf,
  type ResourceKind,
} from './resources.ts';
import type { KubeRequest, Method, Transport } from './transport.ts';
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  JsonPatchOperation,
  Listed,
  ListOptions,
  PatchOptions,
  Writable,
  WriteOptions,
} from './verbs.ts';

export interface ClientOptions {
  readonly transport: Transport;
  /** Default `serin`. */
  readonly fieldManager?: string;
}

/** Every method throws a KubeError. `T` is the caller's claim about the answer; nothing is converted, timestamps stay strings. */
export class KubeClient {
  readonly transport: Transport;
  readonly #fieldManager: string;

  constructor(options: ClientOptions) {
    this.transport = options.transport;
    this.#fieldManager = options.fieldManager ?? 'serin';
  }

  get<T = KubeObject>(kind: ResourceKind, ref: ObjectRef, options: CallOptions = {}, signal?: AbortSignal): Promise<T> {
    return this.#call<T>('GET', 'get', kind, ref, options, {}, signal);
  }

  /** As `get`, with absence as a value. */
  async find<T = KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    options: CallOptions = {},
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(kind, ref, options, signal);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** All pages. Throws Gone when the list changed so much in between that the server lost the place: ask again. */
  async list<T = KubeObject>(kind: ResourceKind, options: ListOptions = {}, signal?: AbortSignal): Promise<Listed<T>> {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.pages<T>(kind, options, signal)) {
      items.push(...page.items);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  /** The same page by page, so that a huge list is never held twice. */
  async *pages<T = KubeObject>(
    kind: ResourceKind,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): AsyncGenerator<Listed<T>, void, void> {
    const stamp = { apiVersion: apiVersionOf(kind), kind: kind.kind };
    let continueAt: string | undefined;
    do {
      const query = {
        limit: options.pageSize ?? 500,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        ...(continueAt === undefined ? versionQuery(options.resourceVersion) : { continue: continueAt }),
      };
      const page = await this.#call<ListAnswer>(
        'GET',
        'list',
        kind,
        { namespace: options.namespace },
        options,
        { query },
        signal,
      );
      continueAt = page.metadata.continue || undefined;
      // The server leaves these two out of listed items, and only there.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what it asked for
      const items = (page.items ?? []).map((item) => ({ ...stamp, ...item }) as T);
      yield { items, resourceVersion: page.metadata.resourceVersion };
    } while (continueAt !== undefined);
  }

  /** Throws AlreadyExists when there is one; what that means is the caller's to find out by reading it. */
  create<T = KubeObject>(
    kind: ResourceKind,
    object: Writable,
    options: WriteOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const query = this.#writeQuery(options);
    const body = stamped(kind, object);
    const { namespace, name } = object.metadata;
    return this.#call<T>(
      'POST',
      'create',
      kind,
      { namespace },
      options,
      { query, body, ...(name === undefined ? {} : { named: name }) },
      signal,
    );
  }

  /** Server-side apply: creates the object, or makes the fields given here ours. Put `metadata.resourceVersion` in to guard it. */
  apply<T = KubeObject>(
    kind: ResourceKind,
    object: Writable,
    options: ApplyOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const query = { ...this.#writeQuery(options), force: options.force ?? false };
    const ref = { namespace: object.metadata.namespace, name: object.metadata.name };
    const contentType = 'application/apply-patch+yaml';
    return this.#call<T>(
      'PATCH',
      'apply',
      kind,
      ref,
      options,
      { query, body: stamped(kind, object), contentType },
      signal,
    );
  }

  /** JSON merge patch: `null` removes a field, lists are replaced as a whole. */
  mergePatch<T = KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    patch: object,
    options: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const body = options.resourceVersion === undefined ? patch : guarded(patch, options.resourceVersion);
    const contentType = 'application/merge-patch+json';
    return this.#call<T>(
      'PATCH',
      'patch',
      kind,
      ref,
      options,
      { query: this.#writeQuery(options), body, contentType },
      signal,
    );
  }

  /**
   * JSON patch. The guard *replaces* metadata.resourceVersion rather than testing it: the server then answers a
   * Conflict, where a failed `test` is an Invalid that nothing tells from a patch that is wrong.
   */
  jsonPatch<T = KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    operations: readonly JsonPatchOperation[],
    options: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const { resourceVersion } = options;
    const guard =
      resourceVersion === undefined
        ? []
        : [{ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }];
    const contentType = 'application/json-patch+json';
    const body = [...guard, ...operations];
    return this.#call<T>(
      'PATCH',
      'patch',
      kind,
      ref,
      options,
      { query: this.#writeQuery(options), body, contentType },
      signal,
    );
  }

  /** Merge-patches `status`, and nothing else of the object. */
  patchStatus<T = KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    status: object,
    options: Omit<PatchOptions, 'subresource'> = {},
    signal?: AbortSignal,
  ): Promise<T> {
    return this.mergePatch<T>(kind, ref, { status }, { ...options, subresource: 'status' }, signal);
  }

  /** Asks for deletion; finalizers may keep the object for longer. Throws NotFound when it is gone already. */
  async delete(kind: ResourceKind, ref: ObjectRef, options: DeleteOptions = {}, signal?: AbortSignal): Promise<void> {
    const { uid, resourceVersion, propagation } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      // The server ignores the query of a delete that has a body: a dry run asked for only there deletes for real.
      ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(uid === undefined && resourceVersion === undefined
        ? {}
        : {
            preconditions: {
              ...(uid === undefined ? {} : { uid }),
              ...(resourceVersion === undefined ? {} : { resourceVersion }),
            },
          }),
    };
    await this.#call('DELETE', 'delete', kind, ref, options, { query: { dryRun: dryRunOf(options) }, body }, signal);
  }

  #writeQuery(options: WriteOptions): Query {
    return { fieldManager: options.fieldManager ?? this.#fieldManager, dryRun: dryRunOf(options) };
  }

  #call<T>(
    method: Method,
    verb: string,
    kind: ResourceKind,
    ref: { readonly namespace?: string | undefined; readonly name?: string | undefined },
    options: CallOptions & { readonly subresource?: string },
    sent: Sent,
    signal?: AbortSignal,
  ): Promise<T> {
    const object =
      verb === 'list' ? kind.plural : describe(kind, { namespace: ref.namespace, name: ref.name ?? sent.named });
    const { named: _, ...request } = sent;
    return this.transport.request<T>(
      {
        method,
        path: pathOf(kind, ref.namespace, ref.name, options.subresource),
        pathTemplate: pathTemplateOf(kind, options.subresource),
        action: `${verb} ${object}${options.subresource === undefined ? '' : ` (${options.subresource})`}`,
        timeoutMs: options.timeoutMs,
        impersonate: options.impersonate,
        ...request,
      },
      signal,
    );
  }
}

type Query = Record<string, string | number | boolean | undefined>;

interface Sent extends Pick<KubeRequest, 'body' | 'contentType'> {
  readonly query?: Query;
  /** Name of an object that is created, for messages: it is not in the path. */
  readonly named?: string;
}

interface ListAnswer {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** `null` when there are none. */
  readonly items: readonly object[] | null;
}

/** Without the match the server takes a paged list at a version for *exactly* that version. The place in a list names its own. */
function versionQuery(resourceVersion: string | undefined): Query {
  return resourceVersion === undefined ? {} : { resourceVersion, resourceVersionMatch: 'NotOlderThan' };
}

function dryRunOf(options: { readonly dryRun?: boolean }): 'All' | undefined {
  return options.dryRun === true ? 'All' : undefined;
}

function stamped(kind: ResourceKind, object: Writable): object {
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function guarded(patch: object, resourceVersion: string): object {
  const metadata = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : {};
  return { ...patch, metadata: { ...metadata, resourceVersion } };
}
