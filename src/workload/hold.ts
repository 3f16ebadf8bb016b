/**
 * Writes Serin's marks and the guard on a Deployment, each in one patch that happens only if nobody changed the
 * Deployment since it was looked at. It never touches the template and never `replicas`.
 */
import type { KubeClient } from '../kube/client.ts';
import { deployments } from '../kube/resources.ts';
import { withoutOurs } from './fields.ts';
import {
  ATTACHED_LABEL,
  HELD_ANNOTATION,
  MAX_SURGE_ANNOTATION,
  NO_DEADLINE_SECONDS,
  PROGRESS_DEADLINE_ANNOTATION,
} from './marks.ts';
import type { Deployment } from './objects.ts';

/** Takes charge: from here on the admission guard holds a new template. Throws Conflict when the Deployment changed since. */
export function attach(client: KubeClient, deployment: Deployment, signal?: AbortSignal): Promise<Deployment> {
  return patch(client, deployment, { metadata: { labels: { [ATTACHED_LABEL]: 'true' } } }, signal);
}

/** Pauses it under our mark, for a template that arrived unheld. */
export function hold(client: KubeClient, deployment: Deployment, signal?: AbortSignal): Promise<Deployment> {
  const marked = { metadata: { annotations: { [HELD_ANNOTATION]: 'true' } }, spec: { paused: true } };
  return patch(client, deployment, marked, signal);
}

/**
 * Pauses it for as long as it is attached, for clusters where no policy holds a template. Without a progress deadline its
 * controller reports no pause, so that tools which read kstatus call it Current at rest. The user's own deadline is noted.
 */
export function guardByPause(client: KubeClient, deployment: Deployment, signal?: AbortSignal): Promise<Deployment> {
  const { progressDeadlineSeconds = DEFAULT_DEADLINE_SECONDS } = deployment.spec;
  const noted = deployment.metadata.annotations?.[PROGRESS_DEADLINE_ANNOTATION];
  const own = progressDeadlineSeconds === NO_DEADLINE_SECONDS ? noted : String(progressDeadlineSeconds);
  const note = own === undefined ? {} : { [PROGRESS_DEADLINE_ANNOTATION]: own };
  const guarded = {
    metadata: { annotations: { [HELD_ANNOTATION]: 'true', ...note } },
    spec: { paused: true, progressDeadlineSeconds: NO_DEADLINE_SECONDS },
  };
  return patch(client, deployment, guarded, signal);
}

/** What the API server fills in. */
const DEFAULT_DEADLINE_SECONDS = 600;

/** The user's deadline back and its note off, as parts of a patch; nothing where none was lifted. One they wrote since stays. */
function deadlineBack({ metadata, spec }: Deployment): { readonly annotations: object; readonly spec: object } {
  const noted = metadata.annotations?.[PROGRESS_DEADLINE_ANNOTATION];
  if (noted === undefined) return { annotations: {}, spec: {} };
  const isLifted = spec.progressDeadlineSeconds === NO_DEADLINE_SECONDS;
  return {
    annotations: { [PROGRESS_DEADLINE_ANNOTATION]: null },
    spec: isLifted ? { progressDeadlineSeconds: Number(noted) } : {},
  };
}

/**
 * Unpauses it and takes the mark off. The guard by resourceVersion is what makes this safe: a newer template that
 * arrived since `deployment` was read must not roll out by this write (S3).
 */
export function resume(client: KubeClient, deployment: Deployment, signal?: AbortSignal): Promise<Deployment> {
  const { annotations, spec } = deadlineBack(deployment);
  const metadata = { annotations: { [HELD_ANNOTATION]: null, ...annotations }, ...yielding(deployment) };
  return patch(client, deployment, { metadata, spec: { paused: null, ...spec } }, signal);
}

/**
 * Gives it back: label and mark off, unpaused only when `shouldResume`. A label that a person set to `released` is
 * theirs and stays.
 */
export function detach(
  client: KubeClient,
  deployment: Deployment,
  shouldResume: boolean,
  signal?: AbortSignal,
): Promise<Deployment> {
  const { annotations, spec } = deadlineBack(deployment);
  const isOurLabel = deployment.metadata.labels?.[ATTACHED_LABEL] === 'true';
  const metadata = {
    ...(isOurLabel ? { labels: { [ATTACHED_LABEL]: null } } : {}),
    annotations: { [HELD_ANNOTATION]: null, ...annotations },
    ...yielding(deployment),
  };
  const given = { ...(shouldResume ? { paused: null } : {}), ...spec };
  return patch(client, deployment, { metadata, ...(Object.keys(given).length === 0 ? {} : { spec: given }) }, signal);
}

/**
 * Sets `maxSurge`, written as "25%" or "1". With strategy Recreate there is none, the API server would refuse one, and
 * the controller does not need it: only the annotation is written. `before`, the user's own value, is kept in an
 * annotation so that the object alone suffices to restore it (S18), and so that the admission guard keeps the new one;
 * without it the annotation goes.
 */
export async function setMaxSurge(
  client: KubeClient,
  deployment: Deployment,
  value: string,
  before?: string,
  signal?: AbortSignal,
): Promise<Deployment> {
  const metadata = { annotations: { [MAX_SURGE_ANNOTATION]: before ?? null } };
  if (deployment.spec.strategy?.type === 'Recreate') return patch(client, deployment, { metadata }, signal);
  const maxSurge = /^\d+$/.test(value) ? Number(value) : value;
  return patch(client, deployment, { metadata, spec: { strategy: { rollingUpdate: { maxSurge } } } }, signal);
}

/** Only together with a patch that takes fields away: fields that it set would be ours again. */
function yielding(deployment: Deployment): { readonly managedFields?: readonly object[] } {
  const others = withoutOurs(deployment.metadata.managedFields);
  return others === undefined ? {} : { managedFields: others };
}

function patch(client: KubeClient, deployment: Deployment, body: object, signal?: AbortSignal): Promise<Deployment> {
  const { resourceVersion } = deployment.metadata;
  return client.mergePatch<Deployment>(deployments, deployment.metadata, body, { resourceVersion }, signal);
}
