/** deploy/policies/status.yaml again: the status of Serin's kinds is written by Serin alone. */
import { isBySerin, type Policy, type Review } from './policy.ts';

export const status: Policy = { name: 'serin-status', refuse };

const guarded = ['rollouts', 'rolloutactions', 'releaserecords'];

function refuse(review: Review): string | undefined {
  const { kind, subresource, object } = review;
  if (subresource !== 'status' || !guarded.includes(kind.plural) || isBySerin(review)) return undefined;
  return `the status of ${object.kind} ${object.metadata.name} is written by Serin alone; to act on a release, create a RolloutAction.`;
}
