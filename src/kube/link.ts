/** Owns the sockets to one API server and the credentials that open them; it never decides whether to ask again. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from './clock.ts';
import type { ClusterConnection, Credentials } from './config.ts';
import { withDeadline } from './deadline.ts';
import { KubeError } from './errors.ts';

/** Credentials are read again after this time: service account tokens and certificates change on disk. */
const credentialsAgeMs = 60_000;

/** A plugin that asks a person for a password may take a while; one that hangs must not hang us for ever. */
const longestReadMs = 30_000;

/** Most requests in flight at once; more wait for a socket within their own deadline. Watches are not counted. */
const requestSockets = 32;

/** The API server ends idle connections after 90 s or more; ours end before, so that a request does not meet a closing socket. */
const idleSocketMs = 30_000;

/** What one exchange needs: the sockets to use and the headers that say who asks. */
export interface Door {
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * HTTP/1.1 on purpose: one exchange owns one socket, so a deadline or an abort destroys exactly what hangs. On a
 * multiplexed connection that died silently every watch and request would share the corpse, and undici has no
 * deadline for its pings. Watches have sockets of their own, so they can never starve requests.
 */
export class ServerLink {
  readonly #connection: ClusterConnection;
  readonly #clock: Clock;
  #credentials: Promise<Credentials> | undefined;
  #readAtMs = 0;
  #agents:
    | { readonly tls: Credentials['tls']; readonly requests: Dispatcher; readonly watches: Dispatcher }
    | undefined;

  constructor(connection: ClusterConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Rejects when credentials cannot be read and none are held. `refused` is the door that a 401 came through. */
  async door(refused?: Door): Promise<Door> {
    const { tls, headers } = await this.#currentCredentials(refused);
    const old = this.#agents;
    if (old !== undefined && isSame(old.tls, tls)) {
      this.#agents = { ...old, tls };
    } else {
      this.#agents = { tls, requests: this.#agent(tls, requestSockets), watches: this.#agent(tls, null) };
      // Graceful: what is in flight on the old sockets may end there.
      if (old !== undefined) void Promise.allSettled([old.requests.close(), old.watches.close()]);
    }
    return { requests: this.#agents.requests, watches: this.#agents.watches, headers };
  }

  /** Cuts every socket. */
  async close(): Promise<void> {
    const agents = this.#agents;
    this.#agents = undefined;
    await Promise.allSettled([agents?.requests.destroy(), agents?.watches.destroy()]);
  }

  async #currentCredentials(refused: Door | undefined): Promise<Credentials> {
    const held = this.#credentials;
    if (held === undefined) return this.#read(false, undefined);
    // Many requests may be refused at once; the first of them fetches new credentials for all.
    if (refused !== undefined && (await held).headers === refused.headers && this.#credentials === held) {
      return this.#read(true, undefined);
    }
    const isYoung = this.#clock.monotonicMs() - this.#readAtMs < credentialsAgeMs;
    return isYoung || refused !== undefined ? (this.#credentials ?? held) : this.#read(false, held);
  }

  /** `fallback`: a token that cannot be read again this minute may still be valid; only a 401 shows that it is not. */
  #read(fresh: boolean, fallback: Promise<Credentials> | undefined): Promise<Credentials> {
    this.#readAtMs = this.#clock.monotonicMs();
    const read = withDeadline(this.#clock, longestReadMs, () => this.#connection.credentials(fresh)).catch(
      (error: unknown) => {
        if (fallback !== undefined) return fallback;
        if (this.#credentials === read) this.#credentials = undefined;
        throw unreadable(error);
      },
    );
    this.#credentials = read;
    return read;
  }

  #agent(tls: Credentials['tls'], connections: number | null): Dispatcher {
    // Deadlines are the transport's, by its clock; undici's own would count a quiet watch as dead.
    const limits = {
      connections,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleSocketMs,
      allowH2: false,
    };
    const { proxyUrl } = this.#connection;
    if (proxyUrl !== undefined) return new ProxyAgent({ ...limits, uri: proxyUrl, requestTls: { ...tls } });
    return new Agent({ ...limits, connect: { ...tls, timeout: 10_000, keepAlive: true } });
  }
}

function isSame(a: Credentials['tls'], b: Credentials['tls']): boolean {
  return a === b || fingerprintOf(a) === fingerprintOf(b);
}

function fingerprintOf({ ca, cert, key, servername, rejectUnauthorized }: Credentials['tls']): string {
  return JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map(String));
}

function unreadable(error: unknown): KubeError {
  const why = error instanceof Error ? error.message : String(error);
  return new KubeError(`cannot read the credentials for the API server: ${why}`, {
    code: 'Unauthorized',
    retry: 'backoff',
    cause: error,
  });
}
