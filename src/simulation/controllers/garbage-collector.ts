/**
 * The garbage collector: what is owned by something that is gone goes too; a foreground deletion waits for what blocks it;
 * an orphan deletion lets go first. It believes UIDs and nothing else.
 */
import type { OwnerReference } from '../../kube/resources.ts';
import type { ApiServer } from '../server/api-server.ts';
import { FOREGROUND, ORPHAN } from '../server/deletes.ts';
import { kindNamed } from '../server/kinds.ts';
import type { Stored } from '../server/objects.ts';
import type { Change } from '../server/storage.ts';
import { Hand } from './hand.ts';
import type { Controller } from './runner.ts';

export class GarbageCollector implements Controller {
  readonly name = 'generic-garbage-collector';
  readonly #hand: Hand;

  constructor({ server }: { readonly server: ApiServer }) {
    this.#hand = new Hand(server, this.name);
  }

  /** Keys are UIDs. */
  all(): readonly string[] {
    return this.#hand.server.storage
      .everything()
      .filter(isOfInterest)
      .map(({ metadata }) => metadata.uid);
  }

  concerns({ type, object, before }: Change): readonly string[] {
    const own = isOfInterest(object) && type !== 'DELETED' ? [object.metadata.uid] : [];
    const owners = [object, before].flatMap((one) => (one?.metadata.ownerReferences ?? []).map(({ uid }) => uid));
    const isTurning = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined;
    const dependents = isTurning ? this.#dependentsOf(object).map(({ metadata }) => metadata.uid) : [];
    return [...new Set([...own, ...owners, ...dependents])];
  }

  sync(uid: string): undefined {
    const object = this.#hand.server.storage.byUid(uid);
    if (object === undefined) return;
    if (isWaitingFor(object, ORPHAN)) {
      this.#orphan(object);
      return;
    }
    if (isWaitingFor(object, FOREGROUND)) this.#finishForeground(object);
    if ((object.metadata.ownerReferences ?? []).length > 0) this.#collect(object);
  }

  #dependentsOf({ metadata }: Stored): Stored[] {
    return this.#hand.server.storage
      .everything()
      .filter((one) => one.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
  }

  #orphan(owner: Stored): void {
    for (const dependent of this.#dependentsOf(owner)) this.#dropOwners(dependent, [owner.metadata.uid]);
    this.#dropFinalizer(owner, ORPHAN);
  }

  /** Done when nothing is left that blocks it. */
  #finishForeground(owner: Stored): void {
    const blocking = this.#dependentsOf(owner).filter(({ metadata }) =>
      metadata.ownerReferences?.some(
        ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true,
      ),
    );
    if (blocking.length === 0) this.#dropFinalizer(owner, FOREGROUND);
  }

  #collect(object: Stored): void {
    const owners = object.metadata.ownerReferences ?? [];
    const found = owners.map((reference) => ({ reference, owner: this.#ownerOf(object, reference) }));
    const solid = found.filter(({ owner }) => owner !== undefined && !isWaitingFor(owner, FOREGROUND));
    const waiting = found.filter(({ owner }) => owner !== undefined && isWaitingFor(owner, FOREGROUND));
    const gone = found.filter(({ owner }) => owner === undefined);
    if (solid.length > 0) {
      const loose = [...gone, ...waiting].map(({ reference }) => reference.uid);
      if (loose.length > 0) this.#dropOwners(object, loose);
      return;
    }
    // Marked already: its finalizers decide, and a second deletion would only change their order.
    if (object.metadata.deletionTimestamp !== undefined && !mustTurn(object, waiting.length > 0)) return;
    const hasDependents = waiting.length > 0 && this.#dependentsOf(object).length > 0;
    this.#delete(object, hasDependents ? 'Foreground' : propagationOf(object));
  }

  /** Only the object with that UID in the place that the reference names counts. */
  #ownerOf({ metadata }: Stored, { apiVersion, kind, name, uid }: OwnerReference): Stored | undefined {
    const known = kindNamed(apiVersion, kind);
    const owner = this.#hand.server.storage.byUid(uid);
    if (known === undefined || owner === undefined) return undefined;
    const isThere = owner.kind === kind && owner.metadata.name === name;
    const isReachable = !known.namespaced || owner.metadata.namespace === metadata.namespace;
    return isThere && isReachable ? owner : undefined;
  }

  #delete(object: Stored, propagation: 'Background' | 'Foreground' | 'Orphan'): void {
    const kind = kindNamed(object.apiVersion, object.kind);
    if (kind === undefined) return;
    this.#hand.delete(kind, object.metadata, { uid: object.metadata.uid, propagation });
  }

  #dropOwners(object: Stored, uids: readonly string[]): void {
    const kind = kindNamed(object.apiVersion, object.kind);
    const left = (object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid));
    if (kind === undefined) return;
    this.#hand.patch(kind, object, {
      metadata: { ownerReferences: left.length === 0 ? null : left, uid: object.metadata.uid },
    });
  }

  #dropFinalizer(object: Stored, finalizer: string): void {
    const kind = kindNamed(object.apiVersion, object.kind);
    const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    if (kind !== undefined) this.#hand.patch(kind, object, { metadata: { finalizers } });
  }
}

function isOfInterest({ metadata }: Stored): boolean {
  return (metadata.ownerReferences ?? []).length > 0 || metadata.deletionTimestamp !== undefined;
}

function isWaitingFor({ metadata }: Stored, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(finalizer) ?? false);
}

/** A dependent that goes in the background must turn to the foreground when its owner waits for it. */
function mustTurn({ metadata }: Stored, isAwaited: boolean): boolean {
  return (
    isAwaited &&
    !(metadata.finalizers?.includes(FOREGROUND) ?? false) &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}

/** What its own finalizers already say, else the background. */
function propagationOf({ metadata }: Stored): 'Background' | 'Foreground' | 'Orphan' {
  if (metadata.finalizers?.includes(ORPHAN)) return 'Orphan';
  return metadata.finalizers?.includes(FOREGROUND) ? 'Foreground' : 'Background';
}
