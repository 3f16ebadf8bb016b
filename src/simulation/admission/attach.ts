/** deploy/policies/attach.yaml again: a Deployment that a Rollout names is attached from its first moment. */
import { ATTACHED_LABEL } from '../../workload/marks.ts';
import { fieldsAt, type Stored } from '../server/objects.ts';
import { isOn, labelOf, type Policy, type Review, withLabel } from './policy.ts';

export const attach: Policy = { name: 'serin-attach', mutate };

function mutate(review: Review): Stored {
  const { object } = review;
  if (!isOn(review, 'deployments', 'CREATE') || labelOf(object, ATTACHED_LABEL) !== undefined) return object;
  const isNamed = review.rollouts().some((rollout) => names(rollout, object));
  return isNamed ? withLabel(object, ATTACHED_LABEL, 'true') : object;
}

function names(rollout: Stored, { metadata }: Stored): boolean {
  const target = fieldsAt(fieldsAt(rollout, 'spec'), 'targetRef')['name'];
  return target === metadata.name && rollout.metadata.deletionTimestamp === undefined;
}
