/**
 * Asks the API server beforehand, in dry runs, whether it would take the canary's ReplicaSet and a pod of it, so that a
 * policy or a quota is found when a Rollout attaches and not in the middle of the first release. It keeps nothing.
 */
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type Draft, type ObjectMeta, pods, replicaSets } from '../kube/resources.ts';
import { canaryOf } from './canary.ts';
import type { Deployment, PodTemplate } from './objects.ts';
import { hashOf } from './revision.ts';

/** What a refused dry run may look like; everything else says nothing about the objects. */
const REFUSALS = ['Forbidden', 'Invalid'] as const;

/**
 * @param replicas pods that the canary begins with; a quota counts them.
 * @returns `refused`: the API server's words. Throws the KubeError when it could not answer.
 */
export async function rehearse(
  client: KubeClient,
  deployment: Deployment,
  replicas: number,
  signal?: AbortSignal,
): Promise<{ readonly refused?: string }> {
  try {
    const canary = rehearsed(deployment, replicas);
    await client.create(replicaSets, canary, { dryRun: true }, signal);
    await client.create(pods, podOf(deployment.metadata, canary.spec.template), { dryRun: true }, signal);
    return {};
  } catch (error) {
    if (isKubeError(error, ...REFUSALS)) return { refused: error.message };
    throw error;
  }
}

/** The canary under a name that cannot be taken and without its owner, which does not exist yet. */
function rehearsed(deployment: Deployment, replicas: number): ReturnType<typeof canaryOf> {
  const hash = hashOf(deployment.spec.template);
  const nobody = { name: 'rehearsal', uid: 'rehearsal' };
  const order = { deployment, record: nobody, rolloutUid: nobody.uid, attempt: 1, name: nobody.name, hash, replicas };
  const { metadata, spec } = canaryOf(order);
  const { name: _name, ownerReferences: _owner, ...rest } = metadata;
  return { metadata: { ...rest, generateName: 'serin-rehearsal-' }, spec };
}

/** A pod as the ReplicaSet controller would create it. */
function podOf({ namespace }: ObjectMeta, { metadata = {}, spec }: PodTemplate): Draft {
  const { labels, annotations, finalizers } = metadata as Pick<ObjectMeta, 'labels' | 'annotations' | 'finalizers'>;
  const pod = {
    metadata: {
      generateName: 'serin-rehearsal-',
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec,
  };
  return pod;
}
