/** Prometheus on the host: scrapes the annotated pods and Traefik every 5 s. */
import { writeFileSync } from 'node:fs';
import { nodeAddress, ports, prometheusUrl, server } from './addresses.ts';
import { binaryPath } from './binaries.ts';
import { certificatePathsOf } from './certificates.ts';
import { tokenPath } from './identities.ts';
import { applyObjects, once } from './manifests.ts';
import { ensureProcess, stopProcess } from './processes.ts';
import { answersOk } from './requests.ts';
import { clusterPath, clusterSubdirectory } from './state.ts';

const rights = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'serin-test:prometheus' },
  rules: [{ apiGroups: [''], resources: ['pods', 'services', 'endpoints'], verbs: ['get', 'list', 'watch'] }],
};

const rightsBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'serin-test:prometheus' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'serin-test:prometheus' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'serin-test:prometheus' }],
};

const annotation = (name: string): string => `__meta_kubernetes_pod_annotation_prometheus_io_${name}`;

/** The annotations `prometheus.io/scrape|scheme|path|port` as most clusters honour them. */
const podRelabelling = [
  { source_labels: [annotation('scrape')], action: 'keep', regex: 'true' },
  { source_labels: ['__meta_kubernetes_pod_phase'], action: 'drop', regex: 'Pending|Succeeded|Failed|Completed' },
  { source_labels: [annotation('scheme')], regex: '(https?)', target_label: '__scheme__' },
  { source_labels: [annotation('path')], regex: '(.+)', target_label: '__metrics_path__' },
  {
    source_labels: ['__meta_kubernetes_pod_ip', annotation('port')],
    separator: ';',
    regex: '([^;]+);(\\d+)',
    replacement: '$1:$2',
    target_label: '__address__',
  },
  { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
  { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
];

function configuration(): object {
  const apiServer = {
    api_server: server,
    tls_config: { ca_file: certificatePathsOf.authority().certificate },
    authorization: { credentials_file: tokenPath('prometheus') },
  };
  return {
    global: { scrape_interval: '5s', scrape_timeout: '3s' },
    scrape_configs: [
      {
        job_name: 'pods',
        kubernetes_sd_configs: [{ role: 'pod', ...apiServer }],
        relabel_configs: podRelabelling,
      },
      { job_name: 'traefik', static_configs: [{ targets: [`${nodeAddress}:${ports.gatewayMetrics}`] }] },
    ],
  };
}

/** Starts it on the data it had before; comes back when it answers queries. */
export async function ensurePrometheus(): Promise<void> {
  const path = clusterPath('prometheus', 'prometheus.yml');
  writeFileSync(path, JSON.stringify(configuration(), undefined, 2));
  await ensureProcess({
    name: 'prometheus',
    command: binaryPath('prometheus'),
    args: [
      `--config.file=${path}`,
      `--storage.tsdb.path=${clusterSubdirectory('prometheus', 'data')}`,
      '--storage.tsdb.retention.time=2d',
      `--web.listen-address=${nodeAddress}:${ports.prometheus}`,
      '--log.level=warn',
    ],
    ready: () => answersOk(`${prometheusUrl}/-/ready`),
    readyWithinMs: 30_000,
  });
}

/** SIGTERM, and back when it is gone: tests take their source away by this. */
export async function stopPrometheus(): Promise<void> {
  await stopProcess('prometheus');
}

export async function startPrometheus(): Promise<void> {
  await once('prometheus/installed', () => applyObjects([rights, rightsBinding]));
  await ensurePrometheus();
}
