/** Answers /livez, /readyz and /metrics, and nothing else; whoever asks learns no names of objects and can change nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

export interface ProbesOptions {
  /** `:9797`, `127.0.0.1:9797` or `[::1]:9797`; port 0 takes a free one. */
  readonly address: string;
  readonly registry: Registry;
  /** Called before each scrape, for figures that are read and not counted. */
  readonly sample: () => void;
  /** What is wrong with this process so that only a restart helps; empty when it works. */
  readonly ailments: () => readonly string[];
  /** What is still to come before this process can do its work; empty when it can. */
  readonly unready: () => readonly string[];
}

export interface Probes {
  /** The port that is listened on. */
  readonly port: number;
  close(): Promise<void>;
}

/** Throws when the address cannot be read or listened on. */
export async function serveProbes(options: ProbesOptions): Promise<Probes> {
  const { host, port } = addressIn(options.address);
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(`${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  await listening(server, host, port);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => closing(server),
  };
}

async function answer(options: ProbesOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://serin');
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'only GET is answered');
  if (pathname === '/livez') return endWith(response, options.ailments());
  if (pathname === '/readyz') return endWith(response, options.unready());
  if (pathname !== '/metrics') return end(response, 404, 'only /livez, /readyz and /metrics are here');
  options.sample();
  const body = await options.registry.metrics();
  response.setHeader('content-type', options.registry.contentType);
  response.end(body);
}

function endWith(response: ServerResponse, faults: readonly string[]): void {
  end(response, faults.length === 0 ? 200 : 503, faults.length === 0 ? 'ok' : faults.join('\n'));
}

function end(response: ServerResponse, status: number, words: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${words}\n`);
}

function addressIn(address: string): { readonly host: string | undefined; readonly port: number } {
  const found = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (found === null) throw new RangeError(`"${address}" is no address to listen on: write :9797 or 127.0.0.1:9797.`);
  const host = found[1] ?? found[2];
  return { host: host === undefined || host === '' ? undefined : host, port: Number(found[3]) };
}

function listening(server: Server, host: string | undefined, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  return promise;
}

function closing(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
