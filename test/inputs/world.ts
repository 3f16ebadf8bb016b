/** The objects of one application as its team has them in Git, and how tests change and read them on a real API server. */
import { type ApiServer, pathTo } from '../policies/api-server.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Fields = { readonly [key: string]: Json };

export interface KubeObject extends Fields {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Fields & { readonly name: string };
}

/** A Deployment without pods: what is refused is refused before its size matters, and it attaches all the same. */
export const deploymentOf = (name: string, spec: Fields = {}, template: Fields = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'serin.test/workload:v1', imagePullPolicy: 'Never' }], ...template },
    },
    ...spec,
  },
});

export const serviceOf = (name: string, spec: Fields = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

/** The gateway is one for all namespaces, so hosts are told apart by theirs where requests are sent. */
export const routeOf = (name: string, service = name, domain = 'inputs.test'): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name },
  spec: {
    parentRefs: [{ name: 'gateway', namespace: 'serin-gateway' }],
    hostnames: [`${name}.${domain}`],
    rules: [{ backendRefs: [{ name: service, port: 80 }] }],
  },
});

export const rolloutOf = (name: string, spec: Fields = {}): KubeObject => ({
  apiVersion: 'serin.dev/v1alpha1',
  kind: 'Rollout',
  metadata: { name },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }], settle: '1s', drain: '1s' },
    // Named, so that a default source of another suite judges nothing here.
    analysis: { source: 'none-of-this-test' },
    ...spec,
  },
});

export interface Shown {
  readonly metadata: { readonly uid: string; readonly name: string; readonly finalizers?: readonly string[] };
  readonly spec: Fields;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly journal?: { readonly attempt?: object };
    readonly canary?: { readonly ready: number; readonly weight: number };
    readonly quarantined?: readonly { readonly reason: string; readonly message: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

const plurals: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  Service: 'services',
  HTTPRoute: 'httproutes',
  Rollout: 'rollouts',
};

/** One namespace of a real API server, as its owner uses it. */
export class Cluster {
  readonly #server: ApiServer;
  readonly #namespace: string;

  constructor(server: ApiServer, namespace: string) {
    this.#server = server;
    this.#namespace = namespace;
  }

  /** `kubectl apply`. */
  async apply(...items: readonly KubeObject[]): Promise<void> {
    if (items.length === 0) return;
    await this.#run(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  }

  /** `kubectl patch --type merge`. */
  async patch({ kind, metadata }: KubeObject, patch: Fields): Promise<void> {
    await this.#run(['patch', kind, metadata.name, '--type', 'merge', '-p', JSON.stringify(patch)]);
  }

  async delete({ kind, metadata }: KubeObject): Promise<void> {
    await this.#run(['delete', kind, metadata.name, '--timeout=60s']);
  }

  async get({ kind, apiVersion, metadata }: KubeObject): Promise<Shown | undefined> {
    const path = pathTo(apiVersion, plurals[kind] ?? '', this.#namespace, metadata.name);
    const { status, body } = await this.#server.ask('GET', path);
    return status === 200 ? (body as unknown as Shown) : undefined;
  }

  /** What kubectl says to an object that the API server is only asked about. */
  async refusalOf(object: KubeObject): Promise<string> {
    const words = ['create', '--dry-run=server', '-n', this.#namespace, '-f', '-'];
    const { code, output } = await this.#server.kubectl(words, object);
    return code === 0 ? 'accepted' : output.trim();
  }

  async #run(words: readonly string[], input?: unknown): Promise<void> {
    const { code, output } = await this.#server.kubectl([...words, '-n', this.#namespace], input);
    if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${output}`);
  }
}

/** Asks until something is there, for at most `seconds`; what was seen last is in the error. */
export async function within<T>(
  seconds: number,
  what: string,
  ask: () => Promise<{ readonly found?: T; readonly seen: string }>,
): Promise<T> {
  let seen = '';
  for (const endMs = Date.now() + seconds * 1000; Date.now() < endMs; ) {
    const { found, seen: now } = await ask();
    if (found !== undefined) return found;
    seen = now;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`waited ${seconds} s for ${what}; last: ${seen}`);
}
