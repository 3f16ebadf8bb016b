/** Answers what clients ask before they know a server: its version, its groups and resources, and whether they may. */
import type { Asked } from './asked.ts';
import { type ServedKind, servedKinds } from './kinds.ts';
import { fieldsAt } from './objects.ts';

/** The version whose behaviour the double was held against. */
const gitVersion = 'v1.36.3+serin-double';

/** The answer for a path of discovery; undefined for every other path. */
export function discovered({ method, path, body }: Asked): object | undefined {
  if (method === 'POST' && path === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') return allowed(body);
  if (method !== 'GET') return undefined;
  return fixed()[path] ?? resourcesAt(path);
}

function fixed(): Readonly<Record<string, object>> {
  const health = { status: 'ok' };
  return {
    '/version': { major: '1', minor: '36', gitVersion, platform: 'node' },
    '/livez': health,
    '/readyz': health,
    '/healthz': health,
    '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames().map(groupOf) },
    '/api/v1': resourcesOf('', 'v1'),
  };
}

/** `/apis/group` and `/apis/group/version`. */
function resourcesAt(path: string): object | undefined {
  const [, root, group = '', version, ...more] = path.split('/');
  if (root !== 'apis' || more.length > 0 || !groupNames().includes(group)) return undefined;
  if (version === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) };
  const isServed = servedKinds.some((kind) => kind.group === group && kind.version === version);
  return isServed ? resourcesOf(group, version) : undefined;
}

/** Here everybody who is known may do everything. */
function allowed(body: unknown): object {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {} };
  return { ...review, spec: fieldsAt(body, 'spec'), status: { allowed: true } };
}

function groupNames(): readonly string[] {
  return [...new Set(servedKinds.map(({ group }) => group))].filter((group) => group !== '');
}

function groupOf(name: string): object {
  const versions = [...new Set(servedKinds.filter(({ group }) => group === name).map(({ version }) => version))];
  const named = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: named, preferredVersion: named[0] };
}

function resourcesOf(group: string, version: string): object {
  const kinds = servedKinds.filter((kind) => kind.group === group && kind.version === version);
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: kinds.flatMap(resourceOf) };
}

function resourceOf({ plural, singular, kind, namespaced, shortNames, subresources }: ServedKind): object[] {
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  const main = { name: plural, singularName: singular, namespaced, kind, verbs, shortNames };
  const doors = subresources.map((subresource) => ({
    name: `${plural}/${subresource}`,
    singularName: '',
    namespaced,
    kind: subresource === 'scale' ? 'Scale' : kind,
    verbs: ['get', 'patch', 'update'],
  }));
  return [main, ...doors];
}
