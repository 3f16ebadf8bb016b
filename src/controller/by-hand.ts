/**
 * Takes Serin off one namespace where no operator does it: what a canary gets goes back first, then its pods, then the pins,
 * then the marks. It never starts a release: a template that was never released stays paused.
 */
import { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { type KubeObject, replicaSets, type ResourceKind } from '../kube/resources.ts';
import { deleteCanaryService } from '../traffic/canary-service.ts';
import { deleteSeen, type Sighting } from '../workload/made.ts';
import { FIELD_MANAGER, isOurs, POD_TEMPLATE_HASH } from '../workload/marks.ts';
import { controllerOf, type ReplicaSet } from '../workload/objects.ts';
import { emptyCanaries } from './by-hand-canaries.ts';
import { letGoOfDeployment, letGoOfService, nameOf, onCurrent, withoutMarks } from './by-hand-release.ts';
import { takeOutOfRoutes } from './by-hand-routes.ts';
import { findTraces, isMade, known } from './traces.ts';

/** The identity that the policies know as Serin. */
const SERIN_USER = 'system:serviceaccount:serin-system:serin';

export interface Hand {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Told of every step in a few words. */
  readonly say: (line: string) => void;
}

/** A hand whose writes leave no owner of fields behind: they count as Serin's, which gives its fields back. */
export function handOf(client: KubeClient, clock: Clock, say: (line: string) => void): Hand {
  return { client: new KubeClient({ transport: client.transport, fieldManager: FIELD_MANAGER }), clock, say };
}

/**
 * To be called only when no operator works in the namespace. What is left of Rollouts and records are their finalizers.
 *
 * @returns what stands in the way, one sentence each; then nothing after it was touched.
 */
export async function takeOffByHand(hand: Hand, namespace: string, signal?: AbortSignal): Promise<readonly string[]> {
  await openDeadPins(hand, namespace, signal);
  await takeOutOfRoutes(hand, namespace, signal);
  const obstacles = await emptyCanaries(hand, namespace, signal);
  if (obstacles.length > 0) return obstacles;
  const { pinned } = await findTraces(hand.client, namespace, signal);
  for (const service of pinned) await letGoOfService(hand, service, signal);
  await removeOwn(hand, namespace, signal);
  const { deployments: marked } = await findTraces(hand.client, namespace, signal);
  for (const deployment of marked) await letGoOfDeployment(hand, deployment, signal);
  return [];
}

/** A pin to a revision without ready pods leaves the Service without endpoints; nothing may wait for that (S16). */
async function openDeadPins(hand: Hand, namespace: string, signal?: AbortSignal): Promise<void> {
  const { pinned } = await findTraces(hand.client, namespace, signal);
  if (pinned.length === 0) return;
  const { items } = await hand.client.list<ReplicaSet>(replicaSets, { namespace }, signal);
  const alive = new Set(
    items
      .filter(({ status }) => (status?.readyReplicas ?? 0) > 0)
      .map(({ metadata }) => metadata.labels?.[POD_TEMPLATE_HASH]),
  );
  for (const service of pinned)
    if (!alive.has(service.spec.selector?.[POD_TEMPLATE_HASH])) await letGoOfService(hand, service, signal);
}

/** Services and empty ReplicaSets that Serin made; a ReplicaSet that is the Deployment's own by now loses only our marks. */
async function removeOwn(hand: Hand, namespace: string, signal?: AbortSignal): Promise<void> {
  const { canaryServices, replicaSets: sets } = await findTraces(hand.client, namespace, signal);
  for (const service of canaryServices) {
    await deleteCanaryService(hand.client, sightingOf(service), signal);
    hand.say(`Service ${nameOf(service)} was Serin's and is deleted`);
  }
  for (const set of sets) {
    const isTheirs = controllerOf(set) !== undefined && !isMade(set);
    if (isTheirs) await withoutMarks(hand, replicaSets, set, signal);
    else {
      await deleteSeen(hand.client, replicaSets, sightingOf(set), signal);
      hand.say(`ReplicaSet ${nameOf(set)} was Serin's and is deleted`);
    }
  }
}

/** Whatever its controller has written since. */
function sightingOf({ metadata: { namespace, name, uid } }: KubeObject): Sighting {
  return { namespace, name, uid };
}

/**
 * Takes our finalizers off every object of a kind of ours, so that it can go.
 *
 * @param namespace left out: in the whole cluster.
 * @param options `asSerin`: where the policies stay, which let nobody else take a record's finalizer off.
 */
export async function takeOffFinalizers(
  hand: Hand,
  kind: ResourceKind,
  namespace?: string,
  options: { readonly asSerin?: boolean } = {},
  signal?: AbortSignal,
): Promise<void> {
  const impersonate = options.asSerin === true ? { user: SERIN_USER } : undefined;
  for (const object of await known(hand.client, kind, namespace, signal)) {
    if (object.metadata.finalizers?.some(isOurs) !== true) continue;
    const work = async ({ metadata }: KubeObject): Promise<void> => {
      const { resourceVersion, finalizers = [] } = metadata;
      const others = finalizers.filter((finalizer) => !isOurs(finalizer));
      const body = { metadata: { finalizers: others } };
      await hand.client.mergePatch(kind, metadata, body, { resourceVersion, impersonate }, signal);
    };
    await onCurrent(hand, kind, object, work, signal);
  }
}
