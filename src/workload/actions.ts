/** Shows what people asked of a Rollout and writes the answers; an action is answered once and never edited. */
import { rolloutActionKind } from '../api/kinds.ts';
import type { RolloutActionStatus } from '../api/rollout-action.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { ActionView } from '../release/world.ts';
import { deleteSeen } from './made.ts';
import { createdAtMs, type RolloutAction } from './objects.ts';

export interface ActionAnswer {
  readonly state: RolloutActionStatus['state'];
  readonly message: string;
  readonly atMs: number;
}

/** Answered actions that are kept of one Rollout. */
const KEPT = 20;
const LONGEST_MESSAGE = 1024;

/** Those about this Rollout that wait for an answer, oldest first. */
export function viewActions(actions: readonly RolloutAction[], rollout: string): ActionView[] {
  return actions
    .filter((action) => action.spec.rollout === rollout && action.status?.state === undefined)
    .filter((action) => action.metadata.deletionTimestamp === undefined)
    .map(viewAction)
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || a.name.localeCompare(b.name));
}

function viewAction(action: RolloutAction): ActionView {
  const { action: act, revision, by, reason } = action.spec;
  return {
    name: action.metadata.name,
    action: act,
    ...(revision === undefined ? {} : { revision }),
    by,
    ...(reason === undefined ? {} : { reason }),
    createdAtMs: createdAtMs(action),
  };
}

/** Throws Conflict when somebody wrote to it since; an action that is gone needs no answer. */
export async function answerAction(
  client: KubeClient,
  action: RolloutAction,
  { state, message, atMs }: ActionAnswer,
  signal?: AbortSignal,
): Promise<void> {
  const status: RolloutActionStatus = {
    state,
    at: new Date(atMs).toISOString(),
    message: message.slice(0, LONGEST_MESSAGE),
  };
  const { resourceVersion } = action.metadata;
  try {
    await client.patchStatus(rolloutActionKind, action.metadata, status, { resourceVersion }, signal);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

/**
 * Deletes answered actions of the Rollout beyond the newest; an unanswered one never.
 *
 * @returns how many were deleted.
 */
export async function pruneActions(
  client: KubeClient,
  actions: readonly RolloutAction[],
  rollout: string,
  signal?: AbortSignal,
): Promise<number> {
  const surplus = actions
    .filter((action) => action.spec.rollout === rollout && action.status?.state !== undefined)
    .toSorted((a, b) => createdAtMs(b) - createdAtMs(a))
    .slice(KEPT)
    .filter((action) => action.metadata.deletionTimestamp === undefined);
  for (const { metadata } of surplus) {
    const { namespace, name, uid } = metadata;
    await deleteSeen(client, rolloutActionKind, { namespace, name, uid }, signal);
  }
  return surplus.length;
}
