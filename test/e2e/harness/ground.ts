/**
 * Puts Serin on the test cluster as its users do, and hands out the two identities of the stories: the admin's client and a
 * kubeconfig with the operator's own token. The operator never gets the admin's rights: RBAC and policies are tested by it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricSourceKind } from '../../../src/api/kinds.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { loadConnection } from '../../../src/kube/config.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { namespaces } from '../../../src/kube/resources.ts';
import { HttpTransport } from '../../../src/kube/transport.ts';
import { nodeAddress } from '../../cluster/addresses.ts';
import { isUnavailable, openCluster } from '../../cluster/cluster.ts';
import type { TestCluster, Unavailable } from '../../cluster/cluster.ts';
import { ensureFlaggedImage } from '../../flagged/image.ts';
import { apiServer } from '../../policies/api-server.ts';
import { installSerin } from '../../policies/install.ts';
import { whyNoUnleash } from '../../unleash/install.ts';
import { startUnleash } from '../../unleash/unleash.ts';
import type { RunningUnleash } from '../../unleash/unleash.ts';

export const repository = join(import.meta.dirname, '..', '..', '..');
/**
 * What holds a new template while the stories are played: admission policy, or, as on clusters without
 * MutatingAdmissionPolicy, the pause guard. `SERIN_E2E_GUARD=pause` asks for the second.
 */
export const guard = process.env['SERIN_E2E_GUARD'] === 'pause' ? 'pause' : 'admission';
const programmes = ['releases', 'harms', 'flags'] as const;
/** What is played, `SERIN_E2E_SET`: whole releases, the harms that a version can do, or flags and cost. */
export const programme = programmes.find((one) => one === process.env['SERIN_E2E_SET']) ?? 'releases';
/** Results, logs of operators and of the load: kept for a look after a failure. */
export const resultsDirectory = join(
  repository,
  '.e2e',
  ...(guard === 'pause' ? ['pause'] : []),
  ...(programme === 'releases' ? [] : [programme]),
);
export const operatorUser = 'system:serviceaccount:serin-system:serin';
/** Names of the MetricSources of the stories. */
export const sources = { app: 'serin-e2e-app', traefik: 'serin-e2e-traefik', scrape: 'serin-e2e-scrape' } as const;

/** A cluster that can do everything that the stories need. */
export interface Ground {
  readonly cluster: TestCluster;
  readonly admin: KubeClient;
  readonly operatorKubeconfig: string;
  readonly gatewayUrl: string;
  readonly auditLog: string;
  /** The program that is tried: a path that Node.js runs. */
  readonly program: string;
  /** Runs where a story wants it. */
  readonly unleash: RunningUnleash | undefined;
  close(): Promise<void>;
}

/** Opens the cluster and installs Serin, or says in a sentence why the stories cannot be played here. */
export async function openGround(
  program: string,
  say: (line: string) => void,
  { withUnleash = false } = {},
): Promise<Ground | Unavailable> {
  const cluster = await openCluster(['admission', 'pods', 'gateway', 'prometheus', 'audit'], say);
  if (isUnavailable(cluster)) return cluster;
  const { gatewayUrl, prometheusUrl, auditLog } = cluster;
  if (gatewayUrl === undefined || prometheusUrl === undefined || auditLog === undefined)
    return { unavailable: 'the cluster says that it has a gateway, Prometheus and an audit log, and has not' };
  const whyNot = withUnleash ? whyNoUnleash() : undefined;
  if (whyNot !== undefined) return { unavailable: `Unleash does not run here: it ${whyNot}` };
  const connection = loadConnection({ kubeconfig: cluster.kubeconfig });
  const transport = new HttpTransport({ connection, clock: systemClock, userAgent: 'serin-e2e' });
  const admin = new KubeClient({ transport, fieldManager: 'serin-e2e' });
  mkdirSync(join(resultsDirectory, 'logs'), { recursive: true });
  await ensureNamespace(admin, 'serin-e2e-policies');
  await installSerin(apiServer(cluster), 'serin-e2e-policies');
  if (guard === 'pause') await removeMutatingPolicies(apiServer(cluster));
  await installSources(admin, prometheusUrl);
  const unleash = withUnleash ? await openUnleash(say) : undefined;
  return {
    cluster,
    admin,
    operatorKubeconfig: await operatorKubeconfig(cluster, admin),
    gatewayUrl,
    auditLog,
    program,
    unleash,
    close: async () => {
      await unleash?.stop();
      await transport.close();
    },
  };
}

/** On the node's address, where pods reach it; and the image of the pods that ask it. */
async function openUnleash(say: (line: string) => void): Promise<RunningUnleash> {
  await ensureFlaggedImage(say);
  say('starting Unleash');
  return startUnleash({ host: nodeAddress });
}

/** As on a cluster that knows no MutatingAdmissionPolicy. The next suite that needs them installs them again. */
async function removeMutatingPolicies(server: ReturnType<typeof apiServer>): Promise<void> {
  for (const kind of ['mutatingadmissionpolicybindings', 'mutatingadmissionpolicies']) {
    const { code, output } = await server.kubectl(['delete', kind, '--all']);
    if (code !== 0) throw new Error(`kubectl delete ${kind} failed: ${output}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 5000));
}

export async function ensureNamespace(admin: KubeClient, name: string): Promise<void> {
  try {
    await admin.create(namespaces, { metadata: { name } });
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

async function installSources(admin: KubeClient, address: string): Promise<void> {
  const prometheus = { address };
  const specs = {
    app: { prometheus, dataPlane: 'app' },
    traefik: { prometheus, dataPlane: 'traefik' },
    scrape: { prometheus, dataPlane: 'app', scrape: { interval: '2s' } },
  };
  for (const name of Object.keys(sources) as (keyof typeof sources)[])
    await admin.apply(metricSourceKind, { metadata: { name: sources[name] }, spec: specs[name] }, { force: true });
}

/** A token of the operator's ServiceAccount, as `kubectl create token` gives it, in a kubeconfig of its own. */
async function operatorKubeconfig(cluster: TestCluster, admin: KubeClient): Promise<string> {
  const path = '/api/v1/namespaces/serin-system/serviceaccounts/serin/token';
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 8 * 3600 },
  };
  const action = 'ask for a token of ServiceAccount serin-system/serin';
  const answer = await admin.transport.request<{ status: { token: string } }>({ method: 'POST', path, body, action });
  const authority = Buffer.from(cluster.ca).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'serin',
    clusters: [{ name: 'e2e', cluster: { server: cluster.server, 'certificate-authority-data': authority } }],
    users: [{ name: 'serin', user: { token: answer.status.token } }],
    contexts: [{ name: 'serin', context: { cluster: 'e2e', user: 'serin' } }],
  };
  const file = join(resultsDirectory, `operator-${process.pid}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}
