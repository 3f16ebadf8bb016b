/** deploy/policies/dry-run-only.yaml again: two rights of Serin's are questions and nothing more. */
import { isOn, type Policy, PROBE, type Review, SERIN } from './policy.ts';

export const dryRunOnly: Policy = { name: 'serin-dry-run-only', refuse };

function refuse(review: Review): string | undefined {
  const { user, dryRun } = review;
  const isProbing = user.name === PROBE && isOn(review, 'deployments', 'UPDATE');
  const isRehearsing = user.name === SERIN && isOn(review, 'pods', 'CREATE');
  return (isProbing || isRehearsing) && !dryRun ? `${user.name} may do this as a dry run only.` : undefined;
}
