/** Finds the operator of a cluster, or lends it one for one namespace, under the account that the policies know as Serin. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { ClusterConnection } from '../../kube/config.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, leases } from '../../kube/resources.ts';
import { Missing } from './missing.ts';

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

const home = 'serin-system';
/** Operators renew every few seconds; the clocks of two machines may differ by more. */
const freshMs = 60_000;

export async function hasOperator(client: KubeClient, clock: Clock): Promise<boolean> {
  const lease = await client.find<Lease>(leases, { namespace: home, name: 'serin' });
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  return holderIdentity !== '' && Math.abs(clock.nowMs() - Date.parse(renewTime)) < freshMs;
}

/** The names of the Lease that an operator of the demo takes, so that it is in nobody's way. */
export function leaseOf(namespace: string): { readonly namespace: string; readonly name: string } {
  return { namespace: home, name: namespace };
}

/**
 * Asks for a token of Serin's own account: as an admin an operator would be able to do what it must never do.
 *
 * @throws Missing when there is no such account, or when the user may not act for it.
 */
export async function operatorToken(client: KubeClient): Promise<string> {
  const path = `/api/v1/namespaces/${home}/serviceaccounts/serin/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3_600 },
  };
  const action = `ask for a token of ServiceAccount ${home}/serin`;
  try {
    const answer = await client.transport.request<{ status: { token: string } }>({
      method: 'POST',
      path,
      body,
      action,
    });
    return answer.status.token;
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Forbidden')) throw error;
    const why = error.code === 'NotFound' ? 'it has no account for one' : 'you may not run one in its place';
    throw new Missing(
      `no operator of Serin runs on this cluster, and ${why}: kubectl rollout status deployment/serin -n serin-system says what is wrong with it`,
      { cause: error },
    );
  }
}

/** Writes a kubeconfig with this token into the directory; gives its path. */
export async function writeKubeconfig(
  directory: string,
  connection: ClusterConnection,
  token: string,
): Promise<string> {
  const { server, proxyUrl } = connection;
  const { ca, rejectUnauthorized, servername } = (await connection.credentials(false)).tls;
  const cluster = {
    server,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(rejectUnauthorized === false ? { 'insecure-skip-tls-verify': true } : {}),
    ...(servername === undefined ? {} : { 'tls-server-name': servername }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
  };
  const file = join(directory, 'operator.kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'demo',
    clusters: [{ name: 'demo', cluster }],
    users: [{ name: 'serin', user: { token } }],
    contexts: [{ name: 'demo', context: { cluster: 'demo', user: 'serin' } }],
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
