/** How cluster tests write with Serin's own identity, so that its rights and the policies are tried with every step. */
import { isUnavailable, openCluster } from '../../test/cluster/cluster.ts';
import type { ApiServer } from '../../test/policies/api-server.ts';
import { effectiveSpec } from '../api/effective.ts';
import { releaseRecordKind } from '../api/kinds.ts';
import { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { loadConnection } from '../kube/config.ts';
import { isKubeError } from '../kube/errors.ts';
import { HttpTransport } from '../kube/transport.ts';
import { ROLLOUT_UID } from './fixtures.ts';
import type { ReleaseRecord } from './objects.ts';
import { createRecord, endRecord } from './record.ts';

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

/** An attempt's anchor, which must really be there: the garbage collector takes what is owned by something that is not. */
export async function anchorOf(
  client: KubeClient,
  namespace: string,
  name: string,
  revision: string,
): Promise<ReleaseRecord> {
  const rollout = { name, uid: ROLLOUT_UID };
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name } as const;
  const spec = effectiveSpec({ targetRef: target, traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }] } });
  const order = {
    namespace,
    name: `${name}-${revision}-1`,
    attempt: 1,
    revision,
    rollout,
    deployment: { name, uid: 'any' },
  };
  const made = await createRecord(client, { ...order, spec });
  if (made.kind !== 'made') throw new Error(made.message);
  return made.object;
}

/** Lets go of every anchor of the namespace, which else could not be deleted. */
export async function endAll(client: KubeClient, namespace: string): Promise<void> {
  const { items } = await client.list<ReleaseRecord>(releaseRecordKind, { namespace });
  for (const record of items) {
    const rollout = { name: record.spec.rollout, uid: record.spec.rolloutUid };
    const ending = {
      outcome: 'Detached',
      reason: 'Detached',
      message: 'The test is over.',
      endedAtMs: Date.now(),
      rollout,
    } as const;
    await endRecord(client, record, ending);
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
