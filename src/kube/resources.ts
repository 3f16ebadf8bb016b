/** Owns the names of API resources and the shape of objects on the wire; it never talks to a server. */

/** One resource of the API. `group` is '' for the core group. */
export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Metadata of an object to be written. */
interface DraftMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Metadata as the API server returns it. Timestamps are strings (RFC 3339), always. */
export interface ObjectMeta extends DraftMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

/** An object to be written; `apiVersion` and `kind` are filled in from the ResourceKind. */
export interface Draft {
  readonly metadata: DraftMeta;
}

/** Any object as the API server returns it, with all of its fields. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Which object: `namespace` is left out for cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export const pods = core('pods', 'Pod');
export const services = core('services', 'Service');
export const events = core('events', 'Event');
export const secrets = core('secrets', 'Secret');
export const configMaps = core('configmaps', 'ConfigMap');
export const namespaces: ResourceKind = { ...core('namespaces', 'Namespace'), namespaced: false };
export const deployments = inGroup('apps', 'v1', 'deployments', 'Deployment');
export const replicaSets = inGroup('apps', 'v1', 'replicasets', 'ReplicaSet');
export const endpointSlices = inGroup('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
export const horizontalPodAutoscalers = inGroup(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
);
export const leases = inGroup('coordination.k8s.io', 'v1', 'leases', 'Lease');
export const httpRoutes = inGroup('gateway.networking.k8s.io', 'v1', 'httproutes', 'HTTPRoute');
export const selfSubjectAccessReviews: ResourceKind = {
  ...inGroup('authorization.k8s.io', 'v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
  namespaced: false,
};

export function apiVersionOf(kind: ResourceKind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** The URL path of a collection, an object or a subresource. A namespaced kind without a namespace means all namespaces. */
export function pathOf(kind: ResourceKind, namespace?: string, name?: string, subresource?: string): string {
  const parts = [kind.group === '' ? 'api' : 'apis', ...apiVersionOf(kind).split('/')];
  if (kind.namespaced && namespace !== undefined) parts.push('namespaces', namespace);
  parts.push(kind.plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** The path without names, for metric labels: its number of values is bounded by the kinds that are used. */
export function pathTemplateOf(kind: ResourceKind, subresource?: string): string {
  const collection = kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  return `${collection}/${kind.plural}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** "Deployment shop/checkout": how messages name an object. */
export function describe(
  kind: ResourceKind,
  ref: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): string {
  const name = ref.name ?? '(new)';
  return `${kind.kind} ${kind.namespaced && ref.namespace !== undefined ? `${ref.namespace}/${name}` : name}`;
}

/** "shop/checkout", or "checkout" for a cluster-scoped object: the key of stores and queues. */
export function keyOf(ref: ObjectRef): string {
  return ref.namespace === undefined || ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** The reverse of `keyOf`. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

function core(plural: string, kind: string): ResourceKind {
  return { group: '', version: 'v1', plural, kind, namespaced: true };
}

function inGroup(group: string, version: string, plural: string, kind: string): ResourceKind {
  return { group, version, plural, kind, namespaced: true };
}
