/** What makes a workload, its Services or its routes unfit for a release; each with the sentence that says what to change. */
import type { Reason } from '../api/reasons.ts';
import type { DeploymentView, RouteView, ServiceView, World } from './world.ts';

export interface Refusal {
  readonly reason: Reason;
  readonly message: string;
}

/** The first thing that stands in the way, or undefined. `deployment` is the one that was found. */
export function refusalOf(world: World, deployment: DeploymentView): Refusal | undefined {
  return (
    refusedWorkload(world, deployment) ??
    firstOf(world.services, (service) => refusedService(world, service)) ??
    firstOf(world.routes, (route) => refusedRoute(world, route)) ??
    refusedRehearsal(world)
  );
}

function firstOf<T>(items: readonly T[], ask: (item: T) => Refusal | undefined): Refusal | undefined {
  for (const item of items) {
    const refusal = ask(item);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refusedWorkload(world: World, deployment: DeploymentView): Refusal | undefined {
  const name = `Deployment ${world.spec.target.name}`;
  if (deployment.attached === 'released')
    return {
      reason: 'Released',
      message: `${name} carries serin.dev/attached=released, so Serin leaves it alone; remove that label to attach again.`,
    };
  if (deployment.heldByOther !== undefined)
    return {
      reason: 'HeldByOther',
      message: `${name} is held by ${deployment.heldByOther}; only one of them can release it.`,
    };
  if (deployment.selectorMentionsHash)
    return {
      reason: 'SelectorMentionsHash',
      message: `The selector of ${name} contains pod-template-hash, so no second revision can run beside it; create the Deployment with a selector without it.`,
    };
  if (deployment.revisionHistoryLimit === 0)
    return {
      reason: 'NoHistory',
      message: `${name} has revisionHistoryLimit 0, so its stable ReplicaSet would be deleted while a release holds it; set it to 1 or more.`,
    };
  if (deployment.strategyType === 'Recreate' && !world.spec.strategy.allowTwoVersions)
    return {
      reason: 'RecreateStrategy',
      message: `${name} has strategy Recreate: it says that two versions must not run together. Set strategy.allowTwoVersions: true in the Rollout if they may.`,
    };
  return undefined;
}

function refusedService(world: World, service: ServiceView): Refusal | undefined {
  const name = `Service ${service.name}`;
  if (service.role === 'named') {
    if (!service.exists)
      return {
        reason: 'ServiceMissing',
        message: `${name} (traffic.service) does not exist; create it or correct the name.`,
      };
    if (service.kind === 'externalName')
      return {
        reason: 'ServiceUnsupported',
        message: `${name} is of type ExternalName and has no pods; name the Service whose selector matches ${world.spec.target.name}.`,
      };
    if (service.kind === 'noSelector')
      return {
        reason: 'ServiceUnsupported',
        message: `${name} has no selector, so Serin cannot tell its versions apart; name one that selects the pods of ${world.spec.target.name}.`,
      };
    if (service.kind === 'selectsOthers')
      return {
        reason: 'ServiceSelectsOthers',
        message: `The selector of ${name} does not match the pods of Deployment ${world.spec.target.name}; correct traffic.service or the labels.`,
      };
  }
  if (service.role !== 'alsoReachable' && service.kind === 'selects' && service.strangers.length > 0)
    return {
      reason: 'ServiceShared',
      message: `${name} also selects pods of ${service.strangers.slice(0, 3).join(', ')}; a release would cut them off. Narrow its selector, or list it in traffic.alsoReachable if both versions may be reached through it.`,
    };
  return undefined;
}

function refusedRoute(world: World, route: RouteView): Refusal | undefined {
  const name = `${route.kind} ${route.name}`;
  if (!route.exists)
    return {
      reason: 'RouteMissing',
      message: `${name} (traffic.routes) does not exist; create it or correct the name.`,
    };
  if (!route.serves)
    return {
      reason: 'RouteDoesNotServe',
      message: `No rule of ${name} has a backend that names Service ${world.spec.traffic.service}; correct the route or traffic.service.`,
    };
  return undefined;
}

function refusedRehearsal(world: World): Refusal | undefined {
  const words = world.rehearsal?.refused;
  return words === undefined
    ? undefined
    : {
        reason: 'RehearsalRefused',
        message: `A canary of ${world.spec.target.name} would be refused (${words}); see quotas and policies of the namespace.`,
      };
}
