/** The parts of Kubernetes workload objects that Serin reads, as the API server returns them; other fields stay untouched. */
import type { ReleaseRecordSpec, ReleaseRecordStatus } from '../api/release-record.ts';
import type { RolloutActionSpec, RolloutActionStatus } from '../api/rollout-action.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../kube/resources.ts';

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: unknown;
  readonly [field: string]: unknown;
}

/** Metadata with the owners of fields, which most reflectors drop. */
export interface OwnedMeta extends ObjectMeta {
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Container {
  readonly name: string;
  readonly image?: string;
  /** `Always` on an init container makes it a sidecar. */
  readonly restartPolicy?: string;
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly [field: string]: unknown;
}

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: PodSpec;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export interface Deployment extends KubeObject {
  readonly metadata: OwnedMeta;
  readonly spec: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly progressDeadlineSeconds?: number;
    readonly strategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface ReplicaSet extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly imageID?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly running?: { readonly startedAt?: string };
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly finishedAt?: string };
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** An Event (core/v1), as far as it explains a pod. */
export interface PodEvent {
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string;
  /** `fieldPath` names the container: `spec.containers{app}`. */
  readonly involvedObject: { readonly uid?: string; readonly fieldPath?: string };
}

export interface ReleaseRecord extends KubeObject {
  readonly spec: ReleaseRecordSpec;
  readonly status?: ReleaseRecordStatus;
}

export interface RolloutAction extends KubeObject {
  readonly spec: RolloutActionSpec;
  readonly status?: RolloutActionStatus;
}

/** The one owner that controls the object, if there is one. */
export function controllerOf(object: { readonly metadata: ObjectMeta }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Milliseconds since 1970; 0 for an object without a time, which the API server never returns. */
export function createdAtMs(object: { readonly metadata: ObjectMeta }): number {
  const { creationTimestamp } = object.metadata;
  return creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp);
}
