/** What the server asks of a write before it looks at its content: a body, a name, a namespace, the identity of the object. */
import type { Random } from '../../kube/clock.ts';
import { namespaces } from '../../kube/resources.ts';
import type { Asked } from './asked.ts';
import { generatedName } from './identity.ts';
import { type Fields, fieldsAt, isFields, type Stored } from './objects.ts';
import type { Place } from './place.ts';
import { badRequest, conflict, forbidden, invalid, notFound, Refusal } from './refusals.ts';
import type { Storage } from './storage.ts';

export function bodyOf({ kind, name }: Place, { body }: Asked): Fields {
  if (!isFields(body)) throw badRequest('the body of the request is no object');
  const said = body['kind'];
  if (said !== undefined && said !== kind.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): it says ${JSON.stringify(said)}`,
    );
  }
  const inBody = fieldsAt(body, 'metadata')['name'];
  if (name !== undefined && inBody !== undefined && inBody !== name) {
    throw badRequest(`the name of the object (${JSON.stringify(inBody)}) does not match the name on the URL (${name})`);
  }
  return body;
}

export function nameOf({ kind, name }: Place, given: Fields, random: Random): string {
  const metadata = fieldsAt(given, 'metadata');
  const own = name ?? metadata['name'];
  if (typeof own === 'string' && own !== '') return own;
  const { generateName } = metadata;
  if (typeof generateName === 'string' && generateName !== '') return generatedName(generateName, random);
  const message = 'Required value: name or generateName is required';
  throw invalid(kind, '', [{ reason: 'FieldValueRequired', field: 'metadata.name', message }]);
}

export function requireSameIdentity(
  { kind, subresource }: Place,
  { method }: Asked,
  live: Stored,
  wanted: Stored,
): void {
  const { uid, name } = live.metadata;
  const asked = wanted.metadata.uid;
  if (asked !== undefined && asked !== uid && method === 'PATCH') {
    const message = `Invalid value: ${JSON.stringify(asked)}: field is immutable`;
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message }]);
  }
  if (asked !== undefined && asked !== uid) {
    throw conflict(kind, name, `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${uid}`);
  }
  const { deletionTimestamp } = wanted.metadata;
  if (deletionTimestamp !== undefined && live.metadata.deletionTimestamp === undefined) {
    const message = `Invalid value: ${JSON.stringify(deletionTimestamp)}: field is immutable`;
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', field: 'metadata.deletionTimestamp', message }]);
  }
  if (kind.custom && wanted.metadata.resourceVersion === '' && subresource === undefined) {
    const message = 'Invalid value: 0: must be specified for an update';
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message }]);
  }
}

export function requireNamespace(storage: Storage, place: Place): Stored | undefined {
  const { kind, namespace } = place;
  if (namespace === undefined) {
    if (kind.namespaced) throw badRequest('an object of a namespaced kind is created in its namespace');
    return undefined;
  }
  const found = namespaceOf(storage, place);
  if (found === undefined) throw notFound(namespaces, namespace);
  if (found.metadata.deletionTimestamp === undefined) return found;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ];
  throw forbidden(kind, place.name ?? '', why, causes);
}

export function namespaceOf(storage: Storage, { namespace }: Place): Stored | undefined {
  return namespace === undefined ? undefined : storage.get(namespaces, undefined, namespace);
}

export function isDryRun({ query }: Asked): boolean {
  const { dryRun } = query;
  if (dryRun === undefined) return false;
  if (dryRun !== 'All')
    throw new Refusal(422, 'Invalid', `dryRun: Unsupported value: "${dryRun}": supported values: "All"`);
  return true;
}
