/** The scale subresource: a window on `spec.replicas` of a workload and nothing else. */
import type { LabelSelector } from '../../workload/objects.ts';
import { fieldsAt, type Fields, isFields, type Stored } from './objects.ts';
import { badRequest } from './refusals.ts';

/** The Scale object of a Deployment or ReplicaSet. */
export function scaleOf(object: Stored): Fields {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const spec = fieldsAt(object, 'spec');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec['replicas'] },
    status: {
      replicas: fieldsAt(object, 'status')['replicas'] ?? 0,
      selector: textOf(fieldsAt(spec, 'selector')),
    },
  };
}

/** The workload with the size, and if given the version, of a Scale. */
export function scaledAs(live: Stored, scale: unknown): Stored {
  const { replicas = 0 } = fieldsAt(scale, 'spec');
  if (!isFields(scale) || typeof replicas !== 'number') throw badRequest('spec.replicas of a Scale is a number');
  const { resourceVersion } = fieldsAt(scale, 'metadata');
  const metadata = typeof resourceVersion === 'string' ? { ...live.metadata, resourceVersion } : live.metadata;
  return { ...live, metadata, spec: { ...fieldsAt(live, 'spec'), replicas } };
}

function textOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}
