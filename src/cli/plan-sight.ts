/** Gathers what `serin plan` can see, from a file and from the cluster, into the stores that the operator uses. It only reads. */
import type { MetricSourceSpec } from '../api/metric-source.ts';
import { createStores, kindsWatched, type Stores, type Watched } from '../controller/stores.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { Session } from './session.ts';

/** Objects by resource, and which resources could be seen as a whole: only of those can it be said that an object is missing. */
export interface Sight {
  readonly stores: Stores;
  readonly complete: ReadonlySet<Watched>;
  /** Why something could not be seen, for people. */
  readonly notes: readonly string[];
}

const wanted: readonly Watched[] = [
  'rollouts',
  'deployments',
  'replicasets',
  'pods',
  'services',
  'endpointslices',
  'httproutes',
  'metricsources',
];

/** `given`: objects of a file, which count as if they had been applied. Without a session the file is all there is. */
export async function look(
  given: readonly KubeObject[],
  namespace: string,
  session: Session | undefined,
): Promise<Sight> {
  const stores = createStores(() => {});
  const complete = new Set<Watched>();
  const notes: string[] = [];
  if (session !== undefined)
    await Promise.all(wanted.map((resource) => fetch(resource, namespace, session, { stores, complete, notes })));
  for (const object of given) {
    const resource = wanted.find((one) => kindsWatched[one].kind === object.kind);
    if (resource !== undefined) putOver(storeOf(stores, resource), object);
  }
  return { stores, complete, notes: notes.toSorted() };
}

interface Gathered {
  readonly stores: Stores;
  readonly complete: Set<Watched>;
  readonly notes: string[];
}

async function fetch(resource: Watched, namespace: string, { client }: Session, into: Gathered): Promise<void> {
  const kind = kindsWatched[resource];
  try {
    const { items } = await client.list(kind, kind.namespaced ? { namespace } : {});
    storeOf(into.stores, resource).replaceAll(items);
    into.complete.add(resource);
  } catch (error) {
    if (isKubeError(error, 'Forbidden'))
      into.notes.push(`you may not list ${kind.plural}, so nothing can be said about them`);
    else if (isKubeError(error, 'NotFound')) into.notes.push(`this cluster does not know ${kind.plural}.${kind.group}`);
    else throw error;
  }
}

/** The applied object keeps the identity and status of the live one. */
function putOver(store: Store<KubeObject>, given: KubeObject): void {
  const { namespace, name } = given.metadata;
  const live = store.get(namespace, name);
  const { uid, creationTimestamp } = live?.metadata ?? given.metadata;
  store.put({
    ...(live === undefined ? {} : { status: live['status'] }),
    ...given,
    metadata: { ...given.metadata, uid, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
  });
}

function storeOf(stores: Stores, resource: Watched): Store<KubeObject> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each store gets objects of its own kind only
  return stores[resource] as unknown as Store<KubeObject>;
}

/** Name and data plane of the source that would judge; `unknown` when sources could not be listed. */
export type SourceSight =
  | { readonly kind: 'named'; readonly name: string; readonly exists: boolean | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

export function sourceFor(name: string | undefined, { stores, complete }: Sight): SourceSight {
  const sources: readonly { readonly metadata: { readonly name: string }; readonly spec?: MetricSourceSpec }[] =
    stores.metricsources.all();
  const isComplete = complete.has('metricsources');
  if (name !== undefined) {
    const exists = sources.some((source) => source.metadata.name === name);
    return { kind: 'named', name, exists: exists || (isComplete ? false : undefined) };
  }
  const byDefault = sources.find((source) => source.spec?.default === true);
  if (byDefault !== undefined) return { kind: 'named', name: byDefault.metadata.name, exists: true };
  return isComplete ? { kind: 'none' } : { kind: 'unknown' };
}
