/** What the API server itself says to our guards, watches, Lease and events: nothing here is imitated. */
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isUnavailable, notRun, openCluster, type TestCluster } from '../../test/cluster/cluster.ts';
import { KubeClient } from './client.ts';
import { systemClock } from './clock.ts';
import { loadConnection } from './config.ts';
import type { KubeError } from './errors.ts';
import { EventRecorder } from './events.ts';
import { LeaderElector } from './lease.ts';
import { Reflector } from './reflector.ts';
import { deployments, type KubeObject, namespaces, selfSubjectAccessReviews, services } from './resources.ts';
import { until } from './scripted-server.ts';
import { Store } from './store.ts';
import { HttpTransport, type KubeRequest, type Transport } from './transport.ts';

const cluster = await openCluster();
const onCluster = isUnavailable(cluster)
  ? (sentence: string, tests: () => void) => describe.skip(notRun(sentence, cluster.unavailable), tests)
  : describe;
const run = promisify(execFile);

onCluster('on a real API server', () => {
  const namespace = `serin-kube-${Date.now().toString(36)}`;
  const ref = { namespace, name: 'checkout' };
  const { kubeconfig, kubectl } = cluster as TestCluster;
  let transport: HttpTransport;
  let client: KubeClient;

  beforeAll(async () => {
    transport = new HttpTransport({ connection: loadConnection({ kubeconfig }), clock: systemClock });
    client = new KubeClient({ transport });
    await client.create(namespaces, { metadata: { name: namespace } });
  });

  afterAll(async () => {
    await client.delete(namespaces, { name: namespace });
    await transport.close();
  });

  beforeEach(async () => {
    await client.create(services, serviceWith({ app: 'checkout' }));
  });

  afterEach(async () => {
    await client.delete(services, ref);
  });

  function serviceWith(selector: Record<string, string>, meta: object = {}) {
    return { metadata: { ...ref, ...meta }, spec: { ports: [{ port: 80 }], selector } };
  }

  test('a failed guard is a Conflict in every kind of write, also when nothing would change', async () => {
    const { uid, resourceVersion } = (await client.get(services, ref)).metadata;
    await client.mergePatch(services, ref, { metadata: { labels: { by: 'another' } } });
    const stale = { resourceVersion };
    const conflict = { code: 'Conflict', retry: 'now' };
    const label = { metadata: { labels: { by: 'another' } } };
    const add = [{ op: 'add', path: '/metadata/labels/by', value: 'another' }] as const;
    expect(await failure(client.mergePatch(services, ref, label, stale))).toEqual(conflict);
    expect(await failure(client.jsonPatch(services, ref, add, stale))).toEqual(conflict);
    expect(await failure(client.apply(services, serviceWith({ app: 'x' }, stale), { force: true }))).toEqual(conflict);
    expect(await failure(client.delete(services, ref, { uid, ...stale }))).toEqual(conflict);
    expect(await failure(client.delete(services, ref, { uid: 'another' }))).toEqual(conflict);
    const fresh = { resourceVersion: (await client.get(services, ref)).metadata.resourceVersion };
    await client.jsonPatch(services, ref, [{ op: 'remove', path: '/metadata/labels/by' }], fresh);
    expect((await client.get(services, ref)).metadata.labels).toBeUndefined();
  });

  test('a JSON patch that is wrong is Invalid, not a Conflict, guarded or not', async () => {
    const { resourceVersion } = (await client.get(services, ref)).metadata;
    const wrong = [{ op: 'remove', path: '/metadata/labels/none' }] as const;
    expect(await failure(client.jsonPatch(services, ref, wrong, { resourceVersion }))).toEqual({
      code: 'Invalid',
      retry: 'never',
    });
  });

  test('status is guarded like the rest', async () => {
    const name = { namespace, name: 'sleeper' };
    const labels = { app: 'sleeper' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'none' }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    const created = await client.create(deployments, { metadata: name, spec });
    const { resourceVersion } = created.metadata;
    await client.mergePatch(deployments, name, { metadata: { annotations: { a: 'b' } } });
    const stale = client.patchStatus(deployments, name, { conditions: [] }, { resourceVersion });
    expect(await failure(stale)).toEqual({ code: 'Conflict', retry: 'now' });
    await client.delete(deployments, name, { uid: created.metadata.uid, propagation: 'Foreground' });
  });

  test("another manager's field is taken only by force", async () => {
    await client.apply(services, serviceWith({ app: 'theirs' }), { fieldManager: 'git', force: true });
    const ours = serviceWith({ app: 'ours' });
    expect(await failure(client.apply(services, ours))).toEqual({ code: 'Conflict', retry: 'never' });
    const applied = await client.apply<KubeObject & { spec: { selector: object } }>(services, ours, { force: true });
    expect(applied.spec.selector).toEqual({ app: 'ours' });
  });

  test('what exists is told when it is created again, and what does not is absent', async () => {
    expect(await failure(client.create(services, serviceWith({})))).toEqual({ code: 'AlreadyExists', retry: 'never' });
    expect(await client.find(services, { namespace, name: 'none' })).toBeUndefined();
    expect(await failure(client.get(services, { namespace, name: 'none' }))).toEqual({
      code: 'NotFound',
      retry: 'never',
    });
  });

  test('a dry run is answered and not kept', async () => {
    const before = await client.get(services, ref);
    const label = { metadata: { labels: { dry: 'run' } } };
    expect((await client.mergePatch(services, ref, label, { dryRun: true })).metadata.labels).toEqual({ dry: 'run' });
    await client.delete(services, ref, { dryRun: true });
    expect(await client.get(services, ref)).toEqual(before);
  });

  test('acting as somebody else has their rights, by every group', async () => {
    const impersonate = { user: 'nobody', groups: ['first', 'system:masters'] };
    await client.get(services, ref, { impersonate });
    expect(await failure(client.get(services, ref, { impersonate: { user: 'nobody' } }))).toEqual({
      code: 'Forbidden',
      retry: 'never',
    });
    const spec = { resourceAttributes: { namespace, verb: 'update', resource: 'services' } };
    const ask = { metadata: {}, spec };
    const answer = await client.create<{ status: { allowed: boolean } }>(selfSubjectAccessReviews, ask, {
      impersonate: { user: 'nobody' },
    });
    expect(answer.status.allowed).toBe(false);
  });

  test('a reflector follows, survives a cut of every connection, and misses nothing in between', async () => {
    // A connection of its own, which is cut under it.
    const cut = new HttpTransport({ connection: loadConnection({ kubeconfig }), clock: systemClock });
    const store = new Store<KubeObject>();
    const changes: string[] = [];
    store.onChange(({ kind, object }) =>
      changes.push(`${kind} ${object.metadata.name} ${object.metadata.labels?.['n'] ?? ''}`.trim()),
    );
    const options = {
      client: new KubeClient({ transport: cut }),
      clock: systemClock,
      random: Math.random,
      kind: services,
      namespace,
    };
    const reflector = new Reflector({ ...options, store, project: (object) => object });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    expect(await reflector.synced).toBe(true);
    await client.mergePatch(services, ref, { metadata: { labels: { n: '1' } } });
    await until(() => changes.includes('updated checkout 1'));
    await cut.close();
    await client.mergePatch(services, ref, { metadata: { labels: { n: '2' } } });
    await client.delete(services, ref);
    await client.create(services, serviceWith({}, { labels: { n: '3' } }));
    await until(() => changes.includes('added checkout 3'));
    expect(changes).toEqual([
      'added checkout',
      'updated checkout 1',
      'updated checkout 2',
      'deleted checkout 2',
      'added checkout 3',
    ]);
    expect(reflector.counts.lists).toBe(1);
    stop.abort();
    await running;
    await cut.close();
  });

  test('a place that the server has not reached leads to a new list, not to a silent watch', async () => {
    const store = new Store<KubeObject>();
    const errors: unknown[] = [];
    let isSetBack = true;
    /** The first list claims a place far ahead, and the watch from there is cut as by a restart. */
    const ahead: Transport = {
      request: async <T>(request: KubeRequest, signal?: AbortSignal) => {
        const answer = await transport.request<object>(request, signal);
        const claimed = isSetBack ? { ...answer, metadata: { resourceVersion: '999999999' } } : answer;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the place is changed
        return claimed as T;
      },
      stream: async (request, signal) => {
        if (!isSetBack) return transport.stream(request, signal);
        isSetBack = false;
        throw new Error('the API server went away');
      },
      close: async () => {},
    };
    const base = {
      client: new KubeClient({ transport: ahead }),
      clock: systemClock,
      random: () => 0,
      kind: services,
      namespace,
    };
    const reflector = new Reflector({
      ...base,
      store,
      project: (object) => object,
      onError: (error) => errors.push(error),
    });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    await until(() => reflector.counts.watches === 2, 10_000);
    expect(reflector.counts.lists).toBe(2);
    expect(errors[1]).toMatchObject({ code: 'Timeout', httpStatus: 504 });
    stop.abort();
    await running;
  }, 15_000);

  test('of two processes one leads, and the other when the first is stopped', async () => {
    const log: string[] = [];
    const start = (identity: string) => {
      const stop = new AbortController();
      const elector = new LeaderElector({
        client,
        clock: systemClock,
        random: Math.random,
        lease: { namespace, name: 'operator' },
        identity,
        retryMs: 200,
        onStartedLeading: (signal) => {
          log.push(`${identity} leads`);
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
        },
      });
      return { stop, ended: elector.run(stop.signal) };
    };
    const one = start('one');
    await until(() => log.length === 1);
    const two = start('two');
    await pause(1000);
    expect(log).toEqual(['one leads']);
    one.stop.abort();
    expect(await one.ended).toBe('stopped');
    await until(() => log.length === 2);
    expect(log).toEqual(['one leads', 'two leads']);
    two.stop.abort();
    await two.ended;
  });

  test('people see events, and how often, under kubectl describe', async () => {
    const recorder = new EventRecorder({ client, clock: systemClock, instance: 'serin-1' });
    const stop = new AbortController();
    const running = recorder.run(stop.signal);
    const { uid } = (await client.get(services, ref)).metadata;
    const about = { apiVersion: 'v1', kind: 'Service', ...ref, uid };
    const note = { about, type: 'Warning', reason: 'Pinned', action: 'Pin', note: 'pinned to 5d9c' } as const;
    for (let times = 1; times <= 3; times++) {
      recorder.record(note);
      await until(() => recorder.counts.written === times);
    }
    const { stdout } = await run(kubectl, [
      '--kubeconfig',
      kubeconfig,
      '-n',
      namespace,
      'describe',
      'service',
      ref.name,
    ]);
    expect(stdout).toMatch(/Warning\s+Pinned\s+\S+ \(x3 over \S+\)\s+serin\s+pinned to 5d9c/);
    expect(recorder.counts.dropped).toBe(0);
    stop.abort();
    await running;
  });
});

function failure(answer: Promise<unknown>): Promise<Pick<KubeError, 'code' | 'retry'>> {
  return answer.then(
    () => Promise.reject(new Error('it should have failed')),
    ({ code, retry }: KubeError) => ({ code, retry }),
  );
}
