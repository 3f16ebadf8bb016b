/**
 * How the policy and CRD tests talk to the API server: as any user (by impersonation), with the status code and the warnings
 * that a client would see, and with the real kubectl. It knows nothing of what is asked.
 */
import { execFile } from 'node:child_process';
import { request } from 'node:https';
import type { TestCluster } from '../cluster/cluster.ts';

export const SERIN = 'system:serviceaccount:serin-system:serin';
export const PROBE = 'system:serviceaccount:serin-system:serin-probe';

export interface Answer {
  readonly status: number;
  /** The object, or the API server's Status with its message. */
  readonly body: KubeBody;
  readonly warnings: readonly string[];
}

interface KubeBody {
  readonly kind?: string;
  readonly message?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: unknown;
}

export interface Asking {
  /** User name to impersonate; the admin when absent. */
  readonly as?: string;
  readonly groups?: readonly string[];
  /** Content type of the body; JSON, or a merge patch where the method is PATCH. */
  readonly type?: 'json-patch' | 'apply';
}

export interface ApiServer {
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    asking?: Asking,
  ): Promise<Answer>;
  /** Runs kubectl to its end; a failure is in the answer, not thrown. `input` goes to its standard input. */
  kubectl(arguments_: readonly string[], input?: unknown): Promise<{ readonly code: number; readonly output: string }>;
}

export function apiServer(cluster: TestCluster): ApiServer {
  return {
    ask: (method, path, body, asking = {}) => ask(cluster, method, path, body, asking),
    kubectl: (arguments_, input) => kubectl(cluster, arguments_, input),
  };
}

/** The path of objects of a kind: `/apis/group/version/namespaces/ns/plural/name`. */
export function pathTo(apiVersion: string, plural: string, namespace?: string, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${name}`}`;
}

const contentTypes = {
  'json-patch': 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
} as const;

function ask(cluster: TestCluster, method: string, path: string, body: unknown, asking: Asking): Promise<Answer> {
  const contentType = method === 'PATCH' ? contentTypes[asking.type ?? 'merge'] : 'application/json';
  const headers: Record<string, string | string[]> = {
    ...credentials(cluster),
    accept: 'application/json',
    'content-type': contentType,
    ...(asking.as === undefined ? {} : { 'impersonate-user': asking.as }),
    ...(asking.groups === undefined ? {} : { 'impersonate-group': [...asking.groups] }),
  };
  return new Promise((resolve, reject) => {
    const call = request(`${cluster.server}${path}`, { method, headers, ca: cluster.ca, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const warnings = [response.headers['warning'] ?? []].flat().flatMap(warningTexts);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text), warnings });
      });
    });
    call.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function credentials(cluster: TestCluster): Record<string, string> {
  if (cluster.adminToken === undefined)
    throw new Error('These tests need a kubeconfig whose admin has a bearer token.');
  return { authorization: `Bearer ${cluster.adminToken}` };
}

/** Node joins several Warning headers with commas; each is `299 - "text"`. */
function warningTexts(header: string): string[] {
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? '');
}

function kubectl(cluster: TestCluster, arguments_: readonly string[], input: unknown) {
  return new Promise<{ code: number; output: string }>((resolve) => {
    const child = execFile(
      cluster.kubectl,
      ['--kubeconfig', cluster.kubeconfig, ...arguments_],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
      },
    );
    child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
  });
}
