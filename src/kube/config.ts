/** Finds the cluster and the credentials the user means, as kubectl would; it never opens a connection and never logs a credential. */
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeError } from './errors.ts';

export interface ConnectionOptions {
  /** Path of a kubeconfig; default: KUBECONFIG, `~/.kube/config`, then the service account of the pod. */
  readonly kubeconfig?: string | undefined;
  /** Context in it; default: its current context. */
  readonly context?: string | undefined;
}

/** What a request needs to be let in. Held in memory only. */
export interface Credentials {
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly headers: Readonly<Record<string, string>>;
}

/** One cluster as one user. */
export interface ClusterConnection {
  /** URL of the API server; it may have a path. */
  readonly server: string;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  readonly context: string;
  /** HTTP proxy named by the kubeconfig. */
  readonly proxyUrl?: string;
  /** Reads credentials; `fresh` forgets every cached one (kubeconfig, exec plugin), for use after a 401. */
  credentials(fresh: boolean): Promise<Credentials>;
}

/** Throws a KubeError that says what to pass when no cluster can be found. Reads files, but contacts nothing. */
export function loadConnection(options: ConnectionOptions = {}): ClusterConnection {
  let config = load(options);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw unusable(`context "${config.getCurrentContext()}" names no cluster; check --context and the kubeconfig`);
  if (cluster.proxyUrl !== undefined && !/^https?:/.test(cluster.proxyUrl)) {
    throw unusable(
      `cluster "${cluster.name}" wants a proxy that is not HTTP; only http and https proxies are supported`,
    );
  }
  return {
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default',
    context: config.getCurrentContext(),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    async credentials(fresh) {
      if (fresh) config = load(options);
      return credentialsOf(config);
    },
  };
}

function load({ kubeconfig, context }: ConnectionOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw unusable(
      `cannot read the kubeconfig${kubeconfig === undefined ? '' : ` ${kubeconfig}`}: ${messageOf(error)}`,
      error,
    );
  }
  // client-node falls back to http://localhost:8080, which only ever ends in a puzzling "connection refused".
  if (config.getCurrentCluster()?.server === 'http://localhost:8080' && !existsSync(kubeconfig ?? '')) {
    throw unusable('no kubeconfig found and not running in a pod; pass --kubeconfig or set KUBECONFIG');
  }
  if (context !== undefined) {
    if (config.getContextObject(context) === null) throw unusable(`the kubeconfig has no context "${context}"`);
    config.setCurrentContext(context);
  }
  return config;
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const read: RequestOptions = {};
  await config.applyToHTTPSOptions(read);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(read.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (typeof read.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(read.auth).toString('base64')}`;
  return { headers, tls: tlsOf(read) };
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Credentials['tls'] {
  return {
    ...(isPem(ca) ? { ca } : {}),
    ...(isPem(cert) ? { cert } : {}),
    ...(isPem(key) ? { key } : {}),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

/** Node's types allow lists of certificates; a kubeconfig has one of each at most, and client-node says `null` for none. */
function isPem(value: unknown): value is string | Buffer {
  return Buffer.isBuffer(value) || (typeof value === 'string' && value !== '');
}

function unusable(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { code: 'Unauthorized', retry: 'never', cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
