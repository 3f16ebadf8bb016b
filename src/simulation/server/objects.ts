/** The shape of objects inside the double and the few ways to look at JSON; nothing here knows a kind. */
import type { KubeObject } from '../../kube/resources.ts';
import type { OwnedMeta } from '../../workload/objects.ts';

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export interface StoredMeta extends OwnedMeta {
  readonly deletionGracePeriodSeconds?: number;
}

/** An object as it is stored: never changed, only replaced. */
export interface Stored extends KubeObject {
  readonly metadata: StoredMeta;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The part at `key`, or an empty one. */
export function fieldsAt(value: unknown, key: string): Fields {
  const part = isFields(value) ? value[key] : undefined;
  return isFields(part) ? part : {};
}

export function listAt(value: unknown, key: string): readonly unknown[] {
  const part = isFields(value) ? value[key] : undefined;
  return Array.isArray(part) ? part : [];
}

export function textAt(value: unknown, key: string): string | undefined {
  const part = isFields(value) ? value[key] : undefined;
  return typeof part === 'string' ? part : undefined;
}

/** A copy through JSON: what a client holds must not change what is stored, and undefined keys are no keys. */
export function copyOf<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

/** Without nulls, at any depth: in Go a null is the zero value, and that is left out. Lists keep theirs. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== null && part !== undefined)
      .map(([key, part]) => [key, withoutNulls(part)]),
  );
}

/** Without the keys whose value is empty in the way that Go leaves out. */
export function withoutEmpty(fields: Fields, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key, value]) => !(keys.includes(key) && isZero(value))));
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.keys(value).length === 0;
  return value === undefined || value === '' || value === 0 || value === false;
}
