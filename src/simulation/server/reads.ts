/** Answers GET of one object and of lists, page by page, of one consistent state. */
import { apiVersionOf } from '../../kube/resources.ts';
import type { Asked } from './asked.ts';
import type { Stored } from './objects.ts';
import type { Place } from './place.ts';
import { badRequest, expired, notFound, tooLarge } from './refusals.ts';
import { type Selection, selectionOf } from './selection.ts';
import type { Storage } from './storage.ts';

/** Throws a 404 when there is none, and a 504 for a version that is still to come. */
export function read(storage: Storage, place: Place, asked: Asked): Stored {
  requireReached(storage, asked);
  return existing(storage, place);
}

/** Throws a 404 when there is none. */
export function existing(storage: Storage, { kind, namespace, name = '' }: Place): Stored {
  const found = storage.get(kind, namespace, name);
  if (found === undefined) throw notFound(kind, name);
  return found;
}

export function list(storage: Storage, place: Place, asked: Asked): object {
  const isShown = selectionOf(place, asked);
  const token = asked.query['continue'];
  if (token !== undefined && token !== '') return page(storage, place, asked, isShown, continuationIn(token));
  requireReached(storage, asked);
  const version = exactVersion(asked) ?? storage.version;
  return page(storage, place, asked, isShown, { version, after: '' });
}

interface Continuation {
  readonly version: number;
  /** Key of the last object that was shown. */
  readonly after: string;
}

function page(
  storage: Storage,
  { kind, namespace }: Place,
  { query }: Asked,
  isShown: Selection,
  { version, after }: Continuation,
): object {
  const state = storage.at(kind, version);
  if (state === undefined) throw expired(after === '' ? lostVersion(version, storage) : lostPlace);
  const scope = state.filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  const left = scope.filter((object) => isShown(object) && keyOf(object) > after);
  const limit = Number(query['limit'] ?? 0);
  const items = limit > 0 ? left.slice(0, limit) : left;
  const last = items.at(-1);
  // As the real one: a full page ends at the limit without a look at whether what follows would be shown at all.
  const isFull = limit > 0 && items.length === limit;
  const hasMore = last !== undefined && isFull && keyOf(scope.at(-1) ?? last) > keyOf(last);
  const isSelected = query['labelSelector'] !== undefined || query['fieldSelector'] !== undefined;
  const remaining = isSelected ? {} : { remainingItemCount: left.length - items.length };
  return {
    kind: `${kind.kind}List`,
    apiVersion: apiVersionOf(kind),
    metadata: {
      resourceVersion: String(version),
      ...(hasMore ? { continue: continuationOf({ version, after: keyOf(last) }), ...remaining } : {}),
    },
    items: items.map((object) => (kind.custom ? object : unstamped(object))),
  };
}

/** Items of built-in lists do not repeat what they are. */
function unstamped({ apiVersion: _apiVersion, kind: _kind, ...rest }: Stored): object {
  return rest;
}

function keyOf({ metadata }: Stored): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function requireReached(storage: Storage, { query }: Asked): void {
  const wanted = Number(query['resourceVersion'] ?? 0);
  if (Number.isNaN(wanted)) throw badRequest(`invalid resource version "${query['resourceVersion'] ?? ''}"`);
  if (wanted > storage.version) throw tooLarge(wanted, storage.version);
}

function exactVersion({ query }: Asked): number | undefined {
  const version = Number(query['resourceVersion'] ?? 0);
  const match = query['resourceVersionMatch'];
  // Without the word a paged list at a version means exactly that version.
  const isExact = match === 'Exact' || (match === undefined && query['limit'] !== undefined);
  return isExact && version > 0 ? version : undefined;
}

const lostPlace =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

function lostVersion(version: number, storage: Storage): string {
  return `too old resource version: ${version} (${storage.oldestVersion})`;
}

function continuationOf(continuation: Continuation): string {
  return Buffer.from(JSON.stringify(continuation)).toString('base64url');
}

function continuationIn(token: string): Continuation {
  try {
    const { version, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof version === 'number' && typeof after === 'string') return { version, after };
  } catch {
    // Falls through to the one refusal for all that is no token of ours.
  }
  throw badRequest('continue key is not valid');
}
