/** Decides what runs in the demo's pods on a real cluster: something that answers, counts, and fails when it is told to. */
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { deployments, type KubeObject, type ResourceKind } from '../../kube/resources.ts';
import { Missing } from './missing.ts';

/** Fields of a container. */
export interface PodImage {
  readonly image: string;
  readonly args?: readonly string[];
  readonly securityContext?: object;
}

interface Operator extends KubeObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  readonly status?: { readonly availableReplicas?: number };
}

interface Node extends KubeObject {
  readonly status?: { readonly images?: readonly { readonly names?: readonly string[] }[] };
}

const nodes: ResourceKind = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

/** What the project's own test cluster has for this. */
const testImage = 'serin.test/workload:v1';

/**
 * The one that was wished for, else Serin's own, which this cluster has pulled already.
 *
 * @throws Missing
 */
export async function findImage(client: KubeClient, wished: string | undefined): Promise<PodImage> {
  if (wished !== undefined) return { image: wished };
  const own = await operatorImage(client);
  if (own !== undefined) return { image: own, args: ['demo', '--serve'], securityContext: restricted };
  if (await hasTestImage(client)) return { image: testImage };
  throw new Missing(
    "Serin's own image does not run on this cluster, and the demo knows no other that fails on demand: give one with --image (docs/demo.md says what it has to do)",
  );
}

const restricted = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Of an operator that runs: an image that could not be pulled is of no use. */
async function operatorImage(client: KubeClient): Promise<string | undefined> {
  const options = { namespace: 'serin-system', labelSelector: 'app.kubernetes.io/part-of=serin' };
  const { items } = await client.list<Operator>(deployments, options);
  const running = items.find(({ status }) => (status?.availableReplicas ?? 0) > 0);
  return running?.spec.template.spec.containers[0]?.image;
}

async function hasTestImage(client: KubeClient): Promise<boolean> {
  try {
    const { items } = await client.list<Node>(nodes);
    const names = items.flatMap(({ status }) => status?.images ?? []).flatMap((image) => image.names ?? []);
    return names.includes(testImage);
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return false;
    throw error;
  }
}
