/**
 * Guesses the Rollout that a Deployment would have: which Service its callers use and which routes lead there. It looks
 * with the operator's own eyes, only reads, and says what else it could have been.
 */
import { rolloutKind } from '../api/kinds.ts';
import { isKubeError } from '../kube/errors.ts';
import { deployments, httpRoutes, type KubeObject, type ResourceKind, services } from '../kube/resources.ts';
// oxlint-disable-next-line no-restricted-imports -- what selects these pods and what names a Service is said in one place
import type { HTTPRoute, Service } from '../traffic/objects.ts';
// oxlint-disable-next-line no-restricted-imports -- as above
import { isRefTo } from '../traffic/rule.ts';
// oxlint-disable-next-line no-restricted-imports -- as above
import { viewServices } from '../traffic/services.ts';
// oxlint-disable-next-line no-restricted-imports -- as above
import type { Deployment } from '../workload/objects.ts';
import type { Session } from './session.ts';

export interface Guess {
  readonly deployment: string;
  readonly namespace: string;
  /** Undefined: nothing selects these pods, they are taken for workers. */
  readonly service: string | undefined;
  readonly routes: readonly string[];
  /** Services on the same pods that were not taken. */
  readonly otherServices: readonly string[];
  /** Routes that name one of those. */
  readonly otherRoutes: readonly string[];
  /** A Rollout that names this Deployment already. */
  readonly existing: string | undefined;
  /** What could not be looked at, for people. */
  readonly notes: readonly string[];
}

/** What the user said instead of letting it be guessed. */
export interface Told {
  readonly service?: string | undefined;
  readonly routes?: readonly string[] | undefined;
}

/** Throws NotFound when there is no such Deployment. */
export async function guessFor(name: string, told: Told, session: Session): Promise<Guess> {
  const { client, namespace } = session;
  const notes: string[] = [];
  const deployment = await client.get<Deployment>(deployments, { namespace, name });
  const [allServices, allRoutes, rollouts] = await Promise.all([
    seen<Service>(services, session, notes),
    seen<HTTPRoute>(httpRoutes, session, notes),
    seen<KubeObject>(rolloutKind, session, notes),
  ]);
  const candidates = selecting(deployment, allServices);
  const routesOf = (service: string): readonly string[] =>
    allRoutes.filter((route) => isNaming(route, service, namespace)).map(({ metadata }) => metadata.name);
  const service = told.service ?? best(candidates, routesOf, name);
  const routes = told.routes ?? (service === undefined ? [] : routesOf(service));
  const otherServices = candidates.filter((one) => one !== service);
  const otherRoutes = [...new Set(otherServices.flatMap(routesOf))].filter((route) => !routes.includes(route));
  const existing = rollouts.find((rollout) => targetOf(rollout) === name)?.metadata.name;
  return { deployment: name, namespace, service, routes, otherServices, otherRoutes, existing, notes };
}

async function seen<T extends KubeObject>(
  kind: ResourceKind,
  session: Session,
  notes: string[],
): Promise<readonly T[]> {
  try {
    return (await session.client.list<T>(kind, { namespace: session.namespace })).items;
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) notes.push(`you may not list ${kind.plural}, so none were looked at`);
    else if (isKubeError(error, 'NotFound')) notes.push(`this cluster does not know ${kind.plural}.${kind.group}`);
    else throw error;
    return [];
  }
}

function selecting(deployment: Deployment, all: readonly Service[]): readonly string[] {
  const views = viewServices({
    deployment,
    replicaSets: [],
    pods: [],
    slices: [],
    services: all,
    traffic: { alsoReachable: [] },
    rolloutUid: '',
  });
  return views.filter(({ kind }) => kind === 'selects').map((view) => view.name);
}

function isNaming(route: HTTPRoute, service: string, namespace: string): boolean {
  return (route.spec.rules ?? []).some((rule) => rule.backendRefs?.some((ref) => isRefTo(ref, service, namespace)));
}

/** The one that most routes name, then the one that is called like the Deployment, then the first by name. */
function best(
  candidates: readonly string[],
  routesOf: (service: string) => readonly string[],
  deployment: string,
): string | undefined {
  return candidates.toSorted(
    (a, b) =>
      routesOf(b).length - routesOf(a).length ||
      Number(b === deployment) - Number(a === deployment) ||
      a.localeCompare(b),
  )[0];
}

function targetOf(rollout: KubeObject): string | undefined {
  const spec = rollout['spec'] as { readonly targetRef?: { readonly name?: string } } | undefined;
  return spec?.targetRef?.name;
}
