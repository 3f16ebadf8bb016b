/** Reads who asks and what out of an HTTP request, and writes the kubeconfigs that say so. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { adminUser, operatorUser, type User } from './server/asked.ts';
import { badRequest, Refusal } from './server/refusals.ts';

/** One bearer token for each user that a server knows. */
export interface Identities {
  readonly admin: string;
  readonly operator: string;
}

/** Fresh tokens, good for one server: they keep other programs of the machine out. */
export function identitiesOf(): Identities {
  return { admin: randomBytes(16).toString('hex'), operator: randomBytes(16).toString('hex') };
}

/** Whom the request is to count as; undefined when nobody known asks. */
export function userOf({ admin, operator }: Identities, request: IncomingMessage): User | undefined {
  const token = headerOf(request, 'authorization').replace(/^Bearer /i, '');
  const user = token === admin ? adminUser : token === operator ? operatorUser : undefined;
  const name = headerOf(request, 'impersonate-user');
  if (user === undefined || name === '') return user;
  const groups = request.headersDistinct['impersonate-group'] ?? [];
  return { name, groups };
}

export function headerOf({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

/** An etcd takes 1.5 MiB; a body far beyond that is a mistake. */
const maxBodyBytes = 3 * 1024 * 1024;

/** The body as JSON; apply patches, which may be YAML on a real server, are JSON here. */
export async function bodyIn(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > maxBodyBytes) throw new Refusal(413, 'RequestEntityTooLarge', `limit is ${maxBodyBytes}`);
    chunks.push(part);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw badRequest('the body of the request is not JSON');
  }
}

/** JSON is YAML too. */
export function kubeconfigOf(server: string, token: string): string {
  const name = 'serin-double';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    // The client library takes plain HTTP only when told that nothing is verified.
    clusters: [{ name, cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
