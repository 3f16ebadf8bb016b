/** Carries out the effects on ReleaseRecords: the anchor is made before what it owns, and ended after it is gone. */
import type { KubeClient } from '../kube/client.ts';
import { createRecord, endRecord, pruneRecords, type RecordOrder } from '../workload/record.ts';
import { imagesOf } from '../workload/revision.ts';
import { endingOf } from './ending.ts';
import { type Hand, made, type Of } from './hand.ts';

export async function keepRecord(
  hand: Hand,
  client: KubeClient,
  effect: Of<'createRecord' | 'endRecord'>,
  signal: AbortSignal,
): Promise<void> {
  if (effect.kind === 'endRecord') return end(hand, client, effect, signal);
  hand.newRecord = made(await createRecord(client, orderOf(hand, effect), signal));
}

function orderOf(hand: Hand, effect: Of<'createRecord'>): RecordOrder {
  const { journal, stable } = hand.decision.memory;
  const { namespace = '', name, uid } = hand.rollout.metadata;
  const { metadata, spec } = hand.deployment;
  return {
    namespace,
    name: effect.record,
    attempt: effect.attempt,
    revision: effect.revision,
    image: imagesOf(spec.template),
    ...(stable === undefined ? {} : { previousRevision: stable.hash }),
    rollout: { name, uid },
    deployment: { name: metadata.name, uid: metadata.uid },
    spec: journal.attempt?.spec ?? hand.seen.spec,
  };
}

/** A record that is gone has ended. */
async function end(hand: Hand, client: KubeClient, effect: Of<'endRecord'>, signal: AbortSignal): Promise<void> {
  const { seen, parts, rollout } = hand;
  const record = seen.records.find(({ metadata }) => metadata.name === effect.record);
  if (record === undefined) return;
  await endRecord(client, record, endingOf(effect, seen, parts.clock.nowMs()), signal);
  parts.metrics.releaseEnded(effect.outcome);
  await pruneRecords(client, seen.records, seen.replicaSets, rollout.metadata.uid, signal);
}
