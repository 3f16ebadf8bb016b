/** Serin's operator in the test's own process, with the rights of its identity and in one namespace only. */
import { runOperator } from '../../src/controller/operator.ts';
import { createMetrics } from '../../src/insight/metrics.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { type ClusterConnection, loadConnection } from '../../src/kube/config.ts';
import type { TermEnd } from '../../src/kube/lease.ts';
import { isUnavailable, openCluster } from '../cluster/cluster.ts';
import type { Stage } from './stage.ts';

const TOKEN_PATH = '/api/v1/namespaces/serin-system/serviceaccounts/serin/token';

export interface RunningOperator {
  /** Everything that it logged, each line with its level first. */
  readonly lines: readonly string[];
  /** Where it serves its probes. */
  readonly port: number;
  /** False as soon as one of its loops has failed. */
  isWell(): Promise<boolean>;
  /** Ends it in order, and its Lease stays as it leaves it. */
  stop(): Promise<TermEnd>;
  /** Takes the Lease away, after the end of the last one. */
  forget(): Promise<void>;
}

export async function startOperator({ server, namespace }: Stage): Promise<RunningOperator> {
  const stop = new AbortController();
  const lines: string[] = [];
  const noting =
    (level: string) =>
    (fields: object, sentence: string): void =>
      void lines.push(`${level}: ${sentence} ${JSON.stringify(fields)}`);
  const listening = Promise.withResolvers<number>();
  const ended = runOperator(
    {
      connection: await asSerin(server),
      clock: systemClock,
      random: Math.random,
      log: { debug: noting('debug'), info: noting('info'), warn: noting('warn'), error: noting('error') },
      metrics: createMetrics(),
      userAgent: 'serin/test',
      identity: `test-${Math.random()}`,
      lease: { namespace: 'serin-system', name: namespace },
      probesAddress: '127.0.0.1:0',
      namespace,
      onListening: (port) => listening.resolve(port),
    },
    stop.signal,
  );
  ended.catch(listening.reject);
  const port = await listening.promise;
  return {
    lines,
    port,
    isWell: async () => (await fetch(`http://127.0.0.1:${port}/livez`)).status === 200,
    stop: () => (stop.abort(), ended),
    forget: async () => {
      await server.ask('DELETE', `/apis/coordination.k8s.io/v1/namespaces/serin-system/leases/${namespace}`);
    },
  };
}

async function asSerin(server: Stage['server']): Promise<ClusterConnection> {
  const cluster = await openCluster();
  if (isUnavailable(cluster)) throw new Error(cluster.unavailable);
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { body } = await server.ask('POST', TOKEN_PATH, request);
  const { token } = body['status'] as { token: string };
  const admin = loadConnection({ kubeconfig: cluster.kubeconfig });
  const credentials: ClusterConnection['credentials'] = async (fresh) => {
    const { ca } = (await admin.credentials(fresh)).tls;
    return { tls: ca === undefined ? {} : { ca }, headers: { authorization: `Bearer ${token}` } };
  };
  return { ...admin, credentials };
}
