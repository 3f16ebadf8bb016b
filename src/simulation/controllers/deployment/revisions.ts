/** Which ReplicaSet is the live template's, which revision it is, and how a new one is made. */
import { DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION, POD_TEMPLATE_HASH } from '../../../workload/marks.ts';
import type { Deployment, PodTemplate, ReplicaSet } from '../../../workload/objects.ts';
import { sameTemplate } from '../../../workload/revision.ts';
import { safeEncoded } from '../../server/identity.ts';
import { isFields } from '../../server/objects.ts';
import { controlledBy } from '../hand.ts';
import { byAge, maxSurgeOf, wantedBy } from './sizes.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';

type Annotations = Readonly<Record<string, string>>;

/** Annotations of a Deployment that its ReplicaSets do not get. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS_ANNOTATION,
  MAX_REPLICAS_ANNOTATION,
]);

/** The oldest of those with the live template. */
export function newestSetOf(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return byAge(sets).find((set) => sameTemplate(set.spec.template, deployment.spec.template));
}

export function nextRevision(others: readonly ReplicaSet[]): number {
  return Math.max(0, ...others.map(revisionOf)) + 1;
}

export function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.[REVISION] ?? 0) || 0;
}

/** The annotations that the live template's set is to have. */
export function revisedAnnotations(deployment: Deployment, set: ReplicaSet, revision: number): Annotations {
  const old = set.metadata.annotations ?? {};
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key));
  const before = revisionOf(set);
  if (before >= revision) return { ...old, ...Object.fromEntries(copied) };
  const history = old[REVISION_HISTORY];
  const hadOne = old[REVISION] !== undefined;
  return {
    ...old,
    ...Object.fromEntries(copied),
    [REVISION]: String(revision),
    ...(hadOne ? { [REVISION_HISTORY]: history ? `${history},${before}` : String(before) } : {}),
  };
}

export function replicasAnnotations(deployment: Deployment): Annotations {
  const wanted = wantedBy(deployment);
  return {
    [DESIRED_REPLICAS_ANNOTATION]: String(wanted),
    [MAX_REPLICAS_ANNOTATION]: String(wanted + maxSurgeOf(deployment)),
  };
}

/** The ReplicaSet for the live template, without pods yet. */
export function madeFor(deployment: Deployment, revision: number, collisions: number): ReplicaSet {
  const { metadata, spec } = deployment;
  const hash = hashOf(spec.template, collisions);
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  const { matchLabels } = spec.selector;
  const made = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name.slice(0, 253 - hash.length - 1)}-${hash}`,
      namespace: metadata.namespace,
      labels,
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas: 0,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  } as unknown as ReplicaSet;
  const annotations = { ...revisedAnnotations(deployment, made, revision), ...replicasAnnotations(deployment) };
  return { ...made, metadata: { ...made.metadata, annotations } };
}

/** FNV-1a over the template, in the controller's alphabet. Not the real controller's number, which hashes Go's own print. */
function hashOf(template: PodTemplate, collisions: number): string {
  let hash = 0x811c9dc5;
  for (const char of `${canonical(template)}${collisions > 0 ? collisions : ''}`) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return safeEncoded(String(hash));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isFields(value)) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${key}:${canonical(inner)}`).join(',')}}`;
}
