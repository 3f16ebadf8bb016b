/** A real HTTP server on loopback that answers as a test says, so that sockets, resets and silence are real. Only tests use it. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterConnection } from './config.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Sockets that are open now. */
  readonly openSockets: number;
  /** Answers from now on. */
  answer(how: Answer): void;
  connection(credentials?: ClusterConnection['credentials']): ClusterConnection;
  close(): Promise<void>;
}

export async function startServer(first: Answer): Promise<ScriptedServer> {
  let how = first;
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    void seen(incoming).then((request) => {
      requests.push(request);
      how(request, response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  return {
    url,
    requests,
    get openSockets() {
      return sockets.size;
    },
    answer: (next) => void (how = next),
    connection: (credentials = async () => ({ tls: {}, headers: {} })) => ({
      server: url,
      namespace: 'default',
      context: 'test',
      credentials,
    }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Waits in real time for something that sockets must bring about, and fails when they do not. */
export async function until(holds: () => boolean, withinMs = 4000): Promise<void> {
  for (const startMs = performance.now(); !holds(); await pause(2)) {
    if (performance.now() - startMs > withinMs)
      throw new Error(`it did not come about within ${withinMs} ms: ${holds.toString()}`);
  }
}

async function seen(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const url = new URL(incoming.url ?? '/', 'http://server');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
