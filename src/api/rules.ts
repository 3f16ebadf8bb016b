/**
 * Owns how a rule is stated once and enforced twice: as CEL by the API server, and here for objects that never met one
 * (a file given to `serin plan`). A rule that only one of the two knows would be a hole.
 */
import type * as z from 'zod';

export interface Rule<T> {
  /** CEL over `self` (and `oldSelf` for a transition), as the API server evaluates it. */
  readonly cel: string;
  /** What the user has to change, in one sentence. */
  readonly message: string;
  /** The same rule here. Absent for transitions, which only the API server can see. */
  readonly holds?: (value: T) => boolean;
}

/** The schema with rules that both zod and, through the generated CRD, the API server enforce. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const ruled = rules.reduce((narrowed, { holds, message }) => {
    return holds === undefined ? narrowed : narrowed.refine(holds, { message });
  }, schema);
  return ruled.meta({
    ...schema.meta(),
    'x-kubernetes-validations': rules.map(({ cel, message }) => ({ rule: cel, message })),
  });
}

/** A value that can be written once: whoever wants another makes another object. */
export function immutable<S extends z.ZodType>(schema: S, message: string): S {
  return withRules(schema, [{ cel: 'self == oldSelf', message }]);
}

/** A list in which nothing stands twice: the API server knows that as the type of the list. `keys` for a list of objects. */
export function distinct<S extends z.ZodArray>(schema: S, keys?: readonly string[]): S {
  const identityOf = (item: unknown) =>
    JSON.stringify(keys === undefined ? item : keys.map((key) => Object(item)[key]));
  const listType = keys === undefined ? { 'x-kubernetes-list-type': 'set' } : mapType(keys);
  return schema
    .refine((items) => new Set(items.map(identityOf)).size === items.length, {
      message: 'the same entry stands twice.',
    })
    .meta({ ...schema.meta(), ...listType });
}

function mapType(keys: readonly string[]) {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}
