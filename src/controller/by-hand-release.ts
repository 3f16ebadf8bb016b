/**
 * Gives one Service or Deployment back where no operator does it. The policies may be in force and we are not Serin to them:
 * every object is released by its label first, as a person breaks the glass.
 */
import { isKubeError } from '../kube/errors.ts';
import { deployments, type KubeObject, replicaSets, type ResourceKind, services } from '../kube/resources.ts';
import { surgeBack } from '../release/stages/surge.ts';
import type { Service } from '../traffic/objects.ts';
import { unpin } from '../traffic/pin.ts';
import { viewDeployment } from '../workload/deployment.ts';
import { yieldFields } from '../workload/fields.ts';
import { detach, setMaxSurge } from '../workload/hold.ts';
import { ATTACHED_LABEL, HELD_ANNOTATION, marksOff, PINNED_LABEL, RELEASED } from '../workload/marks.ts';
import type { Deployment, ReplicaSet } from '../workload/objects.ts';
import { ownerOf } from '../workload/replica-sets.ts';
import { sameTemplate } from '../workload/revision.ts';
import type { Hand } from './by-hand.ts';

/** Its selector as its owner wrote it, and none of our labels. */
export function letGoOfService(hand: Hand, service: Service, signal?: AbortSignal): Promise<void> {
  const work = async (live: Service): Promise<void> => {
    const isPinned = live.metadata.labels?.[PINNED_LABEL] !== undefined;
    const released = isPinned ? await labelled(hand, services, live, PINNED_LABEL, signal) : live;
    await unpin(hand.client, released, signal);
    await withoutMarks(hand, services, live, signal);
    hand.say(`Service ${nameOf(service)} selects as its owner wrote it`);
  };
  return onCurrent<Service>(hand, services, service, work, signal);
}

/**
 * Unpaused only when it runs its template. The guard by resourceVersion runs through all writes: a template that arrives
 * meanwhile is looked at anew (S3).
 */
export function letGoOfDeployment(hand: Hand, deployment: Deployment, signal?: AbortSignal): Promise<void> {
  const work = async (live: Deployment): Promise<void> => {
    const isHeld = live.metadata.annotations?.[HELD_ANNOTATION] !== undefined;
    const isReleased = isHeld && (await runsItsTemplate(hand, live, signal));
    const released = await labelled(hand, deployments, live, ATTACHED_LABEL, signal);
    const [surge] = surgeBack(viewDeployment(released, []));
    const calm =
      surge === undefined ? released : await setMaxSurge(hand.client, released, surge.value, undefined, signal);
    await detach(hand.client, calm, isReleased, signal);
    await withoutMarks(hand, deployments, live, signal);
    hand.say(`Deployment ${nameOf(deployment)} is native again${isHeld && !isReleased ? ', and stays paused' : ''}`);
  };
  return onCurrent<Deployment>(hand, deployments, deployment, work, signal);
}

/** Does one of the Deployment's own ReplicaSets run this very template? With no pods at all, has one ever? */
async function runsItsTemplate(hand: Hand, deployment: Deployment, signal?: AbortSignal): Promise<boolean> {
  const { namespace, uid } = deployment.metadata;
  const { items } = await hand.client.list<ReplicaSet>(replicaSets, { namespace }, signal);
  const own = items.filter((set) => ownerOf(set, uid) === 'deployment');
  const active = own.filter(({ spec }) => (spec.replicas ?? 1) > 0);
  const running = active.length === 0 ? own : active;
  return running.some((set) => sameTemplate(set.spec.template, deployment.spec.template));
}

function labelled<T extends KubeObject>(
  { client }: Hand,
  kind: ResourceKind,
  object: T,
  label: string,
  signal?: AbortSignal,
): Promise<T> {
  const { resourceVersion } = object.metadata;
  return client.mergePatch<T>(
    kind,
    object.metadata,
    { metadata: { labels: { [label]: RELEASED } } },
    { resourceVersion },
    signal,
  );
}

/** Whatever of ours is still on it, also what no Serin of this version would have written. */
export async function withoutMarks(
  { client }: Hand,
  kind: ResourceKind,
  ref: KubeObject,
  signal?: AbortSignal,
): Promise<void> {
  const live = await client.find(kind, ref.metadata, {}, signal);
  if (live === undefined) return;
  const labels = marksOff(live.metadata.labels);
  const annotations = marksOff(live.metadata.annotations);
  if (Object.keys({ ...labels, ...annotations }).length === 0) return yieldFields(client, kind, live, signal);
  const written = await client.mergePatch(kind, live.metadata, { metadata: { labels, annotations } }, {}, signal);
  await yieldFields(client, kind, written, signal);
}

const TRIES = 5;
const AGAIN_MS = 500;

/** Does the work on the object as it is now, and again when somebody wrote in between. One that is gone needs nothing. */
export async function onCurrent<T extends KubeObject>(
  { client, clock }: Hand,
  kind: ResourceKind,
  seen: T,
  work: (live: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const live = await client.find<T>(kind, seen.metadata, {}, signal);
    if (live === undefined) return;
    try {
      return await work(live);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return;
      if (!isKubeError(error, 'Conflict') || tries === TRIES || signal?.aborted === true) throw error;
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}

/** "shop/checkout" */
export function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
