/** No attempt runs: keeps the workload clean, notices a new template, and begins its release unless something holds it. */
import type { Quarantine } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision } from '../plan.ts';
import { refusalOf } from '../refusals.ts';
import { bypassingRoll, hasReplaced, isForeign, liveIsStable, stableSet } from '../views.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';
import { attach, guardAbsentMessage, isHeldBack, revisionOf, pausing, settledSet, upToDate } from './attach.ts';
import { lettingGo } from './detach.ts';
import { startAttempt } from './start.ts';
import { recover } from './recover.ts';
import { copiedMarks, leftovers } from './tidy.ts';

export function rest(world: World, nowMs: number): Decision {
  const { deployment, memory } = world;
  if (deployment === undefined || deployment.uid !== memory.journal.targetUid) return attach(forgetting(world), nowMs);
  // The glass was broken: the mark goes, so that the workload is its owner's again.
  if (deployment.attached === 'released' && deployment.held) return lettingGo(world);
  const stable = stableSet(world);
  if (stable === undefined || deployment.attached !== 'yes') return attach(forgetting(world), nowMs);
  const roll = bypassingRoll(world);
  if (roll !== undefined) return followNativeRoll(world, deployment, roll, nowMs);
  if (stable.sameAsLive) return atRest(world, deployment, stable);
  return withNewTemplate(world, deployment, stable, nowMs);
}

/** Objects alone decide first: what an unknown release left behind goes before anything else is looked at (S18). */
export function cleared(world: World, hasJournal: boolean, nowMs: number): Decision | undefined {
  if (isForeign(world)) return undefined;
  const unknown = recover(world, hasJournal, nowMs);
  if (unknown !== undefined) return unknown;
  const litter = leftovers(world);
  if (litter.length === 0) return undefined;
  const message = 'Cleaning up after a release.';
  const report = liveIsStable(world) ? idle('Idle', 'UpToDate', message) : idle('Waiting', 'Preparing', message);
  return decision(world.memory, report, { effects: litter });
}

/** The Deployment is another one, or its stable ReplicaSet is gone: what was known of it no longer counts. */
function forgetting(world: World): World {
  const { targetUid: _gone, ...journal } = world.memory.journal;
  return { ...world, memory: { ...world.memory, stable: undefined, journal } };
}

/** Scaled-to-zero ReplicaSets younger than stable: while held, the controller revives the youngest, which may be a rejected one. */
function youngerEmpty(world: World, stable: ReplicaSetView): readonly Effect[] {
  return world.replicaSets
    .filter((set) => set.owner === 'deployment' && set.uid !== stable.uid && !set.deleting)
    .filter((set) => set.replicas === 0 && set.pods === 0 && set.createdAtMs > stable.createdAtMs)
    .map((set) => ({ kind: 'deleteReplicaSet', uid: set.uid, name: set.name }));
}

function atRest(world: World, deployment: DeploymentView, stable: ReplicaSetView): Decision {
  const effects: Effect[] = [...youngerEmpty(world, stable), ...copiedMarks(world, deployment)];
  if (world.guard === 'pause') effects.push(...pausing(world, deployment));
  else if (isHeldBack(deployment)) effects.push({ kind: 'resume' });
  if (world.guard === 'absent')
    return decision(
      world.memory,
      { phase: 'Idle', reason: 'GuardAbsent', message: guardAbsentMessage(world), stalled: true },
      { effects },
    );
  const refusal = refusalOf(world, deployment);
  if (refusal !== undefined) return decision(world.memory, { phase: 'Idle', ...refusal, stalled: true }, { effects });
  return decision(world.memory, upToDate(stable.hash), { effects });
}

function withNewTemplate(world: World, deployment: DeploymentView, stable: ReplicaSetView, nowMs: number): Decision {
  const { memory } = world;
  const isHeld = deployment.held && deployment.paused;
  const effects: readonly Effect[] = isHeld ? youngerEmpty(world, stable) : [];
  const wait = (report: Report): Decision =>
    decision(memory, report, { effects: isHeld || deployment.paused ? effects : [{ kind: 'hold' }] });
  if (deployment.paused && !deployment.held && deployment.pausedBy !== undefined)
    return wait({
      phase: 'Waiting',
      reason: 'PausedByOther',
      message: `${deployment.pausedBy} paused Deployment ${world.spec.target.name}; the new template is released when it is resumed.`,
      stalled: true,
    });
  const rejected = quarantineOf(world);
  if (rejected !== undefined) return wait(rejectedReport(world, rejected));
  const lost = withoutWitness(world);
  if (lost !== undefined)
    return wait({
      phase: 'Waiting',
      reason: 'WitnessMissing',
      message: `Revision ${lost.hash} was rejected and the ReplicaSet that shows its template is gone, so Serin cannot tell whether the live template is that one; if it may run, serin retry ${world.rollout.name}.`,
      stalled: true,
    });
  if (world.guard === 'absent')
    return wait({ phase: 'Waiting', reason: 'GuardAbsent', message: guardAbsentMessage(world), stalled: true });
  const refusal = refusalOf(world, deployment);
  if (refusal !== undefined) return wait({ phase: 'Waiting', ...refusal, stalled: true });
  if (deployment.replicas === 0)
    return wait({
      phase: 'Waiting',
      reason: 'ScaledToZero',
      message: `Deployment ${world.spec.target.name} has 0 replicas; the new template is released when it has some.`,
      stalled: false,
    });
  if (!isHeld)
    return decision(memory, idle('Waiting', 'Preparing', 'A new template is being held.'), {
      effects: [{ kind: 'hold' }],
    });
  if (effects.length > 0)
    return decision(memory, idle('Waiting', 'Preparing', 'Older ReplicaSets without pods are cleared away.'), {
      effects,
    });
  return startAttempt(world, deployment, nowMs);
}

/** A rejected revision of which no ReplicaSet of ours is left to show its template. */
export function withoutWitness(world: World): Quarantine | undefined {
  return world.memory.quarantined.find(
    (entry) => !world.replicaSets.some((set) => set.hash === entry.hash && set.owner === 'ours'),
  );
}

/** Equality of templates, not of hashes: a new default in the API server must not release every rejected revision again. */
export function quarantineOf(world: World): Quarantine | undefined {
  return world.memory.quarantined.find((entry) =>
    world.replicaSets.some((set) => set.hash === entry.hash && set.owner === 'ours' && set.sameAsLive),
  );
}

function rejectedReport(world: World, entry: Quarantine): Report {
  return {
    phase: 'RolledBack',
    reason: 'RolledBack',
    message: `Revision ${entry.hash} was rejected: ${entry.message} ${world.memory.stable?.hash ?? ''} takes all traffic. Apply a fixed template, put the old one back, or serin retry ${world.rollout.name}.`,
    stalled: true,
  };
}

/** The guard was evaded and pods of another template already run: let it finish, then that revision is stable. */
function followNativeRoll(world: World, deployment: DeploymentView, roll: ReplicaSetView, nowMs: number): Decision {
  const settled =
    hasReplaced(world, roll) && roll.available >= deployment.replicas ? roll : settledSet(world, deployment);
  const message = `Revision ${roll.hash} rolls out by itself although Deployment ${world.spec.target.name} is attached; Serin lets it finish and asks whether the guard still works.`;
  if (settled === undefined)
    return decision(
      world.memory,
      { phase: 'Attaching', reason: 'GuardBypassed', message, stalled: deployment.progressing?.status === 'False' },
      { effects: [{ kind: 'proveGuard' }] },
    );
  const released = quarantineOf(world);
  const quarantined = world.memory.quarantined.filter((entry) => entry !== released && entry.hash !== settled.hash);
  const memory = { ...world.memory, quarantined, stable: revisionOf(settled, nowMs) };
  return decision(memory, upToDate(settled.hash), {
    events: [{ type: 'Warning', reason: 'GuardBypassed', message }],
    wakeAfterMs: 0,
  });
}

function idle(phase: Report['phase'], reason: Report['reason'], message: string): Report {
  return { phase, reason, message, stalled: false };
}
