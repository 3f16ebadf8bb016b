import type { ServerResponse } from 'node:http';
import { KubeClient } from './client.ts';
import { ManualClock } from './manual-clock.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { type KubeObject, pods } from './resources.ts';
import { type ScriptedServer, type SeenRequest, sendJson, startServer, until } from './scripted-server.ts';
import { Store } from './store.ts';
import { HttpTransport } from './transport.ts';

let server: ScriptedServer;
let clock: ManualClock;
let transport: HttpTransport;
let store: Store<KubeObject>;
let stop: AbortController;
let running: Promise<void> | undefined;
let changes: string[];
let errors: unknown[];
/** Watches that are open, the newest last. */
let watches: { readonly request: SeenRequest; readonly response: ServerResponse }[];
let list: { resourceVersion: string; items: unknown[] };

beforeEach(async () => {
  clock = new ManualClock();
  watches = [];
  changes = [];
  errors = [];
  list = { resourceVersion: '10', items: [pod('a', '5')] };
  server = await startServer(answer);
  transport = new HttpTransport({ connection: server.connection(), clock });
  store = new Store<KubeObject>();
  store.onChange(({ kind, key, object }) => changes.push(`${kind} ${key}@${object.metadata.resourceVersion}`));
  stop = new AbortController();
  running = undefined;
});

afterEach(async () => {
  stop.abort();
  await running;
  expect(clock.pendingTimers).toBe(0);
  await transport.close();
  await server.close();
});

function answer(request: SeenRequest, response: ServerResponse): void {
  if (request.query.get('watch') !== 'true') return answerList(response);
  response.writeHead(200).flushHeaders();
  watches.push({ request, response });
}

function answerList(response: ServerResponse): void {
  sendJson(response, 200, { metadata: { resourceVersion: list.resourceVersion }, items: list.items });
}

function pod(name: string, resourceVersion: string, uid = `uid-${name}`): object {
  return { metadata: { namespace: 'shop', name, uid, resourceVersion, managedFields: ['long'] } };
}

function reflectorWith(options: Partial<ReflectorOptions<KubeObject>> = {}): Reflector<KubeObject> {
  const client = new KubeClient({ transport });
  return new Reflector({
    client,
    clock,
    random: () => 0.5,
    kind: pods,
    store,
    project: (object) => object,
    onError: (error) => errors.push(error),
    ...options,
  });
}

function start(options: Partial<ReflectorOptions<KubeObject>> = {}): Reflector<KubeObject> {
  const reflector = reflectorWith(options);
  running = reflector.run(stop.signal);
  return reflector;
}

function send(type: string, object: object): void {
  watches.at(-1)?.response.write(`${JSON.stringify({ type, object })}\n`);
}

const lists = () => server.requests.filter(({ query }) => query.get('watch') === null && query.get('limit') !== '1');
const opened = (count: number) => until(() => watches.length === count);

/** Lets time pass until the `count`th watch is open. */
async function openedAfter(ms: number, count: number): Promise<void> {
  await until(() => clock.pendingTimers > 0);
  await clock.advance(ms);
  await opened(count);
}

test('lists what the server has at hand, then watches from there with bookmarks and an end', async () => {
  const reflector = start({ namespace: 'shop', labelSelector: 'app=x', fieldSelector: 'spec.nodeName=n' });
  expect(reflector.hasSynced).toBe(false);
  expect(await reflector.synced).toBe(true);
  await opened(1);
  expect(Object.fromEntries(lists()[0]?.query ?? [])).toEqual({
    limit: '500',
    resourceVersion: '0',
    resourceVersionMatch: 'NotOlderThan',
    labelSelector: 'app=x',
    fieldSelector: 'spec.nodeName=n',
  });
  expect(watches[0]?.request.path).toBe('/api/v1/namespaces/shop/pods');
  expect(Object.fromEntries(watches[0]?.request.query ?? [])).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '10',
    timeoutSeconds: '450',
    labelSelector: 'app=x',
    fieldSelector: 'spec.nodeName=n',
  });
  expect(store.get('shop', 'a')).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
});

test('follows what is added, changed and deleted', async () => {
  start();
  await opened(1);
  send('ADDED', pod('b', '11'));
  send('MODIFIED', pod('a', '12'));
  send('DELETED', pod('b', '13'));
  await until(() => changes.length === 4);
  expect(changes).toEqual(['added shop/a@5', 'added shop/b@11', 'updated shop/a@12', 'deleted shop/b@11']);
});

test('reads a long list page by page', async () => {
  server.answer((request, response) => {
    if (request.query.get('watch') === 'true') return answer(request, response);
    const at = request.query.get('continue');
    const items = [pod(at ?? 'a', '5')];
    sendJson(response, 200, { metadata: { resourceVersion: '10', continue: at === null ? 'b' : '' }, items });
  });
  start();
  await opened(1);
  expect(changes).toEqual(['added shop/a@5', 'added shop/b@5']);
  expect(lists()[1]?.query.get('resourceVersion')).toBeNull();
});

test('a first list that fails is tried again, with patience', async () => {
  server.answer((_, response) => sendJson(response, 500, {}));
  const reflector = start();
  await until(() => errors.length === 1);
  await clock.advance(599);
  expect(lists()).toHaveLength(1);
  await clock.advance(1);
  await until(() => errors.length === 2);
  server.answer(answer);
  await clock.advance(1200);
  await opened(1);
  expect(reflector.hasSynced).toBe(true);
  expect(reflector.counts).toMatchObject({ lists: 3, failures: 2 });
});

test('a kind that the cluster does not know holds nobody up where it may be absent, and is found when it comes', async () => {
  server.answer((_, response) => sendJson(response, 404, { kind: 'Status', reason: 'NotFound', code: 404 }));
  const reflector = start({ mayBeAbsent: true });
  expect(await reflector.synced).toBe(true);
  expect(store.all()).toEqual([]);
  expect(errors).toEqual([]);
  server.answer(answer);
  await openedAfter(30_000, 1);
  expect(store.all()).toHaveLength(1);
});

test('where it must not be absent it is waited for', async () => {
  server.answer((_, response) => sendJson(response, 404, { kind: 'Status', reason: 'NotFound', code: 404 }));
  const reflector = start();
  await until(() => errors.length === 1);
  expect(reflector.hasSynced).toBe(false);
});

test('a watch that is refused is tried again at the same place, without a new list', async () => {
  server.answer((request, response) =>
    request.query.get('watch') === 'true' ? sendJson(response, 500, {}) : answerList(response),
  );
  start();
  await until(() => errors.length === 1);
  server.answer(answer);
  await openedAfter(600, 1);
  expect(lists()).toHaveLength(1);
});

test('patience grows to half a minute and no more, and after several failures the list is read again', async () => {
  server.answer((request, response) =>
    request.query.get('watch') === 'true' ? sendJson(response, 500, {}) : answerList(response),
  );
  start();
  const waits: number[] = [];
  for (let failures = 1; failures <= 8; failures++) {
    await until(() => errors.length === failures && clock.pendingTimers === 1);
    const before = clock.monotonicMs();
    await clock.advanceToNext();
    waits.push(clock.monotonicMs() - before);
  }
  expect(waits).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500]);
  await until(() => errors.length === 9);
  expect(lists().map(({ query }) => query.get('resourceVersion'))).toEqual(['0', '10']);
});

test('a connection that breaks resumes after the last event, and bookmarks count as events', async () => {
  start();
  await opened(1);
  send('MODIFIED', pod('a', '12'));
  send('BOOKMARK', { metadata: { resourceVersion: '40' } });
  await until(() => changes.length === 2);
  watches[0]?.response.destroy();
  await until(() => errors.length === 1);
  await openedAfter(600, 2);
  expect(watches[1]?.request.query.get('resourceVersion')).toBe('40');
  expect(changes).toEqual(['added shop/a@5', 'updated shop/a@12']);
});

test('a watch that the server ends in its time is opened again at once', async () => {
  start();
  await opened(1);
  await clock.advance(2000);
  watches[0]?.response.end();
  await opened(2);
  expect(errors).toEqual([]);
});

test('a server that ends every watch at once is not asked in a hot loop', async () => {
  start();
  await opened(1);
  watches[0]?.response.end();
  await until(() => errors.length === 1 && clock.pendingTimers === 1);
  await clock.advance(599);
  expect(watches).toHaveLength(1);
  await openedAfter(1, 2);
});

test('a server that falls silent with its socket open is left after the liveness deadline', async () => {
  const reflector = start();
  await opened(1);
  await until(() => clock.pendingTimers === 2);
  await clock.advance(60_000);
  send('BOOKMARK', { metadata: { resourceVersion: '20' } });
  await until(() => reflector.lastContactMs === 60_000);
  await clock.advance(89_999);
  expect(watches).toHaveLength(1);
  await clock.advance(1);
  await opened(2);
  expect(watches[1]?.request.query.get('resourceVersion')).toBe('20');
  await until(() => watches[0]?.response.destroyed === true);
  expect(errors).toEqual([]);
});

test('a watch that the server forgets to end is ended shortly after its time', async () => {
  start({ livenessMs: 10_000_000 });
  await opened(1);
  await until(() => clock.pendingTimers === 2);
  await clock.advance(454_999);
  expect(watches).toHaveLength(1);
  await clock.advance(1);
  await opened(2);
});

test.each([
  ['as an event', (): void => send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })],
  ['as an answer', (): void => undefined],
])(
  'a place that expired (told %s) leads to a list of the latest state, and what vanished is deleted',
  async (how, tell) => {
    start();
    await opened(1);
    list = { resourceVersion: '90', items: [pod('c', '80')] };
    if (how === 'as an answer') {
      let isFirst = true;
      server.answer((request, response) => {
        if (request.query.get('watch') !== 'true' || !isFirst) return answer(request, response);
        isFirst = false;
        sendJson(response, 410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
      });
      await clock.advance(2000);
      watches[0]?.response.end();
    } else {
      tell();
    }
    await opened(2);
    expect(lists()).toHaveLength(2);
    expect(lists()[1]?.query.get('resourceVersion')).toBeNull();
    expect(watches[1]?.request.query.get('resourceVersion')).toBe('90');
    expect(changes).toEqual(['added shop/a@5', 'deleted shop/a@5', 'added shop/c@80']);
  },
);

test('a place that expires again and again is not listed in a hot loop', async () => {
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
  server.answer((request, response) =>
    request.query.get('watch') === 'true' ? sendJson(response, 410, gone) : answerList(response),
  );
  start();
  await until(() => errors.length === 2 && clock.pendingTimers === 1);
  expect(lists()).toHaveLength(2);
  await clock.advanceToNext();
  await until(() => errors.length === 3);
  expect(lists()).toHaveLength(3);
});

test('a place that the server has not reached (its storage was set back) leads to a list of what there is now', async () => {
  start();
  await opened(1);
  list = { resourceVersion: '3', items: [] };
  const message = 'Timeout: Too large resource version: 10, current: 3';
  server.answer((request, response) => {
    if (request.query.get('resourceVersion') !== '10') return answer(request, response);
    // A watch from the future is accepted, as the real server does, and would be silent.
    if (request.query.get('watch') === 'true') return answer(request, response);
    sendJson(response, 504, { kind: 'Status', code: 504, reason: 'Timeout', message });
  });
  watches[0]?.response.destroy();
  await until(() => errors.length === 1);
  await clock.advance(600);
  await until(() => errors.length === 2);
  await openedAfter(1200, 2);
  expect(lists()[1]?.query.get('resourceVersion')).toBeNull();
  expect(watches[1]?.request.query.get('resourceVersion')).toBe('3');
  expect(changes).toEqual(['added shop/a@5', 'deleted shop/a@5']);
});

test('an error inside the stream that is not about the place resumes', async () => {
  start();
  await opened(1);
  send('ERROR', { kind: 'Status', code: 500, message: 'storage is sick' });
  await until(() => errors.length === 1);
  await openedAfter(600, 2);
  expect(lists()).toHaveLength(1);
  expect(watches[1]?.request.query.get('resourceVersion')).toBe('10');
});

test('a server that asks for patience gets it', async () => {
  let isFirst = true;
  server.answer((request, response) => {
    if (request.query.get('watch') !== 'true' || !isFirst) return answer(request, response);
    isFirst = false;
    sendJson(response, 429, {}, { 'retry-after': '20' });
  });
  start();
  await until(() => errors.length === 1);
  await clock.advance(19_999);
  expect(watches).toHaveLength(0);
  await openedAfter(1, 1);
});

test('an object made anew during a blind moment is a deletion and an addition', async () => {
  start();
  await opened(1);
  list = { resourceVersion: '90', items: [pod('a', '80', 'another')] };
  send('ERROR', { kind: 'Status', code: 410 });
  await opened(2);
  expect(changes).toEqual(['added shop/a@5', 'deleted shop/a@5', 'added shop/a@80']);
});

test('a listener that throws harms neither the watch nor the other listeners', async () => {
  store.onChange(() => {
    throw new Error('broken');
  });
  start();
  await opened(1);
  send('ADDED', pod('b', '11'));
  send('ADDED', pod('c', '12'));
  await until(() => store.size === 3);
  expect(watches).toHaveLength(1);
  expect(store.listenerErrors).toBe(3);
});

test('an object that nobody can read stays as it was, and the others go on', async () => {
  const reflector = start({
    project: (object) => {
      if (object['poison'] === true) throw new Error('unreadable');
      return object;
    },
  });
  await opened(1);
  send('MODIFIED', { ...pod('a', '11'), poison: true });
  send('ADDED', pod('b', '12'));
  await until(() => store.size === 2);
  expect(store.get('shop', 'a')?.metadata.resourceVersion).toBe('5');
  list = { resourceVersion: '20', items: [{ ...pod('a', '11'), poison: true }, pod('b', '12')] };
  send('ERROR', { kind: 'Status', code: 410 });
  await opened(2);
  expect(store.size).toBe(2);
  expect(reflector.counts.unreadable).toBe(2);
});

test('keeps only what the projection keeps', async () => {
  start({
    project: ({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } }) => ({
      apiVersion,
      kind,
      metadata: { name, namespace: namespace ?? '', uid, resourceVersion },
    }),
  });
  await opened(1);
  expect(JSON.stringify(store.all())).not.toContain('managedFields');
});

test.each(['not json', '{"type":"ADDED"}', '7', '{"type":"ADDED","object":{"metadata":{}}}'])(
  'a line that is no event (%s) breaks the watch, not the store',
  async (line) => {
    start();
    await opened(1);
    watches[0]?.response.write(`${line}\n`);
    await until(() => errors.length === 1);
    await openedAfter(600, 2);
    expect(store.size).toBe(1);
  },
);

test('stopping during the list leaves nothing open and never claims to have synced', async () => {
  server.answer(() => {});
  const reflector = start();
  await until(() => server.requests.length === 1);
  stop.abort();
  await running;
  expect(await reflector.synced).toBe(false);
  await until(() => server.openSockets === 0);
  expect(watches).toHaveLength(0);
});

test('stopping during the watch and during a pause leaves nothing open', async () => {
  start();
  await opened(1);
  stop.abort();
  await running;
  await until(() => watches[0]?.response.destroyed === true);

  stop = new AbortController();
  server.answer((_, response) => sendJson(response, 500, {}));
  start();
  await until(() => errors.length === 1);
  stop.abort();
  await running;
  expect(clock.pendingTimers).toBe(0);
});

test('a second start is refused', async () => {
  const reflector = start();
  await expect(reflector.run(stop.signal)).rejects.toThrow('started twice');
});
