import { createMetrics } from '../insight/metrics.ts';
import { KubeClient } from '../kube/client.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { Decision, Effect } from '../release/decision.ts';
import { flagEntry } from '../release/sample-world.ts';
import { act } from './act.ts';
import { ApiDouble } from './api-double.ts';
import type { Seen } from './observe.ts';
import type { Rehearsal } from './rehearsals.ts';
import { fillShop, putRollout, seenIn } from './sample-world.ts';

function shop(status?: object) {
  const api = new ApiDouble();
  fillShop(api);
  putRollout(api, status === undefined ? {} : { status });
  const metrics = createMetrics();
  const rehearsals: Rehearsal[] = [];
  const proved: string[] = [];
  const flagOrders: unknown[] = [];
  const parts = {
    clock: new ManualClock(),
    metrics,
    clientFor: () => new KubeClient({ transport: api }),
    proveGuard: async (deployment: { readonly metadata: { readonly name: string } }) =>
      void proved.push(deployment.metadata.name),
    check: () => undefined,
    flags: {
      ask: (...order: unknown[]) => void flagOrders.push(order),
      drop: (...order: unknown[]) => void flagOrders.push(order),
    },
    noteRehearsal: (_key: string, _uid: string, result: Rehearsal) => void rehearsals.push(result),
  };
  const { seen } = seenIn(api);
  const carryOut = (effects: readonly Effect[], given: Seen = seen) =>
    act(parts, given, { ...decision(given), effects }, new AbortController().signal);
  return { api, metrics, rehearsals, proved, flagOrders, seen, carryOut };
}

const decision = (seen: Seen): Decision => ({
  memory: seen.world.memory,
  report: { phase: 'Idle', reason: 'UpToDate', message: '', stalled: false },
  effects: [],
  events: [],
});

const attempt = {
  number: 1,
  hash: 'bbb',
  image: 'shop/checkout:2',
  record: 'checkout-bbb-1',
  replicaSet: 'checkout-bbb',
  targetUid: 'uid-101',
  spec: seenSpec(),
  parents: [],
  beganAtMs: 1,
  stage: 'begin',
  stageSinceMs: 1,
  step: 0,
  weightPercent: 0,
  weightSinceMs: 1,
  noSource: true,
};
const withAttempt = { journal: { version: 1, attempts: 1, handledActions: [], attempt } };

function seenSpec(): object {
  const api = new ApiDouble();
  fillShop(api);
  putRollout(api);
  return seenIn(api).seen.spec;
}

const nameOf = ({ path }: { readonly path: string }) => path.split('/').slice(-2).join('/');

test('effects are carried out in their order', async () => {
  const { api, carryOut } = shop();
  await carryOut([{ kind: 'addFinalizer' }, { kind: 'attach' }, { kind: 'pin', service: 'checkout', hash: 'aaa' }]);
  expect(api.writes.map(nameOf)).toEqual(['rollouts/checkout', 'deployments/checkout', 'services/checkout']);
});

test('an effect that fails leaves the later ones undone', async () => {
  const { api, metrics, carryOut } = shop();
  api.refuseNext('PATCH', /deployments/, 'Forbidden');
  await expect(
    carryOut([{ kind: 'addFinalizer' }, { kind: 'attach' }, { kind: 'pin', service: 'checkout', hash: 'aaa' }]),
  ).rejects.toMatchObject({
    code: 'Forbidden',
  });
  expect(api.writes.map(nameOf)).toEqual(['rollouts/checkout']);
  expect(await metrics.registry.metrics()).toContain('serin_effect_errors_total{effect="attach"} 1');
});

test('a write on an object that changed since it was looked at does not happen, and counts as no failure', async () => {
  const { api, metrics, seen, carryOut } = shop();
  const { namespace = '', name } = seen.deployment?.metadata ?? { name: '' };
  api.put(
    {
      ...api.get('deployments', namespace, name),
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { namespace, name },
    } as never,
    'deployments',
  );
  await expect(carryOut([{ kind: 'hold' }])).rejects.toMatchObject({ code: 'Conflict' });
  expect(api.writes).toEqual([]);
  expect(await metrics.registry.metrics()).toContain('serin_effect_errors_total{effect="hold"} 0');
});

test('two effects on one object are both carried out: the second is guarded by what the first left', async () => {
  const { api, carryOut } = shop();
  await carryOut([{ kind: 'attach' }, { kind: 'hold' }]);
  expect(api.get('deployments', 'shop', 'checkout')).toMatchObject({
    metadata: { labels: { 'serin.dev/attached': 'true' }, annotations: { 'serin.dev/held': 'true' } },
    spec: { paused: true },
  });
});

test('an object that is not there any more means looking again', async () => {
  const { carryOut } = shop();
  await expect(carryOut([{ kind: 'scale', uid: 'gone', name: 'checkout-zzz', replicas: 0 }])).rejects.toMatchObject({
    code: 'Conflict',
  });
  await expect(carryOut([{ kind: 'split', route: 'other', weightPercent: 5 }])).rejects.toMatchObject({
    code: 'Conflict',
  });
});

test('the handover happens only on exactly the Deployment and ReplicaSet that were seen', async () => {
  const { api, seen, carryOut } = shop();
  const set = seen.replicaSets[0]?.metadata;
  const handOver: Effect = { kind: 'handOver', uid: set?.uid ?? '', name: set?.name ?? '', replicas: 2 };
  const deployment = api.get('deployments', 'shop', 'checkout');
  // A resize, in the very moment.
  api.put({ ...deployment, spec: { ...(deployment?.['spec'] as object), replicas: 5 } } as never, 'deployments');
  await expect(carryOut([handOver])).rejects.toMatchObject({ code: 'Conflict' });
  expect(api.writes).toEqual([]);
  await carryOut([handOver], seenIn(api).seen);
  expect(api.writes.map(nameOf)).toEqual(['replicasets/checkout-aaa']);
});

test('the record that a list makes anchors what the same list makes after it', async () => {
  const { api, carryOut } = shop(withAttempt);
  await carryOut([
    { kind: 'createRecord', record: 'checkout-bbb-1', attempt: 1, revision: 'bbb' },
    { kind: 'createCanaryService' },
  ]);
  const record = api.get('releaserecords', 'shop', 'checkout-bbb-1');
  expect(record).toMatchObject({
    metadata: { finalizers: ['serin.dev/anchor'] },
    spec: { rollout: 'checkout', revision: 'bbb', attempt: 1 },
  });
  expect(record?.metadata.ownerReferences).toBeUndefined();
  expect(api.get('services', 'shop', 'checkout-canary')?.metadata.ownerReferences).toMatchObject([
    { kind: 'ReleaseRecord', uid: record?.metadata.uid },
  ]);
});

test("somebody else's object of the name that is needed is left alone, and people are told", async () => {
  const { api, carryOut } = shop(withAttempt);
  api.put(
    { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop', name: 'checkout-canary' }, spec: {} } as never,
    'services',
  );
  await expect(
    carryOut([
      { kind: 'createRecord', record: 'checkout-bbb-1', attempt: 1, revision: 'bbb' },
      { kind: 'createCanaryService' },
    ]),
  ).rejects.toThrow("is not Serin's");
});

test('a revision that is no longer live is not created (S3)', async () => {
  const { api, carryOut } = shop(withAttempt);
  const create: Effect = {
    kind: 'createCanary',
    name: 'checkout-bbb',
    hash: 'bbb',
    record: 'checkout-bbb-1',
    replicas: 2,
  };
  await expect(
    carryOut([{ kind: 'createRecord', record: 'checkout-bbb-1', attempt: 1, revision: 'bbb' }, create]),
  ).rejects.toMatchObject({ code: 'Conflict' });
  expect(api.get('replicasets', 'shop', 'checkout-bbb')).toBeUndefined();
});

test('an attempt ends as history of its Rollout, and is counted', async () => {
  const { api, metrics, carryOut } = shop(withAttempt);
  await carryOut([{ kind: 'createRecord', record: 'checkout-bbb-1', attempt: 1, revision: 'bbb' }]);
  const { seen } = seenIn(api);
  await carryOut(
    [{ kind: 'endRecord', record: 'checkout-bbb-1', outcome: 'RolledBack', reason: 'Errors', message: 'It failed.' }],
    seen,
  );
  expect(api.get('releaserecords', 'shop', 'checkout-bbb-1')).toMatchObject({
    metadata: { finalizers: [], ownerReferences: [{ kind: 'Rollout', name: 'checkout' }] },
    status: { outcome: 'RolledBack', reason: 'Errors', message: 'It failed.' },
  });
  expect(await metrics.registry.metrics()).toContain('serin_releases_total{outcome="RolledBack"} 1');
});

test('a person gets one answer, and one who withdrew the question none', async () => {
  const asked = shop();
  asked.api.put(
    {
      apiVersion: 'serin.dev/v1alpha1',
      kind: 'RolloutAction',
      metadata: { namespace: 'shop', name: 'pause-1' },
      spec: { rollout: 'checkout', action: 'pause', by: 'alice' },
    } as never,
    'rolloutactions',
  );
  await asked.carryOut(
    [{ kind: 'answerAction', name: 'pause-1', state: 'Accepted', message: 'Paused.' }],
    seenIn(asked.api).seen,
  );
  await asked.carryOut([{ kind: 'answerAction', name: 'withdrawn', state: 'Accepted', message: 'Paused.' }]);
  expect(asked.api.writes).toHaveLength(1);
  expect(asked.api.get('rolloutactions', 'shop', 'pause-1')).toMatchObject({
    status: { state: 'Accepted', message: 'Paused.' },
  });
});

test('the questions of an attach are dry runs', async () => {
  const { api, proved, rehearsals, carryOut } = shop();
  await carryOut([{ kind: 'rehearse' }, { kind: 'proveGuard' }]);
  expect(api.writes).toEqual([]);
  expect(rehearsals).toEqual([{}]);
  expect(proved).toEqual(['checkout']);
});

test('changes of flags are handed on to those who work on them, with the namespace of the Rollout, and waited for by nobody', async () => {
  const { flagOrders, carryOut } = shop();
  const entry = flagEntry({ sinceMs: 1 });
  await carryOut([
    { kind: 'flag', task: 'plan', entry },
    { kind: 'dropFlag', id: 'uid-1-0' },
  ]);
  expect(flagOrders).toEqual([
    ['shop/checkout', { task: 'plan', entry, namespace: 'shop' }],
    ['shop/checkout', 'uid-1-0'],
  ]);
});
