/**
 * The Deployment controller, as trials on a real one have it: adopts what matches its selector, rolls when it may, and
 * while paused only scales. Each sync does one thing and leaves the rest to the next.
 */
import type { Clock, Random } from '../../../kube/clock.ts';
import { deployments, refOf, replicaSets } from '../../../kube/resources.ts';
import { DESIRED_REPLICAS_ANNOTATION } from '../../../workload/marks.ts';
import { controllerOf, type Deployment, type ReplicaSet } from '../../../workload/objects.ts';
import { matchesSelector } from '../../../workload/selector.ts';
import type { ApiServer } from '../../server/api-server.ts';
import type { Change } from '../../server/storage.ts';
import { controlledBy, Hand, keyOfObject } from '../hand.ts';
import type { Controller } from '../runner.ts';
import { conditionOf, countedStatus, hasDeadline, progressing, reasons, statusOf } from './conditions.ts';
import { newestSetOf } from './revisions.ts';
import { recreate, roll } from './rolling.ts';
import { scaleOnly } from './scaling.ts';
import { countIn, isActive, isRolling, wantedBy } from './sizes.ts';
import { Writing } from './writing.ts';

interface Options {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
}

export class DeploymentController implements Controller {
  readonly name = 'deployment-controller';
  readonly #hand: Hand;
  readonly #writing: Writing;

  constructor({ server, clock, random }: Options) {
    this.#hand = new Hand(server, this.name);
    this.#writing = new Writing({ hand: this.#hand, clock, random, component: this.name });
  }

  all(): readonly string[] {
    return this.#hand.all(deployments).map(keyOfObject);
  }

  concerns({ resource, object, before }: Change): readonly string[] {
    if (resource === 'deployments.apps') return [keyOfObject(object)];
    if (resource === 'replicasets.apps') {
      return [object, before].flatMap((set) => (set === undefined ? [] : this.#deploymentsOf(set as ReplicaSet)));
    }
    // A Deployment that recreates waits for the last old pod.
    const owner = resource === 'pods.' && before !== undefined ? controllerOf(object) : undefined;
    if (owner === undefined) return [];
    const { namespace } = object.metadata;
    const set = this.#hand.find<ReplicaSet>(replicaSets, { namespace, name: owner.name });
    return set === undefined ? [] : this.#deploymentsOf(set);
  }

  sync(key: string): number | undefined {
    const found = this.#hand.find<Deployment>(deployments, refOf(key));
    if (found === undefined) return undefined;
    const sets = this.#claim(found);
    if (found.metadata.deletionTimestamp !== undefined) {
      const newest = newestSetOf(found, sets);
      this.#writing.status(found, countedStatus(found, sets, newest, this.#writing.now));
      return undefined;
    }
    const deployment = this.#markPause(found);
    if (deployment.spec.paused === true || isResize(deployment, sets)) {
      scaleOnly(this.#writing, deployment, sets);
      return undefined;
    }
    return isRolling(deployment) ? roll(this.#writing, deployment, sets) : recreate(this.#writing, deployment, sets);
  }

  #deploymentsOf(set: ReplicaSet): readonly string[] {
    const owner = controllerOf(set);
    const { namespace, labels = {} } = set.metadata;
    if (owner !== undefined) return owner.kind === 'Deployment' ? [`${namespace ?? ''}/${owner.name}`] : [];
    return this.#hand
      .all<Deployment>(deployments, namespace)
      .filter(({ spec }) => matchesSelector(spec.selector, labels))
      .map(keyOfObject);
  }

  /** Those of this Deployment, after adopting what is nobody's and letting go of what no longer matches. */
  #claim(deployment: Deployment): ReplicaSet[] {
    const { namespace, uid, deletionTimestamp } = deployment.metadata;
    const isLeaving = deletionTimestamp !== undefined;
    return this.#hand.all<ReplicaSet>(replicaSets, namespace).flatMap((set) => {
      const owner = controllerOf(set);
      const matches = matchesSelector(deployment.spec.selector, set.metadata.labels ?? {});
      if (owner?.uid === uid && matches) return [set];
      if (owner?.uid === uid && !isLeaving) this.#release(set, uid);
      const isFree = owner === undefined && matches && set.metadata.deletionTimestamp === undefined;
      return isFree && !isLeaving ? [this.#adopt(set, deployment)] : [];
    });
  }

  #adopt(set: ReplicaSet, deployment: Deployment): ReplicaSet {
    const ownerReferences = [...(set.metadata.ownerReferences ?? []), controlledBy(deployment)];
    return this.#hand.patch<ReplicaSet>(replicaSets, set, { metadata: { ownerReferences, uid: set.metadata.uid } });
  }

  #release(set: ReplicaSet, uid: string): void {
    const others = (set.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    this.#hand.patch(replicaSets, set, { metadata: { ownerReferences: others.length === 0 ? null : others } });
  }

  /** The condition Progressing tells of a pause, and that it ended; one that timed out goes on saying so. */
  #markPause(deployment: Deployment): Deployment {
    const current = conditionOf(statusOf(deployment), 'Progressing');
    if (!hasDeadline(deployment) || current?.reason === reasons.timedOut) return deployment;
    const isMarked = current?.reason === reasons.paused;
    const isPaused = deployment.spec.paused === true;
    if (isPaused === isMarked) return deployment;
    const [reason, message] = isPaused
      ? ([reasons.paused, 'Deployment is paused'] as const)
      : ([reasons.resumed, 'Deployment is resumed'] as const);
    return this.#writing.progress(deployment, progressing('Unknown', reason, message));
  }
}

/** Some set with pods was last scaled when another number was wanted. */
function isResize(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.filter(isActive).some((set) => {
    const desired = countIn(set, DESIRED_REPLICAS_ANNOTATION);
    return desired !== undefined && desired !== wantedBy(deployment);
  });
}
