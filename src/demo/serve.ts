/** Starts and ends the HTTP servers of the demo, on free ports of 127.0.0.1 if nothing else is said; it knows nothing of what they answer. */
import { createServer, type RequestListener } from 'node:http';

export interface Served {
  readonly port: number;
  readonly url: string;
  /** Takes no new connection, lets requests under way end, and comes back when the last one has. */
  drain(): Promise<void>;
  /** Cuts everything. */
  close(): Promise<void>;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Throws when no port can be had. */
export async function serve(
  listener: RequestListener,
  { host, port }: Place = { host: '127.0.0.1', port: 0 },
): Promise<Served> {
  // A kept connection that the server ends by itself could meet a request on its way.
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, listener);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // A machine that stood still for a moment gets all connections of that moment at once.
  server.listen({ port, host, backlog: 4_096 }, resolve);
  await promise;
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the demo got no port to listen on');
  const ended = Promise.withResolvers<void>();
  const end = (): Promise<void> => {
    if (server.listening) server.close(() => ended.resolve());
    return ended.promise;
  };
  return {
    port: bound.port,
    url: `http://127.0.0.1:${bound.port}`,
    drain() {
      const done = end();
      server.closeIdleConnections();
      return done;
    },
    close() {
      const done = end();
      server.closeAllConnections();
      return done;
    },
  };
}
