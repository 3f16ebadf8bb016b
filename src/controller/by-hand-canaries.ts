/**
 * Ends the pods of canaries where no operator does it, after their requests are gone. It never takes the last ready pods of a
 * Deployment away: requests to a version that nobody judged are better than none.
 */
import { deployments, pods, replicaSets } from '../kube/resources.ts';
import { PODS_GONE_DEADLINE_MS } from '../release/stages/retreat.ts';
import { POD_TEMPLATE_HASH } from '../workload/marks.ts';
import { controllerOf, type Deployment, type Pod, type ReplicaSet } from '../workload/objects.ts';
import { ownerOf } from '../workload/replica-sets.ts';
import { matchesSelector } from '../workload/selector.ts';
import type { Hand } from './by-hand.ts';
import { findTraces } from './traces.ts';

const POLL_MS = 500;

/** @returns what must not be ended, one sentence each; then no pod was touched. */
export async function emptyCanaries(hand: Hand, namespace: string, signal?: AbortSignal): Promise<readonly string[]> {
  const { replicaSets: sets } = await findTraces(hand.client, namespace, signal);
  const canaries = sets.filter((set) => set.metadata.deletionTimestamp === undefined && isOurOwn(set));
  const obstacles = (await Promise.all(canaries.map((canary) => obstacleOf(hand, canary, signal)))).filter(
    (sentence) => sentence !== undefined,
  );
  if (obstacles.length > 0) return obstacles;
  for (const canary of canaries) await empty(hand, canary, signal);
  return [];
}

/** Of the record, or of nobody: one that a Deployment took over is the Deployment's. */
function isOurOwn(set: ReplicaSet): boolean {
  return controllerOf(set) === undefined || ownerOf(set, undefined) === 'ours';
}

async function obstacleOf({ client }: Hand, canary: ReplicaSet, signal?: AbortSignal): Promise<string | undefined> {
  if ((canary.status?.readyReplicas ?? 0) === 0) return undefined;
  const { namespace, name, labels = {} } = canary.metadata;
  const { items } = await client.list<Deployment>(deployments, { namespace }, signal);
  const deployment = items.find(({ spec }) => matchesSelector(spec.selector, labels));
  if (deployment === undefined || deployment.spec.replicas === 0) return undefined;
  const { items: sets } = await client.list<ReplicaSet>(replicaSets, { namespace }, signal);
  const isServing = (set: ReplicaSet): boolean =>
    ownerOf(set, deployment.metadata.uid) === 'deployment' && (set.status?.readyReplicas ?? 0) > 0;
  if (sets.some(isServing)) return undefined;
  return `ReplicaSet ${namespace ?? ''}/${name}, a version that was never released, has the only ready pods of Deployment ${deployment.metadata.name}, so it goes on serving. Bring a pod of the old version up, or delete that ReplicaSet, and run this again.`;
}

async function empty(hand: Hand, canary: ReplicaSet, signal?: AbortSignal): Promise<void> {
  const { client, clock } = hand;
  const { namespace, name, uid, labels } = canary.metadata;
  if ((canary.spec.replicas ?? 1) > 0) {
    await client.mergePatch(replicaSets, canary.metadata, { spec: { replicas: 0 } }, {}, signal);
    hand.say(`ReplicaSet ${namespace ?? ''}/${name}, the new version, ends its pods`);
  }
  const labelSelector = `${POD_TEMPLATE_HASH}=${labels?.[POD_TEMPLATE_HASH] ?? ''}`;
  for (const untilMs = clock.monotonicMs() + PODS_GONE_DEADLINE_MS; clock.monotonicMs() < untilMs; ) {
    const { items } = await client.list<Pod>(pods, { namespace, labelSelector }, signal);
    if (!items.some((pod) => controllerOf(pod)?.uid === uid)) return;
    await clock.sleep(POLL_MS, signal);
  }
  hand.say(`pods of ReplicaSet ${namespace ?? ''}/${name} do not end; going on without them`);
}
