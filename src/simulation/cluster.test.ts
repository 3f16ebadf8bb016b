/** What the double promises beyond being like a cluster: wire, identities, latency, faults, time. Its likeness: test/truth. */
import { diceFrom } from '../analysis/dice.ts';
import { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import type { ClusterConnection } from '../kube/config.ts';
import { isKubeError } from '../kube/errors.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { deployments, namespaces, pods, type ResourceKind } from '../kube/resources.ts';
import { HttpTransport } from '../kube/transport.ts';
import type { Deployment, Pod } from '../workload/objects.ts';
import { adminUser, createDouble, type DoubleOptions, operatorUser, serveDouble } from './cluster.ts';
import type { Fault } from './faults.ts';

const configMaps: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
const ref = { namespace: 'default', name: 'checkout' };
const labels = { app: 'checkout' };
const deployment = {
  metadata: ref,
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'shop:1' }] } },
  },
};

function cluster(options: Partial<DoubleOptions> = {}) {
  const clock = new ManualClock();
  const double = createDouble({ clock, random: diceFrom(3), ...options });
  return { clock, double, client: new KubeClient({ transport: double.transport }) };
}

/** A cluster whose controllers run until the test is over. */
async function running(
  options: Partial<DoubleOptions>,
  body: (at: ReturnType<typeof cluster>) => Promise<void>,
): Promise<void> {
  const at = cluster(options);
  const stop = new AbortController();
  const ended = at.double.run(stop.signal);
  await body(at);
  stop.abort();
  await ended;
  await at.clock.advance(0);
  expect(at.clock.pendingTimers).toBe(0);
}

async function failure(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'accepted';
  } catch (error) {
    return isKubeError(error) ? error.code : String(error);
  }
}

describe('time', () => {
  test('an answer takes the latency, and a watch hears of a change after it', async () => {
    const { clock, double, client } = cluster({ latencyMs: 40 });
    const seen: string[] = [];
    const stop = new AbortController();
    const path = '/api/v1/namespaces/default/configmaps';
    const opening = double.transport.stream({ method: 'GET', path, query: { watch: true } }, stop.signal);
    await clock.advance(40);
    const reading = (async () => {
      for await (const line of await opening) seen.push(line);
    })();
    let isMade = false;
    const making = client.create(configMaps, { metadata: ref }).then(() => (isMade = true));
    await clock.advance(39);
    expect([isMade, seen.length]).toEqual([false, 0]);
    await clock.advance(1);
    expect([isMade, seen.length]).toEqual([true, 0]);
    await clock.advance(40);
    expect(seen).toHaveLength(1);
    stop.abort();
    await Promise.all([making, reading]);
  });

  test('controllers rest until time passes for them', async () => {
    await running({ reactionMs: 200 }, async ({ client, clock }) => {
      await client.create(deployments, deployment);
      expect((await client.list(pods)).items).toHaveLength(0);
      await clock.advance(5_000);
      expect((await client.get<Deployment>(deployments, ref)).status?.availableReplicas).toBe(1);
    });
  });

  test('the same seed gives the same names and UIDs', async () => {
    const names = async () => {
      const found: string[] = [];
      await running({}, async ({ client, clock }) => {
        await client.create(deployments, deployment);
        await clock.advance(5_000);
        found.push(...(await client.list(pods)).items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`));
      });
      return found;
    };
    expect(await names()).toEqual(await names());
  });
});

describe('a node that a client plays', () => {
  test('its pods wait for their status, and end when it says so', async () => {
    await running({ kubelet: 'none' }, async ({ client, clock }) => {
      await client.create(deployments, deployment);
      await clock.advance(60_000);
      const [pod] = (await client.list<Pod>(pods)).items;
      expect([pod?.status?.phase, pod?.spec['nodeName']]).toEqual(['Pending', 'node-1']);
      const where = { namespace: 'default', name: pod?.metadata.name ?? '' };
      const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z' };
      await client.patchStatus(pods, where, { phase: 'Running', podIP: '10.0.0.1', conditions: [ready] });
      await clock.advance(1_000);
      expect((await client.get<Deployment>(deployments, ref)).status?.availableReplicas).toBe(1);
      await client.mergePatch(deployments, ref, { spec: { replicas: 0 } });
      await clock.advance(60_000);
      expect((await client.get(pods, where)).metadata.deletionTimestamp).toBeDefined();
      await client.transport.request({
        method: 'DELETE',
        path: `/api/v1/namespaces/default/pods/${where.name}`,
        body: { gracePeriodSeconds: 0 },
      });
      expect(await client.find(pods, where)).toBeUndefined();
    });
  });
});

describe('faults', () => {
  async function withFault(fault: Fault, timeoutMs?: number) {
    const { clock, client } = cluster({ faults: { on: ({ method }) => (method === 'POST' ? fault : undefined) } });
    const made = failure(client.create(configMaps, { metadata: ref }, timeoutMs === undefined ? {} : { timeoutMs }));
    await clock.advance(timeoutMs ?? 1_000);
    return [await made, (await client.find(configMaps, ref)) !== undefined];
  }

  test('a refused request and a connection cut before it took effect leave nothing', async () => {
    const refused = { kind: 'refused', status: 503, reason: 'ServiceUnavailable', message: 'not now' } as const;
    expect(await withFault(refused)).toEqual(['Unavailable', false]);
    expect(await withFault({ kind: 'cut', effect: 'none' })).toEqual(['Network', false]);
  });

  test('an answer that is lost, or never comes, may have taken effect', async () => {
    expect(await withFault({ kind: 'cut', effect: 'done' })).toEqual(['Network', true]);
    expect(await withFault({ kind: 'silent', effect: 'done' }, 500)).toEqual(['Timeout', true]);
  });
});

describe('admission', () => {
  const attached = { ...deployment, metadata: { ...ref, labels: { 'serin.dev/attached': 'true' } } };
  const newTemplate = { spec: { template: { metadata: { annotations: { a: 'b' } } } } };

  test('without the policies nothing holds a new template', async () => {
    const { client } = cluster({ admission: false });
    await client.create(deployments, attached);
    expect((await client.mergePatch<Deployment>(deployments, ref, newTemplate)).spec.paused).toBeUndefined();
  });

  test('with them everybody but Serin is held', async () => {
    const { client, double } = cluster();
    await client.create(deployments, attached);
    const serin = new KubeClient({ transport: double.transportAs(operatorUser) });
    expect((await serin.mergePatch<Deployment>(deployments, ref, newTemplate)).spec.paused).toBeUndefined();
    expect(
      (
        await client.mergePatch<Deployment>(deployments, ref, {
          spec: { template: { metadata: { annotations: { a: 'c' } } } },
        })
      ).spec.paused,
    ).toBe(true);
  });
});

describe('over a real wire', () => {
  const connection = (kubeconfig: string): ClusterConnection => {
    const { clusters, users } = JSON.parse(kubeconfig) as {
      clusters: [{ cluster: { server: string } }];
      users: [{ user: { token: string } }];
    };
    const headers = { authorization: `Bearer ${users[0].user.token}` };
    return {
      server: clusters[0].cluster.server,
      namespace: 'default',
      context: 'test',
      credentials: async () => ({ tls: {}, headers }),
    };
  };

  test('users are told apart by token, watches stream, and whoever is unknown is refused', async () => {
    const double = createDouble({ clock: systemClock, random: Math.random });
    const served = await serveDouble(double);
    const open = (kubeconfig: string) => new HttpTransport({ connection: connection(kubeconfig), clock: systemClock });
    const [admin, operator, stranger] = [
      open(served.kubeconfigs.admin),
      open(served.kubeconfigs.operator),
      open(served.kubeconfigs.admin.replace(/"token": "\w+"/, '"token": "nobody"')),
    ];
    const client = new KubeClient({ transport: admin });
    const stop = new AbortController();
    const path = '/api/v1/namespaces/default/configmaps';
    const lines = await admin.stream({ method: 'GET', path, query: { watch: true } }, stop.signal);
    await client.create(configMaps, { metadata: ref });
    for await (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'checkout' } } });
      break;
    }
    const action = { rollout: 'checkout', action: 'pause' };
    const rolloutActions = {
      group: 'serin.dev',
      version: 'v1alpha1',
      plural: 'rolloutactions',
      kind: 'RolloutAction',
      namespaced: true,
    };
    const by = async (transport: HttpTransport, impersonate?: { user: string }) =>
      (
        await new KubeClient({ transport }).create<{ spec: { by: string } }>(
          rolloutActions,
          { metadata: { namespace: 'default', generateName: 'a-' }, spec: action },
          { impersonate },
        )
      ).spec.by;
    expect([await by(admin), await by(operator), await by(admin, { user: 'alice' })]).toEqual([
      adminUser.name,
      operatorUser.name,
      'alice',
    ]);
    expect(await failure(new KubeClient({ transport: stranger }).list(namespaces))).toBe('Unauthorized');
    stop.abort();
    await Promise.all([admin, operator, stranger].map((transport) => transport.close()));
    await served.close();
  });

  test('what the double does not play it refuses and does not pretend', async () => {
    const { client, double } = cluster();
    await client.create(deployments, deployment);
    const path = '/apis/apps/v1/namespaces/default/deployments/checkout';
    const ask = (method: 'PATCH' | 'DELETE', at: string, contentType?: string) =>
      failure(
        double.transport.request({ method, path: at, body: {}, ...(contentType === undefined ? {} : { contentType }) }),
      );
    expect([
      await ask('PATCH', path, 'application/strategic-merge-patch+json'),
      await ask('PATCH', path, 'text/plain'),
      await ask('DELETE', '/apis/apps/v1/namespaces/default/deployments'),
      await failure(client.list({ ...deployments, plural: 'daemonsets' })),
    ]).toEqual(['Unexpected', 'Invalid', 'Unexpected', 'NotFound']);
  });
});
