/** A version whose pods only fail their probe, in a cluster in memory: what the kubelet tells in Events alone reaches the status. */
import { diceFrom } from '../../src/analysis/dice.ts';
import { rolloutKind } from '../../src/api/kinds.ts';
import { ControlLoop } from '../../src/controller/loop.ts';
import type { Log } from '../../src/controller/log.ts';
import { createMetrics } from '../../src/insight/metrics.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { ManualClock } from '../../src/kube/manual-clock.ts';
import {
  deployments,
  events,
  httpRoutes,
  type KubeObject,
  namespaces,
  pods,
  services,
} from '../../src/kube/resources.ts';
import { createDouble, operatorUser } from '../../src/simulation/cluster.ts';
import type { Pod } from '../../src/workload/objects.ts';
import { isNeverReady } from '../truth/double-world.ts';
import { deploymentOf, rolloutOf, serviceOf, templateOf } from '../truth/manifests.ts';
import { routeOf } from './world.ts';

const namespace = 'shop';
const name = 'checkout';
const ref = { namespace, name };
const answer = 'Readiness probe failed: HTTP probe failed with statuscode: 503';

const clock = new ManualClock();
const double = createDouble({
  clock,
  random: diceFrom(11),
  standIn: { readyAfterMs: (pod) => (isNeverReady(pod) ? 'never' : 300) },
});
const client = new KubeClient({ transport: double.transport });
const stop = new AbortController();
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const loop = new ControlLoop({
  transport: double.transportAs(operatorUser),
  clock,
  random: diceFrom(12),
  log: silent,
  metrics: createMetrics(),
  instance: 'test',
  mayWrite: () => true,
});
let running: Promise<unknown>;

interface Shown extends KubeObject {
  readonly status?: { readonly phase?: string; readonly reason?: string; readonly message?: string };
}

const shown = async (): Promise<Shown['status']> => (await client.get<Shown>(rolloutKind, ref)).status;

beforeAll(async () => {
  running = Promise.all([double.run(stop.signal), loop.mirror(stop.signal), loop.lead(stop.signal)]);
  await client.create(namespaces, { metadata: { name: namespace } });
  const put = (kind: typeof pods, object: { readonly metadata: { readonly name?: string } }) =>
    client.create(kind, { ...object, metadata: { ...object.metadata, namespace } });
  await put(deployments, deploymentOf(name));
  await put(services, serviceOf(name));
  await put(httpRoutes, routeOf(name));
  await put(rolloutKind, rolloutOf(name));
  await clock.advance(30_000);
});

afterAll(async () => {
  stop.abort();
  await clock.advance(1);
  await running;
});

test('the answer of a failing probe stands in the status, while its pods start and when they were given up', async () => {
  expect(await shown()).toMatchObject({ phase: 'Idle' });
  await client.mergePatch(deployments, ref, { spec: { template: templateOf(name, { isNeverReady: true }) } });
  await clock.advance(5_000);
  const { items } = await client.list<Pod>(pods, { namespace });
  const failing = items.filter(isNeverReady);
  expect(failing.length).toBeGreaterThan(0);
  for (const pod of failing) await client.create(events, unhealthy(pod));
  await clock.advance(60_000);
  expect(await shown()).toMatchObject({
    reason: 'PodsStarting',
    message: expect.stringContaining(`(container app: ${answer})`),
  });
  await clock.advance(10 * 60_000);
  expect(await shown()).toMatchObject({
    phase: 'RolledBack',
    message: expect.stringContaining(`container app: ${answer}`),
  });
});

/** As the kubelet writes it. */
function unhealthy({ metadata }: Pod) {
  const involvedObject = {
    kind: 'Pod',
    namespace,
    name: metadata.name,
    uid: metadata.uid,
    fieldPath: 'spec.containers{app}',
  };
  return {
    metadata: { namespace, name: `${metadata.name}.1` },
    type: 'Warning',
    reason: 'Unhealthy',
    message: answer,
    lastTimestamp: '2026-01-01T00:00:40Z',
    involvedObject,
  };
}
