/** A cluster that somebody else started, known by its kubeconfig. */
import { readFileSync } from 'node:fs';
import type { TestCluster } from './cluster.ts';
import { binaryPath, isBuilt } from './binaries.ts';
import { run } from './commands.ts';

interface KubectlView {
  clusters?: { cluster: { server: string; 'certificate-authority-data'?: string; 'certificate-authority'?: string } }[];
  users?: { user: { token?: string; tokenFile?: string } }[];
}

/** kubectl resolves contexts, defaults and relative paths; its answer has one cluster and one user. */
async function view(kubeconfig: string): Promise<KubectlView> {
  const args = ['--kubeconfig', kubeconfig, 'config', 'view', '--minify', '--raw', '--flatten', '-o', 'json'];
  const answer: KubectlView = JSON.parse(await run(kubectlPath(), args));
  return answer;
}

/** The built kubectl if there is one, else the machine's. */
function kubectlPath(): string {
  return isBuilt('kubectl') ? binaryPath('kubectl') : 'kubectl';
}

async function notOurs(): Promise<void> {
  throw new Error('Prometheus of a cluster that is not local cannot be stopped or started');
}

/** Gateway and Prometheus are used when SERIN_TEST_GATEWAY and SERIN_TEST_PROMETHEUS give their addresses. */
export async function openExisting(kubeconfig: string): Promise<TestCluster> {
  const { clusters, users } = await view(kubeconfig);
  const cluster = clusters?.[0]?.cluster;
  if (!cluster) throw new Error(`${kubeconfig} has no current context with a cluster`);
  const user = users?.[0]?.user;
  const adminToken =
    user?.token ?? (user?.tokenFile === undefined ? undefined : readFileSync(user.tokenFile, 'utf8').trim());
  const gatewayUrl = process.env['SERIN_TEST_GATEWAY'];
  const prometheusUrl = process.env['SERIN_TEST_PROMETHEUS'];
  return {
    provider: 'existing',
    kubeconfig,
    kubectl: kubectlPath(),
    server: cluster.server,
    ca: Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString('utf8'),
    adminToken,
    tokens: adminToken === undefined ? {} : { admin: adminToken },
    gatewayUrl,
    prometheusUrl,
    auditLog: undefined,
    has: { pods: true, gateway: gatewayUrl !== undefined, prometheus: prometheusUrl !== undefined, audit: false },
    prometheus: { stop: notOurs, start: notOurs },
  };
}
