/** Finds out which revision the Deployment asks for now, by comparing live templates; a hash is only a name. It only reads. */
import { isDeepStrictEqual } from 'node:util';
import { isKubeError } from '../kube/errors.ts';
import { deployments, type KubeObject, replicaSets } from '../kube/resources.ts';
import type { RolloutObject } from './objects.ts';
import type { LiveTemplate } from './outcome.ts';
import type { Session } from './session.ts';

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
}

interface Templated extends KubeObject {
  readonly spec: { readonly template: Template };
}

/** `unknown` when the user may not read Deployments or ReplicaSets, or the ones to compare with are gone. */
export async function liveTemplate(rollout: RolloutObject, { client }: Pick<Session, 'client'>): Promise<LiveTemplate> {
  const { namespace } = rollout.metadata;
  const { stable, quarantined = [] } = rollout.status ?? {};
  try {
    const ref = { namespace, name: rollout.spec.targetRef.name };
    const [deployment, sets] = await Promise.all([
      client.find<Templated>(deployments, ref),
      client.list<Templated>(replicaSets, { namespace, labelSelector: 'pod-template-hash' }),
    ]);
    if (deployment === undefined) return 'unknown';
    const ofStable = sets.items.find((set) => set.metadata.uid === stable?.uid);
    if (ofStable === undefined) return 'unknown';
    if (isSame(ofStable, deployment)) return 'stable';
    const rejected = new Set(quarantined.map((entry) => entry.hash));
    const witnesses = sets.items.filter((set) => rejected.has(set.metadata.labels?.['pod-template-hash'] ?? ''));
    return witnesses.some((set) => isSame(set, deployment)) ? 'rejected' : 'other';
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return 'unknown';
    throw error;
  }
}

function isSame(one: Templated, other: Templated): boolean {
  return isDeepStrictEqual(withoutHash(one.spec.template), withoutHash(other.spec.template));
}

function withoutHash(template: Template): Template {
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
