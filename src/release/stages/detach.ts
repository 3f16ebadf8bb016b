/** The Rollout is being deleted: everything returns to its native state, in any phase, and no release starts by it. */
import type { Decision } from '../decision.ts';
import { flagsIn } from '../flags.ts';
import { decision } from '../plan.ts';
import { isForeign, liveIsStable } from '../views.ts';
import type { DeploymentView, World } from '../world.ts';
import { abandonedWords } from './flags.ts';
import { recover } from './recover.ts';
import { copiedMarks, marked, remains } from './tidy.ts';

/** `world` has no attempt. */
export function detach(world: World, hasJournal: boolean, nowMs: number): Decision {
  if (!world.rollout.hasFinalizer) return decision(world.memory, report('Serin has let go.'));
  if (isForeign(world))
    return decision(world.memory, report('It never held this workload.'), { effects: [{ kind: 'removeFinalizer' }] });
  const leftover = recover(world, hasJournal, nowMs);
  if (leftover !== undefined) return leftover;
  const litter = remains(world);
  if (litter.length > 0)
    return decision(world.memory, report('Services and routes are being restored.'), { effects: litter });
  const { deployment } = world;
  if (flagsIn(world.memory).some(({ state }) => state === 'reverting'))
    return decision(world.memory, report('Flags that a release turned on are being put back.'), { wakeAfterMs: 5000 });
  if (deployment !== undefined && (deployment.attached === 'yes' || deployment.held)) return lettingGo(world);
  if (deployment !== undefined && marked(world).length > 0) return unmarking(world, deployment);
  return decision(world.memory, report('The workload is native again.'), { effects: [{ kind: 'removeFinalizer' }] });
}

/** The Deployment's controller has copied marks of ours to a ReplicaSet, and would again until it has seen them go (S10). */
function unmarking(world: World, deployment: DeploymentView): Decision {
  const effects = copiedMarks(world, deployment);
  const message = 'Waiting for the Deployment controller to see that the Deployment is native again.';
  return decision(world.memory, report(message), { effects, wakeAfterMs: 2000 });
}

/** Label and mark off. A template that nobody released stays paused: letting go of a workload must never be a release. */
export function lettingGo(world: World): Decision {
  const isClean = liveIsStable(world) || world.deployment?.held !== true;
  const message = isClean
    ? `Deployment ${world.spec.target.name} is native again.${abandonedWords(world.memory)}`
    : `Deployment ${world.spec.target.name} has a template that was never released, so it stays paused; kubectl rollout resume deployment/${world.spec.target.name} starts it.${abandonedWords(world.memory)}`;
  return decision(world.memory, report(message), {
    effects: [{ kind: 'detach', resume: isClean && world.deployment?.held === true }],
    events: [{ type: isClean ? 'Normal' : 'Warning', reason: 'Detached', message }],
  });
}

function report(message: string) {
  return { phase: 'Detaching', reason: 'Detaching', message, stalled: false } as const;
}
