/** etcd, the API server, the controller manager and the scheduler. */
import { layout, nodeAddress, ports, server, serviceRange } from './addresses.ts';
import { auditFlags } from './audit.ts';
import { binaryPath } from './binaries.ts';
import { authorityPem, certificatePathsOf } from './certificates.ts';
import { kubeconfigPath, tokenFile, tokenOf } from './identities.ts';
import { ensureProcess } from './processes.ts';
import { answersOk } from './requests.ts';
import { clusterSubdirectory } from './state.ts';

/** etcd on loopback, without fsync: the data need not outlive the machine. */
export async function startEtcd(): Promise<void> {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  await ensureProcess({
    name: 'etcd',
    command: binaryPath('etcd'),
    args: [
      '--name=serin',
      `--data-dir=${clusterSubdirectory('etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=serin=${peer}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    ready: () => answersOk(`${client}/health`),
    readyWithinMs: 20_000,
  });
}

function apiServerFlags(): string[] {
  const { certificate, key } = certificatePathsOf.server();
  const serviceAccounts = certificatePathsOf.serviceAccounts();
  const kubelet = certificatePathsOf.kubeletClient();
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${nodeAddress}`,
    `--advertise-address=${nodeAddress}`,
    `--secure-port=${ports.apiServer}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${certificatePathsOf.authority().certificate}`,
    `--token-auth-file=${tokenFile()}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccounts.certificate}`,
    `--service-account-signing-key-file=${serviceAccounts.key}`,
    `--service-cluster-ip-range=${serviceRange}`,
    `--kubelet-client-certificate=${kubelet.certificate}`,
    `--kubelet-client-key=${kubelet.key}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged=true',
    // The Service `kubernetes` cannot have an endpoint on loopback: the API server would try again and again.
    ...(layout === 'node' ? [] : ['--endpoint-reconciler-type=none']),
    ...auditFlags(),
  ];
}

export async function startApiServer(): Promise<void> {
  await ensureProcess({
    name: 'kube-apiserver',
    command: binaryPath('kube-apiserver'),
    args: apiServerFlags(),
    ready: () => answersOk(`${server}/readyz`, { ca: authorityPem(), token: tokenOf('admin') }),
    readyWithinMs: 60_000,
  });
}

/** Horizontal autoscalers look every 5 s and not every 15 s: tests wait for them. */
export async function startControllerManager(): Promise<void> {
  const authority = certificatePathsOf.authority();
  const kubeconfig = kubeconfigPath('kube-controller-manager');
  await ensureProcess({
    name: 'kube-controller-manager',
    command: binaryPath('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.controllerManager}`,
      '--leader-elect=false',
      '--use-service-account-credentials',
      `--service-account-private-key-file=${certificatePathsOf.serviceAccounts().key}`,
      `--root-ca-file=${authority.certificate}`,
      `--cluster-signing-cert-file=${authority.certificate}`,
      `--cluster-signing-key-file=${authority.key}`,
      '--horizontal-pod-autoscaler-sync-period=5s',
      // A stand-in has no heartbeat that could be missed.
      ...(layout === 'node' ? [] : ['--controllers=*,-node-lifecycle-controller']),
    ],
    ready: async () => true,
    readyWithinMs: 20_000,
  });
}

export async function startScheduler(): Promise<void> {
  const kubeconfig = kubeconfigPath('kube-scheduler');
  await ensureProcess({
    name: 'kube-scheduler',
    command: binaryPath('kube-scheduler'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.scheduler}`,
      '--leader-elect=false',
    ],
    ready: async () => true,
    readyWithinMs: 20_000,
  });
}
