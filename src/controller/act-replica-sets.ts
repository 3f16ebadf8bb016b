/** Carries out the effects on ReplicaSets, each on the object as it was seen; the handover on objects read anew. */
import type { KubeClient } from '../kube/client.ts';
import { deployments, type KubeObject, replicaSets } from '../kube/resources.ts';
import { clearMarks, createCanary, deleteReplicaSet, handOver, scaleReplicaSet } from '../workload/canary.ts';
import type { Deployment, ReplicaSet } from '../workload/objects.ts';
import { type Hand, made, type Of, outdated } from './hand.ts';

export async function changeReplicaSet(
  hand: Hand,
  client: KubeClient,
  effect: Of<'createCanary' | 'scale' | 'deleteReplicaSet' | 'handOver' | 'clearMarks'>,
  signal: AbortSignal,
): Promise<void> {
  switch (effect.kind) {
    case 'createCanary':
      return makeCanary(hand, client, effect, signal);
    case 'scale':
      await scaleReplicaSet(client, hand.replicaSet(effect), effect.replicas, signal);
      return;
    case 'deleteReplicaSet': {
      const { namespace, name, uid, resourceVersion } = hand.replicaSet(effect).metadata;
      return deleteReplicaSet(client, { namespace, name, uid, resourceVersion }, signal);
    }
    case 'clearMarks':
      await clearMarks(client, hand.replicaSet(effect), signal);
      return;
    case 'handOver':
      await handOver(client, await unchanged(hand, client, effect, signal), effect.replicas, signal);
      return;
    default:
      return effect satisfies never;
  }
}

async function makeCanary(
  hand: Hand,
  client: KubeClient,
  effect: Of<'createCanary'>,
  signal: AbortSignal,
): Promise<void> {
  const { name, hash, replicas } = effect;
  const order = {
    deployment: hand.deployment,
    record: hand.record(effect.record),
    rolloutUid: hand.rollout.metadata.uid,
    attempt: hand.attempt.number,
    name,
    hash,
    replicas,
  };
  made(await createCanary(client, order, signal));
}

/** The handover is final, so both objects are read live: it happens only on exactly what was decided on. */
async function unchanged(
  hand: Hand,
  client: KubeClient,
  effect: Of<'handOver'>,
  signal: AbortSignal,
): Promise<ReplicaSet> {
  const { deployment } = hand;
  const canary = hand.replicaSet(effect);
  const live = await client.get<Deployment>(deployments, deployment.metadata, {}, signal);
  const liveCanary = await client.get<ReplicaSet>(replicaSets, canary.metadata, {}, signal);
  if (isSame(live, deployment) && isSame(liveCanary, canary)) return liveCanary;
  throw outdated(
    `Deployment ${deployment.metadata.name} or ReplicaSet ${canary.metadata.name} changed in the moment of the handover`,
  );
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}
