/** Asks the API server's audit log what Serin did: every write with its time, and every request there was. */
import type { AuditEntry } from '../../cluster/audit-log.ts';
import { isWrite, readAuditLog } from '../../cluster/audit-log.ts';
import { operatorUser } from './ground.ts';
import { leaseName } from './operator.ts';
import { canaryPercentOf } from './served.ts';
import type { HTTPRoute } from '../../../src/traffic/objects.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Requests of the operator of one namespace: in it, about its Lease, or about what lies in no namespace. */
export function requestsOfOperator(log: string, position: number, namespace: string): AuditEntry[] {
  const isOurs = (entry: AuditEntry): boolean => {
    if (entry.user !== operatorUser) return false;
    return entry.resource === 'leases'
      ? entry.uri.includes(leaseName(namespace)) || entry.name === leaseName(namespace)
      : entry.namespace === namespace || entry.namespace === '';
  };
  return readAuditLog(log, position).filter(isOurs);
}

/** Writes that were carried out, without Lease and Events. */
export function releaseWrites(entries: readonly AuditEntry[]): AuditEntry[] {
  return entries.filter(
    (entry) => isWrite(entry) && entry.code < 300 && entry.resource !== 'leases' && entry.resource !== 'events',
  );
}

export interface RequestCounts {
  /** Without renewals of the Lease, dry runs of the guard's probe included. */
  readonly requests: number;
  readonly writes: number;
  readonly statusWrites: number;
  readonly reads: number;
  readonly events: number;
  readonly leaseRequests: number;
  readonly refused: number;
}

export function countRequests(entries: readonly AuditEntry[], { fromMs, toMs }: Span): RequestCounts {
  const within = entries.filter(({ receivedAt }) => receivedAt >= fromMs && receivedAt < toMs);
  const others = within.filter(({ resource }) => resource !== 'leases');
  return {
    requests: others.length,
    writes: releaseWrites(others).filter(({ subresource }) => subresource !== 'status').length,
    statusWrites: releaseWrites(others).filter(({ subresource }) => subresource === 'status').length,
    reads: others.filter((entry) => ['get', 'list', 'watch'].includes(entry.verb)).length,
    events: others.filter(({ resource }) => resource === 'events').length,
    leaseRequests: within.length - others.length,
    refused: others.filter(({ code }) => code >= 400).length,
  };
}

/** "patch deployments/shop: metadata.labels.serin.dev/attached": what a write touched. */
export function describeWrite(entry: AuditEntry): string {
  const object = `${entry.resource}${entry.subresource === '' ? '' : `/${entry.subresource}`} ${entry.name}`;
  const touched = touchedBy(entry.request);
  return `${entry.verb} ${object}${entry.verb === 'create' || touched.length === 0 ? '' : `: ${touched.join(', ')}`}`;
}

function touchedBy(body: unknown): string[] {
  if (Array.isArray(body))
    return body
      .map((operation: { path?: string }) => (operation.path ?? '').slice(1).replaceAll('/', '.').replaceAll('~1', '/'))
      .filter((path) => path !== 'metadata.resourceVersion');
  const paths = leaves(body, '').filter(
    (path) => !/^(metadata\.(resourceVersion|uid|name|namespace)|apiVersion|kind)$/.test(path),
  );
  return paths;
}

function leaves(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`));
}

export interface RouteWrite {
  readonly atMs: number;
  readonly canaryPercent: number;
}

/** Serin's writes of routes, with the canary's part that each left behind. */
export function routeWrites(entries: readonly AuditEntry[]): RouteWrite[] {
  return releaseWrites(entries)
    .filter(({ resource }) => resource === 'httproutes')
    .map((entry) => ({ atMs: entry.answeredAt, canaryPercent: canaryPercentOf(entry.response as HTTPRoute) }));
}
