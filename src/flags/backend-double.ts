/** A small flag backend for tests: a real HTTP server on the loopback address that answers as it is told, and notes what it was asked. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined: it never answers. */
export type Behaviour = (asked: Asked) => Reply | undefined;

export interface BackendDouble {
  readonly address: string;
  readonly asked: Asked[];
  behave(behaviour: Behaviour): void;
  /** What is asked, but for reading. */
  writes(): readonly Asked[];
  stop(): Promise<void>;
}

export async function startBackend(behaviour: Behaviour): Promise<BackendDouble> {
  let now = behaviour;
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      asked.push(one);
      const reply = now(one);
      if (reply === undefined) return;
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    behave: (next) => (now = next),
    writes: () => asked.filter(({ method }) => method !== 'GET'),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** What every backend does on a bad day, and what a change is told of it. */
export const badDays: readonly (readonly [string, Reply, string, RegExp])[] = [
  ['breaks down', { status: 500, text: 'boom' }, 'unreachable', /answered 500 \(boom\)/],
  [
    'denies it',
    { status: 403, json: { message: 'no permission' } },
    'denied',
    /403 \(no permission\).*gives it the right/,
  ],
  ['does not accept the credential', { status: 401 }, 'denied', /renews the Secret/],
  ['is asked too often', { status: 429, headers: { 'retry-after': '7' } }, 'rateLimited', /tries again later/],
  ['finds a conflict', { status: 409 }, 'refused', /a change of somebody else/],
  ['does not know the flag', { status: 404 }, 'notFound', /correct the name of the flag/],
  ['does not take it', { status: 422 }, 'invalid', /does not take the request/],
  [
    'leads elsewhere',
    { status: 302, headers: { location: 'http://elsewhere.test/?token=abc' } },
    'invalid',
    /http:\/\/elsewhere\.test\/, which is not followed/,
  ],
  ['wants an approval', { status: 403, text: 'Change requests are enabled' }, 'refused', /need an approval/],
];
