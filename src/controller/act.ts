/**
 * Carries out what was decided, effect by effect, in order. The first that fails ends the list: what comes after it may
 * rest on it. Each is guarded by the version of the object that the decision was made on; it adds no judgement.
 */
import { rolloutKind } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Decision, Effect } from '../release/decision.ts';
import { canarySize, firstWeight } from '../release/weights.ts';
import { answerAction, pruneActions } from '../workload/actions.ts';
import { attach, detach, guardByPause, hold, resume, setMaxSurge } from '../workload/hold.ts';
import { DETACH_FINALIZER } from '../workload/marks.ts';
import { rehearse } from '../workload/rehearsal.ts';
import { orderOf } from './act-checks.ts';
import { changeFlag } from './act-flags.ts';
import { keepRecord } from './act-records.ts';
import { changeReplicaSet } from './act-replica-sets.ts';
import { moveTraffic } from './act-traffic.ts';
import { type ActParts, Hand, type Of } from './hand.ts';
import type { Seen } from './observe.ts';
import type { Rollout } from './stores.ts';

/**
 * Gives the Rollout as it is afterwards. Throws what stopped the list; a Conflict means that the decision was made on
 * something older than what is there.
 */
export async function act(parts: ActParts, seen: Seen, decision: Decision, signal: AbortSignal): Promise<Rollout> {
  const hand = new Hand(parts, seen, decision);
  for (const effect of decision.effects) {
    try {
      await carryOut(hand, effect, signal);
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'Aborted')) parts.metrics.effectFailed(effect.kind);
      throw error;
    }
  }
  return hand.rollout;
}

// oxlint-disable-next-line complexity -- one line a kind; the compiler sees that none is missing
function carryOut(hand: Hand, effect: Effect, signal: AbortSignal): Promise<void> {
  const client = hand.parts.clientFor({ rollout: hand.key, reason: effect.kind });
  switch (effect.kind) {
    case 'addFinalizer':
    case 'removeFinalizer':
      return setFinalizer(hand, client, effect.kind === 'addFinalizer', signal);
    case 'attach':
    case 'hold':
    case 'guardByPause':
    case 'resume':
    case 'detach':
    case 'setMaxSurge':
      return changeDeployment(hand, client, effect, signal);
    case 'proveGuard':
      return hand.parts.proveGuard(hand.deployment, signal);
    case 'rehearse':
      return rehearseCanary(hand, client, signal);
    case 'check':
      hand.parts.check(hand.key, orderOf(hand, effect));
      return Promise.resolve();
    case 'flag':
    case 'dropFlag':
      changeFlag(hand, effect);
      return Promise.resolve();
    case 'createRecord':
    case 'endRecord':
      return keepRecord(hand, client, effect, signal);
    case 'pin':
    case 'unpin':
    case 'createCanaryService':
    case 'deleteCanaryService':
    case 'split':
      return moveTraffic(hand, client, effect, signal);
    case 'createCanary':
    case 'scale':
    case 'deleteReplicaSet':
    case 'handOver':
    case 'clearMarks':
      return changeReplicaSet(hand, client, effect, signal);
    case 'answerAction':
      return answer(hand, client, effect, signal);
    default:
      return effect satisfies never;
  }
}

async function setFinalizer(hand: Hand, client: KubeClient, isWanted: boolean, signal: AbortSignal): Promise<void> {
  const { metadata } = hand.rollout;
  const others = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== DETACH_FINALIZER);
  const wanted = { metadata: { finalizers: isWanted ? [...others, DETACH_FINALIZER] : others } };
  const { resourceVersion } = metadata;
  hand.rollout = await client.mergePatch<Rollout>(rolloutKind, metadata, wanted, { resourceVersion }, signal);
}

async function changeDeployment(
  hand: Hand,
  client: KubeClient,
  effect: Of<'attach' | 'hold' | 'guardByPause' | 'resume' | 'detach' | 'setMaxSurge'>,
  signal: AbortSignal,
): Promise<void> {
  const { deployment } = hand;
  switch (effect.kind) {
    case 'attach':
      hand.deployment = await attach(client, deployment, signal);
      return;
    case 'hold':
      hand.deployment = await hold(client, deployment, signal);
      return;
    case 'guardByPause':
      hand.deployment = await guardByPause(client, deployment, signal);
      return;
    case 'resume':
      hand.deployment = await resume(client, deployment, signal);
      return;
    case 'detach':
      hand.deployment = await detach(client, deployment, effect.resume, signal);
      return;
    case 'setMaxSurge':
      hand.deployment = await setMaxSurge(client, deployment, effect.value, effect.before, signal);
      return;
    default:
      return effect satisfies never;
  }
}

async function rehearseCanary(hand: Hand, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { deployment, parts, seen } = hand;
  const weight = firstWeight(seen.spec.strategy.steps);
  const result = await rehearse(client, deployment, canarySize(weight, deployment.spec.replicas ?? 1), signal);
  parts.noteRehearsal(hand.key, deployment.metadata.uid, result);
}

/** An action that is gone needs no answer. */
async function answer(hand: Hand, client: KubeClient, effect: Of<'answerAction'>, signal: AbortSignal): Promise<void> {
  const { actions } = hand.seen;
  const action = actions.find(({ metadata }) => metadata.name === effect.name);
  if (action === undefined) return;
  const { state, message } = effect;
  await answerAction(client, action, { state, message, atMs: hand.parts.clock.nowMs() }, signal);
  await pruneActions(client, actions, hand.rollout.metadata.name, signal);
}
