/** Pins, the canary's Service and splits on a real API server, real EndpointSlices and a real gateway. */
import { openStage } from '../../test/policies/stage.ts';
import type { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import {
  deployments,
  endpointSlices,
  httpRoutes,
  type KubeObject,
  pods,
  replicaSets,
  services,
} from '../kube/resources.ts';
import { again, anchorOf, clientAsSerin, endAll, eventually, workload } from '../workload/as-serin.ts';
import { createCanary, scaleReplicaSet } from '../workload/canary.ts';
import { ROLLOUT_UID } from '../workload/fixtures.ts';
import type { Deployment, OwnedMeta, Pod, ReplicaSet } from '../workload/objects.ts';
import { hashOf } from '../workload/revision.ts';
import { createCanaryService, deleteCanaryService } from './canary-service.ts';
import { ConvergenceWatch } from './convergence.ts';
import { splitRoute, viewRoute } from './gateway-api.ts';
import type { EndpointSlice, HTTPRoute, Service } from './objects.ts';
import { pin, unpin } from './pin.ts';
import { type ServicesSeen, viewCanaryService, viewServices } from './services.ts';

const stage = openStage('traffic', ['routes']);
const { namespace, server } = stage;
const rolloutUid = ROLLOUT_UID;

const manifestOf = {
  service: (name: string, selector: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
  }),
  route: (name: string, backendRefs: readonly object[], path = '/') => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      hostnames: [`${name}.example`],
      parentRefs: [{ name: 'gateway', namespace: 'serin-gateway' }],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs }],
    },
  }),
};

/** As Git applies it, by server-side apply. */
async function git(manifest: object, ...flags: string[]): Promise<void> {
  const words = ['apply', '--server-side', '--field-manager', 'git', ...flags, '-n', namespace, '-f', '-'];
  const { code, output } = await server.kubectl(words, manifest);
  if (code !== 0) throw new Error(output);
}

const ownersOf = ({ metadata }: KubeObject) => (metadata as OwnedMeta).managedFields?.map(({ manager }) => manager);

/** For each test: a machine that is busy with other suites takes its time. */
const patienceMs = 180_000;

stage.describe('traffic', () => {
  let client: KubeClient;

  beforeAll(async () => {
    client = await clientAsSerin(server);
  }, patienceMs);
  afterAll(async () => {
    await endAll(client, namespace);
    await client.transport.close();
  }, patienceMs);

  const serviceNow = (name: string) => client.get<Service>(services, { namespace, name });
  const routeNow = (name: string) => client.get<HTTPRoute>(httpRoutes, { namespace, name });
  async function seen(name: string): Promise<ServicesSeen> {
    const all = async <T>(kind: Parameters<KubeClient['list']>[0]) => (await client.list<T>(kind, { namespace })).items;
    return {
      deployment: await client.get<Deployment>(deployments, { namespace, name }),
      replicaSets: await all<ReplicaSet>(replicaSets),
      pods: await all<Pod>(pods),
      slices: await all<EndpointSlice>(endpointSlices),
      services: await all<Service>(services),
      traffic: { service: name, alsoReachable: [] },
      rolloutUid,
    };
  }

  const settled = (name: string) =>
    eventually(`two endpoints of ${name}`, async () => {
      const view = viewServices(await seen(name)).find((one) => one.name === name);
      const [uid, ready] = Object.entries(view?.readyOf ?? {})[0] ?? [];
      return uid !== undefined && ready === 2 ? { uid } : undefined;
    });

  test(
    'a pin loses no endpoint and keeps the canary’s pods out; unpinned, nothing tells that Serin was here',
    async () => {
      const name = 'pinned';
      await git(manifestOf.service(name, { app: name }));
      await git(workload(name, 'v1'));
      const stable = await settled(name);
      const before = await serviceNow(name);
      const hash = (await seen(name)).replicaSets.find(({ metadata }) => metadata.uid === stable.uid)?.metadata
        .labels?.['pod-template-hash'];

      await again(async () => pin(client, await serviceNow(name), { hash: hash ?? '', rolloutUid }));
      await git(manifestOf.service(name, { app: name }), '--force-conflicts');
      const deployment = await client.get<Deployment>(deployments, { namespace, name });
      const other = {
        ...deployment,
        spec: {
          ...deployment.spec,
          template: { ...deployment.spec.template, metadata: { labels: { app: name }, annotations: { version: '2' } } },
        },
      };
      const newHash = hashOf(other.spec.template);
      const record = (await anchorOf(client, namespace, name, newHash)).metadata;
      const order = { record, rolloutUid, attempt: 1, hash: newHash };
      const canary = await createCanary(client, {
        ...order,
        deployment: other,
        name: `${name}-${newHash}`,
        replicas: 1,
      });
      if (canary.kind !== 'made') throw new Error(canary.message);
      const made = await createCanaryService(client, { ...order, service: await serviceNow(name) });
      if (made.kind !== 'made') throw new Error(made.message);
      const during = await eventually('the canary’s endpoint', async () => {
        const now = await seen(name);
        return viewCanaryService(now)?.ready === 1 ? now : undefined;
      });

      expect(viewServices(during)).toEqual([
        expect.objectContaining({
          name,
          role: 'named',
          kind: 'selects',
          pinnedTo: hash,
          readyOf: { [stable.uid]: 2 },
          anyOf: { [stable.uid]: 2 },
          strangers: [],
        }),
      ]);
      expect(viewCanaryService(during)).toEqual({
        name: `${name}-canary`,
        uid: made.object.metadata.uid,
        ours: true,
        ready: 1,
        any: 1,
      });
      await again(async () =>
        scaleReplicaSet(client, await client.get<ReplicaSet>(replicaSets, canary.object.metadata), 0),
      );
      await eventually('its end', async () => (viewCanaryService(await seen(name))?.any === 0 ? true : undefined));
      await again(async () => unpin(client, await serviceNow(name)));
      const after = await serviceNow(name);
      expect({ spec: after.spec, labels: after.metadata.labels }).toEqual({
        spec: before.spec,
        labels: before.metadata.labels,
      });
      expect(ownersOf(after)).not.toContain('serin');
      await git(manifestOf.service(name, { app: name, tier: 'web' }));
    },
    patienceMs,
  );

  test(
    'the canary’s Service is never somebody else’s, and is deleted only if it is the one that was seen',
    async () => {
      await git(manifestOf.service('taken', { app: 'taken' }));
      await git(manifestOf.service('taken-canary', { app: 'mine' }));
      const record = { name: 'none', uid: 'none' };
      const order = { service: await serviceNow('taken'), hash: 'bcdfghjklm', record, rolloutUid, attempt: 1 };
      expect(await createCanaryService(client, order)).toMatchObject({ kind: 'nameTaken' });
      await deleteCanaryService(client, { namespace, name: 'taken-canary', uid: 'another' });
      expect((await serviceNow('taken-canary')).spec.selector).toEqual({ app: 'mine' });
    },
    patienceMs,
  );

  test(
    'a headless Service with several ports and a sticky one get a canary’s Service that the API takes',
    async () => {
      const record = (await anchorOf(client, namespace, 'shapes', 'bcdfghjklm')).metadata;
      const headless = manifestOf.service('headless', { app: 'x' });
      const ports = [
        { name: 'a', port: 80 },
        { name: 'b', port: 81, targetPort: 'web' },
      ];
      await git({ ...headless, spec: { ...headless.spec, clusterIP: 'None', ports } });
      const sticky = manifestOf.service('sticky', { app: 'x' });
      await git({ ...sticky, spec: { ...sticky.spec, type: 'NodePort', sessionAffinity: 'ClientIP' } });
      for (const name of ['headless', 'sticky']) {
        const order = { service: await serviceNow(name), hash: 'bcdfghjklm', record, rolloutUid, attempt: 1 };
        expect((await createCanaryService(client, order)).kind).toBe('made');
      }
      expect(await serviceNow('headless-canary')).toMatchObject({
        spec: { clusterIP: 'None', ports: [{ port: 80 }, { port: 81 }] },
      });
      expect(await serviceNow('sticky-canary')).toMatchObject({
        spec: { type: 'ClusterIP', sessionAffinity: 'ClientIP' },
      });
    },
    patienceMs,
  );

  stage.testWith(
    ['gateway'],
    'the gateway takes up a split; a forced apply from Git is seen and split anew; taken out, the route is its user’s again',
    async () => {
      const name = 'split';
      const watch = new ConvergenceWatch(systemClock);
      const view = async () => viewRoute({ name, route: await routeNow(name), service: name, settleMs: 0 }, watch);
      const accepted = (weight: number | undefined) =>
        eventually(`the gateway to accept ${weight ?? 'the route'}`, async () => {
          const now = await view();
          return now.canaryWeightPercent === weight && now.parents[0]?.accepted === true ? now : undefined;
        });
      const split = (weight: number | 'out') =>
        again(async () => splitRoute(client, await routeNow(name), name, weight));
      const refs = [
        { name, port: 80, weight: 3 },
        { name: 'split-other', port: 80 },
      ];
      for (const one of [name, 'split-other', `${name}-canary`]) await git(manifestOf.service(one, { app: 'nobody' }));
      await git(manifestOf.route(name, refs));
      const before = await routeNow(name);
      expect(await accepted(undefined)).toMatchObject({ exists: true, serves: true, uniform: true });

      await split(0);
      await accepted(0);
      await split(25);
      expect(await accepted(25)).toMatchObject({
        uniform: true,
        parents: [{ key: 'Gateway/serin-gateway/gateway// traefik.io/gateway-controller' }],
      });
      const weights = (await routeNow(name)).spec.rules?.[0]?.backendRefs?.map((ref) => [ref.name, ref.weight]);
      expect(weights).toEqual([
        [name, 9],
        [`${name}-canary`, 3],
        ['split-other', 4],
      ]);

      await git(manifestOf.route(name, refs), '--force-conflicts');
      expect(await view()).toMatchObject({ canaryWeightPercent: 0, uniform: false });
      await split(25);
      expect(await view()).toMatchObject({ canaryWeightPercent: 25, uniform: true });

      await split('out');
      const after = await routeNow(name);
      expect({ spec: after.spec, annotations: after.metadata.annotations }).toEqual({
        spec: before.spec,
        annotations: before.metadata.annotations,
      });
      expect(ownersOf(after)).not.toContain('serin');
      await git(manifestOf.route(name, refs, '/new'));
      expect((await routeNow(name)).spec.rules?.[0]).toMatchObject({ matches: [{ path: { value: '/new' } }] });
    },
    patienceMs,
  );

  test(
    'a split on a route that changed since it was looked at is refused',
    async () => {
      await git(manifestOf.route('raced', [{ name: 'raced', port: 80 }]));
      const old = await routeNow('raced');
      await git(manifestOf.route('raced', [{ name: 'raced', port: 81 }]));
      await expect(splitRoute(client, old, 'raced', 25)).rejects.toMatchObject({ code: 'Conflict' });
    },
    patienceMs,
  );
});
