/** How a new template replaces the old ones: step by step within surge and unavailability, or all at once (Recreate). */
import { pods } from '../../../kube/resources.ts';
import { controllerOf, type Deployment, type Pod, type ReplicaSet } from '../../../workload/objects.ts';
import { isOver } from '../pod-states.ts';
import { conditionOf, deadlineMs, hasDeadline, isComplete, reasons, rollingStatus, statusOf } from './conditions.ts';
import { partsOf } from './newest.ts';
import { availableOf, byAge, isActive, maxUnavailableOf, newSizeOf, sizeOf, sumOf, wantedBy } from './sizes.ts';
import { replaced, without, type Writing } from './writing.ts';

/** One step. Gives the milliseconds after which the progress is to be looked at again, if nothing happens before. */
export function roll(writing: Writing, given: Deployment, sets: readonly ReplicaSet[]): number | undefined {
  const { deployment, newest, others } = partsOf(writing, given, sets, true);
  if (newest === undefined) return undefined;
  const all = [...others, newest];
  const grown = growNewest(writing, deployment, all, newest);
  if (grown !== undefined) return noteProgress(writing, deployment, replaced(all, grown), grown);
  const shrunk = shrinkOthers(writing, deployment, all, newest);
  if (shrunk !== undefined) return noteProgress(writing, deployment, shrunk, newest);
  if (isComplete(deployment, statusOf(deployment))) writing.cleanUp(deployment, others);
  return noteProgress(writing, deployment, all, newest);
}

/** The same for Recreate: nothing new before the last old pod is gone. */
export function recreate(writing: Writing, given: Deployment, sets: readonly ReplicaSet[]): number | undefined {
  const { deployment, newest, others } = partsOf(writing, given, sets, false);
  const all = newest === undefined ? [...others] : [...others, newest];
  const active = others.filter(isActive);
  if (active.length > 0) {
    const ended = active.reduce((at, old) => replaced(at, writing.resize(deployment, old, 0)), all);
    return noteProgress(writing, deployment, ended, newest);
  }
  const isOldThere = others.some((set) => (set.status?.replicas ?? 0) > 0 || hasPods(writing, set));
  if (isOldThere) return noteProgress(writing, deployment, all, newest);
  const made = partsOf(writing, deployment, sets, true);
  if (made.newest === undefined) return undefined;
  const grown = writing.resize(made.deployment, made.newest, wantedBy(deployment));
  if (isComplete(made.deployment, statusOf(made.deployment))) writing.cleanUp(made.deployment, others);
  return noteProgress(writing, made.deployment, [...made.others, grown], grown);
}

function growNewest(
  writing: Writing,
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet,
): ReplicaSet | undefined {
  const wanted = wantedBy(deployment);
  if (sizeOf(newest) === wanted) return undefined;
  const size = sizeOf(newest) > wanted ? wanted : newSizeOf(deployment, all, newest);
  return size === sizeOf(newest) ? undefined : writing.resize(deployment, newest, size);
}

/** First pods that are no use, then as many as may be missing. */
function shrinkOthers(
  writing: Writing,
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet,
): ReplicaSet[] | undefined {
  const others = byAge(without(all, newest).filter(isActive));
  const atLeast = wantedBy(deployment) - maxUnavailableOf(deployment);
  const unready = sizeOf(newest) - availableOf(newest);
  const mayGo = sumOf(all, sizeOf) - atLeast - unready;
  if (others.length === 0 || mayGo <= 0) return undefined;
  const useless = shrunkBy(writing, deployment, all, others, mayGo, (set) => sizeOf(set) - availableOf(set));
  const spare = sumOf(useless.sets, availableOf) - atLeast;
  const left = others.map((old) => useless.sets.find((set) => set.metadata.uid === old.metadata.uid) ?? old);
  const spared = shrunkBy(writing, deployment, useless.sets, left, spare, sizeOf);
  return useless.count + spared.count > 0 ? spared.sets : undefined;
}

/** Takes at most `atMost` pods off, of each set in turn as many as `mayLose` says. */
function shrunkBy(
  writing: Writing,
  deployment: Deployment,
  all: readonly ReplicaSet[],
  inTurn: readonly ReplicaSet[],
  atMost: number,
  mayLose: (set: ReplicaSet) => number,
): { readonly sets: ReplicaSet[]; readonly count: number } {
  let sets = [...all];
  let count = 0;
  for (const set of inTurn) {
    const by = Math.min(mayLose(set), atMost - count);
    if (by <= 0) continue;
    sets = replaced(sets, writing.resize(deployment, set, sizeOf(set) - by));
    count += by;
  }
  return { sets, count };
}

function hasPods({ hand }: Writing, { metadata }: ReplicaSet): boolean {
  const all = hand.all<Pod>(pods, metadata.namespace);
  return all.some((pod) => controllerOf(pod)?.uid === metadata.uid && !isOver(pod));
}

function noteProgress(
  writing: Writing,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
): number | undefined {
  const { nowMs } = writing;
  const status = rollingStatus(deployment, sets, newest, nowMs);
  writing.status(deployment, status);
  const condition = conditionOf(status, 'Progressing');
  const isDone = condition === undefined || condition.reason === reasons.timedOut || isComplete(deployment, status);
  if (isDone || !hasDeadline(deployment)) return undefined;
  return Math.max(1000, deadlineMs(deployment, condition) - nowMs + 1000);
}
