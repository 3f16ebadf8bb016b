/** The invariants, asked of every move of Serin in the abstract cluster. Each returns a sentence when it is broken. */
import type { Effect } from '../../src/release/decision.ts';
import { podsForShare } from '../../src/release/weights.ts';
import { type Cluster, hashOf } from './cluster.ts';
import type { Move } from './moves.ts';

type Check = (before: Cluster, move: Move) => string | undefined;

const rises = (before: Cluster, effect: Effect): effect is Extract<Effect, { kind: 'split' }> =>
  effect.kind === 'split' && effect.weightPercent !== 'out' && effect.weightPercent > (before.weight ?? 0);

const splits = (before: Cluster, move: Move) => (move.decided?.effects ?? []).filter((effect) => rises(before, effect));

const stableOf = (cluster: Cluster) => cluster.sets.find((set) => set.uid === cluster.memory.stable?.uid);

const canaryReady = (cluster: Cluster) =>
  cluster.sets.filter((set) => hashOf(set.template) === cluster.canaryService).reduce((sum, set) => sum + set.ready, 0);

export const CHECKS: Readonly<Record<string, Check>> = {
  'S1 weight rises only onto ready pods': (before, move) => {
    for (const effect of splits(before, move)) {
      if (effect.kind !== 'split' || effect.weightPercent === 'out') continue;
      if (canaryReady(before) < podsForShare(effect.weightPercent, before.replicas))
        return `weight ${effect.weightPercent} with ${canaryReady(before)} ready pods`;
    }
    return undefined;
  },
  'S2 stable keeps its pods until the handover': (before, move) => {
    const stable = stableOf(before);
    const scaled = move.decided?.effects.find(
      (effect) => effect.kind === 'scale' && effect.uid === stable?.uid && effect.replicas < before.replicas,
    );
    return scaled !== undefined && move.decided?.memory.journal.attempt?.stage !== 'promote'
      ? 'stable was scaled down'
      : undefined;
  },
  'S3 only the revision of the attempt is exposed': (before, move) => {
    const attempt = move.decided?.memory.journal.attempt;
    for (const effect of move.decided?.effects ?? []) {
      if (effect.kind === 'createCanary' && effect.hash !== hashOf(before.live))
        return `a canary ${effect.hash} while ${before.live} is live`;
      if (effect.kind === 'handOver' && effect.uid !== attempt?.replicaSetUid)
        return 'another ReplicaSet was handed over';
      if (effect.kind === 'handOver' && before.sets.find((set) => set.uid === effect.uid)?.template !== attempt?.image)
        return 'a ReplicaSet with another template was handed over';
    }
    return undefined;
  },
  'S4 no evidence, no step': (before, move) => {
    const was = before.memory.journal.attempt;
    const is = move.decided?.memory.journal.attempt;
    if (was === undefined || is === undefined || is.weightPercent <= was.weightPercent || was.stage === 'begin')
      return undefined;
    const word = is.promotedBy !== undefined || is.skippedStep === was.step;
    const isGood = before.answerName === 'good';
    const waited = before.answerName === 'little' || isGood;
    return word || isGood || waited ? undefined : `weight rose while the judge said ${before.answerName}`;
  },
  'S5 a latched rollback is final': (before, move) => {
    const rejected = new Set(before.memory.quarantined.map((entry) => entry.hash));
    const retried = before.actions.some((action) => action.action === 'retry');
    const attempt = move.decided?.memory.journal.attempt;
    if (retried || attempt === undefined || !rejected.has(attempt.hash)) return undefined;
    if (before.memory.journal.attempt?.hash !== attempt.hash && attempt.stage !== 'retreat')
      return `rejected ${attempt.hash} was begun again`;
    return splits(before, move).length > 0 ||
      move.decided?.effects.some((effect) => effect.kind === 'createCanary' || effect.kind === 'handOver') === true
      ? `rejected ${attempt.hash} got weight or pods`
      : undefined;
  },
  'S6 pods end only after traffic has left them': (before, move) => {
    const attempt = before.memory.journal.attempt;
    const canary = before.sets.find((set) => set.uid === attempt?.replicaSetUid && set.owner === 'ours');
    const ended = move.decided?.effects.some(
      (effect) =>
        (effect.kind === 'scale' && effect.uid === canary?.uid && effect.replicas === 0) ||
        (effect.kind === 'deleteReplicaSet' && effect.uid === canary?.uid),
    );
    if (ended !== true || canary === undefined || canary.left === 0) return undefined;
    const isLate = before.memory.journal.attempt?.retreat?.zeroAtMs !== undefined;
    return (before.weight ?? 0) > 0 || ((before.taken ?? 0) > 0 && !isLate)
      ? 'canary pods end while the gateway sends to them'
      : undefined;
  },
  'S6 pins go only after rejected pods are gone': (before, move) => {
    const attempt = before.memory.journal.attempt;
    const unpins = move.decided?.effects.some((effect) => effect.kind === 'unpin') === true;
    const canary = before.sets.find((set) => set.uid === attempt?.replicaSetUid && set.owner === 'ours');
    if (!unpins || canary === undefined || canary.ready === 0) return undefined;
    const isStableEmpty = (stableOf(before)?.ready ?? 0) === 0;
    const why = move.decided?.memory.journal.attempt?.retreat?.why;
    return move.decided?.memory.journal.attempt?.stage === 'promote' || isStableEmpty || why === 'bypassed'
      ? undefined
      : 'unpinned while rejected pods are ready';
  },
  'S7 an outage is no verdict': (before, move) => {
    const was = before.memory.journal.attempt;
    const is = move.decided?.memory.journal.attempt;
    if (before.answerName !== 'down' && before.answerName !== 'none') return undefined;
    if (
      is?.retreat !== undefined &&
      was?.retreat === undefined &&
      (is.retreat.why === 'harm' || is.retreat.why === 'notJudged')
    )
      return 'an outage rolled back';
    return undefined;
  },
  'S11 what Serin does is what it remembers': (_before, move) => {
    const attempt = move.decided?.memory.journal.attempt;
    const acts =
      move.decided?.effects.filter((effect) => effect.kind === 'createCanary' || effect.kind === 'handOver') ?? [];
    return acts.length > 0 && attempt === undefined ? 'an effect without an attempt in memory' : undefined;
  },
  'S13 no served backend is emptied': (before, move) => {
    const emptied = (after: Cluster) => servedEmpty(after) && !servedEmpty(before);
    return move.decided !== undefined && emptied(move.next)
      ? 'Serin left the routed Service without ready endpoints'
      : undefined;
  },
  'S16 a pin has pods': (before, move) => {
    const pin = move.decided?.effects.find((effect) => effect.kind === 'pin');
    if (pin?.kind === 'pin' && !before.sets.some((set) => hashOf(set.template) === pin.hash && set.ready > 0))
      return 'pinned to a revision without ready pods';
    const isDead =
      before.pinnedTo !== undefined &&
      !before.sets.some((set) => hashOf(set.template) === before.pinnedTo && set.ready > 0);
    const isCut = move.name !== 'serin';
    return isDead && !isCut && before.sets.some((set) => set.ready > 0) && move.next.pinnedTo === before.pinnedTo
      ? 'a pin without pods was left'
      : undefined;
  },
  'S17 weight follows capacity': (before, move) => {
    if (
      move.name !== 'serin' ||
      before.memory.journal.attempt === undefined ||
      before.memory.journal.attempt.stage === 'promote' ||
      (before.weight ?? 0) === 0
    )
      return undefined;
    const isShort = canaryReady(before) === 0;
    return isShort && (move.next.weight ?? 0) > 0 ? 'weight stayed on pods that are not ready' : undefined;
  },
};

/** The share that goes to the user's Service, and the one that goes to the canary Service, each need a ready pod. */
function servedEmpty(cluster: Cluster): boolean {
  const main = cluster.sets.filter(
    (set) => cluster.pinnedTo === undefined || hashOf(set.template) === cluster.pinnedTo,
  );
  const mainEmpty = (cluster.weight ?? 0) < 100 && main.every((set) => set.ready === 0);
  const canaryEmpty = (cluster.weight ?? 0) > 0 && canaryReady(cluster) === 0;
  return cluster.replicas > 0 && (mainEmpty || canaryEmpty);
}
