/** Decides which changes are looked at before others: those by which a release may have to go back. */
import type { Priority } from '../kube/queue.ts';
import type { Rollout, Watched } from './stores.ts';

/** People's acts, and everything about pods and endpoints while a new revision may carry traffic. */
export function priorityOfChange(resource: Watched, rollout: Rollout | undefined): Priority {
  if (resource === 'rolloutactions') return 'urgent';
  const { stage } =
    (rollout?.status as { journal?: { attempt?: { stage?: unknown } } } | undefined)?.journal?.attempt ?? {};
  const carriesTraffic = stage === 'step' || stage === 'bake' || stage === 'promote' || stage === 'retreat';
  return carriesTraffic ? 'urgent' : 'normal';
}
