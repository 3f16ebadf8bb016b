/** Sets of fields of one object, as a tree, and the arithmetic with them. Its text form is the API's FieldsV1. */
import { type Fields, isFields } from '../server/objects.ts';

/** `f:name`, `k:{…}` or `v:…` to what lies below. A member is a field that is in the set itself. */
export interface FieldSet {
  readonly isMember: boolean;
  readonly below: ReadonlyMap<string, FieldSet>;
}

export const noFields: FieldSet = { isMember: false, below: new Map() };
export const member: FieldSet = { isMember: true, below: new Map() };

export function isEmptySet({ isMember, below }: FieldSet): boolean {
  return !isMember && below.size === 0;
}

/** Empty branches are left out. */
export function setOf(isMember: boolean, below: Iterable<readonly [string, FieldSet]>): FieldSet {
  return { isMember, below: new Map([...below].filter(([, set]) => !isEmptySet(set))) };
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const keys = new Set([...a.below.keys(), ...b.below.keys()]);
  const below = [...keys].map(
    (key) => [key, union(a.below.get(key) ?? noFields, b.below.get(key) ?? noFields)] as const,
  );
  return setOf(a.isMember || b.isMember, below);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const below = [...a.below].map(([key, set]) => [key, intersection(set, b.below.get(key) ?? noFields)] as const);
  return setOf(a.isMember && b.isMember, below);
}

/** Of `a` what is not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const below = [...a.below].map(([key, set]) => [key, difference(set, b.below.get(key) ?? noFields)] as const);
  return setOf(a.isMember && !b.isMember, below);
}

/** Of `a` what is neither in `b` nor below a member of it: a field that went takes everything in it along. */
export function withoutBranches(a: FieldSet, b: FieldSet): FieldSet {
  if (b.isMember && b.below.size === 0) return noFields;
  const below = [...a.below].map(([key, set]) => [key, withoutBranches(set, b.below.get(key) ?? noFields)] as const);
  return setOf(a.isMember && !b.isMember, below);
}

/** Every member as its path of keys. */
export function membersOf({ isMember, below }: FieldSet, path: readonly string[] = []): (readonly string[])[] {
  const inner = [...below].flatMap(([key, set]) => membersOf(set, [...path, key]));
  return isMember ? [path, ...inner] : inner;
}

/** Without the branch at this path. */
export function withoutPath(set: FieldSet, [key, ...more]: readonly string[]): FieldSet {
  if (key === undefined) return noFields;
  const inner = set.below.get(key);
  if (inner === undefined) return set;
  return setOf(
    set.isMember,
    [...set.below].map(([name, one]) => [name, name === key ? withoutPath(inner, more) : one] as const),
  );
}

export function fieldsV1Of({ isMember, below }: FieldSet): Fields {
  const inner = [...below].map(([key, set]) => [key, fieldsV1Of(set)] as const);
  return Object.fromEntries(isMember && inner.length > 0 ? [['.', {}], ...inner] : inner);
}

export function setFromV1(fields: unknown): FieldSet {
  if (!isFields(fields)) return noFields;
  const entries = Object.entries(fields);
  const below = entries.filter(([key]) => key !== '.').map(([key, inner]) => [key, memberFromV1(inner)] as const);
  return setOf(Object.hasOwn(fields, '.'), below);
}

function memberFromV1(fields: unknown): FieldSet {
  return isFields(fields) && Object.keys(fields).length > 0 ? setFromV1(fields) : member;
}

/** `.spec.template.spec.containers[name="app"].image`: how messages write a path. */
export function dotted(path: readonly string[]): string {
  return path.map(dottedPart).join('');
}

function dottedPart(key: string): string {
  if (key.startsWith('f:')) return `.${key.slice(2)}`;
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`;
  const identity = Object.entries(JSON.parse(key.slice(2)) as Fields);
  return `[${identity.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
