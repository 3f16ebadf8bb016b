/** Asks the API server's audit log what Serin did: every write with its time, and every request there was. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { AuditEntry } from '../../cluster/audit-log.ts';
import { auditPosition, isWrite, readAuditLog } from '../../cluster/audit-log.ts';
import { operatorUser } from './ground.ts';
import { leaseName } from './operator.ts';
import { canaryPercentOf } from './served.ts';
import type { HTTPRoute } from '../../../src/traffic/objects.ts';

/** The requests of the operator of one namespace, read on from where the last question ended: the log is long. */
export class OperatorAudit {
  readonly #log: string;
  readonly #namespace: string;
  readonly #seen = new Map<string, AuditEntry>();
  #position: number;

  constructor(log: string, namespace: string, position: number) {
    this.#log = log;
    this.#namespace = namespace;
    this.#position = position;
  }

  /** All of them since the position it was made with, in the order they were answered. */
  entries(): AuditEntry[] {
    const next = startOfLastLine(this.#log, this.#position);
    // What was written meanwhile is read, too, and again the next time: the key makes it count once.
    for (const entry of requestsOfOperator(this.#log, this.#position, this.#namespace))
      this.#seen.set(`${entry.receivedAt} ${entry.verb} ${entry.uri}`, entry);
    this.#position = next;
    return [...this.#seen.values()];
  }
}

/** Where the line begins that is being written; `position` when nothing came. */
function startOfLastLine(log: string, position: number): number {
  const end = auditPosition(log);
  const length = Math.min(end - position, 4 * 2 ** 20);
  const bytes = Buffer.alloc(length);
  const file = openSync(log, 'r');
  readSync(file, bytes, 0, length, end - length);
  closeSync(file);
  const newline = bytes.lastIndexOf(10);
  return newline < 0 ? position : end - length + newline + 1;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Requests of the operator of one namespace: in it, or about its Lease. Its list and watch of MetricSources, which lie in no
 * namespace, are left out: other operators run beside it under the same name.
 */
function requestsOfOperator(log: string, position: number, namespace: string): AuditEntry[] {
  const lease = leaseName(namespace);
  const isOurs = ({ user, resource, uri, name, namespace: where }: AuditEntry): boolean =>
    user === operatorUser && (resource === 'leases' ? name === lease || uri.includes(lease) : where === namespace);
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
