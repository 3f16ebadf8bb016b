/** Reading the API server's audit log: who wrote what, and when. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

/** One request, as far as tests ask about it. Times are milliseconds since the epoch, with fractions. */
export interface AuditEntry {
  user: string;
  userAgent: string;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  uri: string;
  code: number;
  receivedAt: number;
  answeredAt: number;
  dryRun: boolean;
  /** The object or the patch that was sent; absent for reads. */
  request: unknown;
  /** The object that was answered; only for apps, services, routes and Serin's own resources. */
  response: unknown;
}

interface RawEntry {
  verb: string;
  requestURI: string;
  user: { username: string };
  userAgent?: string;
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  requestObject?: unknown;
  responseObject?: { metadata?: { name?: string } };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

const writeVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** `Date.parse` keeps milliseconds only; the log has microseconds. */
export function parseMicroTime(text: string): number {
  const fraction = /\.(\d{3})(\d{1,6})Z$/.exec(text);
  return Date.parse(text) + (fraction ? Number(`0.${fraction[2]}`) : 0);
}

function fromRaw(raw: RawEntry): AuditEntry {
  const object = raw.objectRef ?? {};
  return {
    user: raw.user.username,
    userAgent: raw.userAgent ?? '',
    verb: raw.verb,
    group: object.apiGroup ?? '',
    resource: object.resource ?? '',
    subresource: object.subresource ?? '',
    namespace: object.namespace ?? '',
    name: object.name ?? raw.responseObject?.metadata?.name ?? '',
    uri: raw.requestURI,
    code: raw.responseStatus?.code ?? 0,
    receivedAt: parseMicroTime(raw.requestReceivedTimestamp),
    answeredAt: parseMicroTime(raw.stageTimestamp),
    dryRun: raw.requestURI.includes('dryRun=All'),
    request: raw.requestObject,
    response: raw.responseObject,
  };
}

/** Where the log ends now: a test notes it before it begins and reads only what came after. */
export function auditPosition(log: string): number {
  return statSync(log).size;
}

function textFrom(log: string, position: number): string {
  if (position === 0) return readFileSync(log, 'utf8');
  const bytes = Buffer.alloc(Math.max(0, statSync(log).size - position));
  const file = openSync(log, 'r');
  readSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
  return bytes.toString('utf8');
}

/** Entries after `position`, in the order they were answered. A last line that is still being written is left out. */
export function readAuditLog(log: string, position = 0): AuditEntry[] {
  const text = textFrom(log, position);
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => fromRaw(JSON.parse(line)));
}

/** True for a request that changed something (or tried to): no dry runs, no reads. */
export function isWrite(entry: AuditEntry): boolean {
  return writeVerbs.has(entry.verb) && !entry.dryRun;
}

/** Writes of one user, oldest first; the usual question of the tests. */
export function writesBy(user: string, log: string, position = 0): AuditEntry[] {
  return readAuditLog(log, position).filter((entry) => entry.user === user && isWrite(entry));
}
