/**
 * The one place where it is decided what happens to a Rollout: the world and the time in, a decision out. Serves the
 * operator, `serin plan`, the model check and the simulation alike. No I/O, no clock, no chance.
 */
import type { Attempt } from '../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../api/rollout-status.ts';
import type { Decision, Effect } from './decision.ts';
import { after, decision, remembering } from './plan.ts';
import { answerActions } from './stages/actions.ts';
import { attach } from './stages/attach.ts';
import { begin } from './stages/begin.ts';
import { judgeBake } from './stages/bake.ts';
import { detach } from './stages/detach.ts';
import { promote } from './stages/promote.ts';
import { rest } from './stages/rest.ts';
import { recover } from './stages/recover.ts';
import { enterRetreat, retreat } from './stages/retreat.ts';
import { judgeStep, progress } from './stages/step.ts';
import { canarySet, liveIsStable, nativeRoll } from './views.ts';
import type { World } from './world.ts';

export function decide(world: World, nowMs: number): Decision {
  const { version } = world.memory.journal;
  if (version > JOURNAL_VERSION)
    return decision(world.memory, {
      phase: 'Waiting',
      reason: 'NewerJournal',
      message: `A newer Serin wrote the status of this Rollout (journal ${version}, this one knows ${JOURNAL_VERSION}); install that version again, nothing moves until then.`,
      stalled: true,
    });
  const answered = answerActions(world, nowMs);
  if (answered.abort !== undefined) return after({ effects: answered.effects }, answered.abort);
  return after({ effects: answered.effects }, live(remembering(world, answered.memory), world.hasJournal, nowMs));
}

function live(world: World, hasJournal: boolean, nowMs: number): Decision {
  const { attempt } = world.memory.journal;
  if (attempt !== undefined) return attempting(world, attempt, nowMs);
  if (world.rollout.deleting) return detach(world, nowMs);
  if (world.memory.stable !== undefined) return rest(world, nowMs);
  return (hasJournal ? undefined : recover(world, nowMs)) ?? attach(world, nowMs);
}

function attempting(world: World, attempt: Attempt, nowMs: number): Decision {
  if (attempt.stage === 'retreat') return retreat(world, nowMs);
  if (attempt.stage === 'promote') return promote(world, attempt, nowMs);
  return disturbed(world, attempt, nowMs) ?? after(holding(world), released(world, known(world, attempt), nowMs));
}

/** Somebody resumed the Deployment before its controller acted on it: held again at once. */
function holding(world: World): { readonly effects: readonly Effect[] } {
  return { effects: world.deployment?.paused === false ? [{ kind: 'hold' }] : [] };
}

/** The UID is remembered as soon as the ReplicaSet was seen; written with the next decision that is written anyway. */
function known(world: World, attempt: Attempt): Attempt {
  const uid = attempt.replicaSetUid ?? canarySet(world, attempt)?.uid;
  return uid === undefined ? attempt : { ...attempt, replicaSetUid: uid };
}

function released(world: World, attempt: Attempt, nowMs: number): Decision {
  switch (attempt.stage) {
    case 'begin':
      return begin(world, attempt, nowMs);
    case 'step':
      return progress(world, attempt, nowMs, judgeStep);
    case 'bake':
      return progress(world, attempt, nowMs, judgeBake);
    case 'promote':
    case 'retreat':
      throw new Error(`stage ${attempt.stage} is decided elsewhere`);
    default:
      return attempt.stage satisfies never;
  }
}

/** What ends an attempt from outside, the most dangerous first. */
function disturbed(world: World, attempt: Attempt, nowMs: number): Decision | undefined {
  const { deployment } = world;
  const target = `Deployment ${attempt.spec.target.name}`;
  if (deployment === undefined)
    return enterRetreat(world, nowMs, { why: 'bypassed', reason: 'TargetMissing', message: `${target} was deleted.` });
  if (deployment.uid !== attempt.targetUid)
    return enterRetreat(world, nowMs, {
      why: 'bypassed',
      reason: 'TargetReplaced',
      message: `${target} was deleted and created again.`,
    });
  const escaped = world.replicaSets.find((set) => set.uid === attempt.replicaSetUid && set.owner !== 'ours');
  if (escaped !== undefined)
    return enterRetreat(world, nowMs, {
      why: 'escaped',
      reason: 'CanaryEscaped',
      message: `ReplicaSet ${escaped.name} lost its owner before it was promoted.`,
    });
  const roll = nativeRoll(world);
  if (roll !== undefined && !deployment.paused)
    return enterRetreat(world, nowMs, {
      why: 'bypassed',
      reason: 'GuardBypassed',
      message: `revision ${roll.hash} rolls out by itself although ${target} is attached.`,
    });
  if (world.rollout.deleting)
    return enterRetreat(world, nowMs, {
      why: 'detached',
      reason: 'Detaching',
      message: 'the Rollout is being deleted.',
    });
  if (liveIsStable(world))
    return enterRetreat(world, nowMs, {
      why: 'cancelled',
      reason: 'Cancelled',
      message: 'the template went back to the stable one.',
    });
  return isSuperseded(world, attempt)
    ? enterRetreat(world, nowMs, {
        why: 'superseded',
        reason: 'Superseded',
        message: `template ${deployment.liveHash} replaced it.`,
      })
    : undefined;
}

/** Compared as templates once the canary exists; its hash is only a name. */
function isSuperseded(world: World, attempt: Attempt): boolean {
  const canary = canarySet(world, attempt);
  return canary === undefined ? world.deployment?.liveHash !== attempt.hash : !canary.sameAsLive;
}
