/** Shows the Services that reach the pods of a Deployment as the decision sees them; it never decides which may be pinned. */
import { API_GROUP, releaseRecordKind } from '../api/kinds.ts';
import type { CanaryServiceView, ServiceView } from '../release/world.ts';
import { PINNED_LABEL, POD_TEMPLATE_HASH, RELEASED, ROLLOUT_UID_LABEL } from '../workload/marks.ts';
import { controllerOf, type PodTemplate } from '../workload/objects.ts';
import { concerns } from '../workload/replica-sets.ts';
import { matchesLabels } from '../workload/selector.ts';
import { canaryServiceName } from './canary-service.ts';
import { EndpointBook, type EndpointsSeen } from './endpoints.ts';
import type { Service } from './objects.ts';

export interface ServicesSeen extends EndpointsSeen {
  /** All of the namespace. */
  readonly services: readonly Service[];
  readonly traffic: { readonly service?: string | undefined; readonly alsoReachable: readonly string[] };
}

/** Every Service that selects pods of the Deployment, those that are pinned for this Rollout, and the named one. */
export function viewServices(seen: ServicesSeen): ServiceView[] {
  const templates = templatesOf(seen);
  const book = new EndpointBook(seen);
  const named = seen.services.find((service) => service.metadata.name === seen.traffic.service);
  const found = seen.services
    .filter((service) => service === named || isConcerned(service, templates, seen.rolloutUid))
    .map((service) => viewService(service, templates, seen.traffic, book));
  const { service } = seen.traffic;
  return named === undefined && service !== undefined ? [missing(service), ...found] : found;
}

/** The Service of the canary, or whatever else has its name. */
export function viewCanaryService(seen: ServicesSeen): CanaryServiceView | undefined {
  if (seen.traffic.service === undefined) return undefined;
  const name = canaryServiceName(seen.traffic.service);
  const service = seen.services.find(({ metadata }) => metadata.name === name);
  if (service === undefined) return undefined;
  const { readyOf, anyOf, strangers } = new EndpointBook(seen).countsOf(name);
  return {
    name,
    uid: service.metadata.uid,
    ours: isMadeByUs(service) && service.metadata.labels?.[ROLLOUT_UID_LABEL] === seen.rolloutUid,
    ready: sum(readyOf),
    any: sum(anyOf) + strangers.length,
  };
}

/**
 * What the Deployment's pods are made from: the live template, which the canary gets, and those of every ReplicaSet that
 * has pods. A new template may change labels, and a Service may match only one of the two.
 */
function templatesOf(seen: ServicesSeen): readonly PodTemplate[] {
  const active = seen.replicaSets
    .filter((set) => concerns(set, seen))
    .filter(({ spec, status }) => (spec.replicas ?? 1) > 0 || (status?.replicas ?? 0) > 0);
  const templates = active.map((set) => set.spec.template);
  return seen.deployment === undefined ? templates : [seen.deployment.spec.template, ...templates];
}

function isConcerned(service: Service, templates: readonly PodTemplate[], rolloutUid: string): boolean {
  if (isMadeByUs(service)) return false;
  const { labels = {} } = service.metadata;
  const isPinnedForUs = labels[PINNED_LABEL] !== undefined && labels[ROLLOUT_UID_LABEL] === rolloutUid;
  return isPinnedForUs || kindOf(service, templates) === 'selects';
}

function isMadeByUs(service: Service): boolean {
  const owner = controllerOf(service);
  return owner?.kind === releaseRecordKind.kind && owner.apiVersion.startsWith(`${API_GROUP}/`);
}

function viewService(
  service: Service,
  templates: readonly PodTemplate[],
  traffic: ServicesSeen['traffic'],
  book: EndpointBook,
): ServiceView {
  const { name } = service.metadata;
  const pinnedTo = pinOf(service);
  return {
    name,
    role: roleOf(service, traffic),
    exists: true,
    kind: kindOf(service, templates),
    ...(pinnedTo === undefined ? {} : { pinnedTo }),
    ...book.countsOf(name),
  };
}

/** A pin that a person let go is theirs: both versions may be reached through that Service, and nobody pins it again. */
function roleOf({ metadata }: Service, traffic: ServicesSeen['traffic']): ServiceView['role'] {
  const { name, labels } = metadata;
  if (labels?.[PINNED_LABEL] === RELEASED) return 'alsoReachable';
  if (name === traffic.service) return 'named';
  return traffic.alsoReachable.includes(name) ? 'alsoReachable' : 'other';
}

function kindOf(service: Service, templates: readonly PodTemplate[]): ServiceView['kind'] {
  if (service.spec.type === 'ExternalName') return 'externalName';
  const selector = unpinnedSelectorOf(service);
  if (Object.keys(selector).length === 0) return 'noSelector';
  return templates.some((template) => matchesLabels(selector, ownLabelsOf(template))) ? 'selects' : 'selectsOthers';
}

/** Without the hash: a Service that selects by it (`kubectl expose rs`) has only one revision anyway, and is none to pin. */
function ownLabelsOf({ metadata }: PodTemplate): Readonly<Record<string, string>> {
  return withoutHash(metadata?.labels);
}

function withoutHash({ [POD_TEMPLATE_HASH]: _hash, ...own }: Readonly<Record<string, string>> = {}) {
  return own;
}

/** The revision that Serin narrowed the selector to. Without our label a hash in it is the user's own, and stays. */
function pinOf(service: Service): string | undefined {
  const pin = service.metadata.labels?.[PINNED_LABEL];
  return pin === undefined || pin === RELEASED ? undefined : service.spec.selector?.[POD_TEMPLATE_HASH];
}

/** The selector as the user wrote it. */
function unpinnedSelectorOf(service: Service): Readonly<Record<string, string>> {
  const { selector = {} } = service.spec;
  return pinOf(service) === undefined ? selector : withoutHash(selector);
}

function missing(name: string): ServiceView {
  return { name, role: 'named', exists: false, kind: 'noSelector', readyOf: {}, anyOf: {}, strangers: [] };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
