/** Finds who else releases a workload: two tools on one Deployment undo each other's traffic. It never judges who is right. */
import type { Deployment } from './objects.ts';
import { controllerOf } from './objects.ts';

/** A Rollout, of Serin or of another tool, that names a Deployment of its own namespace. */
export interface Claim {
  /** "Serin", "Argo Rollouts". */
  readonly tool: string;
  /** "shop/checkout" */
  readonly rollout: string;
  /** Name of the Deployment. */
  readonly deployment: string;
}

/** Labels and annotations that the tools leave on what they hold, by the part before the slash. */
const TOOLS: Readonly<Record<string, string>> = {
  'rollout.argoproj.io': 'Argo Rollouts',
  'rollouts.argoproj.io': 'Argo Rollouts',
  'argo-rollouts.argoproj.io': 'Argo Rollouts',
  'rollouts.kruise.io': 'Kruise Rollouts',
  'batchrelease.rollouts.kruise.io': 'Kruise Rollouts',
};

/** Sentence fragment naming the holder; undefined when nobody else holds the Deployment. */
export function holderOf(deployment: Deployment, claims: readonly Claim[]): string | undefined {
  return ownerOf(deployment) ?? markOf(deployment) ?? claimOn(deployment, claims);
}

function ownerOf(deployment: Deployment): string | undefined {
  const owner = controllerOf(deployment);
  if (owner === undefined) return undefined;
  return `its owner, ${owner.kind} ${deployment.metadata.namespace ?? ''}/${owner.name}`;
}

function markOf(deployment: Deployment): string | undefined {
  const { labels = {}, annotations = {} } = deployment.metadata;
  for (const [what, marks] of Object.entries({ label: labels, annotation: annotations })) {
    for (const key of Object.keys(marks)) {
      const tool = TOOLS[key.slice(0, key.indexOf('/'))];
      if (tool !== undefined) return `${tool} (${what} ${key})`;
    }
  }
  return undefined;
}

function claimOn(deployment: Deployment, claims: readonly Claim[]): string | undefined {
  const claim = claims.find((one) => one.deployment === deployment.metadata.name);
  return claim === undefined ? undefined : `${claim.tool} (Rollout ${claim.rollout})`;
}
