/**
 * Makes and deletes the Service through which routes reach the new revision. It exists only during a release and belongs
 * to the attempt's record; whatever has its name and is not ours is left alone.
 */
import type { KubeClient } from '../kube/client.ts';
import { type Draft, services } from '../kube/resources.ts';
import { type Anchor, anchoredTo, deleteSeen, type Made, make, type Sighting } from '../workload/made.ts';
import { ATTEMPT_LABEL, PINNED_LABEL, POD_TEMPLATE_HASH, ROLLOUT_UID_LABEL } from '../workload/marks.ts';
import type { Service, ServicePort } from './objects.ts';

export interface CanaryServiceOrder {
  /** The user's Service. */
  readonly service: Service;
  /** The revision that it is to select. */
  readonly hash: string;
  readonly record: Anchor;
  readonly rolloutUid: string;
  readonly attempt: number;
}

const SUFFIX = '-canary';
/** A Service's name is a DNS label. */
const LONGEST_NAME = 63;

/** `<service>-canary`, the Service's part cut so that the whole is a valid name. */
export function canaryServiceName(service: string): string {
  return `${service.slice(0, LONGEST_NAME - SUFFIX.length).replace(/-+$/, '')}${SUFFIX}`;
}

export function createCanaryService(
  client: KubeClient,
  order: CanaryServiceOrder,
  signal?: AbortSignal,
): Promise<Made<Service>> {
  const isOurService = ({ metadata, spec }: Service) =>
    spec.selector?.[POD_TEMPLATE_HASH] === order.hash &&
    (metadata.ownerReferences?.some((owner) => owner.uid === order.record.uid) ?? false);
  return make<Service>(client, services, canaryServiceOf(order), isOurService, signal);
}

/**
 * Like the user's Service in what callers and gateways see, and only in that: no node ports, no annotations (they may
 * order a load balancer or a DNS name), no labels (a scraper that selects Services by label would count pods twice), and
 * never addresses of pods that are not ready.
 */
export function canaryServiceOf(order: CanaryServiceOrder): Draft & { readonly spec: object } {
  const { metadata, spec } = order.service;
  return {
    metadata: {
      name: canaryServiceName(metadata.name),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: { [ROLLOUT_UID_LABEL]: order.rolloutUid, [ATTEMPT_LABEL]: String(order.attempt) },
      ownerReferences: [anchoredTo(order.record)],
    },
    spec: {
      type: 'ClusterIP',
      ...(spec.clusterIP === 'None' ? { clusterIP: 'None' } : {}),
      selector: { ...selectorOf(order.service), [POD_TEMPLATE_HASH]: order.hash },
      ports: (spec.ports ?? []).map(portOf),
      ...(spec.sessionAffinity === undefined ? {} : { sessionAffinity: spec.sessionAffinity }),
      ...(spec.sessionAffinityConfig === undefined ? {} : { sessionAffinityConfig: spec.sessionAffinityConfig }),
      ...(spec.ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy: spec.ipFamilyPolicy }),
      ...(spec.ipFamilies === undefined ? {} : { ipFamilies: spec.ipFamilies }),
    },
  };
}

/** Deletes exactly this one. */
export function deleteCanaryService(client: KubeClient, seen: Sighting, signal?: AbortSignal): Promise<void> {
  return deleteSeen(client, services, seen, signal);
}

function selectorOf({ metadata, spec }: Service): Readonly<Record<string, string>> {
  if (metadata.labels?.[PINNED_LABEL] === undefined) return spec.selector ?? {};
  const { [POD_TEMPLATE_HASH]: _pin, ...own } = spec.selector ?? {};
  return own;
}

function portOf({ nodePort: _node, ...port }: ServicePort): ServicePort {
  return port;
}
