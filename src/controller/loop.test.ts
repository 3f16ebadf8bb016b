import type { KubeObject } from '../kube/resources.ts';
import { ApiDouble } from './api-double.ts';
import { fillShop, guardWorks, putRollout, runLoop, type Running, spec } from './sample-world.ts';

let running: Running | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function shop(): Promise<ApiDouble> {
  const api = new ApiDouble();
  fillShop(api);
  guardWorks(api);
  return api;
}

async function start(api: ApiDouble, ms = 3000): Promise<Running> {
  running = await runLoop(api);
  await running.clock.advance(ms);
  return running;
}

const statusOf = (api: ApiDouble, name = 'checkout', namespace = 'shop') =>
  api.get('rollouts', namespace, name)?.['status'] as
    | {
        phase?: string;
        reason?: string;
        message?: string;
        stable?: { name?: string };
        journal?: object;
        conditions?: { type: string; status: string; reason: string }[];
      }
    | undefined;
const toUsers = (api: ApiDouble) => api.writes.filter(({ path }) => !/rollouts|events/.test(path));

test('a settled Deployment is attached by one label, and no pod is touched', async () => {
  const api = await shop();
  putRollout(api);
  await start(api);
  expect(statusOf(api)).toMatchObject({ phase: 'Idle', reason: 'UpToDate', stable: { name: 'checkout-aaa' } });
  expect(toUsers(api)).toHaveLength(1);
  expect(toUsers(api)[0]).toMatchObject({
    path: expect.stringContaining('deployments/checkout'),
    body: { metadata: { labels: { 'serin.dev/attached': 'true' } } },
  });
});

test('a settled world causes no write, and at most one dry run a minute', async () => {
  const api = await shop();
  putRollout(api);
  const { clock } = await start(api, 60_000);
  const writes = api.writes.length;
  const dryRuns = api.dryRuns.length;
  await clock.advance(30 * 60_000);
  expect(api.writes).toHaveLength(writes);
  expect(api.dryRuns.length - dryRuns).toBeLessThanOrEqual(30);
  expect(api.dryRuns.length - dryRuns).toBeGreaterThan(20);
});

test('a restart at rest writes nothing', async () => {
  const api = await shop();
  putRollout(api);
  await (await start(api, 60_000)).stop();
  const writes = api.writes.length;
  await start(api, 10 * 60_000);
  expect(api.writes).toHaveLength(writes);
});

test('a status that could not be written causes no effect', async () => {
  const api = await shop();
  putRollout(api);
  for (let i = 0; i < 40; i++) api.refuseNext('PATCH', /rollouts\/checkout\/status$/, 'Conflict');
  await start(api, 100);
  expect(api.writes).toEqual([]);
  expect(api.dryRuns).toEqual([]);
});

test.each([
  ['status', /rollouts\/checkout\/status$/],
  ['finalizer', /rollouts\/checkout$/],
  ['label', /deployments\/checkout$/],
])('a view that does not show our own %s yet is not acted on', async (_what, path) => {
  const api = await shop();
  putRollout(api);
  api.isLagging = (write) => path.test(write.path);
  await start(api, 2_000);
  const writes = api.writes.filter((write) => !write.path.endsWith('events')).length;
  expect(statusOf(api)?.phase).toBe('Attaching');
  await (running as Running).clock.advance(60_000);
  expect(api.writes.filter((write) => !write.path.endsWith('events'))).toHaveLength(writes);
  api.catchUp();
  await (running as Running).clock.advance(5_000);
  expect(statusOf(api)?.phase).toBe('Idle');
  expect(toUsers(api)).toHaveLength(1);
});

test('a Rollout that cannot be read says so, and harms no other', async () => {
  const api = await shop();
  fillShop(api, 'market');
  putRollout(api, { spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' }, traffic: 7 } });
  putRollout(api, { namespace: 'market' });
  await start(api);
  expect(statusOf(api)).toMatchObject({ reason: 'InvalidSpec', message: expect.stringContaining('spec.traffic') });
  expect(statusOf(api)?.journal).toBeUndefined();
  expect(statusOf(api, 'checkout', 'market')).toMatchObject({ phase: 'Idle' });
});

test('an unknown field of a newer Serin is refused rather than ignored', async () => {
  const api = await shop();
  putRollout(api, { spec: { ...spec, approvals: ['release-managers'] } });
  await start(api);
  expect(statusOf(api)).toMatchObject({ reason: 'InvalidSpec', message: expect.stringContaining('approvals') });
  expect(toUsers(api)).toEqual([]);
});

test('the journal of a newer Serin is left exactly as it is', async () => {
  const api = await shop();
  const journal = { version: 99, attempts: 4, handledActions: [], approvals: { first: 'alice' } };
  putRollout(api, { status: { journal, stable: { uid: 'x' }, quarantined: [{ shape: 'new' }] } });
  await start(api);
  expect(statusOf(api)).toMatchObject({
    reason: 'NewerJournal',
    journal,
    stable: { uid: 'x' },
    quarantined: [{ shape: 'new' }],
  });
  expect(toUsers(api)).toEqual([]);
});

test('without the Lease nothing is written', async () => {
  const api = await shop();
  putRollout(api);
  running = await runLoop(api);
  running.mayWrite = false;
  await running.clock.advance(10_000);
  expect(api.writes).toEqual([]);
});

test('an effect that keeps failing is told to people, and tried again', async () => {
  const api = await shop();
  putRollout(api);
  for (let i = 0; i < 5; i++) api.refuseNext('PATCH', /deployments\/checkout$/, 'Unavailable');
  const { clock, metrics } = await start(api, 1000);
  await clock.advance(30_000);
  expect(statusOf(api)?.phase).toBe('Idle');
  const told = api.writes
    .filter(({ path }) => path.endsWith('/events'))
    .map(({ body }) => body as { message: string; reason: string });
  const failures = told.filter(({ message }) => message.includes('Serin could not go on'));
  expect(failures).toHaveLength(1);
  expect(failures[0]?.reason).toBe('Hindered');
  expect(await metrics.registry.metrics()).toContain('serin_effect_errors_total{effect="attach"} 5');
});

test('of two Rollouts that name one Deployment the older one keeps it', async () => {
  const api = await shop();
  putRollout(api, { name: 'second', metadata: { creationTimestamp: '2026-02-02T00:00:00Z' } });
  putRollout(api);
  await start(api);
  expect(statusOf(api)).toMatchObject({ phase: 'Idle' });
  expect(statusOf(api, 'second')).toMatchObject({
    reason: 'HeldByOther',
    message: expect.stringContaining('shop/checkout'),
  });
});

test('where no policy holds a template the Deployment stays paused, and is freed when one does', async () => {
  const api = await shop();
  api.admission = (object) => object;
  putRollout(api);
  const { clock } = await start(api);
  const guarded = () => statusOf(api)?.conditions?.find(({ type }) => type === 'Guarded');
  expect(guarded()).toMatchObject({ status: 'True', reason: 'PauseGuard' });
  expect(api.get('deployments', 'shop', 'checkout')?.['spec']).toMatchObject({
    paused: true,
    progressDeadlineSeconds: 2_147_483_647,
  });
  guardWorks(api);
  await clock.advance(130_000);
  expect(statusOf(api)).toMatchObject({ phase: 'Idle', reason: 'UpToDate' });
  expect(guarded()).toMatchObject({ status: 'True', reason: 'AdmissionGuard' });
  const { metadata, ...rest } = api.get('deployments', 'shop', 'checkout') as KubeObject & { spec: object };
  const freed = rest.spec;
  expect(freed).toMatchObject({ progressDeadlineSeconds: 600 });
  expect(freed).not.toHaveProperty('paused');
  expect(Object.keys(metadata?.annotations ?? {})).not.toContainEqual(expect.stringContaining('serin.dev/'));
});

test('told to trust nothing but the policy, Serin begins no release where it does not work', async () => {
  const api = await shop();
  api.admission = (object) => object;
  putRollout(api);
  running = await runLoop(api, { guard: 'admission' });
  await running.clock.advance(3000);
  expect(statusOf(api)).toMatchObject({ reason: 'GuardAbsent' });
});

test('told to pause, Serin tries no policy: nothing that it could find out would change anything', async () => {
  const api = await shop();
  putRollout(api);
  running = await runLoop(api, { guard: 'pause' });
  await running.clock.advance(60_000);
  expect(statusOf(api)).toMatchObject({ phase: 'Idle', reason: 'UpToDate' });
  expect(statusOf(api)?.conditions).toContainEqual(expect.objectContaining({ type: 'Guarded', reason: 'PauseGuard' }));
  await running.clock.advance(30 * 60_000);
  expect(api.dryRuns.filter(({ path }) => path.includes('/deployments/'))).toEqual([]);
});

/** As Serin leaves it at rest, and as the guard held a template that is stable's again. */
function heldAtRest(api: ApiDouble): void {
  const deployment = api.get('deployments', 'shop', 'checkout');
  const set = api.get('replicasets', 'shop', 'checkout-aaa');
  const metadata = {
    ...deployment?.metadata,
    labels: { 'serin.dev/attached': 'true' },
    annotations: { 'serin.dev/held': 'true' },
  };
  const paused = { ...(deployment?.['spec'] as object), paused: true };
  api.put({ ...deployment, metadata, spec: paused } as never, 'deployments');
  const stable = {
    uid: set?.metadata.uid,
    name: 'checkout-aaa',
    hash: 'aaa',
    image: 'shop/checkout:1',
    since: '2026-01-01T00:00:00Z',
  };
  const journal = { version: 1, attempts: 0, handledActions: [], targetUid: deployment?.metadata.uid };
  putRollout(api, { metadata: { finalizers: ['serin.dev/detach'] }, status: { journal, stable } });
}

test('nobody who waits for Ready finds a Deployment that is still paused', async () => {
  const api = await shop();
  heldAtRest(api);
  await start(api);
  expect(statusOf(api)).toMatchObject({ phase: 'Idle', reason: 'UpToDate' });
  expect(api.writes.slice(0, 2).map(({ path }) => path.split('/').at(-1))).toEqual(['checkout', 'status']);
  expect(api.get('deployments', 'shop', 'checkout')?.['spec']).not.toHaveProperty('paused');
});

test('when an effect fails, people can read what was being tried', async () => {
  const api = await shop();
  heldAtRest(api);
  for (let i = 0; i < 3; i++) api.refuseNext('PATCH', /deployments\/checkout$/, 'Forbidden');
  await start(api, 0);
  expect(api.writes[0]?.path).toMatch(/rollouts\/checkout\/status$/);
});

test('a restart against an API server that lags does nothing on its old state', async () => {
  const api = await shop();
  heldAtRest(api);
  api.freeze();
  const seen = api.get('rollouts', 'shop', 'checkout');
  const status = seen?.['status'] as { readonly journal: object };
  // What another operator has decided since: a release runs, and the Deployment must stay held.
  api.put({ ...seen, status: { ...status, journal: { ...status.journal, attempts: 1 } } } as never, 'rollouts');
  const { clock } = await start(api);
  await clock.advance(60_000);
  expect(api.writes).toEqual([]);
  api.catchUp();
  await clock.advance(20_000);
  expect(toUsers(api)).toHaveLength(1);
});
