/** Objects of Serin that no attempt needs any more (S10); only where none runs and no pod of ours is left. */
import type { Effect } from '../decision.ts';
import type { DeploymentView, ReplicaSetView, World } from '../world.ts';
import { unpinning } from './pins.ts';
import { surgeBack } from './surge.ts';

/** What is left over at rest: everything but the witnesses of rejected revisions. */
export function leftovers(world: World): readonly Effect[] {
  const witnesses = new Set(world.memory.quarantined.map((entry) => entry.hash));
  const isSpare = (set: ReplicaSetView): boolean => set.podsLeft === 0 && !witnesses.has(set.hash);
  return [
    ...tidying(world, isSpare),
    ...endings(world, { outcome: 'Unknown', reason: 'UnknownPast', message: 'Nothing is known of its end.' }),
  ];
}

/** Everything: Serin lets go of the workload. */
export function remains(world: World): readonly Effect[] {
  return [
    ...tidying(world, () => true),
    ...endings(world, { outcome: 'Detached', reason: 'Detaching', message: 'The Rollout was deleted.' }),
  ];
}

/** The user's objects first, in their original shape; what is Serin's own after them. */
function tidying(world: World, isSpare: (set: ReplicaSetView) => boolean): readonly Effect[] {
  const { canaryService } = world;
  const split = world.routes.filter((route) => route.exists && route.canaryWeightPercent !== undefined);
  const spare = world.replicaSets.filter((set) => set.owner === 'ours' && !set.deleting && isSpare(set));
  return [
    ...surgeBack(world.deployment),
    ...unpinning(world),
    ...split.map((route): Effect => ({ kind: 'split', route: route.name, weightPercent: 'out' })),
    ...(canaryService?.ours === true ? [{ kind: 'deleteCanaryService', uid: canaryService.uid } as const] : []),
    ...spare.map((set): Effect => ({ kind: 'deleteReplicaSet', uid: set.uid, name: set.name })),
  ];
}

type Ending = Pick<Extract<Effect, { kind: 'endRecord' }>, 'outcome' | 'reason' | 'message'>;

function endings(world: World, ending: Ending): readonly Effect[] {
  return world.records.map((record): Effect => ({ kind: 'endRecord', record: record.name, ...ending }));
}

/** Once the controller has seen that the Deployment carries none any more; earlier it would copy them again. */
export function copiedMarks(world: World, deployment: DeploymentView): readonly Effect[] {
  if (deployment.held || deployment.observedGeneration < deployment.generation) return [];
  return marked(world).map((set) => ({ kind: 'clearMarks', uid: set.uid, name: set.name }));
}

/** ReplicaSets of the Deployment's own to which its controller copied marks of ours. */
export function marked(world: World): readonly ReplicaSetView[] {
  return world.replicaSets.filter((set) => set.owner === 'deployment' && set.hasLeftMarks === true && !set.deleting);
}
