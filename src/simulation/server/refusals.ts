/** The answers by which an API server says no, in its own words: clients and people tell them apart by reason and message. */
import type { ResourceKind } from '../../kube/resources.ts';

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

interface Details {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** Thrown inside the double; becomes the Status that the client sees. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(status: number, reason: string, message: string, details?: Details) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }
}

/** The Status object of a refusal. */
export function statusOf({ status, reason, message, details }: Refusal): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: status,
  };
}

/** "deployments.apps", as messages name a resource. */
export function resourceName({ plural, group }: ResourceKind): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export function notFound(kind: ResourceKind, name: string): Refusal {
  return new Refusal(404, 'NotFound', `${resourceName(kind)} "${name}" not found`, detailsOf(kind, name));
}

/** A path that no resource of this server has. */
export function noSuchResource(): Refusal {
  return new Refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(kind: ResourceKind, name: string): Refusal {
  return new Refusal(409, 'AlreadyExists', `${resourceName(kind)} "${name}" already exists`, detailsOf(kind, name));
}

export function modified(kind: ResourceKind, name: string): Refusal {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(kind, name, why);
}

export function conflict(kind: ResourceKind, name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": ${why}`;
  return new Refusal(409, 'Conflict', message, detailsOf(kind, name));
}

export function invalid(kind: ResourceKind, name: string, causes: readonly Required<Cause>[]): Refusal {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const details = { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.kind, causes };
  return new Refusal(422, 'Invalid', `${nameOfKind(kind)} "${name}" is invalid: ${all}`, details);
}

export function badRequest(message: string): Refusal {
  return new Refusal(400, 'BadRequest', message);
}

export function forbidden(kind: ResourceKind, name: string, why: string, causes?: readonly Cause[]): Refusal {
  const named = name === '' ? resourceName(kind) : `${resourceName(kind)} "${name}"`;
  const details = { ...detailsOf(kind, name), ...(causes === undefined ? {} : { causes }) };
  return new Refusal(403, 'Forbidden', `${named} is forbidden: ${why}`, details);
}

export function expired(message: string): Refusal {
  return new Refusal(410, 'Expired', message);
}

export function tooLarge(wanted: number, current: number): Refusal {
  const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new Refusal(504, 'Timeout', message, { retryAfterSeconds: 1, causes });
}

export function notAllowed(): Refusal {
  const message = 'the server does not allow this method on the requested resource';
  return new Refusal(405, 'MethodNotAllowed', message, {});
}

export function unsupportedMedia(contentType: string, accepted: readonly string[]): Refusal {
  const message = `the body of the request was in an unknown format (${contentType}) - accepted media types include: ${accepted.join(', ')}`;
  return new Refusal(415, 'UnsupportedMediaType', message);
}

/** Something that a real server does and this one does not. */
export function notPlayed(what: string): Refusal {
  return new Refusal(501, 'NotImplemented', `this embedded cluster does not play ${what}`);
}

function nameOfKind({ kind, group }: ResourceKind): string {
  return group === '' ? kind : `${kind}.${group}`;
}

function detailsOf({ group, plural }: ResourceKind, name: string): Details {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural };
}
