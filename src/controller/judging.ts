/**
 * Tells the collector which attempts to read and how, and the core what the collector found. It resolves which metric
 * source is meant; what the numbers mean is not its business.
 */
import type { Answer } from '../analysis/answer.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt, RolloutStatus } from '../api/rollout-status.ts';
import type { Decision } from '../release/decision.ts';
import { sharingOf } from '../release/sharing.ts';
import type { Memory } from '../release/world.ts';
import type { Collector } from '../signals/collector.ts';
import type { SavedEvidence } from '../signals/saved.ts';
import type { ListedPods, SourceOf, Subject } from '../signals/subject.ts';
import { armPods } from './arms.ts';
import { gatewayBackendsOf, judgeSettingsOf } from './judged-as.ts';
import type { MetricSourceReading } from './metric-sources.ts';
import type { Seen } from './observe.ts';
import type { Stores } from './stores.ts';

export interface JudgingParts {
  readonly collector: Pick<Collector, 'watch' | 'forget' | 'stepStarted' | 'arm' | 'reading'>;
  readonly stores: Pick<Stores, 'pods'>;
  readonly sourceOf: (name: string | undefined) => MetricSourceReading;
  readonly nowMs: () => number;
}

/** What is kept of a Rollout's attempt while it is read, and its last answer when the reading is over. */
interface Followed {
  readonly attemptKey: string;
  isRead: boolean;
  last: Answer | undefined;
  evidence: SavedEvidence | undefined;
  missingSinceMs: number | undefined;
}

export class Judging {
  readonly #parts: JudgingParts;
  readonly #followed = new Map<string, Followed>();
  readonly #rollouts = new Map<string, string>();

  constructor(parts: JudgingParts) {
    this.#parts = parts;
  }

  /** The Rollout that an attempt of the collector belongs to. */
  rolloutOf(attemptKey: string): string | undefined {
    return this.#rollouts.get(attemptKey);
  }

  answerOf(key: string, memory: Memory, spec: EffectiveSpec): Answer {
    const { attempt } = memory.journal;
    const followed = this.#followed.get(key);
    if (attempt?.noSource === true) return { kind: 'noSource' };
    const source = this.#parts.sourceOf(spec.analysis.source);
    if (source.kind === 'missing') return this.#missing(followed, attempt, source.sentence);
    if (followed !== undefined) followed.missingSinceMs = undefined;
    if (source.kind === 'none' && attempt === undefined) return { kind: 'noSource' };
    if (attempt === undefined || followed === undefined) return waiting;
    if (!followed.isRead) return followed.last ?? waiting;
    followed.last = this.#parts.collector.reading(followed.attemptKey)?.answer ?? followed.last;
    return followed.last ?? waiting;
  }

  /** Reads the attempt while its routes carry canary traffic; before and after, nothing is asked of the source. */
  follow(key: string, seen: Seen, decision: Decision): void {
    const { attempt } = decision.memory.journal;
    if (attempt === undefined) return this.forget(key);
    const attemptKey = `${seen.rollout.metadata.uid}/${attempt.number}`;
    if (this.#followed.get(key)?.attemptKey !== attemptKey) this.forget(key);
    const followed = this.#followed.get(key) ?? {
      attemptKey,
      isRead: false,
      last: undefined,
      evidence: undefined,
      missingSinceMs: undefined,
    };
    this.#followed.set(key, followed);
    this.#rollouts.set(attemptKey, key);
    if (attempt.stage === 'promote' || attempt.stage === 'retreat') return this.#stopReading(followed);
    const source = this.#parts.sourceOf(attempt.spec.analysis.source);
    // A source that is gone for a moment: what was read of it stays, and the answer says that it is gone.
    if (source.kind === 'missing' || attempt.noSource) return;
    this.#read(
      followed,
      subjectOf(this.#parts, attemptKey, seen, decision, source.kind === 'found' ? source.source : undefined),
      attempt,
    );
  }

  /** For status; undefined leaves there what is there. */
  evidenceOf(key: string): RolloutStatus['evidence'] {
    const followed = this.#followed.get(key);
    if (followed === undefined) return undefined;
    if (followed.isRead)
      followed.evidence = this.#parts.collector.reading(followed.attemptKey)?.saved ?? followed.evidence;
    return followed.evidence as RolloutStatus['evidence'];
  }

  forget(key: string): void {
    const followed = this.#followed.get(key);
    if (followed === undefined) return;
    this.#parts.collector.forget(followed.attemptKey);
    this.#rollouts.delete(followed.attemptKey);
    this.#followed.delete(key);
  }

  #read(followed: Followed, subject: Subject, attempt: Attempt): void {
    const { collector } = this.#parts;
    collector.watch(subject);
    followed.isRead = true;
    // Without routes stable serves beside the canary to the end, so there are always two arms.
    const isAlone = attempt.stage === 'bake' && sharingOf(attempt.spec) === 'routes';
    collector.arm(followed.attemptKey, isAlone ? 'bake' : 'twoArms');
    if (attempt.convergedAtMs !== undefined)
      collector.stepStarted(followed.attemptKey, `${attempt.step}:${attempt.convergedAtMs}`);
  }

  #stopReading(followed: Followed): void {
    if (!followed.isRead) return;
    const reading = this.#parts.collector.reading(followed.attemptKey);
    followed.last = reading?.answer ?? followed.last;
    followed.evidence = reading?.saved ?? followed.evidence;
    followed.isRead = false;
    this.#parts.collector.forget(followed.attemptKey);
  }

  /** A MetricSource that is named and not there: an outage like any other, and never a verdict (S7). */
  #missing(followed: Followed | undefined, attempt: Attempt | undefined, sentence: string): Answer {
    const sinceMs = followed?.missingSinceMs ?? attempt?.beganAtMs ?? this.#parts.nowMs();
    if (followed !== undefined) followed.missingSinceMs ??= followed.last === undefined ? sinceMs : this.#parts.nowMs();
    const everAnswered =
      followed?.last?.kind === 'judged' || (followed?.last?.kind === 'sourceDown' && followed.last.everAnswered);
    return { kind: 'sourceDown', sinceMs: followed?.missingSinceMs ?? sinceMs, everAnswered, sentence };
  }
}

const waiting: Answer = { kind: 'noEvidence', reason: 'unanswered', sentence: 'Nothing was judged yet.' };

function subjectOf(
  parts: JudgingParts,
  key: string,
  seen: Seen,
  decision: Decision,
  source: SourceOf | undefined,
): Subject {
  const { memory } = decision;
  const attempt = memory.journal.attempt as Attempt;
  const gateway = gatewayBackendsOf(seen.routes, attempt.spec.traffic.service);
  const resume = evidenceIn(seen.rollout.status, key);
  return {
    key,
    namespace: seen.rollout.metadata.namespace ?? '',
    pods: (): ListedPods => ({
      canary: armPods(parts.stores, attempt.replicaSetUid ?? uidByName(seen, attempt)),
      stable: armPods(parts.stores, memory.stable?.uid),
    }),
    ...(gateway === undefined ? {} : { gateway }),
    settings: judgeSettingsOf(attempt.spec),
    source,
    beganAtMs: attempt.beganAtMs,
    ...(resume === undefined ? {} : { resume }),
  };
}

function uidByName(seen: Seen, attempt: Attempt): string | undefined {
  return seen.world.replicaSets.find((set) => set.name === attempt.replicaSet && set.owner === 'ours')?.uid;
}

/** Evidence of this very attempt; whether it fits the settings is the collector's to find out. */
function evidenceIn(status: unknown, attemptKey: string): SavedEvidence | undefined {
  const { evidence } = (status ?? {}) as { readonly evidence?: Partial<SavedEvidence> };
  return evidence?.version === 1 && evidence.key === attemptKey ? (evidence as SavedEvidence) : undefined;
}
