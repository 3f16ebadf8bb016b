/** Every write of the Deployment controller: sizes, statuses, the clearing away of history, and the Event about each resize. */
import { isEqual } from '../../../controller/merge-patch.ts';
import type { Clock, Random } from '../../../kube/clock.ts';
import { deployments, events, replicaSets } from '../../../kube/resources.ts';
import type { Condition, Deployment, ReplicaSet } from '../../../workload/objects.ts';
import { generatedName } from '../../server/identity.ts';
import type { Hand } from '../hand.ts';
import { type DeploymentStatus, secondsAt, statusOf, withCondition } from './conditions.ts';
import { REVISION, replicasAnnotations, revisionOf } from './revisions.ts';
import { sizeOf } from './sizes.ts';

export interface WritingOptions {
  readonly hand: Hand;
  readonly clock: Clock;
  readonly random: Random;
  /** What Events name as their source. */
  readonly component: string;
}

export class Writing {
  readonly hand: Hand;
  readonly #options: WritingOptions;

  constructor(options: WritingOptions) {
    this.hand = options.hand;
    this.#options = options;
  }

  get nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** RFC 3339. */
  get now(): string {
    return secondsAt(this.nowMs);
  }

  /** Forced, it also notes the wanted number of a set whose size stays. */
  resize(deployment: Deployment, set: ReplicaSet, size: number, isForced = false): ReplicaSet {
    const old = sizeOf(set);
    if (!isForced && old === size) return set;
    const annotations = { ...set.metadata.annotations, ...replicasAnnotations(deployment) };
    if (old === size && isEqual(annotations, set.metadata.annotations)) return set;
    const metadata = { ...set.metadata, annotations };
    const written = this.hand.update(replicaSets, { ...set, metadata, spec: { ...set.spec, replicas: size } });
    const way = old < size ? 'up' : 'down';
    if (old !== size) this.tell(deployment, `Scaled ${way} replica set ${set.metadata.name} from ${old} to ${size}`);
    return written;
  }

  /** Nothing is written when nothing changes. With a revision the Deployment's annotation says it too. */
  status(deployment: Deployment, status: DeploymentStatus, revision?: string): Deployment {
    const { annotations } = deployment.metadata;
    const revised = revision === undefined ? annotations : { ...annotations, [REVISION]: revision };
    if (isEqual(status, statusOf(deployment)) && isEqual(revised, annotations)) return deployment;
    const metadata = { ...deployment.metadata, ...(revised === undefined ? {} : { annotations: revised }) };
    return this.hand.updateStatus(deployments, { ...deployment, metadata, status });
  }

  progress(deployment: Deployment, condition: Condition): Deployment {
    return this.status(deployment, withCondition(statusOf(deployment), condition, this.now));
  }

  /** Empty sets beyond the history limit, the oldest revisions first. */
  cleanUp({ spec }: Deployment, others: readonly ReplicaSet[]): void {
    const limit = spec.revisionHistoryLimit ?? Number.POSITIVE_INFINITY;
    const alive = others.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const surplus = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, alive.length - limit));
    for (const set of surplus) {
      const isEmpty = sizeOf(set) === 0 && (set.status?.replicas ?? 0) === 0;
      const isSeen = (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
      if (isEmpty && isSeen) this.hand.delete(replicaSets, set.metadata);
    }
  }

  tell(deployment: Deployment, message: string): void {
    const { namespace = '', name, uid } = deployment.metadata;
    const { component, random } = this.#options;
    this.hand.create(events, {
      metadata: { namespace, name: generatedName(`${name}.`, random) },
      involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name, uid },
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message,
      count: 1,
      firstTimestamp: this.now,
      lastTimestamp: this.now,
      source: { component },
      reportingComponent: component,
    });
  }
}

export function without(sets: readonly ReplicaSet[], one: ReplicaSet | undefined): ReplicaSet[] {
  return sets.filter((set) => set.metadata.uid !== one?.metadata.uid);
}

export function replaced(sets: readonly ReplicaSet[], one: ReplicaSet): ReplicaSet[] {
  return sets.map((set) => (set.metadata.uid === one.metadata.uid ? one : set));
}
