/** Says how requests reach these pods and what stands in the way of moving them; the refusals are the operator's own. */
import type { World, RouteView, ServiceView } from '../../release/world.ts';
import type { ReleasePlan } from '../release-plan.ts';
import { type Finding, findingsOf } from './finding.ts';
import { isAboutTraffic } from './workload-findings.ts';

const { ok, warn, fail } = findingsOf('traffic');

export function trafficFindings(world: World, plan: ReleasePlan): readonly Finding[] {
  const refused = plan.refusals
    .filter(({ reason }) => isAboutTraffic(reason))
    .map(({ reason, message }) => fail(message, reason));
  const isFine = ({ name }: ServiceView): boolean =>
    !refused.some(
      ({ message }) => message.startsWith(`Service ${name} `) || message.startsWith(`The selector of Service ${name} `),
    );
  const isResting = world.memory.journal.attempt === undefined;
  return [
    ...refused,
    ...world.services.filter((service) => service.exists && isFine(service)).flatMap(serviceFindings),
    ...world.routes.filter((route) => route.exists && route.serves).map(routeFinding),
    ...sharing(world),
    ...(isResting ? leftOvers(world) : []),
    ...taken(world),
  ];
}

function serviceFindings(service: ServiceView): readonly Finding[] {
  const ready = Object.values(service.readyOf).reduce((sum, count) => sum + count, 0);
  const name = `Service ${service.name}`;
  switch (service.role) {
    case 'named':
      if (service.kind !== 'selects') return [];
      return [
        ready > 0
          ? ok(`${name} selects these pods: ${ready} ready ${ready === 1 ? 'endpoint' : 'endpoints'}.`)
          : warn(`${name} selects these pods, but none of them is ready; kubectl get pods shows why.`),
      ];
    case 'other':
      return [ok(`${name} selects these pods too and keeps to the old version during a release.`)];
    case 'alsoReachable':
      return [ok(`${name} reaches both versions at once, as traffic.alsoReachable says.`)];
    default:
      return service.role satisfies never;
  }
}

function routeFinding({ kind, name, parents, sessionPersistence }: RouteView): Finding {
  const whole = `${kind} ${name}`;
  if (!parents.some(({ accepted }) => accepted))
    return fail(
      `No gateway has accepted ${whole} as it is now; kubectl describe httproute ${name} shows what the gateway says.`,
      'RouteNotAccepted',
    );
  return sessionPersistence
    ? warn(`${whole} keeps sessions on one backend: a step counts sessions and not requests, and only new ones move.`)
    : ok(`${whole} names the Service and a gateway has accepted it.`);
}

function sharing({ spec }: World): readonly Finding[] {
  const { service, routes } = spec.traffic;
  if (routes.length > 0) return [];
  return [
    ok(
      service === undefined
        ? 'No Service is named: the share of the work is the share of the pods, one pod at least and half of them at most.'
        : `No route is named: Service ${service} shares requests out by pods, one pod at least and half of them at most.`,
    ),
  ];
}

/** Traces of a release where none runs. The operator clears them away, so they also say that none has looked yet. */
function leftOvers({ services, routes }: World): readonly Finding[] {
  return [
    ...services
      .filter(({ pinnedTo }) => pinnedTo !== undefined)
      .map(({ name, pinnedTo }) =>
        warn(
          `Service ${name} is still narrowed to revision ${pinnedTo} (label serin.dev/pinned) although no release runs; the operator takes that off when it runs.`,
        ),
      ),
    ...routes
      .filter(({ canaryWeightPercent }) => canaryWeightPercent !== undefined)
      .map(({ kind, name }) =>
        warn(
          `${kind} ${name} still carries the split of a release although none runs; the operator takes that off when it runs.`,
        ),
      ),
  ];
}

function taken({ canaryService, memory }: World): readonly Finding[] {
  if (canaryService === undefined || canaryService.ours || memory.journal.attempt !== undefined) return [];
  return [
    fail(
      `Service ${canaryService.name} exists and is not Serin's, which needs that name during a release; rename or delete it if nothing needs it.`,
      'NameTaken',
    ),
  ];
}
