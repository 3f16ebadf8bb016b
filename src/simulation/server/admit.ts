/** Puts each write before the admission policies, and says no in their words. */
import { rolloutKind } from '../../api/kinds.ts';
import { isEqual } from '../../controller/merge-patch.ts';
import type { Policy, Review } from '../admission/policy.ts';
import type { Asked } from './asked.ts';
import type { Stored } from './objects.ts';
import type { Place } from './place.ts';
import { forbidden } from './refusals.ts';
import { namespaceOf } from './requirements.ts';
import type { Storage } from './storage.ts';

/** What a write is about: the object as it would be, and as it is. */
export interface Matter {
  readonly operation: Review['operation'];
  readonly object: Stored;
  readonly before?: Stored;
  readonly dryRun: boolean;
}

export function reviewOf(storage: Storage, place: Place, { user }: Asked, matter: Matter): Review {
  const { operation, object, before, dryRun } = matter;
  const { kind, subresource } = place;
  const namespace = namespaceOf(storage, place);
  const rollouts = () => storage.all(rolloutKind, place.namespace);
  return { operation, kind, subresource, user, dryRun, object, before, namespace, rollouts };
}

/** Each policy once, and once more when a later one changed what it saw. */
export function mutated(policies: readonly Policy[], review: Review): Stored {
  const once = (object: Stored): Stored =>
    policies.reduce((at, policy) => policy.mutate?.({ ...review, object: at }) ?? at, object);
  const first = once(review.object);
  return isEqual(first, review.object) ? first : once(first);
}

/** Throws the refusal of the first policy that has one. */
export function admittedOrRefused(policies: readonly Policy[], review: Review): readonly string[] {
  for (const policy of policies) {
    const why = policy.refuse?.(review);
    const { name } = policy;
    if (why === undefined) continue;
    const who = `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request`;
    throw forbidden(review.kind, review.object.metadata.name, `${who}: ${why}`);
  }
  return policies.flatMap((policy) => policy.warn?.(review) ?? []);
}
