/** Turns an object and a patch into the object as patched, for the two patch languages that need no schema. */
import { copyOf, type Fields, isFields } from './objects.ts';
import { badRequest, Refusal } from './refusals.ts';

/** RFC 7396: null removes, lists are replaced. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatched(result[key], value);
  }
  return result;
}

interface Operation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** RFC 6902. Throws what the server throws: 400 for what is no patch, 422 for a patch that does not fit. */
export function jsonPatched(target: object, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  let root: unknown = copyOf(target);
  for (const operation of patch as readonly Operation[]) root = applied(root, operation);
  return root;
}

function applied(root: unknown, { op, path, from, value }: Operation): unknown {
  if (typeof path !== 'string') throw unfit('an operation has no path');
  switch (op) {
    case 'add':
      return placed(root, keysOf(path), copyOf(value), true);
    case 'replace':
      found(root, keysOf(path), path);
      return placed(root, keysOf(path), copyOf(value), false);
    case 'remove':
      found(root, keysOf(path), path);
      return removed(root, keysOf(path));
    case 'test':
      if (JSON.stringify(found(root, keysOf(path), path)) === JSON.stringify(value)) return root;
      throw unfit(`testing value ${path} failed: test failed`);
    case 'copy':
    case 'move': {
      const origin = String(from);
      const moved = copyOf(found(root, keysOf(origin), origin));
      return placed(op === 'move' ? removed(root, keysOf(origin)) : root, keysOf(path), moved, true);
    }
    default:
      throw unfit(`Unexpected kind: ${String(op)}`);
  }
}

function keysOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function found(root: unknown, keys: readonly string[], pointer: string): unknown {
  return keys.reduce<unknown>((at, key) => {
    const next = Array.isArray(at) ? at[Number(key)] : isFields(at) ? at[key] : undefined;
    if (next === undefined) throw unfit(`the path ${pointer} does not exist: missing path`);
    return next;
  }, root);
}

function placed(at: unknown, [key, ...more]: readonly string[], value: unknown, isNew: boolean): unknown {
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const index = key === '-' ? at.length : Number(key);
    if (!Number.isInteger(index) || index < 0 || index > at.length) throw unfit(`invalid index ${key}`);
    if (more.length > 0) return at.with(index, placed(at[index], more, value, isNew));
    return isNew ? at.toSpliced(index, 0, value) : at.with(index, value);
  }
  if (!isFields(at)) throw unfit(`doc is missing path: "${key}": missing value`);
  if (more.length > 0 && at[key] === undefined) throw unfit(`doc is missing path: "${key}": missing value`);
  return { ...at, [key]: placed(at[key], more, value, isNew) };
}

function removed(at: unknown, [key, ...more]: readonly string[]): unknown {
  if (key === undefined) return undefined;
  if (Array.isArray(at)) {
    const index = Number(key);
    return more.length > 0 ? at.with(index, removed(at[index], more)) : at.toSpliced(index, 1);
  }
  const fields: Fields = isFields(at) ? at : {};
  if (more.length > 0) return { ...fields, [key]: removed(fields[key], more) };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
}

/** The server's answer to a patch that is well formed and cannot be applied: Invalid, and no Conflict. */
function unfit(why: string): Refusal {
  return new Refusal(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {});
}
