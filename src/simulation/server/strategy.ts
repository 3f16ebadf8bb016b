/** Decides for each kind which parts of an object a write may change through which door, and when its generation rises. */
import { isEqual } from '../../controller/merge-patch.ts';
import { services } from '../../kube/resources.ts';
import type { ServedKind } from './kinds.ts';
import { type Fields, fieldsAt, type Stored, type StoredMeta, withoutEmpty } from './objects.ts';
import type { Storage } from './storage.ts';

/** A new object has no status but what its kind begins with. */
export function preparedForCreate(kind: ServedKind, object: Stored, storage: Storage): Stored {
  const { status: _status, ...rest } = object;
  const started: Stored = kind.subresources.includes('status') ? rest : object;
  switch (kind.plural) {
    case 'pods':
      return { ...started, status: { phase: 'Pending', qosClass: 'BestEffort' } };
    case 'deployments':
      return { ...started, status: {} };
    case 'replicasets':
      return { ...started, status: { replicas: 0 } };
    case 'namespaces':
      return namedNamespace(started);
    case 'services':
      return { ...started, spec: addressed(fieldsAt(started, 'spec'), storage), status: { loadBalancer: {} } };
    default:
      return started;
  }
}

function namedNamespace(object: Stored): Stored {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
  const spec = { finalizers: ['kubernetes'] };
  return { ...object, metadata: { ...object.metadata, labels }, spec, status: { phase: 'Active' } };
}

/** A cluster IP of its own; what has none, or names none, keeps that. */
function addressed(spec: Fields, storage: Storage): Fields {
  if (spec['type'] === 'ExternalName') return spec;
  const { clusterIP = freeAddress(storage) } = spec;
  return { ...spec, clusterIP, clusterIPs: [clusterIP] };
}

function freeAddress(storage: Storage): string {
  const taken = new Set(storage.all(services).map((service) => fieldsAt(service, 'spec')['clusterIP']));
  for (let at = 1; ; at++) {
    const address = `10.96.${at >> 8}.${at & 255}`;
    if (!taken.has(address)) return address;
  }
}

/** The object as this door lets it be changed. */
export function preparedForUpdate(
  kind: ServedKind,
  subresource: string | undefined,
  wanted: Stored,
  live: Stored,
): Stored {
  const whole = { ...wanted, metadata: lasting(wanted.metadata, live.metadata) };
  if (subresource === 'status') return statusOnly(kind, whole, live);
  const hasStatus = kind.subresources.includes('status');
  const next = withKept(hasStatus ? withStatusOf(whole, live) : whole, kind, live);
  if (kind.generation === 'none') return next;
  const generation = (live.metadata.generation ?? 0) + (isNewGeneration(kind, next, live) ? 1 : 0);
  return { ...next, metadata: { ...next.metadata, generation } };
}

/** What nobody changes. */
function lasting(metadata: StoredMeta, live: StoredMeta): StoredMeta {
  const { namespace, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generateName } =
    live;
  const fixed = {
    namespace,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generateName,
  };
  const known = Object.fromEntries(Object.entries(fixed).filter(([, value]) => value !== undefined));
  const { deletionTimestamp: _time, deletionGracePeriodSeconds: _grace, generateName: _base, ...rest } = metadata;
  const { name, uid, resourceVersion } = live;
  return { ...rest, ...known, name, uid, resourceVersion };
}

function withStatusOf(object: Stored, live: Stored): Stored {
  const { status: _status, ...rest } = object;
  return live['status'] === undefined ? rest : { ...rest, status: live['status'] };
}

/** Through the door of status only status comes, and of a built-in kind's metadata what its controllers need there. */
function statusOnly(kind: ServedKind, wanted: Stored, live: Stored): Stored {
  const { status } = wanted;
  const { status: _old, ...rest } = live;
  const { managedFields } = wanted.metadata;
  const metadata = kind.custom ? live.metadata : statusMeta(kind, wanted.metadata, live.metadata);
  const booked = managedFields === undefined ? metadata : { ...metadata, managedFields };
  return { ...rest, metadata: booked, ...(status === undefined ? {} : { status }) };
}

function statusMeta({ plural }: ServedKind, wanted: StoredMeta, live: StoredMeta): StoredMeta {
  if (plural === 'deployments') return withLiveOf('labels', wanted, live);
  return plural === 'pods' ? withLiveOf('ownerReferences', wanted, live) : wanted;
}

function withLiveOf(key: 'labels' | 'ownerReferences', wanted: StoredMeta, live: StoredMeta): StoredMeta {
  const { [key]: _wanted, ...rest } = wanted;
  return live[key] === undefined ? rest : { ...rest, [key]: live[key] };
}

/** Fields that the server fills in again when a write (kubectl replace) leaves them out. */
function withKept(object: Stored, { plural }: ServedKind, live: Stored): Stored {
  if (plural === 'services') return { ...object, spec: keptAddress(fieldsAt(object, 'spec'), fieldsAt(live, 'spec')) };
  if (plural !== 'pods') return object;
  const { nodeName } = fieldsAt(live, 'spec');
  return nodeName === undefined ? object : { ...object, spec: { ...fieldsAt(object, 'spec'), nodeName } };
}

function keptAddress(spec: Fields, live: Fields): Fields {
  if (spec['type'] === 'ExternalName')
    return withoutEmpty({ ...spec, clusterIP: '', clusterIPs: [] }, ['clusterIP', 'clusterIPs']);
  const { clusterIP, clusterIPs } = live;
  const kept = { clusterIP: spec['clusterIP'] ?? clusterIP, clusterIPs: spec['clusterIPs'] ?? clusterIPs };
  return { ...spec, ...kept };
}

function isNewGeneration({ generation }: ServedKind, next: Stored, live: Stored): boolean {
  if (generation === 'anything') return !isEqual(contentOf(next), contentOf(live)) || isNewLabels(next, live);
  if (!isEqual(next['spec'], live['spec'])) return true;
  return (
    generation === 'specOrAnnotations' && !isEqual(next.metadata.annotations ?? {}, live.metadata.annotations ?? {})
  );
}

function contentOf({ metadata: _metadata, ...content }: Stored): object {
  return content;
}

function isNewLabels(next: Stored, live: Stored): boolean {
  return !isEqual(next.metadata.labels, live.metadata.labels);
}
