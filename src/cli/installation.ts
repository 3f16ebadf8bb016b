/**
 * Finds and deletes what an installation of Serin put into a cluster: operator, policies, kinds, roles, namespace. Users' own
 * objects are not its business.
 */
import { API_GROUP } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { deployments, describe, type KubeObject, namespaces, type ResourceKind } from '../kube/resources.ts';

/** Where Serin lives; the policies know its account by this name. */
export const HOME = 'serin-system';

/** Names of the ClusterRoles of deploy/; a test keeps them equal. */
export const CLUSTER_ROLES: readonly string[] = [
  'serin',
  'serin-approver',
  'serin-edit',
  'serin-flags-configmap',
  'serin-flags-openfeature',
  'serin-metric-sources',
  'serin-probe',
  'serin-view',
];

/** An object that an installation consists of. */
export interface Piece {
  readonly kind: ResourceKind;
  readonly object: KubeObject;
}

export interface Installation {
  readonly operators: readonly Piece[];
  /** Bindings before policies: a policy without its binding does nothing. */
  readonly policies: readonly Piece[];
  readonly definitions: readonly Piece[];
  readonly roles: readonly Piece[];
  readonly home: readonly Piece[];
}

const mutatingBindings = admission('mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding');
const mutatingPolicies = admission('mutatingadmissionpolicies', 'MutatingAdmissionPolicy');
const validatingBindings = admission('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding');
const validatingPolicies = admission('validatingadmissionpolicies', 'ValidatingAdmissionPolicy');
export const customResourceDefinitions: ResourceKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const clusterRoles: ResourceKind = { ...rbac('clusterroles', 'ClusterRole'), namespaced: false };
const clusterRoleBindings: ResourceKind = { ...rbac('clusterrolebindings', 'ClusterRoleBinding'), namespaced: false };
const roleBindings = rbac('rolebindings', 'RoleBinding');

/** @param namespace of an installation for one namespace: its operator and its rights, and nothing that others may use too. */
export async function findInstallation(
  client: KubeClient,
  namespace?: string,
  signal?: AbortSignal,
): Promise<Installation> {
  const found = (
    kind: ResourceKind,
    holds: (object: KubeObject) => boolean,
    within?: string,
  ): Promise<readonly Piece[]> => pieces(client, kind, holds, within, signal);
  const operators = await found(deployments, (object) => isOperator(object, namespace), HOME);
  if (namespace !== undefined) {
    const roles = await found(roleBindings, isForSerin, namespace);
    return { operators, policies: [], definitions: [], roles, home: [] };
  }
  return {
    operators,
    policies: [
      ...(await policiesOf(client, mutatingPolicies, mutatingBindings, signal)),
      ...(await policiesOf(client, validatingPolicies, validatingBindings, signal)),
    ],
    definitions: await found(customResourceDefinitions, (object) => groupOf(object) === API_GROUP),
    roles: [
      ...(await found(clusterRoleBindings, isForSerin)),
      ...(await found(roleBindings, (object) => object.metadata.namespace !== HOME && isForSerin(object))),
      ...(await found(clusterRoles, ({ metadata }) => CLUSTER_ROLES.includes(metadata.name))),
    ],
    home: await found(namespaces, ({ metadata }) => metadata.name === HOME),
  };
}

export function piecesOf({ operators, policies, definitions, roles, home }: Installation): readonly Piece[] {
  return [...operators, ...policies, ...definitions, ...roles, ...home];
}

/** Asks for the deletion of each; one that is gone is what was wanted. */
export async function remove(
  client: KubeClient,
  gone: readonly Piece[],
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (const { kind, object } of gone) {
    const { uid } = object.metadata;
    try {
      await client.delete(kind, object.metadata, { uid, propagation: 'Background' }, signal);
      say(`${describe(kind, object.metadata)} is deleted`);
    } catch (error) {
      if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
    }
  }
}

async function pieces(
  client: KubeClient,
  kind: ResourceKind,
  holds: (object: KubeObject) => boolean,
  namespace?: string,
  signal?: AbortSignal,
): Promise<readonly Piece[]> {
  try {
    const { items } = await client.list(kind, { namespace }, signal);
    return items.filter(holds).map((object) => ({ kind, object }));
  } catch (error) {
    // A kind that this cluster does not know.
    if (isKubeError(error, 'NotFound')) return [];
    throw error;
  }
}

function isOperator({ metadata }: KubeObject, namespace: string | undefined): boolean {
  const { labels = {} } = metadata;
  if (labels['app.kubernetes.io/part-of'] !== 'serin') return false;
  return namespace === undefined || labels['app.kubernetes.io/instance'] === namespace;
}

/** With their bindings first. A policy of somebody else's may begin with the same letters, but speaks of other things. */
async function policiesOf(
  client: KubeClient,
  kind: ResourceKind,
  bindingKind: ResourceKind,
  signal?: AbortSignal,
): Promise<readonly Piece[]> {
  const all = await pieces(client, kind, () => true, undefined, signal);
  const own = all.filter(({ object }) => object.metadata.name.startsWith('serin-') && speaksOfSerin(object));
  const names = new Set(own.map(({ object }) => object.metadata.name));
  const others = new Set(all.map(({ object }) => object.metadata.name).filter((name) => !names.has(name)));
  const isBound = (binding: KubeObject): boolean => {
    const { policyName = '' } = binding['spec'] as { readonly policyName?: string };
    return names.has(policyName) || (policyName.startsWith('serin-') && !others.has(policyName));
  };
  return [...(await pieces(client, bindingKind, isBound, undefined, signal)), ...own];
}

function speaksOfSerin(object: KubeObject): boolean {
  const text = JSON.stringify(object['spec']);
  return text.includes(API_GROUP) || text.includes(`system:serviceaccount:${HOME}:`);
}

function groupOf(object: KubeObject): unknown {
  return (object['spec'] as { readonly group?: unknown } | undefined)?.group;
}

function isForSerin(object: KubeObject): boolean {
  const { subjects } = object as { readonly subjects?: readonly { kind: string; namespace?: string; name: string }[] };
  const isAccount = (subject: { kind: string; namespace?: string; name: string }) =>
    subject.kind === 'ServiceAccount' && subject.namespace === HOME && ['serin', 'serin-probe'].includes(subject.name);
  return subjects?.some(isAccount) === true;
}

function admission(plural: string, kind: string): ResourceKind {
  return { group: 'admissionregistration.k8s.io', version: 'v1', plural, kind, namespaced: false };
}

function rbac(plural: string, kind: string): ResourceKind {
  return { group: 'rbac.authorization.k8s.io', version: 'v1', plural, kind, namespaced: true };
}
