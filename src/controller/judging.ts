/**
 * Tells the collector which attempts to read and how, and the core what the collector found. It resolves which metric
 * source is meant; what the numbers mean is not its business.
 */
import type { Answer } from '../analysis/answer.ts';
import type { Scaling } from '../analysis/money.ts';
import { openShift, shiftAfter, shiftAnswer, type StableShift } from '../analysis/stable-shift.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt, RolloutStatus } from '../api/rollout-status.ts';
import type { Decision } from '../release/decision.ts';
import { judgeOf } from '../release/fresh-judge.ts';
import { isBakeOfRoutes, isWithoutControl, sharingOf } from '../release/sharing.ts';
import { presentCheck } from '../release/views.ts';
import type { Memory } from '../release/world.ts';
import type { AlertSubject, FiringAlert } from '../signals/alerts.ts';
import type { Collector } from '../signals/collector.ts';
import type { CostSubject } from '../signals/cost-reader.ts';
import type { ScrapeTarget } from '../signals/pod-scraper.ts';
import type { SavedEvidence } from '../signals/saved.ts';
import type { ListedPods, SourceOf, Subject } from '../signals/subject.ts';
import { armPods, controlledPods } from './arms.ts';
import { targetPortOf } from './check-pods.ts';
import { costOf, gatewayBackendsOf, judgeSettingsOf, queriesOf, thresholdsOf } from './judged-as.ts';
import type { MetricSourceReading } from './metric-sources.ts';
import { metricsEndpoints } from './metrics-endpoints.ts';
import { armRestarts } from './pod-restarts.ts';
import { shapeOf } from './pod-shape.ts';
import type { Seen } from './observe.ts';
import type { Stores } from './stores.ts';

export interface JudgingParts {
  readonly collector: Pick<Collector, 'watch' | 'forget' | 'stepStarted' | 'stepEnded' | 'arm' | 'reading'>;
  readonly stores: Pick<Stores, 'pods' | 'services'>;
  /** The source of this name, or the default one, as Rollouts of a namespace may use it now. */
  readonly sourceOf: (name: string | undefined, namespace: string) => MetricSourceReading;
  /** How a Deployment of so many pods is sized, for cost; a text says why that is not known. Absent: nobody reads it. */
  readonly scalingOf?: (namespace: string, deployment: string, replicas: number) => Scaling | string;
  readonly nowMs: () => number;
}

/** What is kept of a Rollout's attempt while it is read, and its last answer when the reading is over. */
interface Followed {
  readonly attemptKey: string;
  /** Which attempt, and which of its judges. */
  readonly of: JudgedNow;
  /** An earlier judge of the same attempt was answered. */
  readonly hasAnsweredBefore: boolean;
  /** Set while this judge began with a flag that a step turned on for both versions. */
  shift: StableShift | undefined;
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
    if (attempt?.noSource === true) return this.#withoutSource(followed, attempt);
    const source = this.#parts.sourceOf(spec.analysis.source, namespaceIn(key));
    if (source.kind === 'missing') return this.#missing(followed, attempt, source.sentence);
    if (followed !== undefined) followed.missingSinceMs = undefined;
    // No outage: the operator has just started, or the source demands something new; what is being read of it grows old.
    if (source.kind === 'unread' && followed?.isRead !== true)
      return followed?.last ?? { kind: 'noEvidence', reason: 'unanswered', sentence: source.sentence };
    if (source.kind === 'none' && attempt === undefined) return { kind: 'noSource' };
    // What an earlier judge of the attempt has found is not what the present one finds.
    if (attempt === undefined || followed === undefined || !isOf(followed, attempt)) return waiting;
    return this.#withShift(followed, attempt, knownBefore(followed, this.#lastOf(followed) ?? waiting));
  }

  /** Whether the old version alone got worse than it was before a flag was turned on for both. */
  #withShift(followed: Followed, attempt: Attempt, answer: Answer): Answer {
    if (followed.shift === undefined || answer.kind !== 'judged') return answer;
    const since = { requests: answer.stableRequests, errors: answer.stableErrors };
    followed.shift = shiftAfter(followed.shift, since, this.#parts.nowMs(), judgeSettingsOf(attempt.spec));
    return { ...answer, stableShift: shiftAnswer(followed.shift) };
  }

  /** Pods can be restarted all the same, and Kubernetes says so. */
  #withoutSource(followed: Followed | undefined, attempt: Attempt): Answer {
    const isCounted = followed !== undefined && countsRestarts(attempt.spec) && isOf(followed, attempt);
    return (isCounted ? this.#lastOf(followed) : undefined) ?? { kind: 'noSource' };
  }

  #lastOf(followed: Followed): Answer | undefined {
    if (followed.isRead) followed.last = this.#parts.collector.reading(followed.attemptKey)?.answer ?? followed.last;
    return followed.last;
  }

  /** Reads the attempt while its routes carry canary traffic; before and after, nothing is asked of the source. */
  follow(key: string, seen: Seen, decision: Decision): void {
    const { attempt } = decision.memory.journal;
    if (attempt === undefined) return this.forget(key);
    const followed = this.#begun(key, seen, remembered(seen, attempt));
    const { attemptKey } = followed;
    if (attempt.stage === 'promote' || attempt.stage === 'retreat') return this.#stopReading(followed);
    const source = this.#parts.sourceOf(attempt.spec.analysis.source, namespaceIn(key));
    // A source that is gone for a moment: what was read of it stays, and the answer says that it is gone.
    const isWithout = attempt.noSource;
    if (isWithout ? !countsRestarts(attempt.spec) : source.kind === 'missing' || source.kind === 'unread') return;
    this.#read(
      followed,
      subjectOf(
        this.#parts,
        attemptKey,
        seen,
        decision,
        source.kind === 'found' && !isWithout ? source.source : undefined,
      ),
      attempt,
      seen,
    );
  }

  /** Alerts of the attempt's spec that count now; none before and after the attempt is read. */
  alertsOf(key: string): readonly FiringAlert[] {
    const followed = this.#followed.get(key);
    if (followed?.isRead !== true) return [];
    return this.#parts.collector.reading(followed.attemptKey)?.alerts ?? [];
  }

  /** For status; undefined leaves there what is there. */
  evidenceOf(key: string): RolloutStatus['evidence'] {
    const followed = this.#followed.get(key);
    if (followed === undefined) return undefined;
    if (followed.isRead)
      followed.evidence = this.#parts.collector.reading(followed.attemptKey)?.saved ?? followed.evidence;
    if (followed.evidence === undefined || followed.shift === undefined)
      return followed.evidence as RolloutStatus['evidence'];
    return { ...followed.evidence, stableShift: followed.shift };
  }

  forget(key: string): void {
    const followed = this.#followed.get(key);
    if (followed === undefined) return;
    this.#parts.collector.forget(followed.attemptKey);
    this.#rollouts.delete(followed.attemptKey);
    this.#followed.delete(key);
  }

  /** Another attempt, or another judge of the same one, begins without what was found before it. */
  #begun(key: string, seen: Seen, attempt: Attempt): Followed {
    const attemptKey = judgeKeyOf(seen, attempt);
    const before = this.#followed.get(key);
    if (before?.attemptKey === attemptKey) return before;
    const hasAnsweredBefore =
      before?.of.number === attempt.number
        ? hasAnswered(before)
        : (attempt.epoch ?? 0) > 0 && isOfAttempt(evidenceIn(seen.rollout.status), seen.rollout.metadata.uid, attempt);
    const shift = this.#shiftOf(seen, attempt, before);
    this.forget(key);
    const followed: Followed = {
      attemptKey,
      of: { number: attempt.number, epoch: attempt.epoch ?? 0 },
      hasAnsweredBefore,
      shift,
      isRead: false,
      last: undefined,
      evidence: undefined,
      missingSinceMs: undefined,
    };
    this.#followed.set(key, followed);
    this.#rollouts.set(attemptKey, key);
    return followed;
  }

  /** Undefined unless this judge began with a flag step. What its old version did before is what the judge before counted of it. */
  #shiftOf(seen: Seen, attempt: Attempt, before: Followed | undefined): StableShift | undefined {
    const saved = evidenceIn(seen.rollout.status);
    if (saved?.key === judgeKeyOf(seen, attempt)) return (saved as { readonly stableShift?: StableShift }).stableShift;
    if (!isJudgeOfFlagStep(seen.world.memory, attempt)) return undefined;
    const last = before?.of.number === attempt.number ? before.last : undefined;
    if (last?.kind !== 'judged') return undefined;
    return openShift({ requests: last.stableRequests, errors: last.stableErrors }, this.#parts.nowMs());
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
    const everAnswered = followed !== undefined && hasAnswered(followed);
    return { kind: 'sourceDown', sinceMs: followed?.missingSinceMs ?? sinceMs, everAnswered, sentence };
  }
}

/** Which of an attempt's judges speaks: each begins without the evidence of those before it. */
interface JudgedNow {
  readonly number: number;
  readonly epoch: number;
}

/** The step that the attempt stands at turned a flag on, and its judge began with that. */
function isJudgeOfFlagStep({ journal: { flags = [] } }: Memory, attempt: Attempt): boolean {
  const { number, step, stage, epochAtMs, spec } = attempt;
  if (stage !== 'step' || epochAtMs === undefined || spec.strategy.steps[step]?.flag === undefined) return false;
  return flags.some(
    (entry) =>
      entry.why === 'step' &&
      entry.attempt === number &&
      entry.state === 'served' &&
      entry.servedAtMs !== undefined &&
      entry.servedAtMs <= epochAtMs,
  );
}

/** "uid/7": the name of an attempt's first judge, with which those of the others begin. */
function attemptKeyOf(rolloutUid: string, { number }: Pick<Attempt, 'number'>): string {
  return `${rolloutUid}/${number}`;
}

/** The name of the judge that speaks: "uid/7", "uid/7.1". */
function judgeKeyOf({ rollout }: Seen, attempt: Attempt): string {
  return `${attemptKeyOf(rollout.metadata.uid, attempt)}${judgeOf(attempt).suffix}`;
}

function isOf({ of }: Followed, { number, epoch = 0 }: Attempt): boolean {
  return of.number === number && of.epoch === epoch;
}

function hasAnswered({ last, hasAnsweredBefore }: Followed): boolean {
  return hasAnsweredBefore || last?.kind === 'judged' || (last?.kind === 'sourceDown' && last.everAnswered);
}

/** A source that answered the judge before is not one that never answered. */
function knownBefore({ hasAnsweredBefore }: Followed, answer: Answer): Answer {
  return answer.kind === 'sourceDown' && hasAnsweredBefore ? { ...answer, everAnswered: true } : answer;
}

/**
 * Which judge of the attempt speaks goes by what status has, not by what was decided a moment ago: should that not be
 * written down, the decision has to be taken once more, by the evidence that it was taken by (S11).
 */
function remembered({ world }: Seen, decided: Attempt): Attempt {
  const { attempt } = world.memory.journal;
  return attempt?.number === decided.number ? attempt : decided;
}

/** The same, as long as it is in the stage that was decided. */
function kept(seen: Seen, decided: Attempt): Attempt {
  const attempt = remembered(seen, decided);
  return attempt.stage === decided.stage ? attempt : decided;
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
  const { beganAtMs, widen } = judgeOf(remembered(seen, attempt));
  const found = evidenceIn(seen.rollout.status);
  const resume = found?.key === key ? found : undefined;
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
    settings: judgeSettingsOf(attempt.spec, widen),
    queries: queriesOf(attempt.spec),
    thresholds: thresholdsOf(attempt.spec),
    ...restartsSubject(parts, namespace, arms, attempt.spec),
    ...alertSubject(attempt, isOfAttempt(found, seen.rollout.metadata.uid, attempt) ? found?.alerts : undefined),
    ...costSubject(parts, namespace, arms, attempt.spec, seen.world.deployment?.replicas ?? 0),
    source,
    ...(source?.scrapeMs === undefined
      ? {}
      : {
          scrape: {
            intervalMs: source.scrapeMs,
            targets: () => endpointsOf(parts.stores, namespace, arms, attempt.spec.traffic.service, gateway?.port),
          },
        }),
    beganAtMs,
    ...(resume === undefined ? {} : { resume }),
  };
}

/** Empty where nobody asks how often pods are restarted. */
function restartsSubject(
  { stores }: JudgingParts,
  namespace: string,
  arms: { readonly canary: string | undefined; readonly stable: string | undefined },
  spec: EffectiveSpec,
): Pick<Subject, 'restarts'> {
  if (!countsRestarts(spec)) return {};
  return {
    restarts: () => ({
      canary: armRestarts(stores, namespace, arms.canary),
      stable: armRestarts(stores, namespace, arms.stable),
    }),
  };
}

function countsRestarts({ analysis }: EffectiveSpec): boolean {
  return analysis.metrics.some(({ kind }) => kind === 'restarts');
}

/** What fired when the attempt began is the same for every judge of it. */
function alertSubject(attempt: Attempt, saved: unknown): { readonly alerts?: AlertSubject } {
  const watched = attempt.spec.analysis.alerts;
  if (watched.length === 0) return {};
  return { alerts: { watched, beganAtMs: attempt.beganAtMs, ...(saved === undefined ? {} : { saved }) } };
}

/** Empty where nobody asks what the release costs. */
function costSubject(
  { stores, scalingOf }: JudgingParts,
  namespace: string,
  arms: { readonly canary: string | undefined; readonly stable: string | undefined },
  spec: EffectiveSpec,
  replicas: number,
): { readonly cost?: CostSubject } {
  const asked = costOf(spec);
  if (asked === undefined) return {};
  const world = () => {
    const [canary, stable] = [arms.canary, arms.stable].map((uid) => shapeOf(controlledPods(stores, namespace, uid)));
    return {
      shapes: canary && stable ? { canary, stable } : 'one of the versions has no pods',
      scaling: scalingOf?.(namespace, spec.target.name, replicas) ?? ({ kind: 'fixed', replicas } as const),
    };
  };
  return { cost: { ...asked, world } };
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

/** What status holds; whether it is of this attempt and judge is said by its key, whether it fits by the collector. */
function evidenceIn(status: unknown): SavedEvidence | undefined {
  const { evidence } = (status ?? {}) as { readonly evidence?: Partial<SavedEvidence> };
  return evidence?.version === 2 && typeof evidence.key === 'string' ? (evidence as SavedEvidence) : undefined;
}

function isOfAttempt(evidence: SavedEvidence | undefined, rolloutUid: string, { number }: Attempt): boolean {
  const first = attemptKeyOf(rolloutUid, { number });
  return evidence !== undefined && (evidence.key === first || evidence.key.startsWith(`${first}.`));
}
