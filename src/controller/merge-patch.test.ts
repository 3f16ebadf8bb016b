import * as fc from 'fast-check';
import { isEqual, mergePatchFrom } from './merge-patch.ts';

/** RFC 7396, written once more. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = apply(result[key], value);
  }
  return result;
}

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer()));
const { status } = fc.letrec((tie) => ({
  status: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof({ maxDepth: 3 }, leaf, tie('status'))),
}));

test('the patch between two states leads from one to the other', () => {
  fc.assert(
    fc.property(status, status, (before, after) => {
      expect(apply(before, mergePatchFrom(before, after) ?? {})).toEqual(after);
    }),
  );
});

test('equal states need no patch', () => {
  fc.assert(fc.property(status, (state) => mergePatchFrom(state, structuredClone(state)) === undefined));
});

test('a key that became undefined is removed', () => {
  expect(mergePatchFrom({ brake: { sinceMs: 1 }, step: 1 }, { brake: undefined, step: 1 })).toEqual({ brake: null });
});

test('a list is written as a whole', () => {
  expect(mergePatchFrom({ list: [{ a: 1 }] }, { list: [{ a: 2, b: undefined }] })).toEqual({ list: [{ a: 2 }] });
});

test('what is undefined and what is absent are equal', () => {
  expect(isEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(isEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toBe(false);
});
