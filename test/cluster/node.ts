/** The kubelet: one node that runs real pods on the machine. */
import { existsSync, writeFileSync } from 'node:fs';
import { dnsAddress, nodeAddress, nodeName, ports, server } from './addresses.ts';
import { binaryPath } from './binaries.ts';
import { certificatePathsOf, authorityPem } from './certificates.ts';
import { waitUntil } from './commands.ts';
import { containerdSocket } from './containerd.ts';
import { nodeKubeconfigPath, tokenOf } from './identities.ts';
import { ensureProcess } from './processes.ts';
import { answersOk, get } from './requests.ts';
import { clusterPath, clusterSubdirectory } from './state.ts';

/** Control groups of version 1 need to be allowed; newer machines have only version 2. */
function usesOldControlGroups(): boolean {
  return !existsSync('/sys/fs/cgroup/cgroup.controllers');
}

/** No resource guarantees and no eviction: the machine is shared with the tests and its disk may be full. */
function configuration(): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    port: ports.kubelet,
    healthzBindAddress: '127.0.0.1',
    healthzPort: ports.kubeletHealth,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificatePathsOf.authority().certificate },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: !usesOldControlGroups(),
    localStorageCapacityIsolation: false,
    containerRuntimeEndpoint: `unix://${containerdSocket()}`,
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    podLogsDir: clusterSubdirectory('pod-logs'),
    maxPods: 250,
    evictionHard: { 'memory.available': '1Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    makeIPTablesUtilChains: false,
    logging: { verbosity: 1 },
  };
}

function kubeletDirectory(): string {
  return clusterSubdirectory('kubelet');
}

/** Whether the API server knows the node as Ready. */
export async function nodeIsReady(): Promise<boolean> {
  const access = { ca: authorityPem(), token: tokenOf('admin') };
  const { status, body } = await get(`${server}/api/v1/nodes/${nodeName}`, access);
  if (status !== 200) return false;
  const node: { status?: { conditions?: { type: string; status: string }[] } } = JSON.parse(body);
  return (node.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Starts the kubelet and waits until its node is Ready. */
export async function startNode(): Promise<void> {
  const path = clusterPath('node', 'kubelet.json');
  writeFileSync(path, JSON.stringify(configuration(), undefined, 2));
  await ensureProcess({
    name: 'kubelet',
    command: binaryPath('kubelet'),
    args: [
      `--config=${path}`,
      `--kubeconfig=${nodeKubeconfigPath()}`,
      `--root-dir=${kubeletDirectory()}`,
      `--cert-dir=${clusterSubdirectory('kubelet', 'certificates')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${nodeAddress}`,
    ],
    ready: () => answersOk(`http://127.0.0.1:${ports.kubeletHealth}/healthz`),
    readyWithinMs: 60_000,
  });
  await waitUntil(`node ${nodeName} to be Ready`, nodeIsReady, 60_000);
}
