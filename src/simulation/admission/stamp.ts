/** deploy/policies/stamp.yaml again: the server writes who asked for an action. */
import { isFields, type Stored } from '../server/objects.ts';
import { isOn, type Policy, type Review } from './policy.ts';

export const stamp: Policy = { name: 'serin-stamp', mutate };

function mutate(review: Review): Stored {
  const { object, user } = review;
  const spec = object['spec'];
  if (!isOn(review, 'rolloutactions', 'CREATE') || !isFields(spec)) return object;
  return { ...object, spec: { ...spec, by: user.name } };
}
