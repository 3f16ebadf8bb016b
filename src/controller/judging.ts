/**
 * Tells the collector which attempts to read and how, and the core what the collector found. It resolves which metric
 * source is meant; what the numbers mean is not its business.
 */
import type { Answer } from '../analysis/answer.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt, RolloutStatus } from '../api/rollout-status.ts';
import type { Decision } from '../release/decision.ts';
import { isBakeOfRoutes, isWithoutControl, sharingOf } from '../release/sharing.ts';
import { presentCheck } from '../release/views.ts';
import type { Memory } from '../release/world.ts';
import type { Collector } from '../signals/collector.ts';
import type { ScrapeTarget } from '../signals/pod-scraper.ts';
import type { SavedEvidence } from '../signals/saved.ts';
import type { ListedPods, SourceOf, Subject } from '../signals/subject.ts';
import { armPods } from './arms.ts';
import { targetPortOf } from './check-pods.ts';
import { gatewayBackendsOf, judgeSettingsOf, queriesOf, thresholdsOf } from './judged-as.ts';
import type { MetricSourceReading } from './metric-sources.ts';
import { metricsEndpoints } from './metrics-endpoints.ts';
import type { Seen } from './observe.ts';
import type { Stores } from './stores.ts';

export interface JudgingParts {
  readonly collector: Pick<Collector, 'watch' | 'forget' | 'stepStarted' | 'stepEnded' | 'arm' | 'reading'>;
  readonly stores: Pick<Stores, 'pods' | 'services'>;
  /** The source of this name, or the default one, as Rollouts of a namespace may use it now. */
  readonly sourceOf: (name: string | undefined, namespace: string) => MetricSourceReading;
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
    const source = this.#parts.sourceOf(spec.analysis.source, namespaceIn(key));
    if (source.kind === 'missing') return this.#missing(followed, attempt, source.sentence);
    if (followed !== undefined) followed.missingSinceMs = undefined;
    // No outage: the operator has just started, or the source demands something new; what is being read of it grows old.
    if (source.kind === 'unread' && followed?.isRead !== true)
      return followed?.last ?? { kind: 'noEvidence', reason: 'unanswered', sentence: source.sentence };
    if (source.kind === 'none' && attempt === undefined) return { kind: 'noSource' };
    if (attempt === undefined || followed === undefined) return waiting;
    return this.#lastOf(followed) ?? waiting;
  }

  #lastOf(followed: Followed): Answer | undefined {
    if (followed.isRead) followed.last = this.#parts.collector.reading(followed.attemptKey)?.answer ?? followed.last;
    return followed.last;
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
    const source = this.#parts.sourceOf(attempt.spec.analysis.source, namespaceIn(key));
    // A source that is gone for a moment: what was read of it stays, and the answer says that it is gone.
    if (source.kind === 'missing' || source.kind === 'unread' || attempt.noSource) return;
    this.#read(
      followed,
      subjectOf(this.#parts, attemptKey, seen, decision, source.kind === 'found' ? source.source : undefined),
      attempt,
      seen,
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

  #read(followed: Followed, subject: Subject, attempt: Attempt, seen: Seen): void {
    const { collector } = this.#parts;
    collector.watch(subject);
    followed.isRead = true;
    collector.arm(followed.attemptKey, isWithoutControl(kept(seen, attempt)) ? 'bake' : 'twoArms');
    const isRouted = sharingOf(attempt.spec) === 'routes';
    const weightPercent = attempt.brake?.weightPercent ?? attempt.weightPercent;
    // A check stands at the weight of the step before it, and what was learned of that weight stays.
    const stepKey = presentCheck(attempt) === undefined ? stepKeyOf(attempt) : undefined;
    if (stepKey !== undefined)
      collector.stepStarted(followed.attemptKey, stepKey, isRouted ? weightPercent : undefined);
    if (isRouted && !isSent(seen, weightPercent)) collector.stepEnded(followed.attemptKey);
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

/**
 * The attempt as status has it. Which judge speaks goes by that and not by what was decided a moment ago: another one begins
 * without the evidence of the one before, and a decision that could not be written down has to be taken once more (S11).
 */
function kept({ world }: Seen, decided: Attempt): Attempt {
  const { attempt } = world.memory.journal;
  return attempt?.number === decided.number && attempt.stage === decided.stage ? attempt : decided;
}

/** What has to be shown anew under one name: a weight once it has converged, and whether a brake in the bake was right. */
function stepKeyOf(attempt: Attempt): string | undefined {
  const { step, convergedAtMs, brake } = attempt;
  if (brake !== undefined && isBakeOfRoutes(attempt)) return `${step}:braked:${brake.sinceMs}`;
  return convergedAtMs === undefined ? undefined : `${step}:${convergedAtMs}`;
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
  const { namespace = '' } = seen.rollout.metadata;
  const arms = { canary: attempt.replicaSetUid ?? uidByName(seen, attempt), stable: memory.stable?.uid };
  return {
    key,
    namespace,
    pods: (): ListedPods => ({
      canary: armPods(parts.stores, namespace, arms.canary),
      stable: armPods(parts.stores, namespace, arms.stable),
    }),
    ...(gateway === undefined ? {} : { gateway }),
    settings: judgeSettingsOf(attempt.spec),
    queries: queriesOf(attempt.spec),
    thresholds: thresholdsOf(attempt.spec),
    source,
    ...(source?.scrapeMs === undefined
      ? {}
      : {
          scrape: {
            intervalMs: source.scrapeMs,
            targets: () => endpointsOf(parts.stores, namespace, arms, attempt.spec.traffic.service, gateway?.port),
          },
        }),
    beganAtMs: attempt.beganAtMs,
    ...(resume === undefined ? {} : { resume }),
  };
}

/** Where the pods of both versions expose their metrics now. */
function endpointsOf(
  stores: JudgingParts['stores'],
  namespace: string,
  arms: { readonly canary: string | undefined; readonly stable: string | undefined },
  service: string | undefined,
  routed: number | undefined,
): readonly ScrapeTarget[] {
  const servicePort = service === undefined ? undefined : targetPortOf(stores.services.get(namespace, service), routed);
  return (['canary', 'stable'] as const).flatMap((arm) =>
    metricsEndpoints(stores, { namespace, arm, replicaSetUid: arms[arm], servicePort }),
  );
}

/** Every route sends this share, as far as can be seen: none is on its way, and no lost pod has lowered one. */
function isSent({ world: { routes } }: Seen, weightPercent: number): boolean {
  return routes
    .filter(({ exists, serves }) => exists && serves)
    .every((route) => route.uniform && Math.abs((route.canaryWeightPercent ?? 0) - weightPercent) < 0.006);
}

/** "shop" of "shop/checkout". */
function namespaceIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function uidByName(seen: Seen, attempt: Attempt): string | undefined {
  return seen.world.replicaSets.find((set) => set.name === attempt.replicaSet && set.owner === 'ours')?.uid;
}

/** Evidence of this very attempt; whether it fits the settings is the collector's to find out. */
function evidenceIn(status: unknown, attemptKey: string): SavedEvidence | undefined {
  const { evidence } = (status ?? {}) as { readonly evidence?: Partial<SavedEvidence> };
  return evidence?.version === 2 && evidence.key === attemptKey ? (evidence as SavedEvidence) : undefined;
}
