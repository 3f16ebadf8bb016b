/**
 * Finds out whether the admission guard really holds a new template: by trying one, as somebody else, in a dry run. It
 * never concludes from the mere presence of a policy, which may be bound to nothing or overtaken by a later mutator.
 */
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { deployments } from '../kube/resources.ts';
import { ATTACHED_LABEL, HELD_ANNOTATION, PROBE_USER } from './marks.ts';
import type { Deployment } from './objects.ts';

const PROBE_ANNOTATION = 'serin.dev/probe';

/** Answers of the API server that are about this request and not about the server's state. */
const REFUSALS = ['Forbidden', 'Invalid'] as const;

/**
 * `absent` also when the probe is not allowed to ask: what is not proved does not count. Throws the KubeError when the
 * API server could not answer, which proves nothing.
 *
 * The tried write also unpauses and takes the mark off, so that an answer that is paused under our mark comes from the
 * guard, and not from a Deployment that was held before.
 */
export async function proveGuard(
  client: KubeClient,
  deployment: Deployment,
  signal?: AbortSignal,
): Promise<'proven' | 'absent'> {
  const attempt = {
    metadata: { labels: { [ATTACHED_LABEL]: 'true' }, annotations: { [HELD_ANNOTATION]: null } },
    spec: { paused: null, template: { metadata: { annotations: { [PROBE_ANNOTATION]: deployment.metadata.uid } } } },
  };
  const options = { dryRun: true, fieldManager: 'serin-probe', impersonate: { user: PROBE_USER } };
  try {
    const answer = await client.mergePatch<Deployment>(deployments, deployment.metadata, attempt, options, signal);
    const isHeld = answer.spec.paused === true && answer.metadata.annotations?.[HELD_ANNOTATION] !== undefined;
    return isHeld ? 'proven' : 'absent';
  } catch (error) {
    if (isKubeError(error, ...REFUSALS)) return 'absent';
    throw error;
  }
}
