/** deploy/policies/pin.yaml again: a pinned Service keeps its pin through a write that does not know of it. */
import { PINNED_LABEL, POD_TEMPLATE_HASH, RELEASED } from '../../workload/marks.ts';
import { fieldsAt, type Stored, textAt } from '../server/objects.ts';
import { isBySerin, isOn, labelOf, type Policy, type Review, withLabel } from './policy.ts';

export const pin: Policy = { name: 'serin-pin', mutate };

function mutate(review: Review): Stored {
  const { object, before } = review;
  if (before === undefined || !isOn(review, 'services', 'UPDATE') || isBySerin(review)) return object;
  const pinned = labelOf(before, PINNED_LABEL) ?? RELEASED;
  const hash = textAt(selectorOf(before), POD_TEMPLATE_HASH) ?? '';
  if (pinned === RELEASED || hash === '') return object;
  const label = labelOf(object, PINNED_LABEL) ?? '';
  const selector = selectorOf(object);
  const keepsHash = selector === undefined || textAt(selector, POD_TEMPLATE_HASH) === hash;
  // Whoever takes only the label off, or says released, knows what he does.
  if (label === RELEASED || (label === '' && keepsHash)) return object;
  const spec = fieldsAt(object, 'spec');
  const narrowed = keepsHash
    ? object
    : { ...object, spec: { ...spec, selector: { ...selector, [POD_TEMPLATE_HASH]: hash } } };
  return label === pinned ? narrowed : withLabel(narrowed, PINNED_LABEL, pinned);
}

function selectorOf(service: Stored): object | undefined {
  const spec = fieldsAt(service, 'spec');
  return spec['selector'] === undefined ? undefined : fieldsAt(spec, 'selector');
}
