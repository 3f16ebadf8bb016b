/**
 * What is decided: the memory to write first, then the effects to bring about, in order. Effects are idempotent and
 * name everything they concern; the shell adds no judgement of its own.
 */
import type { FlagTask, Memory } from './world.ts';
import type { FlagEntry } from '../api/rollout-status.ts';
import type { ReleaseOutcome } from '../api/release-record.ts';
import type { EVENT_REASONS, Phase, Reason } from '../api/reasons.ts';

export interface Decision {
  /** To be in status, guarded by resourceVersion, before any effect begins (S11). */
  readonly memory: Memory;
  readonly report: Report;
  readonly effects: readonly Effect[];
  readonly events: readonly Note[];
  /** Look again after this time even if nothing is seen to change. */
  readonly wakeAfterMs?: number;
}

/** What people are shown. */
export interface Report {
  readonly phase: Phase;
  readonly reason: Reason;
  readonly message: string;
  /** A person must do something. */
  readonly stalled: boolean;
  readonly verdict?: string;
  readonly nextTransitionAtMs?: number;
}

/** One of the closed list of reasons that Events have. */
export type EventReason = (typeof EVENT_REASONS)[number];

export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

export type Effect =
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' }
  /** Label serin.dev/attached on the Deployment, guarded by the resourceVersion that was observed. */
  | { readonly kind: 'attach' }
  /** Dry-run of a template change under the probe identity; the result is in the next world's `guard`. */
  | { readonly kind: 'proveGuard' }
  /** Dry-run of the canary ReplicaSet and one pod; the result is in the next world's `rehearsal`. */
  | { readonly kind: 'rehearse' }
  /** Send the requests of this step's check to pods of the canary, again and again until all answers are as expected; what comes of it is in the next worlds' `check`. */
  | { readonly kind: 'check'; readonly attempt: number; readonly step: number; readonly uid: string }
  /**
   * Begin this task for a change of a flag and return at once; what comes of it is in the next worlds' `flags`. Idempotent, and
   * asked again after a restart. A newer task for the same id ends the older one.
   */
  | { readonly kind: 'flag'; readonly task: FlagTask; readonly entry: FlagEntry }
  /** End whatever is under way for this change of a flag, and forget it. */
  | { readonly kind: 'dropFlag'; readonly id: string }
  /** paused: true and our mark. */
  | { readonly kind: 'hold' }
  /** The same for as long as the Rollout is attached, with the progress deadline lifted and the user's own noted. */
  | { readonly kind: 'guardByPause' }
  /** Unpause, drop our mark and give the progress deadline back, in one patch guarded by the resourceVersion that was observed. */
  | { readonly kind: 'resume' }
  /** Remove label and marks, give the progress deadline back; unpause only when `resume`. */
  | { readonly kind: 'detach'; readonly resume: boolean }
  | { readonly kind: 'createRecord'; readonly record: string; readonly attempt: number; readonly revision: string }
  | {
      readonly kind: 'endRecord';
      readonly record: string;
      readonly outcome: ReleaseOutcome;
      readonly reason: Reason;
      readonly message: string;
    }
  | { readonly kind: 'pin'; readonly service: string; readonly hash: string }
  | { readonly kind: 'unpin'; readonly service: string }
  | { readonly kind: 'createCanaryService' }
  | { readonly kind: 'deleteCanaryService'; readonly uid: string }
  | {
      readonly kind: 'createCanary';
      readonly name: string;
      readonly hash: string;
      readonly record: string;
      readonly replicas: number;
    }
  | { readonly kind: 'scale'; readonly uid: string; readonly name: string; readonly replicas: number }
  | { readonly kind: 'deleteReplicaSet'; readonly uid: string; readonly name: string }
  /** Takes marks of ours off a ReplicaSet of the Deployment's own, where its controller copied them. */
  | { readonly kind: 'clearMarks'; readonly uid: string; readonly name: string }
  /** Put the split on the route; 'out' takes the canary backend out and restores the original shape. */
  | { readonly kind: 'split'; readonly route: string; readonly weightPercent: number | 'out' }
  /** `before` goes into annotation serin.dev/max-surge, so that objects alone suffice to restore it (S18); without it the annotation goes. */
  | { readonly kind: 'setMaxSurge'; readonly value: string; readonly before?: string }
  /** One patch: controllerRef and every mark of ours off the canary, the Deployment controller's annotations on. */
  | { readonly kind: 'handOver'; readonly uid: string; readonly name: string; readonly replicas: number }
  | {
      readonly kind: 'answerAction';
      readonly name: string;
      readonly state: 'Accepted' | 'Refused';
      readonly message: string;
    };
