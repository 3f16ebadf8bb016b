/**
 * Stands between a decision and the API server: every write of a Rollout passes here, is refused when this process may
 * no longer write, logged in one line, and remembered until the stores show it. It never changes a request.
 */
import { isKubeError, KubeError } from '../kube/errors.ts';
import { actionOf } from '../kube/errors.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import type { Log } from './log.ts';
import type { UnseenWrites, Written } from './unseen-writes.ts';

export interface WatchedWritesOptions {
  readonly transport: Transport;
  readonly unseen: UnseenWrites;
  readonly log: Log;
  /** False once leadership ended: another process may be acting already (S12). */
  readonly mayWrite: () => boolean;
  readonly onConflict: () => void;
}

/** Who writes: the Rollout and the effect or status change that it is for. */
export interface Purpose {
  readonly rollout: string;
  readonly reason: string;
  /** The sentence of a decision that is being written down. */
  readonly message?: string;
}

/** A transport for one purpose; reads and dry runs pass untouched. */
export function watchedWrites(options: WatchedWritesOptions, purpose: Purpose): Transport {
  const { transport } = options;
  return {
    stream: (request, signal) => transport.stream(request, signal),
    close: () => transport.close(),
    request: async <T>(request: KubeRequest, signal?: AbortSignal): Promise<T> => {
      if (request.method === 'GET' || request.query?.['dryRun'] !== undefined)
        return transport.request<T>(request, signal);
      return writing<T>(options, purpose, request, signal);
    },
  };
}

async function writing<T>(
  options: WatchedWritesOptions,
  purpose: Purpose,
  request: KubeRequest,
  signal?: AbortSignal,
): Promise<T> {
  if (!options.mayWrite())
    throw new KubeError(`${actionOf(request)}: not sent, this process no longer holds the Lease`, {
      code: 'Aborted',
      retry: 'never',
    });
  try {
    const answer = await options.transport.request<T>(request, signal);
    const written = writtenBy(request, answer);
    if (written !== undefined) options.unseen.note(purpose.rollout, written);
    options.log.info(
      { ...purpose, method: request.method, resourceVersion: written?.resourceVersion },
      actionOf(request),
    );
    return answer;
  } catch (error) {
    if (isKubeError(error, 'Conflict')) options.onConflict();
    throw error;
  }
}

/** Reads the answer of a write: the object, or a Status that says what was deleted. */
function writtenBy(request: KubeRequest, answer: unknown): Written | undefined {
  const place = placeIn(request.path);
  const { metadata = {}, details = {} } = answer as Answer;
  const name = place?.name ?? metadata.name;
  const uid = metadata.uid ?? details.uid;
  if (place === undefined || name === undefined || uid === undefined) return undefined;
  const one = { resource: place.resource, ref: { namespace: place.namespace, name }, uid };
  const { resourceVersion } = metadata;
  // A finalizer may keep what was deleted: then the deletion is a change like any other.
  const isGone = request.method === 'DELETE' && metadata.deletionTimestamp === undefined;
  if (isGone) return { ...one, verb: 'delete' };
  if (resourceVersion === undefined) return undefined;
  return { ...one, verb: request.method === 'POST' ? 'create' : 'change', resourceVersion };
}

interface Answer {
  readonly metadata?: {
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
  };
  readonly details?: { readonly uid?: string };
}

/** The object of a path: /api/v1/namespaces/shop/services/checkout, /apis/apps/v1/namespaces/shop/replicasets. */
function placeIn(
  path: string,
): { readonly resource: string; readonly namespace?: string; readonly name?: string } | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [resource, name] = isInNamespace ? rest.slice(2) : rest;
  if (resource === undefined) return undefined;
  return {
    resource,
    ...(isInNamespace && rest[1] !== undefined ? { namespace: rest[1] } : {}),
    ...(name === undefined ? {} : { name }),
  };
}
