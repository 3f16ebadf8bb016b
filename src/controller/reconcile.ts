/**
 * One look at one Rollout: observe, decide, write down, act. What has to be remembered is written before anything is done
 * about it (S11); if that could not be written, nothing is done. It adds no judgement of its own.
 */
import { rolloutKind } from '../api/kinds.ts';
import type { Phase } from '../api/reasons.ts';
import type { Condition, RolloutStatus } from '../api/rollout-status.ts';
import type { Metrics, LookResult } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { refOf } from '../kube/resources.ts';
import type { AddOptions, Priority } from '../kube/queue.ts';
import type { Decision, Note } from '../release/decision.ts';
import { conditionsFor, guardShown } from '../release/conditions.ts';
import { isoTime } from '../release/time.ts';
import { canarySet } from '../release/views.ts';
import type { World } from '../release/world.ts';
import { JOURNAL_VERSION } from '../api/rollout-status.ts';
import { controllerOf, type Pod } from '../workload/objects.ts';
import { silentPods } from '../workload/pods.ts';
import { Failures } from './failures.ts';
import { isEqual } from './merge-patch.ts';
import type { Observation, Seen } from './observe.ts';
import { REFUSAL_KEPT_MS } from './rehearsals.ts';
import { readStatus, statusOf, toldOf } from './status.ts';
import type { StatusWriter } from './status-writer.ts';
import type { Rollout } from './stores.ts';
import type { UnseenWrites } from './unseen-writes.ts';
import type { Purpose } from './watched-writes.ts';

/** What a look needs of the rest of the shell. */
export interface LookParts {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'looked' | 'effectFailed' | 'guardBypassed'>;
  readonly rollout: (key: string) => Rollout | undefined;
  readonly observe: (rollout: Rollout) => Observation;
  readonly decide: (world: World, nowMs: number) => Decision;
  /** Gives the Rollout as it is afterwards. */
  readonly act: (seen: Seen, decision: Decision, signal: AbortSignal) => Promise<Rollout>;
  readonly judge: {
    /** Follows the attempt that the decision is about, or nothing. */
    follow(key: string, seen: Seen, decision: Decision): void;
    evidenceOf(key: string): RolloutStatus['evidence'];
    forget(key: string): void;
  };
  readonly clientFor: (purpose: Purpose) => KubeClient;
  readonly status: StatusWriter;
  readonly unseen: UnseenWrites;
  readonly say: (rollout: Rollout, note: Note) => void;
  /** The Rollout is gone: nobody asks for its flags any more. */
  readonly forgetFlags: (key: string) => void;
  /** Which pods of the canary are not ready and do not say why; none when there is no canary. */
  readonly askPods: (key: string, pods: readonly Pod[]) => void;
  readonly add: (key: string, options: AddOptions) => void;
  readonly onPhase: (key: string, phase: Phase | undefined) => void;
}

/** Without a reason to look earlier, a Rollout is looked at again after this long: nothing may hang on one missed event. */
const RESYNC_MS = 300_000;
/** After effects, in case none of them changed an object that is watched. */
const AFTER_EFFECTS_MS = 1_000;
const UNSEEN_AGAIN_MS = 1_000;
/** A decision that asks for another look at once and changes nothing must not spin. */
const SOONEST_MS = 100;
/** While an attempt is judged its counts go into status this often, so that a restart loses little. */
const EVIDENCE_EVERY_MS = 30_000;

export class Looker {
  readonly #parts: LookParts;
  /** Rollouts whose status was seen to be the API server's newest since this process leads. */
  readonly #verified = new Set<string>();
  readonly #failures = new Failures();

  constructor(parts: LookParts) {
    this.#parts = parts;
  }

  /** Throws what the API server refused, so that the queue brings the key back. */
  async look(key: string, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#parts;
    const startMs = clock.monotonicMs();
    const end = (result: LookResult) => metrics.looked((clock.monotonicMs() - startMs) / 1000, result);
    try {
      end(await this.#lookAt(key, signal));
      this.#failures.forget(key);
    } catch (error) {
      end(isKubeError(error, 'Conflict') ? 'conflict' : 'failed');
      // Neither a write that came second nor the end of our own work is anybody's failure.
      if (!isKubeError(error, 'Conflict', 'Aborted') && !signal.aborted) this.#noteFailure(key, error);
      throw error;
    }
  }

  #noteFailure(key: string, error: unknown): void {
    const rollout = this.#parts.rollout(key);
    const note = this.#failures.note(key, rollout, error);
    if (note !== undefined && rollout !== undefined) this.#parts.say(rollout, note);
  }

  async #lookAt(key: string, signal: AbortSignal): Promise<LookResult> {
    const { rollout: find, unseen, observe, add } = this.#parts;
    const rollout = find(key);
    if (rollout === undefined) return this.#forget(key);
    await unseen.confirm(key, signal);
    if (unseen.first(key) !== undefined) {
      // Its arrival wakes this key; the time is for the case that it never comes.
      add(key, { afterMs: UNSEEN_AGAIN_MS });
      return 'waited';
    }
    const observation = observe(rollout);
    if (observation.kind === 'unreadable') return this.#refuse(key, rollout, observation.message, signal);
    return this.#carryOut(key, observation.seen, observation.world, signal);
  }

  #forget(key: string): LookResult {
    const { judge, unseen, status, askPods, onPhase, forgetFlags } = this.#parts;
    judge.forget(key);
    forgetFlags(key);
    askPods(key, []);
    unseen.forget(key);
    status.forget(key);
    onPhase(key, undefined);
    this.#verified.delete(key);
    this.#failures.forget(key);
    return 'quiet';
  }

  async #carryOut(key: string, seen: Seen, world: World, signal: AbortSignal): Promise<LookResult> {
    const { clock, decide, judge, askPods, onPhase } = this.#parts;
    const decision = decide(world, clock.nowMs());
    onPhase(key, decision.report.phase);
    judge.follow(key, seen, decision);
    askPods(key, silentCanaryPods(seen, decision));
    const isRemembered = world.hasJournal && isEqual(world.memory, decision.memory);
    const hasWritten =
      isRemembered && decision.effects.length > 0
        ? await this.#actAndTell(key, seen, decision, signal)
        : await this.#rememberAndAct(key, seen, decision, signal);
    this.#lookAgain(key, world, decision, hasWritten);
    return hasWritten || decision.effects.length > 0 ? 'acted' : 'quiet';
  }

  /** What is to be remembered is in status before anything is done about it (S11). True when the status was written. */
  async #rememberAndAct(key: string, seen: Seen, decision: Decision, signal: AbortSignal): Promise<boolean> {
    const written = await this.#remember(key, seen, decision, signal);
    this.#tell(seen, decision);
    if (decision.effects.length > 0)
      await this.#parts.act({ ...seen, rollout: written ?? seen.rollout }, decision, signal);
    return written !== undefined;
  }

  /**
   * The journal says all of this already, so only words are new, and they are truer afterwards: nobody who waits for
   * Ready may find a Deployment that is still paused. When an effect fails, people read what was being tried.
   */
  async #actAndTell(key: string, seen: Seen, decision: Decision, signal: AbortSignal): Promise<boolean> {
    await this.#verify(key, seen.rollout, signal);
    try {
      const rollout = await this.#parts.act(seen, decision, signal);
      this.#tell(seen, decision);
      // An effect that wrote to the Rollout itself made what was observed old; the next look says it.
      if (rollout.metadata.resourceVersion !== seen.rollout.metadata.resourceVersion) return false;
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'Aborted')) await this.#remember(key, seen, decision, signal);
      throw error;
    }
    return (await this.#remember(key, seen, decision, signal)) !== undefined;
  }

  #tell(seen: Seen, decision: Decision): void {
    const { say, metrics } = this.#parts;
    for (const note of decision.events) say(seen.rollout, note);
    if (decision.events.some((note) => note.reason === 'GuardBypassed')) metrics.guardBypassed();
  }

  /** Puts the decision into status; the Rollout as written, if that took a write. Throws Conflict when it is not what was observed. */
  async #remember(key: string, seen: Seen, decision: Decision, signal: AbortSignal): Promise<Rollout | undefined> {
    const { judge, clock } = this.#parts;
    const { world } = seen;
    const { memory, report } = decision;
    const { attempt } = memory.journal;
    const remembered = readStatus(seen.rollout.status);
    const conditions = conditionsFor(report, remembered.conditions, {
      generation: world.rollout.generation,
      nowIso: isoTime(clock.nowMs()),
      guard: shownGuard(world, remembered.conditions),
      judged: attempt === undefined ? undefined : world.answer,
    });
    const evidence = attempt === undefined ? undefined : judge.evidenceOf(key);
    const next = statusOf({ world, memory, report, conditions, evidence });
    const isNewer = memory.journal.version > JOURNAL_VERSION;
    const kept: readonly (keyof RolloutStatus)[] = isNewer ? notTold : ['evidence'];
    return this.#write(key, seen.rollout, next, kept, `${report.phase}/${report.reason}`, signal);
  }

  async #write(
    key: string,
    rollout: Rollout,
    next: RolloutStatus,
    kept: readonly (keyof RolloutStatus)[],
    reason: string,
    signal: AbortSignal,
  ): Promise<Rollout | undefined> {
    const { status, clientFor, add } = this.#parts;
    const change = status.changeOf(key, rollout.status, next, kept);
    if (change.kind === 'later') add(key, { priority: 'resync', afterMs: change.inMs });
    if (change.kind !== 'write') return undefined;
    const { resourceVersion } = rollout.metadata;
    const client = clientFor({
      rollout: key,
      reason,
      ...(next.message === undefined ? {} : { message: next.message }),
    });
    const written = await client.patchStatus<Rollout>(
      rolloutKind,
      refOf(key),
      change.patch,
      { resourceVersion },
      signal,
    );
    status.written(key);
    this.#verified.add(key);
    return written;
  }

  /**
   * The first lists after a start may show an old state. A decision that is written down proves its status by the
   * guard of that write; one that only acts has to ask once, or an old journal could undo what a newer one did.
   */
  async #verify(key: string, rollout: Rollout, signal: AbortSignal): Promise<void> {
    if (this.#verified.has(key)) return;
    const live = await this.#parts
      .clientFor({ rollout: key, reason: 'verify' })
      .get(rolloutKind, refOf(key), {}, signal);
    if (live.metadata.resourceVersion !== rollout.metadata.resourceVersion)
      throw new KubeError(
        `act on Rollout ${key}: what is known of it is older than what the API server has; looking again`,
        {
          code: 'Conflict',
          retry: 'now',
        },
      );
    this.#verified.add(key);
  }

  #lookAgain(key: string, world: World, decision: Decision, hasWritten: boolean): void {
    const { add } = this.#parts;
    const priority = priorityOf(decision);
    if (decision.effects.length > 0) add(key, { priority, afterMs: AFTER_EFFECTS_MS });
    if (world.rehearsal?.refused !== undefined) add(key, { priority: 'resync', afterMs: REFUSAL_KEPT_MS });
    if (decision.memory.journal.attempt !== undefined) add(key, { priority: 'resync', afterMs: EVIDENCE_EVERY_MS });
    const { wakeAfterMs } = decision;
    if (wakeAfterMs === undefined) return add(key, { priority: 'resync', afterMs: RESYNC_MS });
    add(key, { priority, afterMs: hasWritten ? wakeAfterMs : Math.max(SOONEST_MS, wakeAfterMs) });
  }

  /** A spec that cannot be read stops this Rollout and no other; what was remembered stays as it is. */
  async #refuse(key: string, rollout: Rollout, message: string, signal: AbortSignal): Promise<LookResult> {
    const { clock, onPhase, add } = this.#parts;
    const { conditions: before } = readStatus(rollout.status);
    const report = { phase: 'Attaching', reason: 'InvalidSpec', message, stalled: true } as const;
    const generation = rollout.metadata.generation ?? 0;
    const context = { generation, nowIso: isoTime(clock.nowMs()), guard: 'unknown', judged: undefined } as const;
    const next = toldOf(generation, report, conditionsFor(report, before, context));
    onPhase(key, report.phase);
    const written = await this.#write(key, rollout, next, notTold, 'InvalidSpec', signal);
    add(key, { priority: 'resync', afterMs: RESYNC_MS });
    return written === undefined ? 'quiet' : 'acted';
  }
}

/** Keys of status that only a decision of the journal's own version may touch. */
const notTold: readonly (keyof RolloutStatus)[] = ['step', 'stable', 'canary', 'quarantined', 'evidence', 'journal'];

/** After a restart the guard was not tried yet; what was last seen of it is shown until it was. */
function shownGuard(world: World, before: readonly Condition[]): World['guard'] {
  if (world.guard !== 'unknown') return world.guard;
  return guardShown(before.find((condition) => condition.type === 'Guarded')?.reason);
}

/** A canary that goes back needs no more words: why it does was said when that was decided. */
function silentCanaryPods({ pods, world }: Seen, { memory }: Decision): readonly Pod[] {
  const { attempt } = memory.journal;
  if (attempt === undefined || attempt.retreat !== undefined) return [];
  const uid = canarySet(world, attempt)?.uid;
  return uid === undefined ? [] : silentPods(pods.filter((pod) => controllerOf(pod)?.uid === uid));
}

/** Brakes and the way back never wait behind others' resyncs. */
function priorityOf(decision: Decision): Priority {
  const { attempt } = decision.memory.journal;
  return attempt?.stage === 'retreat' || attempt?.brake !== undefined ? 'urgent' : 'normal';
}
