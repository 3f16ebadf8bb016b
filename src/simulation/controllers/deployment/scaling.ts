/**
 * What happens to a Deployment that may not roll, or whose size changed: one active set gets everything, from zero the
 * newest or youngest is revived, a saturated newest ends the others, and else all get their share.
 */
import type { Deployment, ReplicaSet } from '../../../workload/objects.ts';
import { countedStatus } from './conditions.ts';
import { partsOf } from './newest.ts';
import { byAge, isActive, isRolling, isSaturated, proportions, wantedBy } from './sizes.ts';
import { replaced, without, type Writing } from './writing.ts';

export function scaleOnly(writing: Writing, given: Deployment, sets: readonly ReplicaSet[]): void {
  const { deployment, newest, others } = partsOf(writing, given, sets, false);
  const next = scaled(writing, deployment, newest, others);
  if (deployment.spec.paused === true) writing.cleanUp(deployment, without(next, newest));
  const after = next.find((set) => set.metadata.uid === newest?.metadata.uid);
  writing.status(deployment, countedStatus(deployment, next, after, writing.now));
}

function scaled(
  writing: Writing,
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  others: readonly ReplicaSet[],
): ReplicaSet[] {
  const sets = newest === undefined ? [...others] : [...others, newest];
  const active = sets.filter(isActive);
  if (active.length <= 1) {
    const only = active[0] ?? newest ?? byAge(others).at(-1);
    return only === undefined ? sets : replaced(sets, writing.resize(deployment, only, wantedBy(deployment)));
  }
  if (isSaturated(deployment, newest)) {
    return others.filter(isActive).reduce((at, old) => replaced(at, writing.resize(deployment, old, 0)), sets);
  }
  if (!isRolling(deployment)) return sets;
  const sizes = proportions(deployment, active);
  return active.reduce(
    (at, set) => replaced(at, writing.resize(deployment, set, sizes.get(set.metadata.uid) ?? 0, true)),
    sets,
  );
}
