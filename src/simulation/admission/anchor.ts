/** deploy/policies/anchor.yaml again: only Serin lets go of the record that owns the pods of a running attempt. */
import { ANCHOR_FINALIZER } from '../../workload/marks.ts';
import type { Stored } from '../server/objects.ts';
import { isBySerin, isOn, type Policy, type Review } from './policy.ts';

export const anchor: Policy = { name: 'serin-anchor', refuse };

function refuse(review: Review): string | undefined {
  const { before, object, namespace, operation } = review;
  if (before === undefined || isBySerin(review) || !isOn(review, 'releaserecords', 'UPDATE', 'DELETE'))
    return undefined;
  const isProtected = isAnchored(before) && namespace?.metadata.deletionTimestamp === undefined;
  if (!isProtected) return undefined;
  const { name } = before.metadata;
  if (operation === 'DELETE') {
    return `release record ${name} owns the pods of a running attempt. Abort the release first, or delete the Rollout: Serin then takes the pods out of service in order and lets go of the record.`;
  }
  if (isAnchored(object)) return undefined;
  return `the finalizer serin.dev/anchor of release record ${name} is taken off by Serin when its attempt has ended.`;
}

function isAnchored({ metadata }: Stored): boolean {
  return metadata.finalizers?.includes(ANCHOR_FINALIZER) ?? false;
}
