/** What a test knows of the cluster it runs against, wherever that comes from. */
import type { Has } from './needs.ts';
import type { ClusterState } from './state.ts';

export type ProviderName = 'existing' | 'local' | 'docker' | 'control-plane';

export interface TestCluster {
  provider: ProviderName;
  /** Path of the admin's kubeconfig. */
  kubeconfig: string;
  /** Path of a kubectl of the server's version, or its name on the PATH. */
  kubectl: string;
  server: string;
  /** PEM text of the authority of the API server's certificate. */
  ca: string;
  /** The admin's bearer token; undefined where the kubeconfig has no token. */
  adminToken: string | undefined;
  /** People of different groups: alice is in release-managers and developers, bob in developers. Empty where `has.people` is false. */
  tokens: { admin?: string; alice?: string; bob?: string };
  gatewayUrl: string | undefined;
  prometheusUrl: string | undefined;
  /** The API server's audit log: JSON lines. */
  auditLog: string | undefined;
  /** Paths of a certificate for 127.0.0.1, signed by `ca`, and of its key: for webhooks that the API server calls. */
  serving: { certificate: string; key: string } | undefined;
  /** What this cluster can do; a suite that needs more says so to `openCluster` and is skipped. */
  has: Has;
  /** Takes the metrics source away and brings it back with the data it had; on a cluster that is not local both throw. */
  prometheus: { stop(): Promise<void>; start(): Promise<void> };
}

export interface Unavailable {
  /** A sentence that says why there is no cluster for this, and what to run where something can be run. */
  unavailable: string;
}

/** For `if (isUnavailable(cluster)) …`. */
export function isUnavailable(cluster: TestCluster | Unavailable): cluster is Unavailable {
  return 'unavailable' in cluster;
}

/** One way to a cluster. */
export interface Provider {
  readonly name: ProviderName;
  /** `required`: what takes long may be done too. Throws when a cluster that this machine can have does not come up. */
  open(wish: { readonly required: boolean; readonly say: (line: string) => void }): Promise<TestCluster | Unavailable>;
}

async function notOurs(): Promise<void> {
  throw new Error('Prometheus of a cluster that is not local cannot be stopped or started');
}

export const ownPrometheusOnly: TestCluster['prometheus'] = { stop: notOurs, start: notOurs };

/** What a cluster of this folder offers by its state file. */
export function clusterOf(
  provider: 'local' | 'docker' | 'control-plane',
  state: ClusterState,
  prometheus: TestCluster['prometheus'],
): TestCluster {
  const { gatewayUrl, prometheusUrl, served, serving } = state;
  return {
    provider,
    kubeconfig: state.kubeconfig,
    kubectl: state.kubectl,
    server: state.server,
    ca: state.ca,
    adminToken: state.tokens.admin,
    tokens: state.tokens,
    gatewayUrl,
    prometheusUrl,
    auditLog: state.auditLog,
    serving,
    has: {
      admission: served?.admission === true,
      routes: served?.routes === true,
      pods: state.pods,
      gateway: gatewayUrl !== undefined,
      prometheus: prometheusUrl !== undefined,
      audit: state.auditLog !== undefined,
      people: true,
      webhooks: serving !== undefined,
    },
    prometheus,
  };
}
