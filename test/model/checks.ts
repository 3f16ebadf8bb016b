/** The invariants, asked of every move in the abstract cluster. Each returns a sentence when it is broken. */
import type { Attempt } from '../../src/api/rollout-status.ts';
import { isClimbing, presentRung } from '../../src/release/climbing.ts';
import type { Decision, Effect } from '../../src/release/decision.ts';
import { isLatched } from '../../src/release/flags.ts';
import { sharedPods } from '../../src/release/sharing.ts';
import { longestMs } from '../../src/release/stages/ladder-words.ts';
import { podsForShare } from '../../src/release/weights.ts';
import { type Cluster, controller, hashOf, nowOf, type Pods } from './cluster.ts';
import type { Move } from './moves.ts';
import type { Setup } from './setup.ts';

/** A move and what was there before it. */
export interface Step {
  readonly setup: Setup;
  readonly before: Cluster;
  readonly move: Move;
  readonly next: Cluster;
  /** Set in moves of Serin. */
  readonly decided?: Decision;
  readonly was?: Attempt;
  readonly is?: Attempt;
}

export type Check = (step: Step) => string | undefined;

export function stepOf(setup: Setup, before: Cluster, move: Move): Step {
  const was = before.memory.journal.attempt;
  const is = move.decided?.memory.journal.attempt;
  return {
    setup,
    before,
    move,
    next: move.next,
    ...(move.decided === undefined ? {} : { decided: move.decided }),
    ...(was === undefined ? {} : { was }),
    ...(is === undefined ? {} : { is }),
  };
}

/** Checks of what Serin decides; asked once for each state, of the move in which all effects take place. */
export const DECISION_CHECKS: Readonly<Record<string, Check>> = {
  'S1 weight rises only onto ready pods': ({ before, decided }) => {
    for (const { weightPercent } of rises(before, decided))
      if (canaryReady(before) < podsForShare(weightPercent, before.replicas))
        return `weight ${weightPercent} with ${canaryReady(before)} ready pods`;
    return undefined;
  },
  'S2 stable keeps its pods until the handover': ({ before, decided, is }) => {
    const stable = stableOf(before);
    if (stable === undefined || before.deployment === 0) return undefined;
    const takes = effectsOf(decided).some(
      (effect) =>
        (effect.kind === 'scale' && effect.uid === stable.uid && effect.replicas < before.replicas) ||
        (effect.kind === 'deleteReplicaSet' && effect.uid === stable.uid),
    );
    return takes && !isAdopted(before, is) ? 'pods were taken from stable' : undefined;
  },
  'S3 only the revision of the attempt is exposed and promoted': ({ before, decided, is }) => {
    for (const effect of effectsOf(decided)) {
      if (effect.kind === 'createCanary' && effect.hash !== hashOf(before.live))
        return `a canary ${effect.hash} while ${before.live} is live`;
      if (effect.kind !== 'handOver') continue;
      const set = before.sets.find((one) => one.uid === effect.uid);
      if (effect.uid !== is?.replicaSetUid || set?.owner !== 'ours') return 'another ReplicaSet was handed over';
      if (set.template !== is.image || set.template !== before.live)
        return 'a revision that is not live was handed over';
      if (!before.observed) return 'handed over before the controller had seen maxSurge';
      if (set.ready < before.replicas || before.routes.some((route) => route.weight !== 100))
        return 'handed over before it carried everything';
    }
    return undefined;
  },
  'S3 the Deployment stays held while a revision is released': ({ before, next, is }) => {
    const isReleasing = is !== undefined && is.stage !== 'retreat' && before.deployment !== 0;
    return isReleasing && !isAdopted(before, is) && !next.paused
      ? 'the live template was left free to roll out'
      : undefined;
  },
  'S3 stable becomes only what the Deployment runs': ({ before, decided }) => {
    const uid = decided?.memory.stable?.uid;
    if (uid === undefined || uid === before.memory.stable?.uid) return undefined;
    const set = before.sets.find((one) => one.uid === uid);
    // A Rollout that is deleted does not wait for a controller that never comes; it takes over when it is back.
    const isTaken = set?.owner === 'deployment' || (set?.owner === 'nobody' && before.deleting);
    return isTaken && (set.replicas > 0 || before.replicas === 0)
      ? undefined
      : `stable became ${uid}, which the Deployment does not run`;
  },
  'S4 no evidence, no step': ({ before, was, is, setup }) => {
    if (was === undefined || is === undefined || is.stage === 'retreat') return undefined;
    // What stands at the same weight, a check, comes after a weight that was judged all the same.
    const isOn = was.stage === 'step' && is.step > was.step;
    return isOn || is.weightPercent > was.weightPercent ? whyNoStep(before, was, is, setup) : undefined;
  },
  'S4 promotion is a step like any other': ({ before, was, is, setup }) => {
    if (was === undefined || is?.stage !== 'promote' || was.stage !== 'bake') return undefined;
    return whyNoStep(before, was, is, setup);
  },
  'S4 time counts only from a weight that users got': ({ before, was, is }) => {
    if (is?.convergedAtMs === undefined || was?.convergedAtMs !== undefined) return undefined;
    const wanted = is.brake?.weightPercent ?? is.weightPercent;
    const isThere = before.routes.every((route) => route.weight === wanted && route.taken === wanted);
    return isThere ? undefined : `counted from a moment when the gateway did not send ${wanted}%`;
  },
  'S4 a route rises no further than was decided, and not while it is held': ({ before, decided, was, is, setup }) => {
    for (const { weightPercent } of rises(before, decided)) {
      if (is === undefined || is.stage === 'retreat') return 'a route rose without an attempt that goes forward';
      if (is.stage === 'begin' && weightPercent > 0) return 'a route rose before the first step';
      if (weightPercent > (is.brake?.weightPercent ?? is.weightPercent)) return `a route rose to ${weightPercent}`;
      if (is.pausedBy !== undefined) return 'a route rose while a person had paused it';
      const isNew = was?.convergedAtMs === undefined && is.brake === undefined;
      if (isNew && isDoubtful(before) && !isObserving(setup)) return 'a route rose while the judge had doubts';
      if (isNew && isSilent(before) && !isHuman(was, is)) return 'a route rose while the source was down';
    }
    return undefined;
  },
  'S4 without routes there are no more pods than was decided, and none more while it is held': ({
    before,
    decided,
    is,
  }) => {
    if (before.routes.length > 0 || is === undefined || is.stage === 'promote') return undefined;
    const canary = before.sets.find((set) => set.uid === is.replicaSetUid);
    for (const effect of effectsOf(decided)) {
      if (effect.kind !== 'scale' || effect.uid !== is.replicaSetUid) continue;
      if (effect.replicas <= (canary?.replicas ?? 0)) continue;
      const shared = sharedPods(is.brake?.weightPercent ?? is.weightPercent, before.replicas);
      const most = is.stage === 'begin' ? 1 : Math.max(shared, isChecking(is) ? 1 : 0);
      if (effect.replicas > most) return `${effect.replicas} pods, ${most} were decided`;
      if (is.pausedBy !== undefined) return 'pods were added while a person had paused it';
    }
    return undefined;
  },
  'S4 a brake comes off only for what it was put on for, and in the bake only once': ({ before, was, is }) => {
    if (was?.brake === undefined || is === undefined || is.number !== was.number || is.stage === 'retreat')
      return undefined;
    if (is.brake !== undefined) return becameEasier(was.brake, is.brake);
    const isBake = was.stage === 'bake' && before.routes.length > 0;
    if (isBake && (was.bakeBrakes ?? 0) > 1) return 'all the traffic a third time';
    if (isDoubtful(before)) return `off while the judge said ${before.answerName}`;
    if (was.brake.crash) return undefined;
    return isShown(before.answer, isBake) ? undefined : `off while the judge said ${before.answerName}`;
  },
  'S4 no check is left out': ({ was, is }) => {
    if (was === undefined || !goesOn(was, is)) return undefined;
    const first = was.stage === 'begin' ? 0 : was.step + 1;
    const isLeftOut = was.spec.strategy.steps.some(
      ({ check }, index) => check !== undefined && index >= first && index < is.step,
    );
    return isLeftOut ? 'a check was left out' : undefined;
  },
  'S4 no check is passed by that did not pass': ({ before, was, is }) => {
    if (was === undefined || !goesOn(was, is) || !isChecking(was) || is.skippedStep === was.step) return undefined;
    const isOfIt = before.asking?.of === `${was.number}/${was.step}`;
    const answer = isOfIt ? before.asking?.answer : undefined;
    const mayGoOn = answer === 'passed' || (answer === 'unreachable' && is.promotedBy !== undefined);
    return mayGoOn ? undefined : `a check that is ${answer ?? 'not asked'} was passed by`;
  },
  'S7 a check is a verdict only when a pod answered wrongly for long enough': ({ before, was, is }) => {
    if (is?.retreat?.reason !== 'CheckFailed' || was?.retreat !== undefined) return undefined;
    const isFailed = before.asking?.answer === 'failed' && before.tick - before.asking.sinceTick >= 1;
    return isFailed ? undefined : `went back while the check was ${before.asking?.answer ?? 'not asked'}`;
  },
  'mode observe acts on no verdict, and tells each once': ({ before, decided, was, is, setup }) => {
    if (!isObserving(setup) || is === undefined) return undefined;
    if (is.retreat?.why === 'harm' && was?.retreat === undefined) return 'rolled back by the judge';
    if (is.retreat?.why === 'notJudged' && was?.retreat === undefined && was?.wouldHave !== undefined)
      if (before.answer.kind === 'judged') return 'rolled back by the judge, as if there were too little traffic';
    if (is.brake !== undefined && !is.brake.crash) return 'braked by the judge';
    const again = decided?.events.find(
      ({ reason }) =>
        (reason === 'WouldHaveBraked' && was?.wouldHave?.braked !== undefined) ||
        (reason === 'WouldHaveRolledBack' && was?.wouldHave?.rolledBack !== undefined),
    );
    return again === undefined ? undefined : `${again.reason} was told again`;
  },
  'mode observe climbs no ladder': ({ is, setup }) =>
    isObserving(setup) && is?.ladder !== undefined ? 'something was done about harm' : undefined,
  'mode enforce keeps nothing of what would have been': ({ is, setup }) =>
    !isObserving(setup) && is?.wouldHave !== undefined ? 'something would have been done, and was not' : undefined,
  'S5 a latched rollback is final': ({ before, decided, is }) => {
    const rejected = new Set(before.memory.quarantined.map((entry) => entry.hash));
    const isRetried = before.actions.some((action) => action.action === 'retry');
    if (isRetried || is === undefined || !rejected.has(is.hash)) return undefined;
    if (before.memory.journal.attempt?.hash !== is.hash && is.stage !== 'retreat')
      return `rejected ${is.hash} was begun again`;
    const revives = effectsOf(decided).some(
      (effect) =>
        (effect.kind === 'createCanary' && effect.replicas > 0) ||
        effect.kind === 'handOver' ||
        effect.kind === 'resume' ||
        (effect.kind === 'scale' && effect.uid === is.replicaSetUid && effect.replicas > 0),
    );
    return rises(before, decided).length > 0 || revives ? `rejected ${is.hash} got weight or pods` : undefined;
  },
  'S5 going back never turns round': ({ was, is }) =>
    was?.retreat !== undefined && is !== undefined && is.number === was.number && is.stage !== 'retreat'
      ? `stage ${is.stage} after a retreat`
      : undefined,
  'S5 a rejected revision is remembered': ({ was, decided, before }) => {
    const isRejected = REJECTIONS.includes(was?.retreat?.why ?? '');
    const isRetried = before.actions.some((action) => action.action === 'retry');
    if (!isRejected || isRetried || decided === undefined) return undefined;
    return decided.memory.quarantined.some((entry) => entry.hash === was?.hash)
      ? undefined
      : 'a rejection was forgotten';
  },
  'S5 a rejected revision leaves a witness': ({ before, was, is }) => {
    const isOver = was?.retreat !== undefined && is === undefined && REJECTIONS.includes(was.retreat.why);
    const isLive = before.live !== stableOf(before)?.template && hashOf(before.live) === was?.hash;
    if (!isOver || !isLive || before.deleting || before.deployment === 0) return undefined;
    const shows = before.sets.some(
      (set) => hashOf(set.template) === was?.hash && set.uid !== before.memory.stable?.uid,
    );
    return shows ? undefined : 'nothing shows what was rejected, so a fixed template could not be told from it';
  },
  'S6 pods end only after traffic has left them': ({ setup, before, decided, was }) => {
    const canary = before.sets.find((set) => set.uid === was?.replicaSetUid && set.owner === 'ours');
    if (canary === undefined || canary.left === 0 || before.replicas === 0) return undefined;
    const ends = effectsOf(decided).some(
      (effect) =>
        (effect.kind === 'scale' && effect.uid === canary.uid && effect.replicas === 0) ||
        (effect.kind === 'deleteReplicaSet' && effect.uid === canary.uid),
    );
    const zeroAtMs = was?.retreat?.zeroAtMs;
    const isShared = setup.spec.traffic.routes.length === 0 && setup.spec.traffic.service !== undefined;
    if (ends && isShared && before.pinnedTo === undefined && (stableOf(before)?.ready ?? 0) > 0 && canary.ready > 0)
      return 'canary pods end while the Service sends to them';
    if (!ends || (zeroAtMs !== undefined && nowOf(before) - zeroAtMs > DEADLINE_MS)) return undefined;
    const isLeft = before.routes.every(
      (route) => (route.weight ?? 0) === 0 && (route.taken ?? 0) === 0 && route.takenForTicks >= 1,
    );
    return isLeft ? undefined : 'canary pods end while the gateway sends to them';
  },
  'S6 pins go only after rejected pods are gone': ({ before, decided, was, is }) => {
    const unpins = effectsOf(decided).some((effect) => effect.kind === 'unpin');
    const canary = before.sets.find((set) => set.uid === was?.replicaSetUid && set.owner === 'ours');
    if (!unpins || canary === undefined || canary.ready === 0 || isBypassed(before, is, decided)) return undefined;
    const isStableEmpty = (stableOf(before)?.ready ?? 0) === 0;
    const isMeant = is?.stage === 'promote' || isOpen(before, is);
    return isMeant || isStableEmpty ? undefined : 'unpinned while rejected pods are ready';
  },
  'S6 no caller reaches the canary past its weight': ({ setup, before, next, was, is, decided }) => {
    if (setup.spec.traffic.service === undefined || isOpen(before, is)) return undefined;
    const canary = before.sets.find((set) => set.uid === was?.replicaSetUid && set.owner === 'ours');
    if (canary === undefined || canary.ready === 0 || is === undefined || is.stage === 'promote') return undefined;
    const isStableReady = (stableOf(before)?.ready ?? 0) > 0;
    if (!isStableReady || isBypassed(before, is, decided) || canary.replicas === 0) return undefined;
    return next.pinnedTo === undefined ? 'the Service was left open to canary pods' : undefined;
  },
  'S7 an outage is no verdict': ({ before, was, is, setup }) => {
    if (is?.retreat === undefined || was?.retreat !== undefined) return undefined;
    const { why } = is.retreat;
    // What was judged before an outage has a deadline of its own, and an alert is no word of the judge.
    if (why === 'harm' && isJudgedBefore(before, was)) return undefined;
    const isSilentNow = before.answer.kind !== 'judged' && before.answer.kind !== 'noSource';
    if (why === 'harm' && isSilentNow) return 'an outage rolled back';
    if (why !== 'notJudged') return undefined;
    const { whenUnsure, onSourceDown } = setup.spec.analysis;
    const isAsked =
      before.answer.kind === 'sourceDown'
        ? onSourceDown.do === 'rollback' && before.answer.everAnswered
        : whenUnsure.do === 'rollback' && !isSilentNow && ageOf(before, was?.convergedAtMs) >= whenUnsure.afterMs;
    return isAsked ? undefined : 'went back unjudged although nobody asked for it';
  },
  'S8 whoever waits says when to look again': ({ before, decided, is }) => {
    if (decided === undefined || decided.effects.length > 0 || decided.report.stalled || is === undefined)
      return undefined;
    const isChanged =
      decided.memory !== before.memory && JSON.stringify(decided.memory) !== JSON.stringify(before.memory);
    return decided.wakeAfterMs === undefined && !isChanged ? `${decided.report.reason} waits for nothing` : undefined;
  },
  'S11 what Serin does is what it remembers': ({ decided, is }) => {
    const acts = effectsOf(decided).some((effect) => effect.kind === 'createCanary' || effect.kind === 'handOver');
    return acts && is === undefined ? 'an effect without an attempt in memory' : undefined;
  },
  'S13 routes leave the canary Service before it goes': ({ before, decided }) => {
    const deletes = effectsOf(decided).some((effect) => effect.kind === 'deleteCanaryService');
    return deletes && before.routes.some((route) => (route.taken ?? 0) > 0 && (route.weight ?? 0) > 0)
      ? 'the canary Service was deleted under its route'
      : undefined;
  },
  'S13 routes go back after the old pods are gone': ({ before, decided, is }) => {
    const goes = effectsOf(decided).some((effect) => effect.kind === 'split' && effect.weightPercent === 'out');
    if (!goes || is?.stage !== 'promote' || before.deleting || ageOf(before, is.stageSinceMs) > PODS_GONE_MS)
      return undefined;
    const isLeft = before.sets.some(
      (set) => set.owner === 'deployment' && set.uid !== is.replicaSetUid && set.left > 0,
    );
    return isLeft ? 'the user’s Service still sends to pods that end' : undefined;
  },
  'S13 an attempt without its anchor goes back': ({ before, was, is }) => {
    const isAnchored = before.records.some((record) => record.name === was?.record);
    const isOurs = before.sets.some((set) => set.uid === was?.replicaSetUid && set.owner === 'ours');
    return isOurs && !isAnchored && is !== undefined && is.stage !== 'retreat'
      ? 'the garbage collector will end pods that are sent to'
      : undefined;
  },
  'S16 a pin has pods': ({ before, decided, next }) => {
    const pin = effectsOf(decided).find((effect) => effect.kind === 'pin');
    const hasReady = (hash: string | undefined) =>
      before.sets.some((set) => hashOf(set.template) === hash && set.ready > 0);
    if (pin?.kind === 'pin' && !hasReady(pin.hash)) return 'pinned to a revision without ready pods';
    const isDead = before.pinnedTo !== undefined && !hasReady(before.pinnedTo);
    return isDead && before.sets.some((set) => set.ready > 0) && next.pinnedTo === before.pinnedTo
      ? 'a pin without pods was left'
      : undefined;
  },
  'S16 pins go first where the guard was bypassed': ({ before, next, is, decided }) => {
    const isGoingBack = is?.stage === 'retreat' && isBypassed(before, is, decided);
    return isGoingBack && next.pinnedTo !== undefined ? 'a pin was kept although stable is being replaced' : undefined;
  },
  'S17 weight follows capacity': ({ before, next, was }) => {
    if (was === undefined || was.stage === 'retreat' || isAdopted(before, was)) return undefined;
    const most = Math.max(0, ...next.routes.map((route) => route.weight ?? 0));
    const isShort = most > 0 && (before.replicas === 0 || canaryReady(before) < podsForShare(most, before.replicas));
    return isShort ? `weight ${most} stayed on ${canaryReady(before)} ready pods` : undefined;
  },
  'S18 a lost status leads to a question, never to a release': ({ before, decided }) => {
    const isAsked = before.lostAt === before.live && before.live !== stableOf(before)?.template;
    const isRetried = before.actions.some((action) => action.action === 'retry');
    if (!isAsked || isRetried) return undefined;
    const releases = effectsOf(decided).some(
      (effect) => (effect.kind === 'createCanary' && effect.replicas > 0) || effect.kind === 'handOver',
    );
    return releases ? `${before.live} was released although its past is unknown` : undefined;
  },
  'S11 a flag is written only with what was there before in memory, and never again after it was put back': ({
    before,
    decided,
  }) => {
    for (const effect of effectsOf(decided)) {
      if (effect.kind !== 'flag' || effect.task === 'plan') continue;
      const { id, previous } = effect.entry;
      const kept = decided?.memory.journal.flags?.find((entry) => entry.id === id);
      if (previous === undefined || kept?.previous !== previous)
        return `${effect.task} of ${id}, and nothing is remembered`;
      const was = before.memory.journal.flags?.find((entry) => entry.id === id)?.state;
      if (effect.task === 'apply' && was !== 'planning' && was !== 'planned')
        return `${id} is written when it is ${was}`;
    }
    return undefined;
  },
  'S5 a flag that was the cause is turned back by nobody but a person': ({ before, decided }) => {
    if (before.actions.some(({ action }) => action === 'restoreFlags')) return undefined;
    const latched = before.memory.journal.flags?.filter(({ state }) => state === 'latched') ?? [];
    const isTouched = effectsOf(decided).some(
      (effect) => effect.kind === 'flag' && latched.some(({ id }) => id === effect.entry.id),
    );
    return isTouched ? 'a flag that was the cause was touched' : undefined;
  },
  'a flag that was changed because of harm stays so only while that is tried, or when it was the cause': ({
    is,
    decided,
  }) => {
    const isTried = is !== undefined && is.stage !== 'retreat' && presentRung(is)?.kind === 'flag';
    const left = decided?.memory.journal.flags?.find(
      ({ why, state }) => why === 'anomaly' && (state === 'planned' || state === 'served'),
    );
    return left === undefined || isTried ? undefined : `${left.id} is ${left.state}, and nobody looks at it`;
  },
  'S14 no rung lasts longer than it says, whatever a backend does': ({ before, was, is }) => {
    const rung = is === undefined || is.stage === 'retreat' ? undefined : presentRung(is);
    if (is?.ladder === undefined || rung === undefined || rung.kind === 'hold' || is.stage === 'promote')
      return undefined;
    if (was?.stage === 'promote') return undefined;
    return ageOf(before, is.ladder.sinceMs) < longestMs(rung) ? undefined : `${rung.kind} lasts too long`;
  },
  'S14 the weight is cut while something is done about harm, and off when nothing is left': ({
    before,
    next,
    was,
    is,
    setup,
  }) => {
    if (is === undefined || is.stage === 'promote') return undefined;
    const most = Math.max(0, ...next.routes.map(({ weight = 0 }) => weight));
    const isLowered = before.routes.length === 0 || setup.keepsSessions;
    if (is.stage === 'retreat')
      return was !== undefined && isClimbing(was) && most > 0 ? `${most}% after the last rung` : undefined;
    if (!isClimbing(is) || isLowered) return undefined;
    return is.brake !== undefined && most <= is.brake.weightPercent ? undefined : `${most}% go to it meanwhile`;
  },
  'Detach never starts a release': ({ before, decided }) => {
    const starts = effectsOf(decided).some(
      (effect) => effect.kind === 'resume' || (effect.kind === 'detach' && effect.resume),
    );
    return starts && before.live !== stableOf(before)?.template ? 'resumed with a template nobody released' : undefined;
  },
  'Holding never stops what a person may do': ({ before, decided }) =>
    before.attached === 'released' &&
    effectsOf(decided).some((effect) => effect.kind === 'hold' || effect.kind === 'attach')
      ? 'held although the glass was broken'
      : undefined,
};

/** Checks of what the world looks like after any move of Serin, cut short or not, and of the Deployment controller. */
export const WORLD_CHECKS: Readonly<Record<string, Check>> = {
  'S13 no served backend is emptied': ({ before, move, next: after, was: is }) => {
    const next = move.name === 'the world goes on' ? controller(before) : after;
    const isTheirs = move.decided !== undefined || CONTROLLERS.has(move.name);
    // A native rollout under a pin empties the Service if Serin does not look in time: that is what the guard is for.
    const isExcused =
      isTakenBack(before) || (move.decided === undefined && (isBypassed(before, is, undefined) || isOrphaned(before)));
    if (!isTheirs || isExcused || !servedEmpty(next) || servedEmpty(before)) return undefined;
    return `${move.name} left the gateway without ready pods to send to`;
  },
  'S13 the controller takes no pod of the revision that carries everything': ({ before, move, next: after, was }) => {
    const next = move.name === 'the world goes on' ? controller(before) : after;
    if (!CONTROLLERS.has(move.name) || !isAdopted(before, was) || before.live === stableOf(before)?.template)
      return undefined;
    // Whoever writes past the guard has a second in which the controller may believe him.
    if (!before.observed && before.maxSurge !== '100%') return undefined;
    const had = before.sets.find((set) => set.uid === was?.replicaSetUid);
    // Somebody took its owner off before Serin handed it over: nothing had been made ready for that.
    if (had?.desired === 0) return undefined;
    const has = next.sets.find((set) => set.uid === was?.replicaSetUid);
    const isShort = had !== undefined && (has?.replicas ?? 0) < Math.min(had.replicas, before.replicas);
    return isShort && carried(before) ? `${had.replicas} pods became ${has?.replicas}` : undefined;
  },
};

const carried = ({ routes }: Cluster): boolean =>
  routes.some(({ weight = 0, taken = 0 }) => Math.min(weight, taken) > 0);

/** Causes of going back after which the revision does not run again. */
const REJECTIONS: readonly string[] = ['harm', 'check', 'crash', 'notReady', 'aborted', 'notJudged', 'escaped'];
/** After this long pods of a dead node are not waited for. */
const PODS_GONE_MS = 300_000;
const CONTROLLERS = new Set(['the Deployment controller acts', 'the world goes on']);
/** Deadline of a gateway plus the drain of the setups. */
const DEADLINE_MS = 125_000;

const effectsOf = (decided: Decision | undefined): readonly Effect[] => decided?.effects ?? [];

const stableOf = (cluster: Cluster): Pods | undefined =>
  cluster.sets.find((set) => set.uid === cluster.memory.stable?.uid);

/** Without routes both versions are behind the Service, or at work, while a step or the bake lasts. */
const isOpen = (before: Cluster, is: Attempt | undefined): boolean =>
  before.routes.length === 0 && (is?.stage === 'step' || is?.stage === 'bake');

const canaryReady = (cluster: Cluster): number =>
  cluster.sets.filter((set) => hashOf(set.template) === cluster.canaryService).reduce((sum, set) => sum + set.ready, 0);

const ageOf = (cluster: Cluster, sinceMs: number | undefined): number =>
  sinceMs === undefined ? -1 : nowOf(cluster) - sinceMs;

const isObserving = ({ spec }: Setup): boolean => spec.analysis.mode === 'observe';
const isDoubtful = ({ answer }: Cluster): boolean => answer.kind === 'judged' && answer.level !== 'calm';
const isSilent = ({ answer }: Cluster): boolean =>
  answer.kind === 'sourceDown' || (answer.kind === 'noEvidence' && answer.reason === 'unanswered');

const isChecking = (at: Attempt): boolean =>
  at.stage === 'step' && at.spec.strategy.steps[at.step]?.check !== undefined;

/** The same attempt, in a later step, or in its first one. */
type Brake = NonNullable<Attempt['brake']>;

function becameEasier(was: Brake, is: Brake): string | undefined {
  return is.crash && !was.crash ? 'the judge’s brake became one that time takes off' : undefined;
}

function isShown(answer: Cluster['answer'], isBake: boolean): boolean {
  return answer.kind === 'judged' && answer.brakeReleasable && (answer.stepAcceptable || !isBake);
}

function goesOn(was: Attempt, is: Attempt | undefined): is is Attempt {
  if (is === undefined || is.number !== was.number || is.stage === 'retreat') return false;
  return is.step > was.step || (was.stage === 'begin' && is.stage === 'step');
}

type Rise = Extract<Effect, { kind: 'split' }> & { readonly weightPercent: number };

function rises(before: Cluster, decided: Decision | undefined): readonly Rise[] {
  const weightOf = (name: string) => before.routes.find((route) => route.name === name)?.weight ?? 0;
  return effectsOf(decided).filter(
    (effect): effect is Rise =>
      effect.kind === 'split' && effect.weightPercent !== 'out' && effect.weightPercent > weightOf(effect.route),
  );
}

/** The Deployment has taken the canary, or it has no owner on its way there. */
function isAdopted(before: Cluster, is: Attempt | undefined): boolean {
  return is?.stage === 'promote' && before.sets.some((set) => set.uid === is.replicaSetUid && set.owner !== 'ours');
}

/** Asked for by a person: this step, or the one before it was skipped. */
function isHuman(was: Attempt | undefined, is: Attempt): boolean {
  return (
    is.promotedBy !== undefined || is.skippedStep === is.step - 1 || (was !== undefined && is.skippedStep === was.step)
  );
}

/** What a rise of the decided weight, or the promotion, may rest on: a fresh answer, waiting that the Rollout allows, or a person. */
function whyNoStep(before: Cluster, was: Attempt, is: Attempt, setup: Setup): string | undefined {
  if (was.brake !== undefined || (isDoubtful(before) && !isObserving(setup)))
    return `went on while the judge said ${before.answerName}`;
  if (isClimbing(was)) return 'went on while something was being done about harm';
  if (isHuman(was, is)) return undefined;
  const isHeld = before.alert !== undefined || isDear(before, was) || was.flagHarm !== undefined;
  if (isHeld && !isObserving(setup)) return 'went on although it was held';
  if (is.pausedBy !== undefined) return 'went on although a person had paused it';
  // No user has met the revision yet, so there is nothing that could have been measured.
  // The weight of a check was judged in the step before it, or is none.
  if (was.stage === 'begin' || isChecking(was) || isFlagLeftOut(before, was))
    return isSilent(before) ? 'the first weight, or one after a check, although the source is down' : undefined;
  return isAcceptable(before, was, setup) || isWaitedFor(before, was, setup)
    ? undefined
    : `went on while the judge said ${before.answerName}`;
}

function isJudgedBefore({ alert }: Cluster, was: Attempt | undefined): boolean {
  return alert === 'rollback' || (was !== undefined && isClimbing(was));
}

/** The flag of the step was the cause of harm, so the step does nothing. */
function isFlagLeftOut(before: Cluster, was: Attempt): boolean {
  const flag = was.stage === 'step' ? was.spec.strategy.steps[was.step]?.flag : undefined;
  return flag !== undefined && isLatched(before.memory, flag);
}

function isDear({ answer }: Cluster, was: Attempt): boolean {
  return answer.kind === 'judged' && answer.cost?.state === 'dearer' && was.stage !== 'begin';
}

function isAcceptable(before: Cluster, was: Attempt, { spec }: Setup): boolean {
  const { answer } = before;
  const leastMs = was.stage === 'bake' ? spec.strategy.bakeMs : (spec.strategy.steps[was.step]?.atLeastMs ?? 0);
  if (ageOf(before, was.convergedAtMs) < leastMs || answer.kind !== 'judged') return false;
  return was.stage === 'bake' ? answer.finalAcceptable : answer.stepAcceptable;
}

function isWaitedFor(before: Cluster, was: Attempt, { spec }: Setup): boolean {
  const { afterMs, do: wish } = spec.analysis.whenUnsure;
  if (wish !== 'proceed' || ageOf(before, was.convergedAtMs) < afterMs) return false;
  if (before.answer.kind === 'judged') return true;
  const canary = before.sets.find((set) => set.uid === was.replicaSetUid);
  const isClean = canary?.restarted === 0 && !canary.crashing && canary.ready >= canary.replicas;
  return before.answer.kind === 'noSource' && was.noSource && isClean;
}

/** Pods of another template roll by themselves, or the Deployment is not the one that was attached. */
function isBypassed(before: Cluster, is: Attempt | undefined, decided: Decision | undefined): boolean {
  const isOther = is !== undefined && is.targetUid !== `deployment${before.deployment}`;
  return isOther || is?.retreat?.why === 'bypassed' || isRolling(before, is, (decided ?? before).memory.stable?.uid);
}

/** The Deployment rolls, or its controller counts a rollout as done and ends the old pods. */
function isRolling(before: Cluster, is: Attempt | undefined, stableUid: string | undefined): boolean {
  return before.sets.some(
    (set) =>
      set.owner === 'deployment' &&
      set.template === before.live &&
      set.replicas > 0 &&
      set.uid !== stableUid &&
      (!before.paused || (set.ready >= before.replicas && set.uid !== is?.replicaSetUid)) &&
      !(is?.stage === 'promote' && set.uid === is.replicaSetUid),
  );
}

/**
 * The old template was applied in the very second of the handover: the controller takes the adopted pods away before
 * anybody can do anything about it.
 */
function isTakenBack(before: Cluster): boolean {
  const { attempt } = before.memory.journal;
  const isHandedOver = before.sets.some((set) => set.uid === attempt?.replicaSetUid && set.owner !== 'ours');
  return isHandedOver && stableOf(before)?.template === before.live;
}

/** Somebody took the owner off the canary: the controller spreads a resize over it, as over any old revision. */
function isOrphaned(before: Cluster): boolean {
  return before.sets.some((set) => set.attempt > 0 && set.owner !== 'ours');
}

/** The share that goes to the user's Service, and the one that goes to the canary Service, each need a ready pod. */
function servedEmpty(cluster: Cluster): boolean {
  if (cluster.replicas === 0 || cluster.deployment === 0) return false;
  const main = cluster.sets.filter(
    (set) => cluster.pinnedTo === undefined || hashOf(set.template) === cluster.pinnedTo,
  );
  const isMainEmpty = main.every((set) => set.ready === 0);
  if (cluster.routes.length === 0) return isMainEmpty;
  const isCanaryEmpty = canaryReady(cluster) === 0;
  return cluster.routes.some(
    ({ weight = 0, taken = 0 }) =>
      (isMainEmpty && Math.min(weight, taken) < 100) || (isCanaryEmpty && Math.min(weight, taken) > 0),
  );
}
