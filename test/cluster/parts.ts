/** The parts of the cluster in the order they start, and what each needs to be built. */
import { gatewayUrl, prometheusUrl, server } from './addresses.ts';
import { auditLogPath } from './audit.ts';
import { binaryPath } from './binaries.ts';
import type { BinaryName } from './binaries.ts';
import { authorityPem, ensureCertificates } from './certificates.ts';
import { startContainerd } from './containerd.ts';
import { startApiServer, startControllerManager, startEtcd, startScheduler } from './control-plane.ts';
import { startGateway } from './gateway.ts';
import { ensureIdentities, kubeconfigPath, tokenOf } from './identities.ts';
import { importImages } from './images.ts';
import { ensureBridge } from './network.ts';
import { startNode } from './node.ts';
import { startPrometheus } from './prometheus.ts';
import { readState, writeState } from './state.ts';
import type { ClusterState } from './state.ts';

export interface Part {
  name: string;
  needs: BinaryName[];
  /** Name of the process that the part is, where it is one. */
  process?: string;
  start: () => Promise<void>;
}

function initialState(): ClusterState {
  return {
    kubeconfig: kubeconfigPath('admin'),
    kubectl: binaryPath('kubectl'),
    server,
    ca: authorityPem(),
    auditLog: auditLogPath(),
    tokens: { admin: tokenOf('admin'), alice: tokenOf('alice'), bob: tokenOf('bob') },
    pods: false,
  };
}

/** Adds what came up to the state file. */
function record(addition: Partial<ClusterState>): void {
  writeState({ ...(readState() ?? initialState()), ...addition });
}

async function startMachine(): Promise<void> {
  await ensureBridge();
  await ensureCertificates();
  ensureIdentities();
}

export const parts: readonly Part[] = [
  { name: 'bridge and certificates', needs: [], start: startMachine },
  { name: 'etcd', needs: ['etcd'], process: 'etcd', start: startEtcd },
  {
    name: 'kube-apiserver',
    needs: ['etcd', 'kube-apiserver'],
    process: 'kube-apiserver',
    start: () => startApiServer().then(() => record({})),
  },
  {
    name: 'kube-controller-manager',
    needs: ['kube-apiserver', 'kube-controller-manager'],
    process: 'kube-controller-manager',
    start: startControllerManager,
  },
  {
    name: 'kube-scheduler',
    needs: ['kube-apiserver', 'kube-scheduler'],
    process: 'kube-scheduler',
    start: startScheduler,
  },
  { name: 'containerd', needs: [], process: 'containerd', start: startContainerd },
  { name: 'images', needs: ['workload', 'pause'], start: importImages },
  {
    name: 'node',
    needs: ['kube-apiserver', 'kubelet', 'pause'],
    process: 'kubelet',
    start: () => startNode().then(() => record({ pods: true })),
  },
  {
    name: 'gateway',
    needs: ['kube-apiserver', 'kubectl', 'traefik'],
    process: 'traefik',
    start: () => startGateway().then(() => record({ gatewayUrl })),
  },
  {
    name: 'prometheus',
    needs: ['kube-apiserver', 'kubectl', 'prometheus'],
    process: 'prometheus',
    start: () => startPrometheus().then(() => record({ prometheusUrl })),
  },
];
