/**
 * Gives a suite its own namespace on the real API server with Serin's CRDs and policies in force, and takes it away again.
 * Without a cluster the suite is skipped, never passed.
 */
import { randomBytes } from 'node:crypto';
import { isUnavailable, openCluster } from '../cluster/cluster.ts';
import { type ApiServer, apiServer } from './api-server.ts';
import { installSerin } from './install.ts';

const cluster = await openCluster();

export interface Stage {
  readonly namespace: string;
  readonly server: ApiServer;
  /** Whether the API server runs on this machine and trusts its certificates, as webhooks of a test need. */
  readonly isLocal: boolean;
  /** Jest's `describe`, or `describe.skip` where there is no cluster. */
  describe(sentence: string, tests: () => void): void;
}

/** To be called once, at the top of a suite's file: it registers the suite's set-up and its end. */
export function openStage(name: string): Stage {
  const namespace = `serin-${name}-${randomBytes(3).toString('hex')}`;
  if (isUnavailable(cluster)) {
    const { unavailable } = cluster;
    const absent = () => Promise.reject(new Error(unavailable));
    const skip = (sentence: string, tests: () => void) => describe.skip(`${sentence} (${unavailable})`, tests);
    return { namespace, server: { ask: absent, kubectl: absent }, isLocal: false, describe: skip };
  }
  const server = apiServer(cluster);
  beforeAll(async () => {
    await server.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    await installSerin(server, namespace);
  }, 60_000);
  afterAll(() => server.ask('DELETE', `/api/v1/namespaces/${namespace}`));
  return { namespace, server, isLocal: cluster.provider === 'local', describe };
}
