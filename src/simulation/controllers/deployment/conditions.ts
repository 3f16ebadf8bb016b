/** The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure with their times. */
import type { Condition, Deployment, ReplicaSet } from '../../../workload/objects.ts';
import { availableOf, maxUnavailableOf, sizeOf, sumOf, wantedBy } from './sizes.ts';

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly collisionCount?: number;
  readonly conditions?: readonly Condition[];
}

/** Seconds that mean "no deadline". */
const NEVER_SECONDS = 2 ** 31 - 1;

export const reasons = {
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
  found: 'FoundNewReplicaSet',
  created: 'NewReplicaSetCreated',
  updated: 'ReplicaSetUpdated',
  available: 'NewReplicaSetAvailable',
  timedOut: 'ProgressDeadlineExceeded',
  failed: 'ReplicaSetCreateError',
} as const;

export function statusOf(deployment: Deployment): DeploymentStatus {
  return deployment.status ?? {};
}

export function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NEVER_SECONDS;
}

export function conditionOf(status: DeploymentStatus, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

export function progressing(status: string, reason: string, message: string): Condition {
  return { type: 'Progressing', status, reason, message };
}

/** A condition of the same status and reason stays as it is; one of the same status keeps its time of transition. */
export function withCondition(status: DeploymentStatus, condition: Condition, now: string): DeploymentStatus {
  const before = conditionOf(status, condition.type);
  if (before?.status === condition.status && before.reason === condition.reason) return status;
  const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
  const next = { lastTransitionTime: since ?? now, lastUpdateTime: now, ...condition };
  return { ...status, conditions: [...without(status, condition.type), next] };
}

export function withoutCondition(status: DeploymentStatus, type: string): DeploymentStatus {
  return conditionOf(status, type) === undefined ? status : { ...status, conditions: without(status, type) };
}

function without({ conditions = [] }: DeploymentStatus, type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** Counts and Available; the other conditions as they were. */
export function countedStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  now: string,
): DeploymentStatus {
  const available = sumOf(sets, availableOf);
  const { collisionCount, conditions } = statusOf(deployment);
  const counts: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...present('replicas', sumOf(sets, podsOf)),
    ...present('updatedReplicas', newest === undefined ? 0 : podsOf(newest)),
    ...present('readyReplicas', sumOf(sets, readyOf)),
    ...present('availableReplicas', available),
    ...present('unavailableReplicas', Math.max(0, sumOf(sets, sizeOf) - available)),
    terminatingReplicas: sumOf(sets, endingOf),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
  const isAvailable = available >= wantedBy(deployment) - maxUnavailableOf(deployment);
  return withCondition(counts, availability(isAvailable), now);
}

function present(name: keyof DeploymentStatus, count: number): DeploymentStatus {
  return count === 0 ? {} : { [name]: count };
}

function availability(isAvailable: boolean): Condition {
  return isAvailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

const podsOf = (set: ReplicaSet): number => set.status?.replicas ?? 0;
const readyOf = (set: ReplicaSet): number => set.status?.readyReplicas ?? 0;
const endingOf = ({ status }: ReplicaSet): number =>
  (status as { readonly terminatingReplicas?: number } | undefined)?.terminatingReplicas ?? 0;

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedBy(deployment);
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  const isAll = updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted;
  return isAll && observedGeneration >= (deployment.metadata.generation ?? 0);
}

/** Counts and conditions while a template rolls out, with how far it got by its deadline. */
export function rollingStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const now = secondsAt(nowMs);
  const counted = countedStatus(deployment, sets, newest, now);
  const status = hasDeadline(deployment)
    ? progressed(deployment, counted, newest, nowMs)
    : withoutCondition(counted, 'Progressing');
  const failure = failureOf(sets, newest);
  return failure === undefined ? withoutCondition(status, 'ReplicaFailure') : withCondition(status, failure, now);
}

function progressed(
  deployment: Deployment,
  status: DeploymentStatus,
  newest: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const current = conditionOf(status, 'Progressing');
  const { replicas = 0, updatedReplicas = 0 } = status;
  if (replicas === updatedReplicas && current?.reason === reasons.available) return status;
  const what =
    newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`;
  const now = secondsAt(nowMs);
  if (isComplete(deployment, status)) {
    return withCondition(status, progressing('True', reasons.available, `${what} has successfully progressed.`), now);
  }
  if (hasMoved(statusOf(deployment), status)) {
    const moved = progressing('True', reasons.updated, `${what} is progressing.`);
    const since = current?.status === 'True' ? current.lastTransitionTime : undefined;
    const kept = since === undefined ? moved : { ...moved, lastTransitionTime: since };
    return withCondition(withoutCondition(status, 'Progressing'), kept, now);
  }
  if (!isTimedOut(deployment, current, nowMs)) return status;
  return withCondition(status, progressing('False', reasons.timedOut, `${what} has timed out progressing.`), now);
}

function hasMoved(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: Deployment, condition: Condition | undefined, nowMs: number): boolean {
  if (condition === undefined || condition.reason === reasons.available) return false;
  return condition.reason === reasons.timedOut || deadlineMs(deployment, condition) < nowMs;
}

/** When progress counts as stuck. */
export function deadlineMs({ spec }: Deployment, condition: Condition): number {
  return Date.parse(condition.lastUpdateTime ?? '') + (spec.progressDeadlineSeconds ?? 0) * 1000;
}

function failureOf(sets: readonly ReplicaSet[], newest: ReplicaSet | undefined): Condition | undefined {
  const all = newest === undefined ? sets : [newest, ...sets];
  return all.flatMap(({ status }) => status?.conditions ?? []).find(({ type }) => type === 'ReplicaFailure');
}

export function secondsAt(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
