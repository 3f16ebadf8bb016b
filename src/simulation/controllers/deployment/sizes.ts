/** The arithmetic of a Deployment: surges, shares and counts. It reads objects and decides nothing. */
import { DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION } from '../../../workload/marks.ts';
import type { Deployment, ReplicaSet } from '../../../workload/objects.ts';

export const sizeOf = (set: ReplicaSet): number => set.spec.replicas ?? 1;
export const wantedBy = (deployment: Deployment): number => deployment.spec.replicas ?? 1;
export const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
export const isActive = (set: ReplicaSet): boolean => sizeOf(set) > 0;

export function sumOf(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((sum, set) => sum + count(set), 0);
}

export function isRolling({ spec }: Deployment): boolean {
  return spec.strategy?.type !== 'Recreate';
}

/** Pods above the wanted number that a roll may have; 0 for Recreate. */
export function maxSurgeOf(deployment: Deployment): number {
  if (!isRolling(deployment)) return 0;
  return scaled(deployment.spec.strategy?.rollingUpdate?.maxSurge ?? 0, wantedBy(deployment), Math.ceil);
}

/** Pods below the wanted number that a roll may have. One at least, where nothing could move else. */
export function maxUnavailableOf(deployment: Deployment): number {
  const wanted = wantedBy(deployment);
  if (!isRolling(deployment) || wanted === 0) return 0;
  const unavailable = scaled(deployment.spec.strategy?.rollingUpdate?.maxUnavailable ?? 0, wanted, Math.floor);
  return Math.min(wanted, unavailable === 0 && maxSurgeOf(deployment) === 0 ? 1 : unavailable);
}

function scaled(value: number | string, of: number, round: (share: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * of) / 100);
}

/** What the set of the live template may grow to, with the others as they are. */
export function newSizeOf(deployment: Deployment, sets: readonly ReplicaSet[], newest: ReplicaSet): number {
  const wanted = wantedBy(deployment);
  if (!isRolling(deployment)) return wanted;
  const room = wanted + maxSurgeOf(deployment) - sumOf(sets, sizeOf);
  return room <= 0 ? sizeOf(newest) : sizeOf(newest) + Math.min(room, wanted - sizeOf(newest));
}

/** Is it the one and only that is wanted, by its own account of what was wanted when it was last scaled? */
export function isSaturated(deployment: Deployment, set: ReplicaSet | undefined): boolean {
  if (set === undefined) return false;
  const wanted = wantedBy(deployment);
  return sizeOf(set) === wanted && countIn(set, DESIRED_REPLICAS_ANNOTATION) === wanted && availableOf(set) === wanted;
}

/** A number that an annotation of the controller's tells. */
export function countIn({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** How a resize is spread over the sets that have pods: the sizes to be, by UID. */
export function proportions(deployment: Deployment, active: readonly ReplicaSet[]): ReadonlyMap<string, number> {
  const wanted = wantedBy(deployment);
  const allowed = wanted > 0 ? wanted + maxSurgeOf(deployment) : 0;
  const toAdd = allowed - sumOf(active, sizeOf);
  const order = toAdd > 0 ? bySizeThenNewer(active) : toAdd < 0 ? bySizeThenOlder(active) : active;
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of order) {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd, added);
    sizes.set(set.metadata.uid, sizeOf(set) + share);
    added += share;
  }
  const [first] = order;
  if (first !== undefined && toAdd !== 0) {
    const size = (sizes.get(first.metadata.uid) ?? 0) + toAdd - added;
    sizes.set(first.metadata.uid, Math.max(0, size));
  }
  return sizes;
}

function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (sizeOf(set) === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, set);
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  if (wantedBy(deployment) === 0) return -sizeOf(set);
  const before = countIn(set, MAX_REPLICAS_ANNOTATION) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  const exact = (sizeOf(set) * (wantedBy(deployment) + maxSurgeOf(deployment))) / before;
  return Math.round(exact) - sizeOf(set);
}

export function byAge(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted(olderFirst);
}

function bySizeThenOlder(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted((a, b) => sizeOf(b) - sizeOf(a) || olderFirst(a, b));
}

function bySizeThenNewer(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted((a, b) => sizeOf(b) - sizeOf(a) || olderFirst(b, a));
}

function olderFirst({ metadata: a }: ReplicaSet, { metadata: b }: ReplicaSet): number {
  const [bornA, bornB] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  if (bornA !== bornB) return bornA < bornB ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
