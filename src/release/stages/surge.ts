/**
 * Owns the maxSurge of the handover: while both revisions belong to the Deployment, a resize must not be able to take
 * its pods from the one that has all the traffic. The user's own value is never lost.
 */
import type { Effect } from '../decision.ts';
import type { DeploymentView } from '../world.ts';

type SurgeEffect = Extract<Effect, { readonly kind: 'setMaxSurge' }>;

/** With it the controller spreads a resize over both revisions; without it the canary pays the whole difference. */
const HANDOVER_SURGE = '100%';

/**
 * What is still to be written before the handover, and again when somebody wrote past the guard; with strategy Recreate
 * there is no maxSurge and no such danger.
 *
 * @param journalled the user's own value as the attempt remembers it.
 */
export function surgeUp(deployment: DeploymentView, journalled?: string): readonly Effect[] {
  const { strategyType, maxSurge, maxSurgeBefore } = deployment;
  if (strategyType === 'Recreate') return [];
  const isUp = maxSurge === HANDOVER_SURGE;
  if (isUp && maxSurgeBefore !== undefined) return [];
  const before = isUp ? (journalled ?? maxSurge) : maxSurge;
  return [{ kind: 'setMaxSurge', value: HANDOVER_SURGE, before }];
}

/**
 * What gives the user's value back. One that was edited meanwhile stays as it was edited.
 *
 * @param journalled what the attempt remembers, for a Deployment whose annotation somebody took off.
 */
export function surgeBack(deployment: DeploymentView | undefined, journalled?: string): readonly SurgeEffect[] {
  if (deployment === undefined) return [];
  const { maxSurge, maxSurgeBefore, strategyType } = deployment;
  // Nothing but the annotation is left to take off when the strategy was changed during the handover (S10).
  if (strategyType === 'Recreate')
    return maxSurgeBefore === undefined ? [] : [{ kind: 'setMaxSurge', value: maxSurgeBefore }];
  if (maxSurgeBefore !== undefined)
    return [{ kind: 'setMaxSurge', value: maxSurge === HANDOVER_SURGE ? maxSurgeBefore : maxSurge }];
  const isLeft = maxSurge === HANDOVER_SURGE && journalled !== undefined && journalled !== HANDOVER_SURGE;
  return isLeft ? [{ kind: 'setMaxSurge', value: journalled }] : [];
}
