/**
 * Creates objects of Serin's own under names that are known beforehand. One that is there already is read and kept if it
 * is ours, never overwritten: an apply on a stale view would move things backwards.
 */
import { API_GROUP, API_VERSION, releaseRecordKind } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type Draft, describe, type KubeObject, type OwnerReference, type ResourceKind } from '../kube/resources.ts';

/** What became of the wish to have an object. */
export type Made<T> =
  | { readonly kind: 'made'; readonly object: T }
  /** Somebody else's object has the name; the message says what to do. */
  | { readonly kind: 'nameTaken'; readonly message: string }
  /** What it should be made from is another revision by now (S3); nothing was written. */
  | { readonly kind: 'otherRevision'; readonly message: string };

/** The ReleaseRecord that owns what an attempt makes. */
export interface Anchor {
  readonly name: string;
  readonly uid: string;
}

/** The controllerRef to the anchor. Never blockOwnerDeletion: it would need rights that Serin has no use for. */
export function anchoredTo(anchor: Anchor): OwnerReference {
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: releaseRecordKind.kind,
    name: anchor.name,
    uid: anchor.uid,
    controller: true,
  };
}

/** @param isOurs tells whether an object found under the name is the very one that is wanted. */
export async function make<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind,
  wanted: Draft,
  isOurs: (found: T) => boolean,
  signal?: AbortSignal,
): Promise<Made<T>> {
  try {
    return { kind: 'made', object: await client.create<T>(kind, wanted, {}, signal) };
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  const { namespace, name = '' } = wanted.metadata;
  const found = await client.get<T>(kind, { namespace, name }, {}, signal);
  if (isOurs(found)) return { kind: 'made', object: found };
  const message = `${describe(kind, wanted.metadata)} exists and is not Serin's, and the release needs that name; rename or delete it.`;
  return { kind: 'nameTaken', message };
}

/** An object as it was looked at. */
export interface Sighting {
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** With it the object goes only if nobody changed it since: a Conflict is thrown then. */
  readonly resourceVersion?: string;
}

/** Deletes exactly the object that was seen; one that is gone, or another of that name, is what was wanted. */
export async function deleteSeen(
  client: KubeClient,
  kind: ResourceKind,
  { namespace, name, uid, resourceVersion }: Sighting,
  signal?: AbortSignal,
): Promise<void> {
  const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    await client.delete(kind, { namespace, name }, preconditions, signal);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return;
    if (resourceVersion !== undefined || !isKubeError(error, 'Conflict')) throw error;
  }
}
