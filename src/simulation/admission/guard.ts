/** deploy/policies/guard.yaml again: the write that changes the template of an attached Deployment pauses it under Serin's mark. */
import { isEqual } from '../../controller/merge-patch.ts';
import { ATTACHED_LABEL, HELD_ANNOTATION, RELEASED } from '../../workload/marks.ts';
import { fieldsAt, type Stored } from '../server/objects.ts';
import { isBySerin, isOn, labelOf, type Policy, type Review, withAnnotation, withLabel } from './policy.ts';

export const guard: Policy = { name: 'serin-guard', mutate };

function mutate(review: Review): Stored {
  const { object, before } = review;
  if (before === undefined || !isOn(review, 'deployments', 'UPDATE') || isBySerin(review)) return object;
  const label = labelOf(object, ATTACHED_LABEL);
  // The policy matches when the old or the new object is attached.
  if (label !== 'true' && labelOf(before, ATTACHED_LABEL) !== 'true') return object;
  const isKnown = label === 'true' || label === RELEASED;
  const labelled = isKnown ? object : withLabel(object, ATTACHED_LABEL, 'true');
  return label !== RELEASED && isHeldBy(object, before) ? held(labelled) : labelled;
}

function isHeldBy(object: Stored, before: Stored): boolean {
  const wasPaused = isPaused(before);
  const wasHeld = wasPaused && before.metadata.annotations?.[HELD_ANNOTATION] !== undefined;
  const isNewTemplate = !isEqual(templateOf(object), templateOf(before));
  return wasHeld || (!isPaused(object) && (isNewTemplate || wasPaused));
}

function held(object: Stored): Stored {
  const isMarked = object.metadata.annotations?.[HELD_ANNOTATION] !== undefined;
  const marked = isMarked ? object : withAnnotation(object, HELD_ANNOTATION, 'true');
  return { ...marked, spec: { ...fieldsAt(marked, 'spec'), paused: true } };
}

function isPaused(object: Stored): boolean {
  return fieldsAt(object, 'spec')['paused'] === true;
}

function templateOf(object: Stored): unknown {
  return fieldsAt(object, 'spec')['template'];
}
