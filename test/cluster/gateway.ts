/** Traefik as the gateway: a process of the host that talks to the pods' own addresses. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayMetricsUrl, gatewayUrl, nodeAddress, ports, server } from './addresses.ts';
import { binaryPath, definitionsDirectory } from './binaries.ts';
import { certificatePathsOf } from './certificates.ts';
import { waitUntil } from './commands.ts';
import { tokenPath } from './identities.ts';
import { applyFiles, applyObjects, kubectl, once } from './manifests.ts';
import { ensureProcess } from './processes.ts';
import { answersOk, get } from './requests.ts';
import { clusterPath } from './state.ts';

const gatewayNamespace = 'serin-gateway';

const readOnly = ['get', 'list', 'watch'];

const rights = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'serin-test:traefik' },
  rules: [
    { apiGroups: [''], resources: ['services', 'secrets', 'configmaps', 'nodes', 'namespaces'], verbs: readOnly },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: readOnly },
    { apiGroups: ['gateway.networking.k8s.io'], resources: ['*'], verbs: [...readOnly, 'update', 'patch'] },
    { apiGroups: ['traefik.io'], resources: ['*'], verbs: readOnly },
  ],
};

const rightsBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'serin-test:traefik' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'serin-test:traefik' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'serin-test:traefik' }],
};

/** The listener's port is that of Traefik's entry point; routes of every namespace may attach. */
const gatewayObjects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: gatewayNamespace } },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'traefik' },
    spec: { controllerName: 'traefik.io/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'gateway', namespace: gatewayNamespace },
    spec: {
      gatewayClassName: 'traefik',
      listeners: [
        { name: 'http', protocol: 'HTTP', port: ports.gateway, allowedRoutes: { namespaces: { from: 'All' } } },
      ],
    },
  },
];

/** Written as JSON, which is YAML too. The throttle of 2 s between configurations is Traefik's default, as users have it. */
function configuration(): object {
  const authority = certificatePathsOf.authority().certificate;
  const access = { endpoint: server, token: tokenPath('traefik'), certAuthFilePath: authority };
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'INFO' },
    entryPoints: {
      web: { address: `${nodeAddress}:${ports.gateway}` },
      metrics: { address: `${nodeAddress}:${ports.gatewayMetrics}` },
    },
    ping: { entryPoint: 'metrics' },
    metrics: { prometheus: { entryPoint: 'metrics', addRoutersLabels: true, addServicesLabels: true } },
    providers: {
      kubernetesGateway: { ...access, statusAddress: { ip: nodeAddress } },
      kubernetesCRD: { ...access, allowCrossNamespace: true },
    },
  };
}

async function gatewayIsProgrammed(): Promise<boolean> {
  const path = '{.status.conditions[?(@.type=="Programmed")].status}';
  const status = await kubectl(['-n', gatewayNamespace, 'get', 'gateway', 'gateway', '-o', `jsonpath=${path}`]);
  return status === 'True';
}

/** Any answer, also "no such route", shows that requests are taken. */
async function takesRequests(): Promise<boolean> {
  return get(gatewayUrl).then(({ status }) => status > 0);
}

/** Definitions, rights and the Gateway object, once in a cluster's life. */
async function install(): Promise<void> {
  await applyFiles(definitionsDirectory());
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', definitionsDirectory()]);
  await applyObjects([rights, rightsBinding, ...gatewayObjects]);
}

/** The kinds alone, for a cluster without a gateway: routes can be written and read, and nobody takes them up. */
export async function installRouteKinds(): Promise<void> {
  const ofTraefik = /^traefik\.io_/;
  const files = readdirSync(definitionsDirectory()).filter((file) => !ofTraefik.test(file));
  const named = files.flatMap((file) => ['-f', join(definitionsDirectory(), file)]);
  await once('gateway/kinds', async () => {
    await kubectl(['apply', '--server-side', '--field-manager=serin-test-cluster', ...named]);
    await kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...named]);
  });
}

/** Starts Traefik, and waits until the Gateway is programmed. */
export async function startGateway(): Promise<void> {
  await once('gateway/installed', install);
  const path = clusterPath('gateway', 'traefik.yaml');
  writeFileSync(path, JSON.stringify(configuration(), undefined, 2));
  await ensureProcess({
    name: 'traefik',
    command: binaryPath('traefik'),
    args: [`--configFile=${path}`],
    ready: () => answersOk(`${gatewayMetricsUrl}/ping`),
    readyWithinMs: 30_000,
  });
  await waitUntil('the Gateway to be programmed', gatewayIsProgrammed, 30_000);
  await waitUntil('the gateway to take requests', takesRequests, 10_000);
}
