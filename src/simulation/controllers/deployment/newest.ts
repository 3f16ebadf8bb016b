/** Finds the ReplicaSet of the live template, keeps its revision right, and makes it when the Deployment may roll. */
import { isEqual } from '../../../controller/merge-patch.ts';
import { replicaSets } from '../../../kube/resources.ts';
import type { Deployment, ReplicaSet } from '../../../workload/objects.ts';
import { Refusal } from '../../server/refusals.ts';
import { conditionOf, hasDeadline, progressing, reasons, statusOf, withCondition } from './conditions.ts';
import { madeFor, newestSetOf, nextRevision, REVISION, revisedAnnotations } from './revisions.ts';
import { newSizeOf } from './sizes.ts';
import { without, type Writing } from './writing.ts';

export interface Parts {
  /** As it is after what was written here. */
  readonly deployment: Deployment;
  readonly newest: ReplicaSet | undefined;
  readonly others: readonly ReplicaSet[];
}

/** Throws the Refusal of a ReplicaSet that cannot be made. */
export function partsOf(
  writing: Writing,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  mayCreate: boolean,
): Parts {
  const found = newestSetOf(deployment, sets);
  const others = without(sets, found);
  const revision = nextRevision(others);
  if (found === undefined) {
    return mayCreate ? create(writing, deployment, revision, others) : { deployment, newest: undefined, others };
  }
  const newest = revised(writing, deployment, found, revision);
  // As the real one: the Deployment's own annotation waits until the set needed no change.
  return { deployment: newest === found ? withRevision(writing, deployment, found) : deployment, newest, others };
}

function revised({ hand }: Writing, deployment: Deployment, set: ReplicaSet, revision: number): ReplicaSet {
  const annotations = revisedAnnotations(deployment, set, revision);
  const { minReadySeconds = 0 } = deployment.spec;
  const isSameTime = (set.spec.minReadySeconds ?? 0) === minReadySeconds;
  if (isSameTime && isEqual(annotations, set.metadata.annotations ?? {})) return set;
  const metadata = { ...set.metadata, annotations };
  return hand.update(replicaSets, { ...set, metadata, spec: { ...set.spec, minReadySeconds } });
}

function withRevision(writing: Writing, deployment: Deployment, newest: ReplicaSet): Deployment {
  const revision = newest.metadata.annotations?.[REVISION] ?? '1';
  const isKnown = deployment.metadata.annotations?.[REVISION] === revision;
  const status = statusOf(deployment);
  const mustTell = hasDeadline(deployment) && conditionOf(status, 'Progressing') === undefined;
  if (isKnown && !mustTell) return deployment;
  const found = progressing('True', reasons.found, `Found new replica set "${newest.metadata.name}"`);
  return writing.status(deployment, mustTell ? withCondition(status, found, writing.now) : status, revision);
}

function create(writing: Writing, deployment: Deployment, revision: number, others: readonly ReplicaSet[]): Parts {
  const status = statusOf(deployment);
  const draft = madeFor(deployment, revision, status.collisionCount ?? 0);
  const size = newSizeOf(deployment, [...others, draft], draft);
  try {
    const whole = { ...draft, spec: { ...draft.spec, replicas: size } };
    const newest = writing.hand.create<ReplicaSet>(replicaSets, whole);
    const { name } = newest.metadata;
    if (size > 0) writing.tell(deployment, `Scaled up replica set ${name} from 0 to ${size}`);
    const created = progressing('True', reasons.created, `Created new replica set "${name}"`);
    const next = hasDeadline(deployment) ? withCondition(status, created, writing.now) : status;
    return { deployment: writing.status(deployment, next, String(revision)), newest, others };
  } catch (error) {
    if (error instanceof Refusal) noteFailure(writing, deployment, draft, error);
    throw error;
  }
}

/** A name that is another's is a collision of hashes: the next try hashes with a count. */
function noteFailure(writing: Writing, deployment: Deployment, draft: ReplicaSet, { reason, message }: Refusal): void {
  const status = statusOf(deployment);
  if (reason === 'AlreadyExists') {
    writing.status(deployment, { ...status, collisionCount: (status.collisionCount ?? 0) + 1 });
  } else if (hasDeadline(deployment)) {
    const words = `Failed to create new replica set "${draft.metadata.name}": ${message}`;
    writing.progress(deployment, progressing('False', reasons.failed, words));
  }
}
