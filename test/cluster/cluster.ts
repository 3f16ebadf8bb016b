/**
 * What tests import: the cluster they run against. `existing` is whatever SERIN_TEST_KUBECONFIG names; `local` is the stack
 * of this folder, started when it is built.
 */
import { missingBinaries } from './binaries.ts';
import { buildCluster } from './build.ts';
import { openExisting } from './existing.ts';
import { ensurePrometheus, stopPrometheus } from './prometheus.ts';
import type { ClusterState } from './state.ts';
import { bringUp } from './up.ts';

export interface TestCluster {
  provider: 'existing' | 'local';
  /** Path of the admin's kubeconfig. */
  kubeconfig: string;
  /** Path of a kubectl of the server's version (local), or its name on the PATH. */
  kubectl: string;
  server: string;
  /** PEM text of the authority of the API server's certificate. */
  ca: string;
  /** The admin's bearer token; undefined where the kubeconfig has no token. */
  adminToken: string | undefined;
  /** People of different groups: alice is in release-managers and developers, bob in developers. Empty when not local. */
  tokens: { admin?: string; alice?: string; bob?: string };
  gatewayUrl: string | undefined;
  prometheusUrl: string | undefined;
  /** The API server's audit log: JSON lines. */
  auditLog: string | undefined;
  /** What this cluster can do; a test that needs more says so and is skipped. */
  has: { pods: boolean; gateway: boolean; prometheus: boolean; audit: boolean };
  /** Takes the metrics source away and brings it back with the data it had; on a cluster that is not local both throw. */
  prometheus: { stop(): Promise<void>; start(): Promise<void> };
}

export interface Unavailable {
  /** A sentence that says why there is no cluster and what to run. */
  unavailable: string;
}

function fromState(state: ClusterState): TestCluster {
  return {
    provider: 'local',
    kubeconfig: state.kubeconfig,
    kubectl: state.kubectl,
    server: state.server,
    ca: state.ca,
    adminToken: state.tokens.admin,
    tokens: state.tokens,
    gatewayUrl: state.gatewayUrl,
    prometheusUrl: state.prometheusUrl,
    auditLog: state.auditLog,
    has: {
      pods: state.pods,
      gateway: state.gatewayUrl !== undefined,
      prometheus: state.prometheusUrl !== undefined,
      audit: true,
    },
    prometheus: { stop: stopPrometheus, start: ensurePrometheus },
  };
}

/** Why the local cluster cannot be used on this machine; undefined when it can. */
function whyNotLocal(required: boolean): string | undefined {
  if (process.platform !== 'linux') return 'no cluster: set SERIN_TEST_KUBECONFIG (the local one runs on Linux only)';
  if (process.getuid?.() !== 0) return 'no cluster: set SERIN_TEST_KUBECONFIG, or run as root for the local one';
  if (missingBinaries().length === 0 || required) return undefined;
  return 'the local cluster is not built: run npm run cluster:build (once, about 20 minutes)';
}

/**
 * Finds or starts a cluster. With SERIN_TEST_CLUSTER=required it also builds, and a cluster that cannot be had is an error;
 * with SERIN_TEST_CLUSTER=none there is none.
 */
export async function openCluster(say: (line: string) => void = () => undefined): Promise<TestCluster | Unavailable> {
  const wish = process.env['SERIN_TEST_CLUSTER'];
  const kubeconfig = process.env['SERIN_TEST_KUBECONFIG'];
  if (wish === 'none') return { unavailable: 'no cluster wanted (SERIN_TEST_CLUSTER=none)' };
  if (kubeconfig) return openExisting(kubeconfig);
  const required = wish === 'required';
  const reason = whyNotLocal(required);
  if (reason !== undefined) {
    if (required) throw new Error(reason);
    return { unavailable: reason };
  }
  if (missingBinaries().length > 0) await buildCluster(say);
  return fromState(await bringUp(say));
}

/** For `if (isUnavailable(cluster)) …`. */
export function isUnavailable(cluster: TestCluster | Unavailable): cluster is Unavailable {
  return 'unavailable' in cluster;
}
