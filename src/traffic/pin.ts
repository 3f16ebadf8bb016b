/**
 * Narrows the selector of a user's Service to one revision and widens it again. It changes one key of the selector and
 * Serin's labels, and only of the Service as it was looked at. A pin fails dead: when its revision has no pods left, the
 * Service has no endpoints, so whoever pins must unpin (S16).
 */
import type { KubeClient } from '../kube/client.ts';
import { services } from '../kube/resources.ts';
import { yieldFields } from '../workload/fields.ts';
import { PINNED_LABEL, POD_TEMPLATE_HASH, ROLLOUT_UID_LABEL } from '../workload/marks.ts';
import type { Service } from './objects.ts';

/**
 * @param pin the revision, and the Rollout on whose behalf: with it the pin is found again when the Deployment is gone.
 */
export function pin(
  client: KubeClient,
  service: Service,
  { hash, rolloutUid }: { readonly hash: string; readonly rolloutUid: string },
  signal?: AbortSignal,
): Promise<Service> {
  const labels = { [PINNED_LABEL]: hash, [ROLLOUT_UID_LABEL]: rolloutUid };
  return patch(client, service, { metadata: { labels }, spec: { selector: { [POD_TEMPLATE_HASH]: hash } } }, signal);
}

/** Takes the pin and the labels off; then nothing tells that Serin was here. A second call finds nothing to do. */
export async function unpin(client: KubeClient, service: Service, signal?: AbortSignal): Promise<void> {
  // Without our label a hash in the selector is the user's own.
  if (service.metadata.labels?.[PINNED_LABEL] === undefined) return;
  const labels = { [PINNED_LABEL]: null, [ROLLOUT_UID_LABEL]: null };
  const body = { metadata: { labels }, spec: { selector: { [POD_TEMPLATE_HASH]: null } } };
  const written = await patch(client, service, body, signal);
  await yieldFields(client, services, written, signal);
}

function patch(client: KubeClient, service: Service, body: object, signal?: AbortSignal): Promise<Service> {
  const { resourceVersion } = service.metadata;
  return client.mergePatch<Service>(services, service.metadata, body, { resourceVersion }, signal);
}
