/** Reads a path of the API as the resource, object or subresource that it names. */
import { kindServed, type ServedKind } from './kinds.ts';
import { noSuchResource } from './refusals.ts';

export interface Place {
  readonly kind: ServedKind;
  /** Absent: all namespaces, or a kind that has none. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Throws a 404 for every path that names nothing this server has. */
export function placeOf(path: string): Place {
  const { kind, namespace, name, subresource, more } = partsOf(path);
  if (kind === undefined || more > 0) throw noSuchResource();
  // All namespaces at once can only be listed.
  const isMisplaced = kind.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined;
  const isUnknown = subresource !== undefined && !kind.subresources.some((one) => one === subresource);
  if (isMisplaced || isUnknown) throw noSuchResource();
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function partsOf(path: string) {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') throw noSuchResource();
  const [group = '', version = ''] = isCore ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(isCore ? 2 : 3);
  const isScoped = rest[0] === 'namespaces' && rest.length > 2 && !isNamespaceStatus(rest);
  const [plural = '', name, subresource, ...more] = isScoped ? rest.slice(2) : rest;
  const namespace = isScoped ? rest[1] : undefined;
  return { kind: kindServed(group, version, plural), namespace, name, subresource, more: more.length };
}

/** `/api/v1/namespaces/shop/status` is a subresource and no collection of things in a namespace. */
function isNamespaceStatus(rest: readonly string[]): boolean {
  return rest.length === 3 && rest[2] === 'status';
}
