/** How cluster tests write with Serin's own identity, so that its rights and the policies are tried with every step. */
import { isUnavailable, openCluster } from '../../test/cluster/cluster.ts';
import type { ApiServer } from '../../test/policies/api-server.ts';
import { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { loadConnection } from '../kube/config.ts';
import { isKubeError } from '../kube/errors.ts';
import { HttpTransport } from '../kube/transport.ts';

const TOKEN_PATH = '/api/v1/namespaces/serin-system/serviceaccounts/serin/token';

/** To be closed by `client.transport.close()`. */
export async function clientAsSerin(server: ApiServer): Promise<KubeClient> {
  const cluster = await openCluster();
  if (isUnavailable(cluster)) throw new Error(cluster.unavailable);
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { body } = await server.ask('POST', TOKEN_PATH, request);
  const { token } = body['status'] as { token: string };
  const admin = loadConnection({ kubeconfig: cluster.kubeconfig });
  const credentials = async (fresh: boolean) => {
    const { ca } = (await admin.credentials(fresh)).tls;
    return { tls: ca === undefined ? {} : { ca }, headers: { authorization: `Bearer ${token}` } };
  };
  return new KubeClient({
    transport: new HttpTransport({ connection: { ...admin, credentials }, clock: systemClock }),
  });
}

/** Asks until something is there; `undefined` means not yet. At most a minute. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const found = await ask();
    if (found !== undefined) return found;
    await systemClock.sleep(200);
  }
  throw new Error(`waited a minute for ${what}`);
}

/** Writes anew on what is read anew, as long as somebody else was faster: the controllers write status at any moment. */
export async function again<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries === 10 || !isKubeError(error, 'Conflict')) throw error;
    }
  }
}

/** The test workload, as its user has it in Git. */
export function workload(name: string, version: string, spec: object = {}): object {
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
  const container = {
    name: 'app',
    image: `serin.test/workload:${version}`,
    imagePullPolicy: 'Never',
    env: [{ name: 'VERSION', value: version }],
    readinessProbe: probe,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
      ...spec,
    },
  };
}
