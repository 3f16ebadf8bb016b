/**
 * Carries out what was decided, effect by effect, in order. The first that fails ends the list: what comes after it may
 * rest on it. Each is guarded by the version of the object that the decision was made on; it adds no judgement.
 */
import { rolloutKind } from '../api/kinds.ts';
import type { Metrics } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { deployments, replicaSets } from '../kube/resources.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { keyOf } from '../kube/resources.ts';
import type { Decision, Effect } from '../release/decision.ts';
import { canarySize } from '../release/weights.ts';
import { canaryServiceName, createCanaryService, deleteCanaryService } from '../traffic/canary-service.ts';
import { pin, unpin } from '../traffic/pin.ts';
import { splitRoute } from '../traffic/gateway-api.ts';
import { answerAction, pruneActions } from '../workload/actions.ts';
import { clearMarks, createCanary, deleteReplicaSet, handOver, scaleReplicaSet } from '../workload/canary.ts';
import { attach, detach, hold, resume, setMaxSurge } from '../workload/hold.ts';
import type { Made } from '../workload/made.ts';
import { DETACH_FINALIZER } from '../workload/marks.ts';
import type { Deployment, ReleaseRecord, ReplicaSet } from '../workload/objects.ts';
import { createRecord, endRecord, pruneRecords } from '../workload/record.ts';
import { rehearse } from '../workload/rehearsal.ts';
import { imagesOf } from '../workload/revision.ts';
import { endingOf } from './ending.ts';
import type { Seen } from './observe.ts';
import type { Rehearsal } from './rehearsals.ts';
import type { Rollout } from './stores.ts';
import type { Purpose } from './watched-writes.ts';

export interface ActParts {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'effectFailed' | 'releaseEnded'>;
  /** A client whose writes are watched, for this Rollout and reason. */
  readonly clientFor: (purpose: Purpose) => KubeClient;
  readonly proveGuard: (deployment: Deployment, signal: AbortSignal) => Promise<void>;
  readonly noteRehearsal: (rollout: string, deploymentUid: string, result: Rehearsal) => void;
}

/**
 * Gives the Rollout as it is afterwards. Throws what stopped the list; a Conflict means that the decision was made on
 * something older than what is there.
 */
export async function act(parts: ActParts, seen: Seen, decision: Decision, signal: AbortSignal): Promise<Rollout> {
  const hand = new Hand(parts, seen, decision);
  for (const effect of decision.effects) {
    try {
      await hand.carryOut(effect, signal);
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'Aborted')) parts.metrics.effectFailed(effect.kind);
      throw error;
    }
  }
  return hand.rollout;
}

/** What is known while one list is carried out: each write is guarded by what the one before it left. */
class Hand {
  readonly #parts: ActParts;
  readonly #seen: Seen;
  readonly #decision: Decision;
  readonly #key: string;
  #rollout: Rollout;
  #deployment: Deployment | undefined;
  #record: ReleaseRecord | undefined;

  constructor(parts: ActParts, seen: Seen, decision: Decision) {
    this.#parts = parts;
    this.#seen = seen;
    this.#decision = decision;
    this.#key = keyOf(seen.rollout.metadata);
    this.#rollout = seen.rollout;
    this.#deployment = seen.deployment;
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  async carryOut(effect: Effect, signal: AbortSignal): Promise<void> {
    const client = this.#parts.clientFor({ rollout: this.#key, reason: effect.kind });
    switch (effect.kind) {
      case 'addFinalizer':
      case 'removeFinalizer':
        return this.#setFinalizer(client, effect.kind === 'addFinalizer', signal);
      case 'attach':
        this.#deployment = await attach(client, this.#mustDeployment(), signal);
        return;
      case 'hold':
        this.#deployment = await hold(client, this.#mustDeployment(), signal);
        return;
      case 'resume':
        this.#deployment = await resume(client, this.#mustDeployment(), signal);
        return;
      case 'detach':
        this.#deployment = await detach(client, this.#mustDeployment(), effect.resume, signal);
        return;
      case 'setMaxSurge':
        this.#deployment = await setMaxSurge(client, this.#mustDeployment(), effect.value, effect.before, signal);
        return;
      case 'proveGuard':
        return this.#parts.proveGuard(this.#mustDeployment(), signal);
      case 'rehearse':
        return this.#rehearse(client, signal);
      case 'createRecord':
      case 'endRecord':
        return this.#keepRecord(client, effect, signal);
      case 'pin':
      case 'unpin':
      case 'createCanaryService':
      case 'deleteCanaryService':
      case 'split':
        return this.#moveTraffic(client, effect, signal);
      case 'createCanary':
      case 'scale':
      case 'deleteReplicaSet':
      case 'handOver':
      case 'clearMarks':
        return this.#changeReplicaSet(client, effect, signal);
      case 'answerAction':
        return this.#answer(client, effect, signal);
      default:
        return effect satisfies never;
    }
  }

  async #setFinalizer(client: KubeClient, isWanted: boolean, signal: AbortSignal): Promise<void> {
    const { finalizers = [], resourceVersion } = this.#rollout.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== DETACH_FINALIZER);
    const wanted = { metadata: { finalizers: isWanted ? [...others, DETACH_FINALIZER] : others } };
    this.#rollout = await client.mergePatch<Rollout>(rolloutKind, this.#rollout.metadata, wanted, { resourceVersion }, signal);
  }

  async #rehearse(client: KubeClient, signal: AbortSignal): Promise<void> {
    const deployment = this.#mustDeployment();
    const weight = this.#seen.spec.strategy.steps[0]?.weightPercent ?? 100;
    const result = await rehearse(client, deployment, canarySize(weight, deployment.spec.replicas ?? 1), signal);
    this.#parts.noteRehearsal(this.#key, deployment.metadata.uid, result);
  }

  async #keepRecord(client: KubeClient, effect: Of<'createRecord' | 'endRecord'>, signal: AbortSignal): Promise<void> {
    if (effect.kind === 'createRecord') {
      this.#record = made(await createRecord(client, this.#orderOf(effect), signal));
      return;
    }
    const record = this.#seen.records.find(({ metadata }) => metadata.name === effect.record);
    if (record === undefined) return;
    await endRecord(client, record, endingOf(effect, this.#seen, this.#parts.clock.nowMs()), signal);
    this.#parts.metrics.releaseEnded(effect.outcome);
    await pruneRecords(client, this.#seen.records, this.#seen.replicaSets, this.#rollout.metadata.uid, signal);
  }

  #orderOf(effect: Of<'createRecord'>): Parameters<typeof createRecord>[1] {
    const { journal, stable } = this.#decision.memory;
    const { namespace = '', name, uid } = this.#rollout.metadata;
    const deployment = this.#mustDeployment();
    return {
      namespace,
      name: effect.record,
      attempt: effect.attempt,
      revision: effect.revision,
      image: imagesOf(deployment.spec.template),
      ...(stable === undefined ? {} : { previousRevision: stable.hash }),
      rollout: { name, uid },
      deployment: { name: deployment.metadata.name, uid: deployment.metadata.uid },
      spec: journal.attempt?.spec ?? this.#seen.spec,
    };
  }

  async #moveTraffic(
    client: KubeClient,
    effect: Of<'pin' | 'unpin' | 'createCanaryService' | 'deleteCanaryService' | 'split'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { service: name } = this.#seen.spec.traffic;
    switch (effect.kind) {
      case 'pin':
        await pin(client, this.#mustService(effect.service), { hash: effect.hash, rolloutUid: this.#rollout.metadata.uid }, signal);
        return;
      case 'unpin':
        return unpin(client, this.#mustService(effect.service), signal);
      case 'createCanaryService':
        return this.#createCanaryService(client, name, signal);
      case 'deleteCanaryService': {
        const { namespace } = this.#rollout.metadata;
        return deleteCanaryService(client, { namespace, name: canaryServiceName(name), uid: effect.uid }, signal);
      }
      case 'split': {
        const route = this.#seen.routes.find(({ metadata }) => metadata.name === effect.route);
        if (route === undefined) throw gone(`HTTPRoute ${effect.route}`);
        await splitRoute(client, route, name, effect.weightPercent, signal);
        return;
      }
      default:
        return effect satisfies never;
    }
  }

  async #createCanaryService(client: KubeClient, service: string, signal: AbortSignal): Promise<void> {
    const attempt = this.#mustAttempt();
    const order = {
      service: this.#mustService(service),
      hash: attempt.hash,
      record: this.#mustRecord(attempt.record),
      rolloutUid: this.#rollout.metadata.uid,
      attempt: attempt.number,
    };
    made(await createCanaryService(client, order, signal));
  }

  async #changeReplicaSet(
    client: KubeClient,
    effect: Of<'createCanary' | 'scale' | 'deleteReplicaSet' | 'handOver' | 'clearMarks'>,
    signal: AbortSignal,
  ): Promise<void> {
    switch (effect.kind) {
      case 'createCanary':
        return this.#createCanary(client, effect, signal);
      case 'scale':
        await scaleReplicaSet(client, this.#mustReplicaSet(effect), effect.replicas, signal);
        return;
      case 'deleteReplicaSet': {
        const { namespace, resourceVersion } = this.#mustReplicaSet(effect).metadata;
        return deleteReplicaSet(client, { namespace, name: effect.name, uid: effect.uid, resourceVersion }, signal);
      }
      case 'clearMarks':
        await clearMarks(client, this.#mustReplicaSet(effect), signal);
        return;
      case 'handOver':
        await handOver(client, await this.#unchanged(client, effect, signal), effect.replicas, signal);
        return;
      default:
        return effect satisfies never;
    }
  }

  async #createCanary(client: KubeClient, effect: Of<'createCanary'>, signal: AbortSignal): Promise<void> {
    const order = {
      deployment: this.#mustDeployment(),
      record: this.#mustRecord(effect.record),
      rolloutUid: this.#rollout.metadata.uid,
      attempt: this.#mustAttempt().number,
      name: effect.name,
      hash: effect.hash,
      replicas: effect.replicas,
    };
    made(await createCanary(client, order, signal));
  }

  /** The handover is final, so both objects are read live: it happens only on exactly what was decided on. */
  async #unchanged(client: KubeClient, effect: Of<'handOver'>, signal: AbortSignal): Promise<ReplicaSet> {
    const deployment = this.#mustDeployment();
    const canary = this.#mustReplicaSet(effect);
    const live = await client.get<Deployment>(deployments, deployment.metadata, {}, signal);
    const liveCanary = await client.get<ReplicaSet>(replicaSets, canary.metadata, {}, signal);
    const isSame = isSameVersion(live, deployment) && isSameVersion(liveCanary, canary);
    if (!isSame) throw gone(`Deployment ${deployment.metadata.name} with ReplicaSet ${canary.metadata.name} as they were seen`);
    return liveCanary;
  }

  async #answer(client: KubeClient, effect: Of<'answerAction'>, signal: AbortSignal): Promise<void> {
    const action = this.#seen.actions.find(({ metadata }) => metadata.name === effect.name);
    if (action === undefined) return;
    const { state, message } = effect;
    await answerAction(client, action, { state, message, atMs: this.#parts.clock.nowMs() }, signal);
    await pruneActions(client, this.#seen.actions, this.#rollout.metadata.name, signal);
  }

  #mustDeployment(): Deployment {
    if (this.#deployment === undefined) throw gone(`Deployment ${this.#seen.spec.target.name}`);
    return this.#deployment;
  }

  #mustReplicaSet({ uid, name }: { readonly uid: string; readonly name: string }): ReplicaSet {
    const found = this.#seen.replicaSets.find(({ metadata }) => metadata.uid === uid);
    if (found === undefined) throw gone(`ReplicaSet ${name}`);
    return found;
  }

  #mustService(name: string): Seen['services'][number] {
    const found = this.#seen.services.find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw gone(`Service ${name}`);
    return found;
  }

  #mustRecord(name: string): { readonly name: string; readonly uid: string } {
    const found = [this.#record, ...this.#seen.records].find((record) => record?.metadata.name === name);
    if (found === undefined) throw gone(`ReleaseRecord ${name}`);
    return { name, uid: found.metadata.uid };
  }

  #mustAttempt(): NonNullable<Decision['memory']['journal']['attempt']> {
    const { attempt } = this.#decision.memory.journal;
    if (attempt === undefined) throw gone(`the attempt of Rollout ${this.#key}`);
    return attempt;
  }
}

type Of<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>;

function isSameVersion(a: Deployment | ReplicaSet, b: Deployment | ReplicaSet): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

/** The decision is older than the world: it is taken again on what is there now. */
function gone(what: string): KubeError {
  return new KubeError(`${what} is not there any more; Serin looks again`, { code: 'Conflict', retry: 'now' });
}

/** The object; what stands in the way of it becomes the error that people are told. */
function made<T>(outcome: Made<T>): T {
  switch (outcome.kind) {
    case 'made':
      return outcome.object;
    case 'nameTaken':
      throw new KubeError(outcome.message, { code: 'AlreadyExists', retry: 'backoff' });
    case 'otherRevision':
      throw new KubeError(outcome.message, { code: 'Conflict', retry: 'now' });
    default:
      return outcome satisfies never;
  }
}
