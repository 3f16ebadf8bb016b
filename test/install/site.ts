/**
 * A cluster of this suite's own: uninstalling takes kinds and policies away from under whoever uses them. It is brought up in
 * another slot, installed as users do it, and taken down at the end.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kube/clock.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/config.ts';
import { HttpTransport } from '../../src/kube/transport.ts';
import { nodeAddress, ports } from '../cluster/addresses.ts';
import { isUnavailable, openCluster, type TestCluster, type Unavailable } from '../cluster/cluster.ts';
import { run } from '../cluster/commands.ts';
import { whyNotLocal } from '../cluster/providers/local.ts';
import { repository } from '../e2e/harness/ground.ts';
import { importOperatorImage } from './image.ts';

const image = { name: 'serin.test/serin', tag: 'install' };

export interface Site {
  readonly cluster: TestCluster;
  readonly admin: KubeClient;
  readonly gatewayUrl: string;
  readonly prometheusUrl: string;
  /** Gives what it printed; throws with its error output when it fails. */
  kubectl(words: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}

/** Whatever cluster others use, it is not this one. */
export async function openSite(): Promise<Site | Unavailable> {
  if (process.env['SERIN_TEST_KUBECONFIG'])
    return { unavailable: 'installing and uninstalling is tried on a cluster of its own, not on one that is given' };
  if (process.env['SERIN_TEST_CLUSTER'] === 'none')
    return { unavailable: 'no cluster wanted (SERIN_TEST_CLUSTER=none)' };
  const provider = process.env['SERIN_TEST_PROVIDER'] ?? 'local';
  if (provider !== 'local') return { unavailable: `needs a cluster of its own, and ${provider} is wanted here` };
  const obstacle = whyNotLocal(process.env['SERIN_TEST_CLUSTER'] === 'required');
  if (obstacle !== undefined) return { unavailable: obstacle };
  try {
    await ofItsOwn('up.ts');
  } catch (error) {
    if (process.env['SERIN_TEST_CLUSTER'] === 'required') throw error;
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
  const cluster = await openCluster(['pods', 'gateway', 'prometheus']);
  if (isUnavailable(cluster)) return cluster;
  const { gatewayUrl, prometheusUrl } = cluster;
  if (gatewayUrl === undefined || prometheusUrl === undefined) return { unavailable: 'no gateway or no Prometheus' };
  const connection = loadConnection({ kubeconfig: cluster.kubeconfig });
  const transport = new HttpTransport({ connection, clock: systemClock, userAgent: 'serin-install-test' });
  await importOperatorImage(`${image.name}:${image.tag}`);
  return {
    cluster,
    admin: new KubeClient({ transport, fieldManager: 'serin-install-test' }),
    gatewayUrl,
    prometheusUrl,
    kubectl: (words, input) =>
      run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...words], input === undefined ? {} : { input }),
    close: async () => {
      await transport.close();
      await ofItsOwn('down.ts');
    },
  };
}

/** As a process of its own, like everybody starts and ends a cluster. */
function ofItsOwn(program: 'up.ts' | 'down.ts'): Promise<string> {
  return run(process.execPath, [join(repository, 'test', 'cluster', program)]);
}

/**
 * What users change of install.yaml: their image. There is no kube-proxy here, so the pods are told the API server's own
 * address.
 */
export async function rendered(site: Site, source: 'install.yaml' | 'namespaced'): Promise<string> {
  const overlay = mkdtempSync(join(tmpdir(), 'serin-overlay-'));
  try {
    const objects =
      source === 'install.yaml'
        ? readFileSync(join(repository, 'deploy', source), 'utf8')
        : await site.kubectl(['kustomize', join(repository, 'deploy', source)]);
    writeFileSync(join(overlay, 'serin.yaml'), objects);
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify(overlayOf()));
    return await site.kubectl(['kustomize', overlay]);
  } finally {
    rmSync(overlay, { recursive: true, force: true });
  }
}

function overlayOf(): object {
  const container = '/spec/template/spec/containers/0';
  const address = [
    { name: 'KUBERNETES_SERVICE_HOST', value: nodeAddress },
    { name: 'KUBERNETES_SERVICE_PORT', value: String(ports.apiServer) },
  ];
  const deployment = { kind: 'Deployment', labelSelector: 'app.kubernetes.io/part-of=serin' };
  const ops = [{ op: 'replace', path: `${container}/imagePullPolicy`, value: 'Never' }];
  const env = { spec: { template: { spec: { containers: [{ name: 'serin', env: address }] } } } };
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['serin.yaml'],
    images: [{ name: 'serin', newName: image.name, newTag: image.tag }],
    patches: [
      { target: deployment, patch: JSON.stringify(ops) },
      {
        target: deployment,
        patch: JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'any' }, ...env }),
      },
    ],
  };
}

/** Applies, and comes back when every replica of the operator is Ready. @returns milliseconds from the one to the other. */
export async function installed(site: Site, objects: string, deployment = 'serin'): Promise<number> {
  const beganAtMs = Date.now();
  await site.kubectl(['apply', '--server-side', '-f', '-'], objects);
  await site.kubectl(['rollout', 'status', `deployment/${deployment}`, '-n', 'serin-system', '--timeout=60s']);
  return Date.now() - beganAtMs;
}

/** Resident memory of each pod of the operator in MiB, by its own metrics. */
export async function residentMiB(site: Site): Promise<readonly number[]> {
  const path = '{.items[*].status.podIP}';
  const labels = 'app.kubernetes.io/part-of=serin';
  const addresses = await site.kubectl(['get', 'pods', '-n', 'serin-system', '-l', labels, '-o', `jsonpath=${path}`]);
  return Promise.all(
    addresses.split(' ').map(async (address) => {
      const text = await (await fetch(`http://${address}:9797/metrics`)).text();
      return Math.round(Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20);
    }),
  );
}
