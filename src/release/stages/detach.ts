/** The Rollout is being deleted: everything returns to its native state, in any phase, and no release starts by it. */
import type { Decision } from '../decision.ts';
import { decision } from '../plan.ts';
import { isForeign, liveIsStable } from '../views.ts';
import type { World } from '../world.ts';
import { recover } from './recover.ts';
import { remains } from './tidy.ts';

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
  if (deployment !== undefined && (deployment.attached === 'yes' || deployment.held)) return lettingGo(world);
  return decision(world.memory, report('The workload is native again.'), { effects: [{ kind: 'removeFinalizer' }] });
}

/** Label and mark off. A template that nobody released stays paused: letting go of a workload must never be a release. */
export function lettingGo(world: World): Decision {
  const isClean = liveIsStable(world) || world.deployment?.held !== true;
  const message = isClean
    ? `Deployment ${world.spec.target.name} is native again.`
    : `Deployment ${world.spec.target.name} has a template that was never released, so it stays paused; kubectl rollout resume deployment/${world.spec.target.name} starts it.`;
  return decision(world.memory, report(message), {
    effects: [{ kind: 'detach', resume: isClean && world.deployment?.held === true }],
    events: [{ type: isClean ? 'Normal' : 'Warning', reason: 'Detached', message }],
  });
}

function report(message: string) {
  return { phase: 'Detaching', reason: 'Detaching', message, stalled: false } as const;
}
