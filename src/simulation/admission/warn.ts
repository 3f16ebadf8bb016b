/** deploy/policies/warn.yaml again: one line under the command of whoever writes a Deployment that Serin holds. */
import { isEqual } from '../../controller/merge-patch.ts';
import { ATTACHED_LABEL, HELD_ANNOTATION } from '../../workload/marks.ts';
import { fieldsAt } from '../server/objects.ts';
import { isBySerin, isOn, labelOf, type Policy, type Review } from './policy.ts';

export const warn: Policy = { name: 'serin-warn', warn: warningsOf };

function warningsOf(review: Review): readonly string[] {
  const { object, before, user } = review;
  if (before === undefined || !isOn(review, 'deployments', 'UPDATE') || isBySerin(review)) return [];
  const isAttached = [object, before].some((one) => labelOf(one, ATTACHED_LABEL) === 'true');
  const isComponent = /^system:(serviceaccount:kube-system:|kube-)/.test(user.name);
  const isHeld =
    fieldsAt(object, 'spec')['paused'] === true && object.metadata.annotations?.[HELD_ANNOTATION] !== undefined;
  if (!isAttached || isComponent || !isHeld) return [];
  const { name, namespace } = object.metadata;
  const isNewTemplate = !isEqual(fieldsAt(object, 'spec')['template'], fieldsAt(before, 'spec')['template']);
  const cameToNothing =
    isEqual(object['spec'], before['spec']) &&
    isEqual(object.metadata.labels, before.metadata.labels) &&
    isEqual(object.metadata.annotations, before.metadata.annotations);
  const told = [
    isNewTemplate
      ? `held by Serin: Deployment ${name} starts this template only as its Rollout lets it. Follow it with: kubectl get srn -n ${namespace ?? ''}`
      : undefined,
    cameToNothing
      ? `still held by Serin: Deployment ${name} stays paused until its Rollout goes on. See: kubectl get srn -o wide -n ${namespace ?? ''}`
      : undefined,
  ].filter((line) => line !== undefined);
  return told.map(
    (line) => `Validation failed for ValidatingAdmissionPolicy 'serin-warn' with binding 'serin-warn': ${line}`,
  );
}
