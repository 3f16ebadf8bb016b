/** The parts of the cluster in the order they start, and what each needs to be built. */
import { existsSync } from 'node:fs';
import { gatewayUrl, layout, prometheusUrl, server } from './addresses.ts';
import { auditLogPath } from './audit.ts';
import { binaryPath, definitionsDirectory } from './binaries.ts';
import type { BinaryName } from './binaries.ts';
import { authorityPem, certificatePathsOf, ensureCertificates } from './certificates.ts';
import { startContainerd } from './containerd.ts';
import { startApiServer, startControllerManager, startEtcd, startScheduler } from './control-plane.ts';
import { installRouteKinds, startGateway } from './gateway.ts';
import { ensureIdentities, kubeconfigPath, tokenOf } from './identities.ts';
import { importImages } from './images.ts';
import { ensureBridge } from './network.ts';
import { startNode } from './node.ts';
import { startPrometheus } from './prometheus.ts';
import { get } from './requests.ts';
import { servedBy } from './served.ts';
import { startStandIn } from './stand-in-node.ts';
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
    serving: certificatePathsOf.server(),
  };
}

/** Adds what came up to the state file. */
function record(addition: Partial<ClusterState>): void {
  writeState({ ...initialState(), ...readState(), ...addition });
}

/** Asks the API server what it knows, and adds that to the state file: to be called when all parts are up. */
export async function recordServed(): Promise<void> {
  const access = { ca: authorityPem(), token: tokenOf('admin') };
  const served = await servedBy(async (path) => {
    const { status, body } = await get(`${server}${path}`, access);
    return status === 200 ? body : undefined;
  });
  record({ served });
}

async function startIdentities(): Promise<void> {
  await ensureCertificates();
  ensureIdentities();
}

const controlPlane: readonly Part[] = [
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
];

/** With real pods, a gateway and Prometheus. */
const withNode: readonly Part[] = [
  { name: 'bridge', needs: [], start: ensureBridge },
  { name: 'certificates', needs: [], start: startIdentities },
  ...controlPlane,
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

/** Without root: a program stands in for scheduler and kubelet, and nothing for the gateway. */
const withoutNode: readonly Part[] = [
  { name: 'certificates', needs: [], start: startIdentities },
  ...controlPlane,
  {
    name: 'kinds of the Gateway API',
    needs: ['kube-apiserver', 'kubectl'],
    start: async () => (existsSync(definitionsDirectory()) ? installRouteKinds() : undefined),
  },
  { name: 'stand-in for the node', needs: ['kube-apiserver'], process: 'stand-in', start: startStandIn },
];

export const parts: readonly Part[] = layout === 'node' ? withNode : withoutNode;
