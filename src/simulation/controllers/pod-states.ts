/** What the control plane reads out of a pod: is it ready, for how long, has it ended, is it going. */
import type { Pod } from '../../workload/objects.ts';

export function isEnding({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Succeeded or Failed: it will not run again. */
export function isOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Counts for a ReplicaSet: neither over nor ending. */
export function isActivePod(pod: Pod): boolean {
  return !isOver(pod) && !isEnding(pod);
}

export function isReadyPod({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** Since when it is Ready; NaN when it is not. */
export function readySinceMs({ status }: Pod): number {
  const condition = status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'True');
  return Date.parse(condition?.lastTransitionTime ?? '');
}

export function nodeOf({ spec }: Pod): string | undefined {
  const { nodeName } = spec;
  return typeof nodeName === 'string' ? nodeName : undefined;
}
