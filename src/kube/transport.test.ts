import type { Credentials } from './config.ts';
import type { KubeError } from './errors.ts';
import { ManualClock } from './manual-clock.ts';
import { type ScriptedServer, sendJson, startServer, until } from './scripted-server.ts';
import { HttpTransport, type KubeRequest, type TransportOptions } from './transport.ts';

const get: KubeRequest = { method: 'GET', path: '/api/v1/pods', action: 'list pods' };
const patch: KubeRequest = { method: 'PATCH', path: '/x', body: { a: 1 }, action: 'patch Deployment shop/checkout' };

let server: ScriptedServer;
let clock: ManualClock;
let transport: HttpTransport;

beforeEach(async () => {
  clock = new ManualClock();
  server = await startServer((_, response) => sendJson(response, 200, { ok: true }));
  transport = transportWith({});
});

afterEach(async () => {
  await transport.close();
  await server.close();
  expect(clock.pendingTimers).toBe(0);
});

function transportWith(options: Partial<TransportOptions>): HttpTransport {
  return new HttpTransport({ connection: server.connection(), clock, ...options });
}

async function failureOf(answer: Promise<unknown>): Promise<KubeError> {
  return answer.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: KubeError) => error,
  );
}

const bearer = async () => ({ tls: {}, headers: { authorization: 'Bearer s3cret' } });

const status = (code: number, reason: string, message: string) => ({ kind: 'Status', code, reason, message });

test('sends method, path, query, body, media type and the person to act as', async () => {
  const request: KubeRequest = {
    ...patch,
    query: { force: true, limit: 5, left: undefined },
    contentType: 'application/merge-patch+json',
    impersonate: { user: 'alice', groups: ['dev', 'ops'] },
  };
  expect(await transport.request(request)).toEqual({ ok: true });
  const [seen] = server.requests;
  expect(seen).toMatchObject({ method: 'PATCH', path: '/x', body: '{"a":1}' });
  expect(seen?.query.toString()).toBe('force=true&limit=5');
  expect(seen?.headers).toMatchObject({
    'content-type': 'application/merge-patch+json',
    'impersonate-user': 'alice',
    'impersonate-group': 'dev, ops',
    'user-agent': 'serin',
  });
});

test('an API server behind a path gets its path in front', async () => {
  const behind = transportWith({ connection: { ...server.connection(), server: `${server.url}/k8s/clusters/c-1/` } });
  await behind.request(get);
  expect(server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/pods');
  await behind.close();
});

test('a read that meets 503 and 429 is repeated after the time the server asked for', async () => {
  const answers = [503, 429, 200];
  server.answer((_, response) => sendJson(response, answers.shift() ?? 500, { ok: true }, { 'retry-after': '2' }));
  const answer = transport.request(get);
  await until(() => server.requests.length === 1 && clock.pendingTimers === 2);
  await clock.advance(1999);
  expect(server.requests).toHaveLength(1);
  await clock.advance(1);
  await until(() => server.requests.length === 2 && clock.pendingTimers === 2);
  await clock.advance(2000);
  expect(await answer).toEqual({ ok: true });
});

test('a read whose socket breaks is repeated', async () => {
  let isFirst = true;
  server.answer((_, response) => {
    if (isFirst) response.destroy();
    else sendJson(response, 200, { ok: true });
    isFirst = false;
  });
  const answer = transport.request(get);
  await until(() => server.requests.length === 1 && clock.pendingTimers === 2);
  await clock.advance(200);
  expect(await answer).toEqual({ ok: true });
});

test('a read is not repeated for ever', async () => {
  server.answer((_, response) => sendJson(response, 503, status(503, 'ServiceUnavailable', 'starting')));
  const failure = failureOf(transport.request(get));
  for (const tries of [1, 2]) {
    await until(() => server.requests.length === tries && clock.pendingTimers === 2);
    await clock.advance(200);
  }
  expect(await failure).toMatchObject({ code: 'Unavailable', retry: 'backoff', httpStatus: 503 });
  expect(server.requests).toHaveLength(3);
});

test('a server that asks for a minute gets it from the caller, who is told', async () => {
  server.answer((_, response) => sendJson(response, 429, {}, { 'retry-after': '60' }));
  expect(await failureOf(transport.request(get))).toMatchObject({ code: 'TooManyRequests', retryAfterMs: 60_000 });
  expect(server.requests).toHaveLength(1);
});

test('a write is never repeated, and the error says how it may be tried again', async () => {
  server.answer((_, response) => sendJson(response, 503, {}, { 'retry-after': '1' }));
  expect(await failureOf(transport.request(patch))).toMatchObject({
    code: 'Unavailable',
    retry: 'backoff',
    retryAfterMs: 1000,
  });
  server.answer((_, response) => response.destroy());
  const failure = await failureOf(transport.request(patch));
  expect(failure).toMatchObject({ code: 'Network', retry: 'backoff' });
  expect(failure.message).toMatch(
    /^patch Deployment shop\/checkout: cannot talk to the API server \(.*; whether it took effect is unknown$/,
  );
  expect(server.requests).toHaveLength(2);
});

test('a silent server costs the deadline and no more', async () => {
  server.answer(() => {});
  const failure = failureOf(transport.request(patch));
  await until(() => server.requests.length === 1);
  await clock.advance(10_000);
  expect(await failure).toMatchObject({
    code: 'Timeout',
    retry: 'backoff',
    message:
      'patch Deployment shop/checkout: no answer within 10 s from the API server; whether it took effect is unknown',
  });
  await until(() => server.openSockets === 0);
});

test('a server that falls silent in the middle of its answer costs the deadline too', async () => {
  server.answer((_, response) => void response.writeHead(200).write('{"items":['));
  const failure = failureOf(transport.request({ ...get, timeoutMs: 3000 }));
  await until(() => server.requests.length === 1);
  await clock.advance(3000);
  expect(await failure).toMatchObject({ code: 'Timeout' });
});

test('a caller that stops is not kept', async () => {
  server.answer(() => {});
  const stop = new AbortController();
  const failure = failureOf(transport.request(get, stop.signal));
  await until(() => server.requests.length === 1);
  stop.abort();
  expect(await failure).toMatchObject({ code: 'Aborted', retry: 'never' });
  await until(() => server.openSockets === 0);
});

test('errors name the action and what the server said, never bodies or credentials', async () => {
  const authorized = transportWith({ connection: server.connection(bearer) });
  server.answer((_, response) => sendJson(response, 403, status(403, 'Forbidden', 'deployments is forbidden')));
  const refused = await failureOf(authorized.request({ ...patch, body: { password: 's3cret' } }));
  expect(refused.message).toBe('patch Deployment shop/checkout: the API server refused: deployments is forbidden');
  server.answer((_, response) => void response.writeHead(500).end('<html>s3cret page</html>'));
  const broken = await failureOf(authorized.request({ ...patch, body: { password: 's3cret' } }));
  expect(broken.message).toBe('patch Deployment shop/checkout: the API server refused: HTTP 500');
  expect(JSON.stringify([refused, broken])).not.toContain('s3cret');
  await authorized.close();
});

test('what is not an API server is told as such', async () => {
  server.answer((_, response) => void response.end('<html>welcome</html>'));
  expect((await failureOf(transport.request(get))).message).toMatch(/the answer is not JSON; is .* an API server\?/);
});

test('requests that are refused for an old token fetch a new one once, for reads and writes', async () => {
  let token = 'old';
  let reads = 0;
  const credentials = async (fresh: boolean): Promise<Credentials> => {
    reads++;
    if (fresh) token = 'new';
    return { tls: {}, headers: { authorization: token } };
  };
  server.answer((request, response) => sendJson(response, request.headers.authorization === 'new' ? 200 : 401, {}));
  const authorized = transportWith({ connection: server.connection(credentials) });
  await Promise.all([authorized.request(get), authorized.request(get), authorized.request(patch)]);
  expect(reads).toBe(2);
  expect(server.requests.filter(({ headers }) => headers.authorization === 'new')).toHaveLength(3);
  await authorized.close();
});

test('a token that stays refused is an error, not a loop', async () => {
  server.answer((_, response) => sendJson(response, 401, status(401, 'Unauthorized', 'Unauthorized')));
  expect(await failureOf(transport.request(get))).toMatchObject({ code: 'Unauthorized', retry: 'backoff' });
  expect(server.requests).toHaveLength(2);
});

test('credentials are read again every minute, and kept when that fails', async () => {
  const tokens = ['first', 'second'];
  const credentials = async (): Promise<Credentials> => {
    const token = tokens.shift();
    if (token === undefined) throw new Error('the file is gone');
    return { tls: {}, headers: { authorization: token } };
  };
  const authorized = transportWith({ connection: server.connection(credentials) });
  for (const waitMs of [0, 59_000, 1_000, 60_000]) {
    await clock.advance(waitMs);
    await authorized.request(get);
  }
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['first', 'first', 'second', 'second']);
  await authorized.close();
});

test('credentials that cannot be read fail the request and are tried again by the next', async () => {
  let isBroken = true;
  const credentials = async (): Promise<Credentials> => {
    if (isBroken) throw new Error('exec plugin missing');
    return { tls: {}, headers: {} };
  };
  const authorized = transportWith({ connection: server.connection(credentials) });
  expect(await failureOf(authorized.request(get))).toMatchObject({
    code: 'Unauthorized',
    message: 'cannot read the credentials for the API server: exec plugin missing',
  });
  isBroken = false;
  expect(await authorized.request(get)).toEqual({ ok: true });
  await authorized.close();
});

test('the write hook runs around writes that count, and nothing else', async () => {
  const seen: string[] = [];
  const hooked = transportWith({
    onWrite: {
      before: ({ path }) => void seen.push(`before ${path}`),
      after: ({ path }) => void seen.push(`after ${path}`),
    },
  });
  await hooked.request(get);
  await hooked.request({ ...patch, path: '/dry', query: { dryRun: 'All' } });
  await hooked.request({ ...patch, path: '/good' });
  server.answer((_, response) => sendJson(response, 409, status(409, 'Conflict', 'changed')));
  await failureOf(hooked.request({ ...patch, path: '/refused' }));
  expect(seen).toEqual(['before /good', 'after /good', 'before /refused']);
  await hooked.close();
});

test('a write hook that throws keeps the write from being sent', async () => {
  const hooked = transportWith({
    onWrite: {
      before: () => {
        throw new Error('killed here');
      },
      after: () => {},
    },
  });
  await expect(hooked.request(patch)).rejects.toThrow('killed here');
  expect(server.requests).toHaveLength(0);
  await hooked.close();
});

test('every answer is counted by method, path without names, and status', async () => {
  const counted: unknown[] = [];
  const counting = transportWith({ onRequest: (method, path, code) => void counted.push([method, path, code]) });
  await counting.request({ ...get, pathTemplate: '/api/v1/pods' });
  server.answer((_, response) => response.destroy());
  await failureOf(counting.request(patch));
  expect(counted).toEqual([
    ['GET', '/api/v1/pods', 200],
    ['PATCH', 'other', 0],
  ]);
  await counting.close();
});

describe('a stream', () => {
  let stop: AbortController;
  beforeEach(() => {
    stop = new AbortController();
  });

  async function read(request: KubeRequest = get): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of await transport.stream(request, stop.signal)) lines.push(line);
    return lines;
  }

  test('gives whole lines, however the bytes are cut', async () => {
    server.answer((_, response) => {
      const bytes = Buffer.from('{"a":"é"}\n\n{"b":2}\n{"half');
      response.writeHead(200);
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    });
    expect(await read()).toEqual(['{"a":"é"}', '{"b":2}']);
  });

  test('refuses a line without end instead of holding it', async () => {
    server.answer((_, response) => {
      response.writeHead(200);
      const megabyte = Buffer.alloc(1024 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && response.write(megabyte)) continue;
      };
      response.on('drain', more);
      more();
    });
    expect(await failureOf(read())).toMatchObject({
      code: 'Unexpected',
      message: expect.stringContaining('a line is longer than'),
    });
    await until(() => server.openSockets === 0);
  });

  test('tells a reset in the middle as a network error', async () => {
    server.answer((_, response) => void response.writeHead(200).write('{"a":1}\n', () => response.destroy()));
    expect(await failureOf(read())).toMatchObject({ code: 'Network', retry: 'backoff' });
  });

  test('tells a refusal as the error it is', async () => {
    server.answer((_, response) => sendJson(response, 410, status(410, 'Expired', 'too old resource version')));
    expect(await failureOf(read())).toMatchObject({ code: 'Gone', retry: 'now', reason: 'Expired' });
  });

  test('has a deadline for the beginning of the answer', async () => {
    server.answer(() => {});
    const failure = failureOf(read());
    await until(() => server.requests.length === 1);
    await clock.advance(10_000);
    expect(await failure).toMatchObject({ code: 'Timeout' });
    await until(() => server.openSockets === 0);
  });

  test('may be silent for hours once it has begun', async () => {
    server.answer((_, response) => {
      response.writeHead(200).write('1\n');
      clock.after(7_200_000, () => response.end('2\n'));
    });
    const lines = read();
    await until(() => server.requests.length === 1 && clock.pendingTimers === 1);
    await clock.advance(7_200_000);
    expect(await lines).toEqual(['1', '2']);
  });

  test('frees its socket when the reader stops reading', async () => {
    server.answer((_, response) => void response.writeHead(200).write('1\n2\n'));
    for await (const line of await transport.stream(get, stop.signal)) if (line === '1') break;
    await until(() => server.openSockets === 0);
  });

  test('frees its socket when the caller stops before the first line', async () => {
    server.answer((_, response) => response.writeHead(200).flushHeaders());
    const reading = failureOf(read());
    await until(() => server.requests.length === 1);
    stop.abort();
    expect(await reading).toMatchObject({ code: 'Aborted' });
    await until(() => server.openSockets === 0);
  });

  test('lets a fast server wait for a slow reader', async () => {
    let sentBytes = 0;
    server.answer((_, response) => {
      response.writeHead(200);
      const line = Buffer.from(`${'x'.repeat(64 * 1024 - 1)}\n`);
      const more = () => {
        while (!response.destroyed && sentBytes < 256 * 1024 * 1024) {
          sentBytes += line.length;
          if (!response.write(line)) return;
        }
      };
      response.on('drain', more);
      more();
    });
    for await (const line of await transport.stream(get, stop.signal)) {
      expect(line).toHaveLength(64 * 1024 - 1);
      let before = -1;
      while (before !== sentBytes) {
        before = sentBytes;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      break;
    }
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
  });
});
