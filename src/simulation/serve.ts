/**
 * Gives the double a real wire: plain HTTP on 127.0.0.1, JSON answers, watches as streams of lines, users by bearer token.
 * Whoever has no token of this server is refused; nothing is ever listened to from outside the machine.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Double } from './cluster.ts';
import { bodyIn, headerOf, type Identities, identitiesOf, kubeconfigOf, userOf } from './http-request.ts';
import type { Asked, User } from './server/asked.ts';
import { Refusal, statusOf } from './server/refusals.ts';
import { Broken } from './way.ts';

export interface Served {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** YAML texts of kubeconfigs. */
  readonly kubeconfigs: { readonly operator: string; readonly admin: string };
  /** The admin's. */
  readonly kubeconfig: string;
  /** Ends every watch and connection. */
  close(): Promise<void>;
}

/** Rejects when the port is taken. Port 0, the default, takes a free one. */
export async function serveDouble(double: Double, { port = 0 }: { readonly port?: number } = {}): Promise<Served> {
  const identities = identitiesOf();
  const server = createServer((request, response) => {
    handle(double, identities, request, response).catch((error: unknown) => fail(response, error));
  });
  // Watches are quiet for long, and deadlines are the client's.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 90_000;
  const url = `http://127.0.0.1:${await listening(server, port)}`;
  const kubeconfigs = { operator: kubeconfigOf(url, identities.operator), admin: kubeconfigOf(url, identities.admin) };
  return { url, kubeconfigs, kubeconfig: kubeconfigs.admin, close: () => closing(server) };
}

async function handle(
  double: Double,
  identities: Identities,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const user = userOf(identities, request);
  if (user === undefined) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
  const asked = await askedIn(request, user);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  if (double.server.isWatch(asked)) return stream(response, await double.way.open(asked, gone.signal));
  const { status, body, warnings } = await double.way.ask(asked, gone.signal);
  const told = warnings.map((text) => `299 - ${JSON.stringify(text)}`);
  sendJson(response, status, body, told);
}

async function askedIn(request: IncomingMessage, user: User): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double');
  const body = await bodyIn(request);
  return {
    method: request.method ?? 'GET',
    path: pathname,
    query: Object.fromEntries(searchParams),
    ...(body === undefined ? {} : { body }),
    contentType: headerOf(request, 'content-type').split(';')[0] ?? '',
    user,
    userAgent: headerOf(request, 'user-agent'),
  };
}

/** At the reader's pace: what it does not take waits in the stream. */
async function stream(response: ServerResponse, lines: AsyncIterable<string>): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  for await (const line of lines) {
    if (response.destroyed) return;
    if (!response.write(`${line}\n`)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

function fail(response: ServerResponse, error: unknown): void {
  if (error instanceof Refusal && !response.headersSent) sendJson(response, error.status, statusOf(error), []);
  else if (error instanceof Broken || response.headersSent || response.destroyed) response.destroy();
  else {
    const words = error instanceof Error ? error.message : String(error);
    sendJson(response, 500, statusOf(new Refusal(500, 'InternalError', `the embedded cluster failed: ${words}`)), []);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, warnings: readonly string[]): void {
  if (warnings.length > 0) response.setHeader('warning', [...warnings]);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function listening(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => {
    const bound = server.address();
    resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
  });
  return promise;
}

function closing(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
