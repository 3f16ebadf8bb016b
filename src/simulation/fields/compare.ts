/** Finds which fields an object has and in which two objects differ, by the list types of the kind. */
import { isEqual } from '../../controller/merge-patch.ts';
import type { ServedKind } from '../server/kinds.ts';
import { type Fields, isFields } from '../server/objects.ts';
import { type FieldSet, member, noFields, setOf } from './field-set.ts';
import { isAtomicMap, itemKey, listTypeAt } from './list-types.ts';

export interface Differences {
  /** Added or with another value. */
  readonly written: FieldSet;
  readonly removed: FieldSet;
}

const none: Differences = { written: noFields, removed: noFields };

/** Parts of an object by which its fields are named; undefined for a single value. */
export function partsOf(kind: ServedKind, path: readonly string[], value: unknown): Map<string, Part> | undefined {
  if (isFields(value)) {
    if (isAtomicMap(kind, path)) return undefined;
    return new Map(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [`f:${key}`, { value: inner, path: [...path, key] }]),
    );
  }
  if (!Array.isArray(value)) return undefined;
  const type = listTypeAt(kind, path);
  return type === 'atomic' ? undefined : new Map(value.map((item) => [itemKey(item, type), { value: item, path }]));
}

interface Part {
  readonly value: unknown;
  /** Names on the way, without the items of lists. */
  readonly path: readonly string[];
}

/** The fields that an applied configuration speaks of: its values, and each item of a list that has an identity. */
export function fieldsOf(kind: ServedKind, value: unknown, path: readonly string[] = [], isItem = false): FieldSet {
  const parts = partsOf(kind, path, value);
  if (parts === undefined || parts.size === 0) return member;
  const below = [...parts].map(([key, part]) => [key, partFields(kind, key, part)] as const);
  return setOf(isItem, below);
}

function partFields(kind: ServedKind, key: string, part: Part): FieldSet {
  const isItem = !key.startsWith('f:');
  return isItem && !isFields(part.value) ? member : fieldsOf(kind, part.value, part.path, isItem);
}

export function differencesOf(
  kind: ServedKind,
  before: unknown,
  after: unknown,
  path: readonly string[] = [],
): Differences {
  if (isEqual(before, after)) return none;
  if (before === undefined) return { written: everythingIn(kind, after, path), removed: noFields };
  if (after === undefined) return { written: noFields, removed: everythingIn(kind, before, path) };
  const [old, now] = [partsOf(kind, path, before), partsOf(kind, path, after)];
  if (old === undefined || now === undefined) return { written: member, removed: noFields };
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  const inner = keys.map((key) => {
    const at = (now.get(key) ?? old.get(key))?.path ?? path;
    return [key, differencesOf(kind, old.get(key)?.value, now.get(key)?.value, at)] as const;
  });
  return {
    written: setOf(
      false,
      inner.map(([key, { written }]) => [key, written] as const),
    ),
    removed: setOf(
      false,
      inner.map(([key, { removed }]) => [key, removed] as const),
    ),
  };
}

/** A part that came or went as a whole: it, and all that is in it. */
function everythingIn(kind: ServedKind, value: unknown, path: readonly string[]): FieldSet {
  const parts = partsOf(kind, path, value);
  if (parts === undefined || parts.size === 0) return member;
  const below = [...parts].map(
    ([key, part]) =>
      [
        key,
        isFields(part.value) || Array.isArray(part.value) ? everythingIn(kind, part.value, part.path) : member,
      ] as const,
  );
  // The roots of an object are always there, also when they are empty.
  return setOf(path.length > 1 || (path[0] !== 'metadata' && path[0] !== 'spec'), below);
}

/** The object without what ownership is never about. */
export function ownable({ apiVersion: _version, kind: _kind, metadata, ...rest }: Fields): Fields {
  return { metadata: isFields(metadata) ? ownableMeta(metadata) : {}, ...rest };
}

const unownable = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
];

function ownableMeta(metadata: Fields): Fields {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !unownable.includes(key)));
}
