import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import type { EffectiveRequest } from '../api/effective.ts';
import { systemClock } from '../kube/clock.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { PodAddress } from './check-pods.ts';
import { askPods } from './check-requests.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function podThat(handle: Handle, name = 'pod-a'): Promise<PodAddress> {
  return listening(createServer(handle), name);
}

async function listening(server: Server | ReturnType<typeof createPlainServer>, name: string): Promise<PodAddress> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  opened.push(server);
  return { name, address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const nobody: PodAddress = { name: 'pod-x', address: '127.0.0.1', port: 1 };
const get = (part: Partial<EffectiveRequest> = {}): EffectiveRequest => ({
  method: 'GET',
  path: '/cart',
  headers: [],
  withinMs: 10_000,
  ...part,
});
const ask = (pods: readonly PodAddress[], ...requests: EffectiveRequest[]) =>
  askPods({ clock: systemClock }, pods, requests, new AbortController().signal);
const answering =
  (status: number, body = '', headers: Record<string, string> = {}): Handle =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);

test('a request arrives as it was written, and a 2xx is what is expected when nothing is said', async () => {
  const seen: unknown[] = [];
  const pod = await podThat((request, response) => {
    const { method, url, headers } = request;
    seen.push({ method, url, host: headers.host, tenant: headers['x-tenant'] });
    response.writeHead(204).end();
  });
  const request = get({
    method: 'POST',
    path: '//elsewhere/cart?full=1',
    headers: [{ name: 'X-Tenant', value: 'a b' }],
  });
  expect(await ask([pod], request)).toEqual({ kind: 'passed' });
  expect(seen).toEqual([
    { method: 'POST', url: '//elsewhere/cart?full=1', host: `127.0.0.1:${pod.port}`, tenant: 'a b' },
  ]);
});

test.each([
  ['a wrong status', get(), answering(500), 'status 500, expected 200 to 299'],
  ['another status than the one named', get({ status: 201 }), answering(200), 'status 200, expected 201'],
  [
    'a body without the text',
    get({ body: '"items"' }),
    answering(200, '{}'),
    'the answer does not contain "\\"items\\""',
  ],
  ['no answer in time', get({ withinMs: 50 }), () => undefined, 'no answer within 50ms'],
  [
    'a body that does not end in time',
    get({ withinMs: 100, body: 'x' }),
    (_request, response) => void response.writeHead(200).write('a'),
    'no whole answer within 100ms',
  ],
  [
    'a body that breaks off',
    get({ body: 'x' }),
    (_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('a');
      setTimeout(() => response.destroy(), 20);
    },
    'the answer broke off before its end',
  ],
])('%s is a failure in its own words', async (_what, request, handle, words) => {
  const pod = await podThat(handle);
  expect(await ask([pod], request)).toEqual({
    kind: 'failed',
    sentence: `check GET /cart on pod pod-a: ${words}.`,
  });
});

test('a redirect is an answer and is not followed', async () => {
  let calls = 0;
  const elsewhere = await podThat((_request, response) => {
    calls += 1;
    response.end();
  });
  const pod = await podThat(answering(302, '', { location: `http://127.0.0.1:${elsewhere.port}/` }));
  expect(await ask([pod], get())).toMatchObject({ kind: 'failed' });
  expect(await ask([pod], get({ status: 302 }))).toEqual({ kind: 'passed' });
  expect(calls).toBe(0);
});

test('of an endless body no more than its beginning is read, and the text may stand in it', async () => {
  const pod = await podThat((_request, response) => {
    response.writeHead(200).write('"items"');
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  expect(await ask([pod], get({ body: '"items"' }))).toEqual({ kind: 'passed' });
  expect(await ask([pod], get({ body: 'nothing of the kind' }))).toMatchObject({ kind: 'failed' });
});

test('every request on every pod has to be answered as expected', async () => {
  const good = await podThat(answering(200), 'pod-a');
  const bad = await podThat(
    (request, response) => answering(request.url === '/' ? 200 : 503)(request, response),
    'pod-b',
  );
  expect(await ask([good, bad], get({ path: '/' }), get())).toEqual({
    kind: 'failed',
    sentence: 'check GET /cart on pod pod-b: status 503, expected 200 to 299.',
  });
});

test('a request that is under way is not taken for a connection that does not come about, whichever of several it is', async () => {
  const clock = new ManualClock();
  const slow = Promise.withResolvers<ServerResponse>();
  const pod = await podThat((request, response) => {
    if (request.url === '/slow') slow.resolve(response);
    else response.end('fine');
  });
  const asked = askPods(
    { clock },
    [pod],
    [get({ path: '/', body: 'fine' }), get({ path: '/slow', body: 'fine' })],
    new AbortController().signal,
  );
  const response = await slow.promise;
  await clock.advance(4_000);
  response.end('fine');
  expect(await asked).toEqual({ kind: 'passed' });
});

test('pods of which none can be reached say nothing about their version', async () => {
  const answer = await ask([nobody, { ...nobody, name: 'pod-y' }], get());
  expect(answer).toEqual({
    kind: 'unreachable',
    sentence: 'check GET /cart: none of 2 pods can be asked on port 1: it refuses connections.',
  });
});

test('neither do pods that close the connection before any answer, as a mesh does that insists on TLS', async () => {
  const pod = await listening(
    createPlainServer((socket) => void socket.once('data', () => socket.destroy())),
    'pod-a',
  );
  expect(await ask([pod], get())).toMatchObject({ kind: 'unreachable' });
});

test('what does not speak HTTP is not asked', async () => {
  const pod = await listening(
    createPlainServer((socket) => void socket.on('error', () => undefined).once('data', () => socket.end('hello'))),
    'pod-a',
  );
  expect(await ask([pod], get())).toMatchObject({
    kind: 'unreachable',
    sentence: expect.stringContaining('does not speak HTTP'),
  });
});

test('where one pod answers, the network works: another that cannot be asked is a failure', async () => {
  const pod = await podThat(answering(200), 'pod-a');
  expect(await ask([pod, nobody], get())).toEqual({
    kind: 'failed',
    sentence: 'check GET /cart on pod pod-x: it refuses connections.',
  });
});

test('it ends at once when it is told to', async () => {
  const pod = await podThat(() => undefined);
  const stop = new AbortController();
  const asked = askPods({ clock: systemClock }, [pod], [get(), get()], stop.signal);
  stop.abort();
  expect(await asked).toBeDefined();
});
