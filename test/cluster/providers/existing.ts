/** A cluster that somebody else started, known by its kubeconfig. */
import { readFileSync } from 'node:fs';
import { binaryPath, isBuilt } from '../binaries.ts';
import { run, tryRun } from '../commands.ts';
import { servedBy } from '../served.ts';
import type { TestCluster } from '../test-cluster.ts';
import { ownPrometheusOnly } from '../test-cluster.ts';

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

/** A kubelet lists the images that it has. */
async function hasWorkload(kubeconfig: string): Promise<boolean> {
  const names = '{.items[*].status.images[*].names}';
  const args = ['--kubeconfig', kubeconfig, 'get', 'nodes', '-o', `jsonpath=${names}`];
  return (await run(kubectlPath(), args)).includes('serin.test/workload');
}

/** Gateway and Prometheus are used when SERIN_TEST_GATEWAY and SERIN_TEST_PROMETHEUS give their addresses. */
export async function openExisting(kubeconfig: string): Promise<TestCluster> {
  const { clusters, users } = await view(kubeconfig);
  const cluster = clusters?.[0]?.cluster;
  if (!cluster) throw new Error(`${kubeconfig} has no current context with a cluster`);
  const user = users?.[0]?.user;
  const adminToken =
    user?.token ?? (user?.tokenFile === undefined ? undefined : readFileSync(user.tokenFile, 'utf8').trim());
  const { admission, routes } = await servedBy((path) =>
    tryRun(kubectlPath(), ['--kubeconfig', kubeconfig, 'get', '--raw', path]),
  );
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
    serving: undefined,
    has: {
      admission,
      routes,
      pods: await hasWorkload(kubeconfig),
      gateway: gatewayUrl !== undefined,
      prometheus: prometheusUrl !== undefined,
      audit: false,
      people: false,
      webhooks: false,
    },
    prometheus: ownPrometheusOnly,
  };
}
