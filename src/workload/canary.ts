/**
 * Writes the ReplicaSet of a new revision through its life: made under the anchor, scaled, handed over to the Deployment
 * or deleted. It never chooses sizes or moments, and never touches a ReplicaSet that changed since it was looked at.
 */
import type { KubeClient } from '../kube/client.ts';
import { type Draft, replicaSets } from '../kube/resources.ts';
import { type Anchor, anchoredTo, deleteSeen, type Made, make, type Sighting } from './made.ts';
import {
  ATTEMPT_LABEL,
  DESIRED_REPLICAS_ANNOTATION,
  isOurs,
  marksOff,
  MAX_REPLICAS_ANNOTATION,
  POD_TEMPLATE_HASH,
  ROLLOUT_UID_LABEL,
} from './marks.ts';
import { controllerOf, type Deployment, type LabelSelector, type PodTemplate, type ReplicaSet } from './objects.ts';
import { hashOf } from './revision.ts';

export interface CanaryOrder {
  /** Its live template is what is released. */
  readonly deployment: Deployment;
  readonly record: Anchor;
  readonly rolloutUid: string;
  readonly attempt: number;
  readonly name: string;
  /** The revision that was decided on; a Deployment with another template makes nothing (S3). */
  readonly hash: string;
  readonly replicas: number;
}

export async function createCanary(
  client: KubeClient,
  order: CanaryOrder,
  signal?: AbortSignal,
): Promise<Made<ReplicaSet>> {
  const { deployment, hash, record } = order;
  const live = hashOf(deployment.spec.template);
  if (live !== hash) {
    const message = `Deployment ${deployment.metadata.name} has the template of ${live}, not of ${hash}; nothing was created.`;
    return { kind: 'otherRevision', message };
  }
  const isOurCanary = (found: ReplicaSet) =>
    found.metadata.ownerReferences?.some((owner) => owner.uid === record.uid && owner.controller === true) ?? false;
  return make<ReplicaSet>(client, replicaSets, canaryOf(order), isOurCanary, signal);
}

/**
 * The ReplicaSet as it is created. Its labels carry the template's, because adoption and wake-ups look at them; its
 * selector has the Deployment's whole selector, so that adopted it selects what a native one would.
 */
export function canaryOf(order: CanaryOrder): Draft & { readonly spec: ReplicaSet['spec'] } {
  const { deployment, hash } = order;
  const { selector, template, minReadySeconds } = deployment.spec;
  return {
    metadata: {
      name: order.name,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels: {
        ...template.metadata?.labels,
        [POD_TEMPLATE_HASH]: hash,
        [ROLLOUT_UID_LABEL]: order.rolloutUid,
        [ATTEMPT_LABEL]: String(order.attempt),
      },
      ownerReferences: [anchoredTo(order.record)],
    },
    spec: {
      replicas: order.replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: narrowed(selector, hash),
      template: labelled(template, hash),
    },
  };
}

/** Throws Conflict when the ReplicaSet changed since it was looked at. */
export function scaleReplicaSet(
  client: KubeClient,
  replicaSet: ReplicaSet,
  replicas: number,
  signal?: AbortSignal,
): Promise<ReplicaSet> {
  return patch(client, replicaSet, { spec: { replicas } }, signal);
}

/**
 * Deletes exactly this one; its pods go with it. Given its resourceVersion, one that was scaled up since it was looked
 * at stays: while a Deployment is held its controller may revive the very ReplicaSet that was to be cleared away.
 */
export function deleteReplicaSet(client: KubeClient, seen: Sighting, signal?: AbortSignal): Promise<void> {
  return deleteSeen(client, replicaSets, seen, signal);
}

/**
 * Lets go of the canary so that the Deployment controller adopts it: owner and every mark of ours off, and the
 * controller's annotations on, in one patch. Without the annotations it would not count as saturated, and the controller
 * would not scale the others away while the Deployment is held.
 *
 * @param replicas spec.replicas of the Deployment.
 */
export function handOver(
  client: KubeClient,
  replicaSet: ReplicaSet,
  replicas: number,
  signal?: AbortSignal,
): Promise<ReplicaSet> {
  const { labels, annotations, ownerReferences = [] } = replicaSet.metadata;
  const others = ownerReferences.filter((owner) => owner.controller !== true);
  const metadata = {
    ownerReferences: others.length === 0 ? null : others,
    labels: marksOff(labels),
    annotations: {
      ...marksOff(annotations),
      [DESIRED_REPLICAS_ANNOTATION]: String(replicas),
      [MAX_REPLICAS_ANNOTATION]: String(2 * replicas),
    },
  };
  return patch(client, replicaSet, { metadata }, signal);
}

/**
 * Annotations of ours on a ReplicaSet of the Deployment's: its controller copies those of a held Deployment to the
 * ReplicaSet of the live template, and never takes one off. `kubectl rollout undo` would bring them back from there.
 */
export function hasLeftMarks(replicaSet: ReplicaSet): boolean {
  const isNative = controllerOf(replicaSet)?.kind === 'Deployment';
  return isNative && Object.keys(replicaSet.metadata.annotations ?? {}).some(isOurs);
}

/** Takes those off; for when the Deployment has lost its mark and its controller has seen that, else it copies again. */
export function clearMarks(client: KubeClient, replicaSet: ReplicaSet, signal?: AbortSignal): Promise<ReplicaSet> {
  return patch(client, replicaSet, { metadata: { annotations: marksOff(replicaSet.metadata.annotations) } }, signal);
}

function narrowed(selector: LabelSelector, hash: string): LabelSelector {
  return { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } };
}

function labelled(template: PodTemplate, hash: string): PodTemplate {
  const { metadata = {} } = template;
  return { ...template, metadata: { ...metadata, labels: { ...metadata.labels, [POD_TEMPLATE_HASH]: hash } } };
}

function patch(client: KubeClient, replicaSet: ReplicaSet, body: object, signal?: AbortSignal): Promise<ReplicaSet> {
  const { resourceVersion } = replicaSet.metadata;
  return client.mergePatch<ReplicaSet>(replicaSets, replicaSet.metadata, body, { resourceVersion }, signal);
}
