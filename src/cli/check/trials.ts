/**
 * Tries, as dry runs of the person at the terminal, what the operator tries as itself: would a new template be held, and
 * would pods of a new version be admitted? Nothing is ever kept, and what the person may not do is not tried.
 */
import { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { Transport } from '../../kube/transport.ts';
import { canarySize } from '../../release/weights.ts';
import { proveGuard } from '../../workload/guard.ts';
import type { Deployment } from '../../workload/objects.ts';
import { rehearse } from '../../workload/rehearsal.ts';
import { mayI, type Right } from './rights-findings.ts';

export interface Trials {
  /** Undefined: it could not be tried. */
  readonly holdsTemplates: boolean | undefined;
  readonly rehearsal: { readonly refused?: string } | undefined;
}

export async function tried(client: KubeClient, deployment: Deployment, firstPercent: number): Promise<Trials> {
  const [holdsTemplates, rehearsal] = await Promise.all([
    guardTried(client, deployment),
    rehearsalTried(client, deployment, firstPercent),
  ]);
  return { holdsTemplates, rehearsal };
}

async function guardTried(client: KubeClient, deployment: Deployment): Promise<boolean | undefined> {
  const { namespace = '', name } = deployment.metadata;
  const patching: Right = { verb: 'patch', group: 'apps', resource: 'deployments', name };
  if (!(await mayI(client, namespace, patching))) return undefined;
  return (await proveGuard(asOneself(client), deployment)) === 'proven';
}

async function rehearsalTried(
  client: KubeClient,
  deployment: Deployment,
  firstPercent: number,
): Promise<Trials['rehearsal']> {
  const { namespace = '' } = deployment.metadata;
  const creating: readonly Right[] = [
    { verb: 'create', group: 'apps', resource: 'replicasets' },
    { verb: 'create', group: '', resource: 'pods' },
  ];
  const answers = await Promise.all(creating.map((right) => mayI(client, namespace, right)));
  if (answers.includes(false)) return undefined;
  const pods = canarySize(firstPercent, deployment.spec.replicas ?? 1);
  const { refused } = await rehearse(client, deployment, pods);
  return refused === undefined ? {} : { refused: refused.split(': the API server refused: ').at(-1) ?? refused };
}

/** The operator tries it as its probe; a person seldom may be somebody else, and the guard holds a person all the same. */
function asOneself({ transport }: KubeClient): KubeClient {
  const own: Transport = {
    request: ({ impersonate: _probe, ...request }, signal) => transport.request(request, signal),
    stream: (request, signal) => transport.stream(request, signal),
    close: () => transport.close(),
  };
  return new KubeClient({ transport: own });
}

/** A Deployment that is only in a file cannot be tried. */
export async function triedIfStored(
  client: KubeClient,
  deployment: Deployment | undefined,
  firstPercent: number,
): Promise<Trials> {
  const nothing: Trials = { holdsTemplates: undefined, rehearsal: undefined };
  if (deployment === undefined || deployment.metadata.uid.startsWith('file:')) return nothing;
  try {
    return await tried(client, deployment, firstPercent);
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Forbidden')) return nothing;
    throw error;
  }
}
