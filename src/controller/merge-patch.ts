/** Writes the difference between two values as a JSON merge patch (RFC 7396); it never looks at what the values mean. */

type Json = unknown;

/** The patch that turns `before` into `after`; undefined when they are equal. Keys that are undefined count as absent. */
export function mergePatchFrom(before: Json, after: Json): object | undefined {
  const patch = patchOf(before, after);
  return patch === same ? undefined : (patch as object);
}

const same = Symbol('same');

function patchOf(before: Json, after: Json): Json {
  if (!isRecord(before) || !isRecord(after)) return isEqual(before, after) ? same : withoutUndefined(after);
  const patch: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const change =
      after[key] === undefined ? (before[key] === undefined ? same : null) : patchOf(before[key], after[key]);
    if (change !== same) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? same : patch;
}

function withoutUndefined(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, withoutUndefined(inner)]),
  );
}

/** Deep equality of JSON values; keys that are undefined count as absent. */
export function isEqual(a: Json, b: Json): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => isEqual(a[key], b[key]));
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
