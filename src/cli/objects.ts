/** Owns what the commands read of Serin's objects; it has no behaviour. */
import type { ReleaseRecordSpec, ReleaseRecordStatus } from '../api/release-record.ts';
import type { RolloutActionSpec, RolloutActionStatus } from '../api/rollout-action.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { RolloutSpec } from '../api/rollout.ts';
import type { KubeObject } from '../kube/resources.ts';

export interface RolloutObject extends KubeObject {
  readonly spec: RolloutSpec;
  readonly status?: RolloutStatus;
}

export interface RolloutActionObject extends KubeObject {
  readonly spec: RolloutActionSpec;
  readonly status?: RolloutActionStatus;
}

export interface ReleaseRecordObject extends KubeObject {
  readonly spec: ReleaseRecordSpec;
  readonly status?: ReleaseRecordStatus;
}
