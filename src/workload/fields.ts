/**
 * Reads and gives back the ownership of fields. A field that Serin still owns after a release makes the next
 * `kubectl apply --server-side` of its user fail with a conflict, so what is clean at rest includes this.
 */
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject, ResourceKind } from '../kube/resources.ts';
import { FIELD_MANAGER } from './marks.ts';
import type { ManagedFieldsEntry, OwnedMeta } from './objects.ts';

/** Field managers that own the field at this path of the object, such as `['spec', 'paused']`. */
export function ownersOf(entries: readonly ManagedFieldsEntry[], path: readonly string[]): readonly string[] {
  return entries.filter((entry) => hasField(entry.fieldsV1, path)).map((entry) => entry.manager ?? 'an unnamed client');
}

/** The same entries without Serin's; undefined when there is nothing to take out, or nothing would be left. */
export function withoutOurs(entries: readonly ManagedFieldsEntry[] = []): readonly ManagedFieldsEntry[] | undefined {
  const others = entries.filter((entry) => entry.manager !== FIELD_MANAGER);
  return others.length === entries.length || others.length === 0 ? undefined : others;
}

/** Controllers write status right after every change, so the first try often comes too late. */
const TRIES = 3;

/**
 * Gives up the fields that Serin owns on an object just written; `written` is what the API server answered. When others
 * write all the time the ownership stays until Serin's next write, which only is untidy.
 */
export async function yieldFields(
  client: KubeClient,
  kind: ResourceKind,
  written: KubeObject,
  signal?: AbortSignal,
): Promise<void> {
  let seen: KubeObject | undefined = written;
  for (let tries = 1; seen !== undefined; tries++) {
    const { managedFields, resourceVersion } = seen.metadata as OwnedMeta;
    const others = withoutOurs(managedFields);
    if (others === undefined) return;
    try {
      await client.mergePatch(
        kind,
        seen.metadata,
        { metadata: { managedFields: others } },
        { resourceVersion },
        signal,
      );
      return;
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
      seen = tries < TRIES ? await client.find(kind, seen.metadata, {}, signal) : undefined;
    }
  }
}

function hasField(fields: unknown, path: readonly string[]): boolean {
  let at: unknown = fields;
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return false;
    at = (at as Readonly<Record<string, unknown>>)[`f:${name}`];
  }
  return at !== undefined;
}
