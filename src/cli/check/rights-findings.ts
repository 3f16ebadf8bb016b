/** Asks the API server who may do what: the operator's own account, and the person at the terminal. It tries nothing. */
import { API_GROUP } from '../../api/kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type ResourceKind, selfSubjectAccessReviews } from '../../kube/resources.ts';
import { type Finding, findingsOf, install } from './finding.ts';

const { ok, warn, fail, unknown } = findingsOf('rights');

const subjectAccessReviews: ResourceKind = {
  ...selfSubjectAccessReviews,
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
};

/** One verb on one resource; `subresource` as in "pods/log". */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
}

/** What a release cannot do without; the whole list is in deploy/rbac. */
export const operatorRights: readonly Right[] = [
  ...['patch', 'watch'].map((verb) => ({ verb, group: 'apps', resource: 'deployments' })),
  ...['create', 'patch', 'delete', 'watch'].map((verb) => ({ verb, group: 'apps', resource: 'replicasets' })),
  ...['create', 'patch', 'delete', 'watch'].map((verb) => ({ verb, group: '', resource: 'services' })),
  { verb: 'watch', group: '', resource: 'pods' },
  { verb: 'watch', group: 'discovery.k8s.io', resource: 'endpointslices' },
  ...['patch', 'watch'].map((verb) => ({ verb, group: 'gateway.networking.k8s.io', resource: 'httproutes' })),
  { verb: 'watch', group: API_GROUP, resource: 'rollouts' },
  { verb: 'patch', group: API_GROUP, resource: 'rollouts', subresource: 'status' },
  { verb: 'watch', group: API_GROUP, resource: 'rolloutactions' },
  ...['create', 'patch', 'delete'].map((verb) => ({ verb, group: API_GROUP, resource: 'releaserecords' })),
];

const OPERATOR = {
  user: 'system:serviceaccount:serin-system:serin',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:serin-system', 'system:authenticated'],
} as const;

/** What the Rollout concerns; the API server asks a person who writes a Rollout for the same rights. */
export interface Concerned {
  readonly deployment: string;
  readonly services: readonly string[];
  readonly routes: readonly string[];
}

export async function rightsFindings(
  client: KubeClient,
  namespace: string,
  concerned: Concerned | undefined,
): Promise<readonly Finding[]> {
  const [operator, person] = await Promise.all([
    operatorFinding(client, namespace),
    personFindings(client, namespace, concerned),
  ]);
  return [operator, ...person];
}

/** Whether the person at the terminal may do this. */
export async function mayI(client: KubeClient, namespace: string, right: Right): Promise<boolean> {
  const answer = await client.create<Review>(selfSubjectAccessReviews, reviewOf(namespace, right, {}));
  return answer.status?.allowed === true;
}

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

function reviewOf(namespace: string, { subresource, name, ...right }: Right, who: object) {
  const resourceAttributes = {
    ...right,
    namespace,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
  };
  return { metadata: {}, spec: { resourceAttributes, ...who } };
}

/** Whether Serin's own account may do this; undefined where the person at the terminal may not ask. */
export async function mayOperator(client: KubeClient, namespace: string, right: Right): Promise<boolean | undefined> {
  try {
    const answer = await client.create<Review>(subjectAccessReviews, reviewOf(namespace, right, OPERATOR));
    return answer.status?.allowed === true;
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return undefined;
    throw error;
  }
}

async function operatorFinding(client: KubeClient, namespace: string): Promise<Finding> {
  try {
    const answers = await Promise.all(
      operatorRights.map(async (right) => {
        const answer = await client.create<Review>(subjectAccessReviews, reviewOf(namespace, right, OPERATOR));
        return answer.status?.allowed === true ? undefined : wordsOf(right);
      }),
    );
    const missing = answers.filter((words) => words !== undefined);
    if (missing.length === 0) return ok(`Serin's own account has the rights that a release needs in ${namespace}.`);
    return fail(`Serin's own account may not ${missing.join(', ')} in ${namespace}: ${install}.`);
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    return unknown("You may not ask for the rights of Serin's own account (create subjectaccessreviews).");
  }
}

async function personFindings(
  client: KubeClient,
  namespace: string,
  concerned: Concerned | undefined,
): Promise<readonly Finding[]> {
  const writing: readonly Right[] = [
    { verb: 'create', group: API_GROUP, resource: 'rollouts' },
    ...(concerned === undefined ? [] : rightsOn(concerned)),
  ];
  const acting: readonly Right[] = [{ verb: 'create', group: API_GROUP, resource: 'rolloutactions' }];
  return [
    await personFinding(client, namespace, writing, 'write this Rollout'),
    await personFinding(client, namespace, acting, 'pause, abort or promote a release'),
  ];
}

function rightsOn({ deployment, services, routes }: Concerned): readonly Right[] {
  const update = { verb: 'update' } as const;
  return [
    { ...update, group: 'apps', resource: 'deployments', name: deployment },
    ...services.map((name) => ({ ...update, group: '', resource: 'services', name })),
    ...routes.map((name) => ({ ...update, group: 'gateway.networking.k8s.io', resource: 'httproutes', name })),
  ];
}

/** A warning only: perhaps somebody else, or Git, writes it. */
async function personFinding(
  client: KubeClient,
  namespace: string,
  rights: readonly Right[],
  purpose: string,
): Promise<Finding> {
  const answers = await Promise.all(rights.map((right) => mayI(client, namespace, right)));
  const missing = rights.filter((_, index) => answers[index] === false).map(wordsOf);
  if (missing.length === 0) return ok(`You may ${purpose}.`);
  return warn(
    `You may not ${missing.join(', ')} in ${namespace}, so you cannot ${purpose}; who gives rights there binds the role edit.`,
  );
}

function wordsOf({ verb, group, resource, subresource, name }: Right): string {
  const whole = `${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
  return `${verb} ${whole}${name === undefined ? '' : ` ${name}`}`;
}
