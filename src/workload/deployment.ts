/** Shows a live Deployment as the decision sees it; it never decides and never writes. */
import type { DeploymentView } from '../release/world.ts';
import { ownersOf } from './fields.ts';
import { type Claim, holderOf } from './holders.ts';
import {
  ATTACHED_LABEL,
  FIELD_MANAGER,
  HELD_ANNOTATION,
  MAX_SURGE_ANNOTATION,
  POD_TEMPLATE_HASH,
  NO_DEADLINE_SECONDS,
  RELEASED,
} from './marks.ts';
import { type Condition, createdAtMs, type Deployment, type LabelSelector } from './objects.ts';
import { hashOf, imageOf } from './revision.ts';

/** The API server's own defaults, for objects that were never stored by one. */
const DEFAULTS = { replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10, maxSurge: '25%' } as const;

/**
 * @param deployment as the API server returned it, with managedFields: they say who paused it.
 * @param claims other Rollouts of the namespace, of Serin and of other tools, that name a Deployment.
 */
export function viewDeployment(deployment: Deployment, claims: readonly Claim[]): DeploymentView {
  const { metadata, spec, status } = deployment;
  const heldByOther = holderOf(deployment, claims);
  const maxSurgeBefore = metadata.annotations?.[MAX_SURGE_ANNOTATION];
  return {
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    ...guardOf(deployment),
    ...progressOf(status?.conditions?.find((condition) => condition.type === 'Progressing')),
    createdAtMs: createdAtMs(deployment),
    availableReplicas: status?.availableReplicas ?? 0,
    liveHash: hashOf(spec.template),
    liveImage: imageOf(spec.template),
    ...settingsOf(spec),
    ...(maxSurgeBefore === undefined ? {} : { maxSurgeBefore }),
    ...(heldByOther === undefined ? {} : { heldByOther }),
  };
}

function guardOf(deployment: Deployment): Pick<DeploymentView, 'paused' | 'held' | 'pausedBy' | 'attached'> {
  const { metadata, spec } = deployment;
  const isHeld = metadata.annotations?.[HELD_ANNOTATION] !== undefined;
  const pausedBy = spec.paused === true && !isHeld ? pauserOf(deployment) : undefined;
  return {
    paused: spec.paused ?? false,
    held: isHeld,
    ...(pausedBy === undefined ? {} : { pausedBy }),
    attached: attachedOf(metadata.labels?.[ATTACHED_LABEL]),
  };
}

type Settings =
  | 'replicas'
  | 'progressDeadlineMs'
  | 'deadlineLifted'
  | 'strategyType'
  | 'maxSurge'
  | 'revisionHistoryLimit'
  | 'selectorMentionsHash';

function settingsOf(spec: Deployment['spec']): Pick<DeploymentView, Settings> {
  return {
    replicas: spec.replicas ?? DEFAULTS.replicas,
    deadlineLifted: spec.progressDeadlineSeconds === NO_DEADLINE_SECONDS,
    progressDeadlineMs: (spec.progressDeadlineSeconds ?? DEFAULTS.progressDeadlineSeconds) * 1000,
    strategyType: spec.strategy?.type ?? 'RollingUpdate',
    maxSurge: maxSurgeOf(spec.strategy),
    revisionHistoryLimit: spec.revisionHistoryLimit ?? DEFAULTS.revisionHistoryLimit,
    selectorMentionsHash: mentions(spec.selector, POD_TEMPLATE_HASH),
  };
}

/** Who owns `spec.paused`. A pause that only Serin owns was left by an earlier Rollout and is nobody else's. */
function pauserOf(deployment: Deployment): string | undefined {
  const owners = ownersOf(deployment.metadata.managedFields ?? [], ['spec', 'paused']);
  if (owners.length === 0) return 'an unknown client';
  return owners.find((owner) => owner !== FIELD_MANAGER);
}

function attachedOf(label: string | undefined): DeploymentView['attached'] {
  if (label === 'true') return 'yes';
  return label === RELEASED ? 'released' : 'no';
}

function progressOf(condition: Condition | undefined): Pick<DeploymentView, 'progressing' | 'progressedAtMs'> {
  if (condition === undefined) return { progressing: undefined };
  const moved = condition.lastUpdateTime ?? condition.lastTransitionTime;
  return {
    progressing: { status: condition.status, reason: condition.reason ?? '' },
    ...(moved === undefined ? {} : { progressedAtMs: Date.parse(moved) }),
  };
}

/** With strategy Recreate the controller spreads no difference over ReplicaSets: as with all the surge there can be. */
function maxSurgeOf(strategy: Deployment['spec']['strategy']): string {
  if (strategy?.type === 'Recreate') return '100%';
  return String(strategy?.rollingUpdate?.maxSurge ?? DEFAULTS.maxSurge);
}

function mentions(selector: LabelSelector, key: string): boolean {
  if (selector.matchLabels?.[key] !== undefined) return true;
  return selector.matchExpressions?.some((requirement) => requirement.key === key) ?? false;
}
