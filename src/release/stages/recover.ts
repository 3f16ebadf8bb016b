/**
 * Status was lost (a restore, a migration) or something of an unknown attempt still serves: from the objects alone,
 * everything goes back to the old version and a person is asked. Never begins or continues a release (S18).
 */
import type { Attempt } from '../../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../../api/rollout-status.ts';
import type { Decision } from '../decision.ts';
import { withAttempt } from '../plan.ts';
import { nativeActive, parentKey, routedPercent } from '../views.ts';
import type { Memory, RecordView, ReplicaSetView, World } from '../world.ts';
import { revisionOf } from './attach.ts';
import { enterRetreat } from './retreat.ts';
import { pinnable } from './start.ts';

/** @param hasJournal false: status held nothing, so marks on the user's objects speak of a release that is not remembered. */
export function recover(world: World, hasJournal: boolean, nowMs: number): Decision | undefined {
  const stray = strayCanary(world);
  const forgotten = !hasJournal && world.memory.stable === undefined && isMarked(world);
  if (stray === undefined && routedPercent(world) === 0 && !forgotten) return undefined;
  const memory = remembered(world, nowMs);
  const attempt = unknownAttempt(world, memory, stray, nowMs);
  const stable = memory.stable?.hash ?? 'the old version';
  const found =
    world.memory.stable === undefined
      ? `The status of this Rollout was lost while revision ${attempt.hash} was held or being released`
      : `Revision ${attempt.hash} has pods or traffic and no release of it is known`;
  return enterRetreat({ ...world, memory: withAttempt(memory, attempt) }, nowMs, {
    why: 'unknownPast',
    reason: 'UnknownPast',
    message: `${found}; all traffic goes to ${stable}.`,
  });
}

/** Something in the cluster says that a release ran. */
function isMarked(world: World): boolean {
  return world.deployment?.held === true || world.services.some((service) => service.pinnedTo !== undefined);
}

/** A ReplicaSet of ours that has or wants pods that serve, although no attempt is known. Without its Deployment only our mark says whose it is. */
function strayCanary(world: World): ReplicaSetView | undefined {
  const isOurs = (set: ReplicaSetView): boolean =>
    set.carriesOurMark ? isEscaped(world, set) || set.owner === 'ours' : set.owner === 'ours' && isAttached(world);
  return world.replicaSets
    .filter((set) => isOurs(set) && (set.replicas > 0 || set.ready > 0))
    .toSorted((a, b) => (b.attempt ?? 0) - (a.attempt ?? 0))[0];
}

/** Our mark goes at the handover: who still has it was taken from us, by nobody or by a Deployment that stands still and runs others. */
function isEscaped(world: World, set: ReplicaSetView): boolean {
  if (set.owner === 'nobody') return true;
  const isAlone = nativeActive(world).every((other) => other.uid === set.uid);
  const isTaken = set.owner === 'deployment' && set.uid !== world.memory.stable?.uid;
  return isTaken && !isAlone && world.deployment?.paused === true;
}

function isAttached(world: World): boolean {
  return world.deployment !== undefined;
}

/** Stable is the Deployment's own active ReplicaSet with most ready pods; attempts are counted on from the highest number seen. */
function remembered(world: World, nowMs: number): Memory {
  const { memory, deployment } = world;
  const best = nativeActive(world)
    .filter((set) => !set.carriesOurMark)
    .toSorted((a, b) => b.ready - a.ready || a.createdAtMs - b.createdAtMs)[0];
  const stable = memory.stable ?? (best === undefined ? undefined : revisionOf(best, nowMs));
  const seen = [...world.replicaSets, ...world.records].map(({ attempt }) => attempt ?? 0);
  const targetUid = memory.journal.targetUid ?? deployment?.uid;
  const journal = {
    ...memory.journal,
    version: JOURNAL_VERSION,
    attempts: Math.max(memory.journal.attempts, ...seen),
    ...(targetUid === undefined ? {} : { targetUid }),
  };
  return { ...memory, stable, journal };
}

function unknownAttempt(world: World, memory: Memory, stray: ReplicaSetView | undefined, nowMs: number): Attempt {
  const record = world.records.find((one) => one.attempt === stray?.attempt) ?? world.records[0];
  const number = stray?.attempt ?? record?.attempt ?? memory.journal.attempts + 1;
  return {
    ...revisionUnder(world, stray, record),
    number,
    record: record?.name ?? '',
    targetUid: world.deployment?.uid ?? '',
    spec: pinnable(world.spec),
    parents: world.routes.flatMap((route) => route.parents.map((parent) => parentKey(route, parent.key))),
    beganAtMs: nowMs,
    stage: 'retreat',
    stageSinceMs: nowMs,
    step: 0,
    weightPercent: 0,
    weightSinceMs: nowMs,
    noSource: true,
  };
}

/** What was being released, as far as pods, then records, then the live template tell. */
function revisionUnder(
  { deployment }: World,
  stray: ReplicaSetView | undefined,
  record: RecordView | undefined,
): Pick<Attempt, 'hash' | 'image' | 'replicaSet' | 'replicaSetUid'> {
  if (stray !== undefined)
    return { hash: stray.hash, image: stray.image, replicaSet: stray.name, replicaSetUid: stray.uid };
  const hash = record?.revision ?? deployment?.liveHash ?? 'unknown';
  return { hash, image: deployment?.liveImage ?? '', replicaSet: '' };
}
