/**
 * A k3s in a container, for machines that have Docker and nothing else. It is started once and found by its state file; the
 * libraries are loaded only here, and only when an engine answered.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { parse } from 'yaml';
import { imageArchive } from './archive.ts';
import { binaryPath, definitionsDirectory, isBuilt } from './binaries.ts';
import { messageOf } from './faults.ts';
import { ensureIdentities, kubeconfigPath, tokenFile, tokenOf, writeKubeconfig } from './identities.ts';
import { workloadTags } from './images.ts';
import { answersOk, get } from './requests.ts';
import { servedBy } from './served.ts';
import { type ClusterState, readState, writeState } from './state.ts';

/** Kubernetes 1.36: what the policies need. */
export const k3sImage = process.env['SERIN_TEST_K3S_IMAGE'] || 'rancher/k3s:v1.36.1-k3s1';

const tokensInside = '/etc/serin-test/tokens.csv';

/** Starts the container, or finds it as it was. Throws one sentence when Docker here cannot do it. */
export async function bringUpInDocker(say: (line: string) => void): Promise<ClusterState> {
  const known = readState();
  if (known !== undefined && (await answersOk(`${known.server}/readyz`, { ca: known.ca, token: known.tokens.admin })))
    return known;
  ensureIdentities();
  await pull(say);
  say(`starting ${k3sImage}`);
  const { K3sContainer } = await import('@testcontainers/k3s');
  const container = await new K3sContainer(k3sImage)
    .withCommand(['server', '--disable=traefik,metrics-server', `--kube-apiserver-arg=token-auth-file=${tokensInside}`])
    .withCopyFilesToContainer([{ source: tokenFile(), target: tokensInside }])
    // It outlives the program that started it: the next suite finds it, and cluster:down ends it.
    .withAutoCleanup(false)
    .start();
  const { server, ca } = addressIn(container.getKubeConfig());
  for (const person of ['admin', 'alice', 'bob'] as const) writeKubeconfig(person, server, ca);
  const pods = await importWorkload(container);
  await installRouteKinds(container);
  const access = { ca, token: tokenOf('admin') };
  const served = await servedBy(async (path) => {
    const { status, body } = await get(`${server}${path}`, access);
    return status === 200 ? body : undefined;
  });
  const state = {
    kubeconfig: kubeconfigPath('admin'),
    kubectl: isBuilt('kubectl') ? binaryPath('kubectl') : 'kubectl',
    server,
    ca,
    tokens: { admin: tokenOf('admin'), alice: tokenOf('alice'), bob: tokenOf('bob') },
    pods,
    served,
    containerId: container.getId(),
  };
  writeState(state);
  return state;
}

/** The library takes an image that never came for one that did; so it is looked for afterwards. */
async function pull(say: (line: string) => void): Promise<void> {
  const { ImageName, getContainerRuntimeClient } = await import('testcontainers');
  const { image } = await getContainerRuntimeClient();
  const name = ImageName.fromString(k3sImage);
  if (await image.exists(name)) return;
  say(`pulling ${k3sImage}`);
  const why = await image.pull(name).then(
    () => 'the registry does not give it',
    (error: unknown) => messageOf(error).split('\n')[0] ?? '',
  );
  if (!(await image.exists(name))) throw new Error(`Docker cannot pull ${k3sImage}: ${why}`);
}

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
}

function addressIn(kubeconfig: string): { server: string; ca: string } {
  const { clusters }: Kubeconfig = parse(kubeconfig);
  const { server, 'certificate-authority-data': data } = clusters[0].cluster;
  return { server, ca: Buffer.from(data, 'base64').toString('utf8') };
}

/** Gives whether its pods can run the workload: its program is there when it was built for Linux. */
async function importWorkload(container: StartedTestContainer): Promise<boolean> {
  if (process.platform !== 'linux' || !isBuilt('workload')) return false;
  const tags = workloadTags.map((tag) => `serin.test/workload:${tag}`);
  const content = imageArchive({ program: 'workload', binary: readFileSync(binaryPath('workload')), tags });
  await container.copyContentToContainer([{ content, target: '/tmp/workload.tar' }]);
  await inside(container, ['ctr', '--namespace', 'k8s.io', 'images', 'import', '/tmp/workload.tar']);
  return true;
}

/** The definitions that the build copied, where it did. */
async function installRouteKinds(container: StartedTestContainer): Promise<void> {
  if (!existsSync(definitionsDirectory())) return;
  const files = readdirSync(definitionsDirectory()).filter((file) => file.startsWith('gateway.networking'));
  const target = (file: string): string => `/tmp/definitions/${file}`;
  await container.copyFilesToContainer(
    files.map((file) => ({ source: join(definitionsDirectory(), file), target: target(file) })),
  );
  await inside(container, ['kubectl', 'apply', '--server-side', '-f', '/tmp/definitions']);
  await inside(container, ['kubectl', 'wait', '--for=condition=Established', '-f', '/tmp/definitions']);
}

async function inside(container: StartedTestContainer, command: string[]): Promise<void> {
  const { exitCode, output } = await container.exec(command);
  if (exitCode !== 0) throw new Error(`${command.slice(0, 2).join(' ')} in k3s ended with ${exitCode}: ${output}`);
}

/** Ends and removes the container that `bringUpInDocker` started. */
export async function removeContainer(): Promise<void> {
  const id = readState()?.containerId;
  if (id === undefined) return;
  const { getContainerRuntimeClient } = await import('testcontainers');
  const { container } = await getContainerRuntimeClient();
  await container.remove(container.getById(id), { removeVolumes: true });
}
