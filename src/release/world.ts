/**
 * Everything a decision may look at: the cluster as the shell last saw it, the judge's answer, what people asked for.
 * Plain data; two equal worlds at the same time always lead to the same decision.
 */
import type { EffectiveSpec } from '../api/effective.ts';
import type { Journal, Quarantine, StableRevision } from '../api/rollout-status.ts';
import type { Answer } from '../analysis/answer.ts';

/** What Serin remembers between two looks; read from status, written back resourceVersion-guarded (S11). */
export interface Memory {
  readonly journal: Journal;
  readonly stable: StableRevision | undefined;
  readonly quarantined: readonly Quarantine[];
}

export interface World {
  readonly rollout: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly deleting: boolean;
    readonly hasFinalizer: boolean;
  };
  /** The spec with defaults, as it is now. An attempt uses the one pinned in its journal. */
  readonly spec: EffectiveSpec;
  /** What status holds; `journal.version` newer than ours means: hold, never act. `isNew` when status had no journal. */
  readonly memory: Memory;
  readonly hasJournal: boolean;
  readonly deployment: DeploymentView | undefined;
  /** Every ReplicaSet of the namespace that the Deployment's selector matches or that carries this Rollout's UID. */
  readonly replicaSets: readonly ReplicaSetView[];
  /** ReleaseRecords of this Rollout whose attempt has not ended (our finalizer is on them). */
  readonly records: readonly RecordView[];
  /** Every Service of the namespace whose selector, our pin left out, matches the pods of the Deployment; and the named one. */
  readonly services: readonly ServiceView[];
  readonly canaryService: CanaryServiceView | undefined;
  /** One for each route of the effective spec (of the attempt's spec while one runs), also when it is missing. */
  readonly routes: readonly RouteView[];
  /** Acts that were not answered yet, oldest first. */
  readonly actions: readonly ActionView[];
  readonly answer: Answer;
  readonly guard: Guard;
  /** What a server-side dry-run of the canary ReplicaSet and a pod said: undefined when not asked yet. */
  readonly rehearsal: { readonly refused?: string } | undefined;
  /** What the check of the attempt's present step has brought; undefined when it was not asked for yet. */
  readonly check: CheckAnswer | undefined;
  /** What is known of each change of a flag that the shell was asked for, until it was told to drop it. */
  readonly flags: readonly FlagAnswer[];
  /** Alerts of the attempt's spec that fire now and count. */
  readonly alerts: readonly AlertView[];
}

export interface AlertView {
  readonly do: 'hold' | 'rollback';
  /** Names it and says since when: "alert ErrorBudgetBurn fires for 3 minutes." */
  readonly sentence: string;
  readonly firingForMs: number;
}

/** What the shell was last asked to do about a change of a flag. */
export type FlagTask = 'plan' | 'apply' | 'revert';

/** How far a change of a flag has come. An answer to another task than the one that was asked for last is none. */
export type FlagAnswer = {
  /** `FlagEntry.id` */
  readonly id: string;
  readonly task: FlagTask;
  /** Since this state or try began. */
  readonly forMs: number;
  /** `verify.within` of the source; absent where the source is not known. */
  readonly withinMs?: number;
} & (
  | { readonly kind: 'asked' }
  /** Read, and nothing written. `isServed`: the backend serves that already. */
  | { readonly kind: 'planned'; readonly previous: string; readonly isServed: boolean }
  /** Accepted by the backend and not yet seen served. */
  | { readonly kind: 'applied' }
  /** Read back as the fleet evaluates it. */
  | { readonly kind: 'served' }
  | { readonly kind: 'reverted' }
  /** Somebody changed it since: it was left alone. */
  | { readonly kind: 'keptByOthers'; readonly sentence: string }
  /** The last try failed; the shell goes on trying until it is told to drop it. */
  | { readonly kind: 'failed'; readonly sentence: string }
);

/**
 * What pods of the canary answered to the requests of a check. `forMs`: for how long every try in a row has ended like
 * this, the first and the last included. A pod that cannot be asked says nothing about its revision (S7).
 */
export type CheckAnswer =
  | { readonly kind: 'asked' }
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly forMs: number; readonly sentence: string }
  | { readonly kind: 'unreachable'; readonly forMs: number; readonly sentence: string };

/**
 * What holds a new template in this namespace: an admission policy, as a dry-run showed; the pause that Serin keeps on
 * attached Deployments; nothing, although only the policy is allowed; or nobody knows yet.
 */
export type Guard = 'admission' | 'pause' | 'absent' | 'unknown';

export interface DeploymentView {
  readonly uid: string;
  readonly generation: number;
  readonly observedGeneration: number;
  /** spec.replicas */
  readonly replicas: number;
  readonly paused: boolean;
  /** The annotation serin.dev/held is on it. */
  readonly held: boolean;
  /** Field manager that owns spec.paused, when paused and not held by us. */
  readonly pausedBy?: string;
  readonly attached: 'yes' | 'no' | 'released';
  /** Condition Progressing. */
  readonly progressing: { readonly status: string; readonly reason: string } | undefined;
  readonly progressDeadlineMs: number;
  /** It has no progress deadline at all, so that a pause of any length does not count as a failure (pause guard). */
  readonly deadlineLifted: boolean;
  readonly createdAtMs: number;
  /** Last time its Progressing condition moved; undefined when there is none. */
  readonly progressedAtMs?: number;
  readonly availableReplicas: number;
  /** The name Serin gives the live template: 10 characters, deterministic. Only a name: equality is `sameAsLive`. */
  readonly liveHash: string;
  readonly liveImage: string;
  readonly strategyType: string;
  /** As text: "25%" or "1". */
  readonly maxSurge: string;
  /** Annotation serin.dev/max-surge: the user's own value, on the Deployment only while a handover has replaced it. */
  readonly maxSurgeBefore?: string;
  readonly revisionHistoryLimit: number;
  readonly selectorMentionsHash: boolean;
  /** Sentence fragment naming the other tool or Rollout that holds this workload: "Argo Rollouts (Rollout shop/x)". */
  readonly heldByOther?: string;
}

export interface ReplicaSetView {
  readonly uid: string;
  readonly name: string;
  /** Label pod-template-hash. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly owner: 'deployment' | 'ours' | 'nobody' | 'other';
  /** It carries label serin.dev/rollout-uid of this Rollout. */
  readonly carriesOurMark: boolean;
  /** Label serin.dev/attempt when it carries our mark. */
  readonly attempt?: number;
  readonly deleting: boolean;
  /** spec.replicas */
  readonly replicas: number;
  /** status.replicas: pods that exist, terminating ones not counted by the controller. */
  readonly pods: number;
  /** Pods of it that still exist in any form, terminating ones included. */
  readonly podsLeft: number;
  readonly ready: number;
  readonly available: number;
  /** status.observedGeneration >= metadata.generation */
  readonly current: boolean;
  readonly image: string;
  /** Its template deep-equals the Deployment's live one, pod-template-hash left out. */
  readonly sameAsLive: boolean;
  /** The Deployment controller copied marks of ours from a held Deployment onto it (S10). */
  readonly hasLeftMarks?: boolean;
  /** Annotation desired-replicas: the size of the Deployment for which its controller last sized this one. */
  readonly desired?: number;
  /** Pods in CrashLoopBackOff. */
  readonly crashLooping: number;
  /** Pods that were restarted at least once. */
  readonly restartedPods: number;
  /** When the last of these restarts happened; absent when no pod was restarted, or nothing says when. */
  readonly lastRestartAtMs?: number;
  /** Why pods are not ready, in the kubelet's, scheduler's or quota's own words; first is the most telling. */
  readonly trouble?: {
    readonly reason: 'ImagePull' | 'Unschedulable' | 'QuotaExceeded' | 'NotReady';
    readonly words: string;
  };
}

export interface RecordView {
  readonly name: string;
  readonly uid: string;
  readonly attempt: number;
  readonly revision: string;
  /** Its status has an outcome already. */
  readonly ended: boolean;
}

export interface ServiceView {
  readonly name: string;
  readonly role: 'named' | 'other' | 'alsoReachable';
  readonly exists: boolean;
  /** `selects`: an ordinary Service whose selector matches the Deployment's pods. */
  readonly kind: 'selects' | 'selectsOthers' | 'noSelector' | 'externalName';
  /** Value of pod-template-hash in its selector, when we pinned it. */
  readonly pinnedTo?: string;
  /** Ready, serving, not terminating endpoints, by UID of the ReplicaSet. */
  readonly readyOf: Readonly<Record<string, number>>;
  /** All endpoints (ready or not, terminating too), by UID of the ReplicaSet. */
  readonly anyOf: Readonly<Record<string, number>>;
  /** Owners of endpoints that are not pods of this Deployment's ReplicaSets or ours: "Deployment shop/cart". */
  readonly strangers: readonly string[];
}

export interface CanaryServiceView {
  readonly name: string;
  readonly uid: string;
  /** False: an object of that name that Serin did not make. */
  readonly ours: boolean;
  readonly ready: number;
  /** All endpoints, terminating ones too. */
  readonly any: number;
}

export interface RouteView {
  readonly kind: 'HTTPRoute';
  readonly name: string;
  readonly exists: boolean;
  /** Some rule has a backendRef that names the Service (or already our pair of backends). */
  readonly serves: boolean;
  /** Percent that goes to the canary backend; undefined when the canary backend is in no rule. The largest over the rules. */
  readonly canaryWeightPercent: number | undefined;
  /** False when some rule that names the Service has not the split that the largest weight says (somebody edited it). */
  readonly uniform: boolean;
  readonly sessionPersistence: boolean;
  /** Each parent that reports: has it accepted this very generation, and for how long has Serin seen it so? */
  readonly parents: readonly {
    readonly key: string;
    readonly accepted: boolean;
    readonly acceptedForMs: number;
    readonly settleMs: number;
  }[];
}

export interface ActionView {
  readonly name: string;
  readonly action: 'pause' | 'resume' | 'abort' | 'retry' | 'promote' | 'skip' | 'restoreFlags';
  readonly revision?: string;
  readonly by: string;
  readonly reason?: string;
  readonly createdAtMs: number;
}
