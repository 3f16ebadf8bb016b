/** Takes charge of a Deployment that already runs: refuses what cannot work, waits until it is settled, never restarts a pod. */
import type { StableRevision } from '../../api/rollout-status.ts';
import type { Decision, Effect, Report } from '../decision.ts';
import { decision } from '../plan.ts';
import { refusalOf } from '../refusals.ts';
import { isoTime } from '../time.ts';
import { nativeActive } from '../views.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';

export function attach(world: World, nowMs: number): Decision {
  const { memory, deployment } = world;
  if (!world.rollout.hasFinalizer)
    return decision(memory, busy('Settling', 'Attaching.'), { effects: [{ kind: 'addFinalizer' }] });
  if (deployment === undefined)
    return decision(
      memory,
      blocked(
        'TargetMissing',
        `Deployment ${world.spec.target.name} does not exist in ${world.rollout.namespace}; Serin attaches when it is created.`,
      ),
    );
  const refusal = refusalOf(world, deployment);
  if (refusal !== undefined) return decision(memory, blocked(refusal.reason, refusal.message));
  const settled = settledSet(world, deployment);
  if (settled === undefined) return unsettled(world, deployment, nowMs);
  const missing = preparation(world, deployment);
  if (missing !== undefined)
    return decision(memory, busy('Settling', 'Attaching: the guard is being put on and tried.'), {
      effects: [missing],
    });
  if (world.guard === 'absent') return decision(memory, blocked('GuardAbsent', guardAbsentMessage(world)));
  return attached(world, deployment, settled, nowMs);
}

/** What the pause guard still has to write; nothing where a policy is the guard. A pause it shares with nobody (S9). */
export function pausing(world: World, deployment: DeploymentView): readonly Effect[] {
  const isGuarded = deployment.paused && deployment.held && deployment.deadlineLifted;
  return world.guard === 'pause' && !isGuarded ? [{ kind: 'guardByPause' }] : [];
}

/** In the order of their danger: first ask whether pods would be admitted, then label, then prove that the label guards. */
function preparation(world: World, deployment: DeploymentView): Effect | undefined {
  if (world.rehearsal === undefined) return { kind: 'rehearse' };
  if (deployment.attached !== 'yes') return { kind: 'attach' };
  if (world.guard === 'unknown') return { kind: 'proveGuard' };
  return pausing(world, deployment)[0];
}

function attached(world: World, deployment: DeploymentView, set: ReplicaSetView, nowMs: number): Decision {
  const stable = revisionOf(set, nowMs);
  const memory = { ...world.memory, stable, journal: { ...world.memory.journal, targetUid: deployment.uid } };
  const message = `Attached to Deployment ${world.spec.target.name}; ${stable.hash} is stable and no pod was restarted.`;
  return decision(memory, upToDate(stable.hash), {
    events: [{ type: 'Normal', reason: 'Attached', message }],
    wakeAfterMs: 0,
  });
}

/** What a workload at rest says; news stand in Events, so that nothing is left to be written when they are old (S9). */
export function upToDate(hash: string): Report {
  return { phase: 'Idle', reason: 'UpToDate', message: `${hash} is stable and takes all traffic.`, stalled: false };
}

export function revisionOf(set: ReplicaSetView, nowMs: number): StableRevision {
  return { uid: set.uid, name: set.name, hash: set.hash, image: set.image, since: isoTime(nowMs) };
}

/**
 * The one ReplicaSet of a Deployment whose own rollout has finished. While held, the one that has all the pods: a
 * template that arrived since then is what the next attempt is about.
 */
export function settledSet(world: World, deployment: DeploymentView): ReplicaSetView | undefined {
  const active = nativeActive(world);
  const only = active.length === 1 ? active[0] : undefined;
  if (isHeldBack(deployment) && active.length > 0) return only;
  if (deployment.replicas === 0)
    return world.replicaSets.find((set) => set.owner === 'deployment' && set.sameAsLive && active.length === 0);
  const finished =
    deployment.progressing?.status === 'True' && deployment.progressing.reason === 'NewReplicaSetAvailable';
  return finished && deployment.observedGeneration >= deployment.generation && only?.sameAsLive === true
    ? only
    : undefined;
}

/** Held under our mark, or paused and nobody else's: an earlier Rollout let go of it with a template that was never released. */
export function isHeldBack(deployment: DeploymentView): boolean {
  return deployment.held || (deployment.paused && deployment.pausedBy === undefined);
}

function unsettled(world: World, deployment: DeploymentView, nowMs: number): Decision {
  const name = `Deployment ${world.spec.target.name}`;
  if (deployment.paused && deployment.pausedBy !== undefined)
    return decision(
      world.memory,
      blocked(
        'PausedByOther',
        `${name} was paused by ${deployment.pausedBy} before it was settled; resume it so that Serin can attach.`,
      ),
    );
  const deadlineMs = (deployment.progressedAtMs ?? deployment.createdAtMs) + deployment.progressDeadlineMs;
  if (nowMs < deadlineMs)
    return decision(
      world.memory,
      busy('Settling', `${name} is still rolling out by itself; Serin attaches when it has finished.`),
      { wakeAfterMs: deadlineMs - nowMs },
    );
  if (deployment.availableReplicas === 0)
    return decision(
      world.memory,
      blocked(
        'NeverAvailable',
        `${name} has no available pod; Serin leaves it to come up by itself and attaches then.`,
      ),
    );
  return decision(
    world.memory,
    blocked(
      'NotSettled',
      `${name} has not finished its own rollout within its progress deadline; see kubectl rollout status, then Serin attaches by itself.`,
    ),
  );
}

export function guardAbsentMessage(world: World): string {
  return `A new template of Deployment ${world.spec.target.name} would not be held: the admission policy serin-guard is missing or does not work here (it needs Kubernetes 1.36). Install deploy/policies, or run the operator with --guard auto; no release runs until then.`;
}

export function blocked(reason: Report['reason'], message: string): Report {
  return { phase: 'Attaching', reason, message, stalled: true };
}

function busy(reason: Report['reason'], message: string): Report {
  return { phase: 'Attaching', reason, message, stalled: false };
}
