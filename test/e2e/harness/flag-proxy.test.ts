import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlagProxy } from './flag-proxy.ts';
import type { Behaviour } from './flag-proxy.ts';

/** Answers what it was asked, and counts. */
async function backend(): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200, { etag: '"1"' }).end(`seen ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`, asked };
}

const write = '/api/admin/projects/default/features/f/environments/development/off';

async function standing<T>(work: (proxy: FlagProxy, asked: string[]) => Promise<T>): Promise<T> {
  const { server, url, asked } = await backend();
  const proxy = await FlagProxy.start(url);
  try {
    return await work(proxy, asked);
  } finally {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  }
}

function post(proxy: FlagProxy): Promise<number | 'no answer'> {
  const signal = AbortSignal.timeout(500);
  return fetch(`${proxy.address}${write}`, { method: 'POST', signal }).then(
    ({ status }) => status,
    () => 'no answer',
  );
}

test('what passes is handed on under the path of the backend, and its answer comes back as it was', async () => {
  await standing(async (proxy, asked) => {
    const answer = await fetch(`${proxy.address}/api/client/features?x=1`);
    expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([
      200,
      '"1"',
      'seen /base/api/client/features?x=1',
    ]);
    expect(await post(proxy)).toBe(200);
    expect(asked).toEqual(['GET /base/api/client/features?x=1', `POST /base${write}`]);
    expect(proxy.writes).toMatchObject([{ method: 'POST', path: write, wasDone: true }]);
  });
});

test.each<[Behaviour, number | 'no answer']>([
  ['stopped', 'no answer'],
  ['hanging', 'no answer'],
  ['lying', 200],
  [500, 500],
  [403, 403],
  [429, 429],
])('a backend that is %s gets no write, and passes again afterwards', async (behaviour, seen) => {
  await standing(async (proxy, asked) => {
    await proxy.behave(behaviour);
    expect(await post(proxy)).toBe(seen);
    expect(asked).toEqual([]);
    await proxy.behave('passing');
    expect(await post(proxy)).toBe(200);
    expect(asked).toHaveLength(1);
  });
});

test('a liar still tells what is really served', async () => {
  await standing(async (proxy) => {
    await proxy.behave('lying');
    expect(await (await fetch(`${proxy.address}/api/client/features`)).text()).toBe('seen /base/api/client/features');
  });
});

test.each([
  ['before', 'no answer', 0],
  ['during', 'no answer', 1],
  ['after', 200, 1],
] as const)('something can happen once, %s a write', async (when, seen, handedOn) => {
  await standing(async (proxy, asked) => {
    const happened = new Promise<void>((resolve) => {
      proxy.atNextWrite = { when, act: () => Promise.resolve(resolve()) };
    });
    expect(await post(proxy)).toBe(seen);
    await happened;
    expect(asked).toHaveLength(handedOn);
    expect(await post(proxy)).toBe(200);
  });
});
