/**
 * Owns the maxSurge of the handover: while both revisions belong to the Deployment, a resize must not be able to take
 * its pods from the one that has all the traffic. The user's own value is never lost.
 */
import type { Effect } from '../decision.ts';
import type { DeploymentView } from '../world.ts';

/** With it the controller spreads a resize over both revisions; without it the canary pays the whole difference. */
const HANDOVER_SURGE = '100%';

/** What is still to be written before the handover; with strategy Recreate there is no maxSurge and no such danger. */
export function surgeUp(deployment: DeploymentView, own: string): readonly Effect[] {
  if (deployment.strategyType === 'Recreate') return [];
  const isUp = deployment.maxSurge === HANDOVER_SURGE && deployment.maxSurgeBefore !== undefined;
  return isUp ? [] : [{ kind: 'setMaxSurge', value: HANDOVER_SURGE, before: own }];
}

/**
 * What gives the user's value back. One that was edited meanwhile stays as it was edited.
 *
 * @param journalled what the attempt remembers, for a Deployment whose annotation somebody took off.
 */
export function surgeBack(deployment: DeploymentView | undefined, journalled?: string): readonly Effect[] {
  if (deployment === undefined || deployment.strategyType === 'Recreate') return [];
  const { maxSurge, maxSurgeBefore } = deployment;
  if (maxSurgeBefore !== undefined)
    return [{ kind: 'setMaxSurge', value: maxSurge === HANDOVER_SURGE ? maxSurgeBefore : maxSurge }];
  const isLeft = maxSurge === HANDOVER_SURGE && journalled !== undefined && journalled !== HANDOVER_SURGE;
  return isLeft ? [{ kind: 'setMaxSurge', value: journalled }] : [];
}
