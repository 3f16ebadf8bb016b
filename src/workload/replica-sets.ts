/** Shows the ReplicaSets that matter to a Rollout as the decision sees them; it never decides which of them is stable. */
import { API_GROUP, releaseRecordKind } from '../api/kinds.ts';
import type { ReplicaSetView } from '../release/world.ts';
import { hasLeftMarks } from './canary.ts';
import { ATTEMPT_LABEL, DESIRED_REPLICAS_ANNOTATION, POD_TEMPLATE_HASH, ROLLOUT_UID_LABEL } from './marks.ts';
import { controllerOf, createdAtMs, type Deployment, type Pod, type PodEvent, type ReplicaSet } from './objects.ts';
import { isCrashLooping, isReady, restartedAtMs, troubleOf, wasRestarted } from './pods.ts';
import { imageOf, sameTemplate } from './revision.ts';
import { matchesSelector } from './selector.ts';

export interface ReplicaSetsSeen {
  /** Undefined when it is gone. */
  readonly deployment?: Deployment | undefined;
  /** Of the namespace, at least those that concern the Deployment or the Rollout. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Of the namespace, terminating ones too. */
  readonly pods: readonly Pod[];
  readonly rolloutUid: string;
  /** A name that the attempt needs: shown also when it is a stranger's. */
  readonly named?: string | undefined;
  /** They add what the kubelet says in Events alone, as far as it is known. */
  readonly events?: readonly PodEvent[] | undefined;
}

export function viewReplicaSets(seen: ReplicaSetsSeen): ReplicaSetView[] {
  const podsOf = Map.groupBy(seen.pods, (pod) => controllerOf(pod)?.uid);
  return seen.replicaSets
    .filter((replicaSet) => concerns(replicaSet, seen) || replicaSet.metadata.name === seen.named)
    .map((replicaSet) => viewReplicaSet(replicaSet, podsOf.get(replicaSet.metadata.uid) ?? [], seen));
}

/** Whose it is, by its controllerRef alone: labels can be written by anybody who may edit it, and so decide nothing. */
export function ownerOf(replicaSet: ReplicaSet, deploymentUid: string | undefined): ReplicaSetView['owner'] {
  const owner = controllerOf(replicaSet);
  if (owner === undefined) return 'nobody';
  if (owner.uid === deploymentUid) return 'deployment';
  const isRecord = owner.kind === releaseRecordKind.kind && owner.apiVersion.startsWith(`${API_GROUP}/`);
  return isRecord ? 'ours' : 'other';
}

/** Does it run pods of this Deployment or of this Rollout: by its mark, its owner or the Deployment's selector? */
export function concerns(
  replicaSet: ReplicaSet,
  { deployment, rolloutUid }: Pick<ReplicaSetsSeen, 'deployment' | 'rolloutUid'>,
): boolean {
  const { labels = {} } = replicaSet.metadata;
  if (labels[ROLLOUT_UID_LABEL] === rolloutUid) return true;
  if (deployment === undefined) return false;
  return controllerOf(replicaSet)?.uid === deployment.metadata.uid || matchesSelector(deployment.spec.selector, labels);
}

function viewReplicaSet(replicaSet: ReplicaSet, pods: readonly Pod[], seen: ReplicaSetsSeen): ReplicaSetView {
  const { metadata, spec, status = {} } = replicaSet;
  const { deployment } = seen;
  const ready = pods.filter(isReady).length;
  const trouble = troubleOf(replicaSet, pods, seen.events ?? []);
  return {
    uid: metadata.uid,
    name: metadata.name,
    hash: metadata.labels?.[POD_TEMPLATE_HASH] ?? '',
    createdAtMs: createdAtMs(replicaSet),
    owner: ownerOf(replicaSet, deployment?.metadata.uid),
    ...markOf(replicaSet, seen.rolloutUid),
    deleting: metadata.deletionTimestamp !== undefined,
    replicas: spec.replicas ?? 1,
    pods: status.replicas ?? 0,
    podsLeft: pods.length,
    ready,
    // The pods are the newer news: a count of the controller never says more than they do.
    available: Math.min(ready, status.availableReplicas ?? 0),
    current: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    image: imageOf(spec.template),
    ...(hasLeftMarks(replicaSet) ? { hasLeftMarks: true } : {}),
    ...desiredOf(replicaSet),
    sameAsLive: deployment !== undefined && sameTemplate(spec.template, deployment.spec.template),
    crashLooping: pods.filter(isCrashLooping).length,
    restartedPods: pods.filter(wasRestarted).length,
    ...lastRestartOf(pods),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

function lastRestartOf(pods: readonly Pod[]): { readonly lastRestartAtMs?: number } {
  const times = pods.map(restartedAtMs).filter((atMs) => atMs !== undefined);
  return times.length === 0 ? {} : { lastRestartAtMs: Math.max(...times) };
}

/** What the Deployment controller noted; somebody else's words in its place are as none. */
function desiredOf({ metadata }: ReplicaSet): { readonly desired?: number } {
  const desired = Number(metadata.annotations?.[DESIRED_REPLICAS_ANNOTATION] ?? Number.NaN);
  return Number.isInteger(desired) ? { desired } : {};
}

function markOf(replicaSet: ReplicaSet, rolloutUid: string): Pick<ReplicaSetView, 'carriesOurMark' | 'attempt'> {
  const { labels = {} } = replicaSet.metadata;
  if (labels[ROLLOUT_UID_LABEL] !== rolloutUid) return { carriesOurMark: false };
  const attempt = Number(labels[ATTEMPT_LABEL]);
  return { carriesOurMark: true, ...(Number.isInteger(attempt) && attempt > 0 ? { attempt } : {}) };
}
