/**
 * Writes the ReleaseRecord of an attempt: made as the anchor that owns the canary, ended as history that belongs to the
 * Rollout. While the attempt runs it has no owner, so that nobody who deletes a Rollout deletes pods that serve.
 */
import { API_GROUP, API_VERSION, releaseRecordKind, rolloutKind } from '../api/kinds.ts';
import type { ReleaseOutcome, ReleaseRecordSpec, ReleaseRecordStatus } from '../api/release-record.ts';
import type { Attempt } from '../api/rollout-status.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Draft } from '../kube/resources.ts';
import type { RecordView } from '../release/world.ts';
import { type Anchor, deleteSeen, type Made, make } from './made.ts';
import { ANCHOR_FINALIZER, ATTEMPT_LABEL, ROLLOUT_UID_LABEL } from './marks.ts';
import { controllerOf, createdAtMs, type ReleaseRecord, type ReplicaSet } from './objects.ts';

export interface RecordOrder {
  readonly namespace: string;
  readonly name: string;
  readonly attempt: number;
  readonly revision: string;
  /** Images of the revision, for people. */
  readonly image?: string;
  /** Hash of the revision that is stable as the attempt begins. */
  readonly previousRevision?: string;
  readonly rollout: Anchor;
  readonly deployment: Anchor;
  /** The effective spec that the attempt is pinned to. */
  readonly spec: Attempt['spec'];
}

export interface Ending {
  readonly outcome: ReleaseOutcome;
  readonly reason: string;
  readonly message: string;
  readonly startedAtMs?: number;
  readonly endedAtMs: number;
  readonly timings?: ReleaseRecordStatus['timings'];
  readonly evidence?: ReleaseRecordStatus['evidence'];
  readonly wouldHave?: ReleaseRecordStatus['wouldHave'];
  readonly ladder?: ReleaseRecordStatus['ladder'];
  /** Whose history it is from now on. */
  readonly rollout: Anchor;
}

/** Records that are kept of one Rollout. */
const KEPT = 20;
const LONGEST_MESSAGE = 2048;

export function createRecord(
  client: KubeClient,
  order: RecordOrder,
  signal?: AbortSignal,
): Promise<Made<ReleaseRecord>> {
  const isOurRecord = ({ metadata, spec, status }: ReleaseRecord) =>
    spec.rolloutUid === order.rollout.uid &&
    spec.attempt === order.attempt &&
    status?.outcome === undefined &&
    metadata.deletionTimestamp === undefined;
  return make<ReleaseRecord>(client, releaseRecordKind, recordOf(order), isOurRecord, signal);
}

export function recordOf(order: RecordOrder): Draft & { readonly spec: ReleaseRecordSpec } {
  const { traffic, strategy, analysis, onAnomaly } = order.spec;
  return {
    metadata: {
      namespace: order.namespace,
      name: order.name,
      labels: { [ROLLOUT_UID_LABEL]: order.rollout.uid, [ATTEMPT_LABEL]: String(order.attempt) },
      finalizers: [ANCHOR_FINALIZER],
    },
    spec: {
      rollout: order.rollout.name,
      rolloutUid: order.rollout.uid,
      deployment: order.deployment.name,
      deploymentUid: order.deployment.uid,
      revision: order.revision,
      ...(order.image === undefined ? {} : { image: order.image }),
      attempt: order.attempt,
      ...(order.previousRevision === undefined ? {} : { previousRevision: order.previousRevision }),
      traffic,
      strategy,
      analysis,
      onAnomaly,
    },
  };
}

/**
 * The outcome first, then owner and finalizer: killed in between, the record still counts as open and this goes on where
 * it was. A record that is gone has ended.
 */
export async function endRecord(
  client: KubeClient,
  record: ReleaseRecord,
  ending: Ending,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const written = record.status?.outcome === undefined ? await writeOutcome(client, record, ending, signal) : record;
    await handToHistory(client, written, ending.rollout, signal);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

function writeOutcome(
  client: KubeClient,
  record: ReleaseRecord,
  ending: Ending,
  signal?: AbortSignal,
): Promise<ReleaseRecord> {
  const status = {
    outcome: ending.outcome,
    reason: ending.reason,
    message: ending.message.slice(0, LONGEST_MESSAGE),
    ...startedAtIn(ending),
    endedAt: new Date(ending.endedAtMs).toISOString(),
    ...(ending.timings === undefined ? {} : { timings: ending.timings }),
    ...(ending.evidence === undefined ? {} : { evidence: ending.evidence }),
    ...(ending.wouldHave === undefined ? {} : { wouldHave: ending.wouldHave }),
    ...(ending.ladder === undefined ? {} : { ladder: ending.ladder }),
  };
  const { resourceVersion } = record.metadata;
  return client.patchStatus<ReleaseRecord>(releaseRecordKind, record.metadata, status, { resourceVersion }, signal);
}

async function handToHistory(
  client: KubeClient,
  record: ReleaseRecord,
  rollout: Anchor,
  signal?: AbortSignal,
): Promise<void> {
  const { finalizers = [], resourceVersion } = record.metadata;
  const owner = { apiVersion: `${API_GROUP}/${API_VERSION}`, kind: rolloutKind.kind, ...rollout };
  const metadata = {
    ownerReferences: [owner],
    finalizers: finalizers.filter((finalizer) => finalizer !== ANCHOR_FINALIZER),
  };
  await client.mergePatch(releaseRecordKind, record.metadata, { metadata }, { resourceVersion }, signal);
}

/** Those of this Rollout that still anchor something: our finalizer is on them. */
export function viewRecords(records: readonly ReleaseRecord[], rolloutUid: string): RecordView[] {
  return records
    .filter((record) => record.spec.rolloutUid === rolloutUid && isOpen(record))
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      attempt: spec.attempt,
      revision: spec.revision,
      ended: status?.outcome !== undefined,
    }));
}

/**
 * Deletes ended records beyond the newest. One that owns the ReplicaSet of a rejected revision stays: the garbage
 * collector would take that witness too, and a rejected revision could not be recognized again.
 *
 * @returns how many were deleted.
 */
export async function pruneRecords(
  client: KubeClient,
  records: readonly ReleaseRecord[],
  replicaSets: readonly ReplicaSet[],
  rolloutUid: string,
  signal?: AbortSignal,
): Promise<number> {
  const owners = new Set(replicaSets.map((replicaSet) => controllerOf(replicaSet)?.uid));
  const surplus = records
    .filter((record) => record.spec.rolloutUid === rolloutUid && !isOpen(record))
    .toSorted((a, b) => b.spec.attempt - a.spec.attempt || createdAtMs(b) - createdAtMs(a))
    .slice(KEPT)
    .filter((record) => !owners.has(record.metadata.uid) && record.metadata.deletionTimestamp === undefined);
  for (const { metadata } of surplus) {
    const { namespace, name, uid } = metadata;
    await deleteSeen(client, releaseRecordKind, { namespace, name, uid }, signal);
  }
  return surplus.length;
}

function isOpen(record: ReleaseRecord): boolean {
  return record.metadata.finalizers?.includes(ANCHOR_FINALIZER) ?? false;
}

/** Left out where it is no date, as a journal that was edited by hand can say: an attempt must be able to end all the same. */
function startedAtIn({ startedAtMs = Number.NaN }: Ending): { readonly startedAt?: string } {
  const at = new Date(startedAtMs);
  return Number.isNaN(at.getTime()) ? {} : { startedAt: at.toISOString() };
}
