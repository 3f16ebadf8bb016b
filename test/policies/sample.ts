/**
 * Makes an object in which every field that a zod schema knows is filled in: what the operator could ever write. It is derived
 * from zod and not from the CRD, so that a field which the CRD forgot is missed.
 */
import * as z from 'zod';

const texts = [
  '10m',
  '300ms',
  '2026-11-24T04:00:00Z',
  'https://prometheus.monitoring:9090/base',
  '/sample',
  '10% or 0.01pp',
  '10%',
  '2x + 0.2pp',
  'USD',
  '{severity="page"}',
  '2m',
  '2s',
];
const numbers = [7, 99, 1, 0, 200];

/**
 * An object with as many fields as one can have at once; where some exclude each other inside a list, the list has one entry for
 * each way to fill it in.
 *
 * @throws Error for a schema that none of the samples satisfies, or of a kind that is not used in Serin's objects.
 */
export function maximal(schema: z.core.$ZodType, path = ''): unknown {
  return variants(schema, path)[0];
}

/** As `maximal`, where some exclude each other at the top: objects in which together every field stands. */
export function everyMaximal(schema: z.core.$ZodType): readonly unknown[] {
  return variants(schema, '');
}

/** Ways to fill a schema in, each as full as can be, in which together every field stands. */
function variants(schema: z.core.$ZodType, path: string): readonly unknown[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly) return variants(schema.unwrap(), path);
  // What is read by a function is written as the schema before it says.
  if (schema instanceof z.ZodPipe) return variants(schema.in, path);
  if (schema instanceof z.ZodArray) return lists(schema, variants(schema.element, `${path}[]`));
  if (schema instanceof z.ZodLiteral) return [schema.value];
  if (schema instanceof z.ZodEnum) return [schema.options[0]];
  if (schema instanceof z.ZodBoolean) return [true];
  if (schema instanceof z.ZodRecord) return [{ key: maximal(schema.valueType, `${path}.key`) }];
  if (schema instanceof z.ZodObject) return objects(schema, path);
  if (schema instanceof z.ZodType) return [textOrNumber(schema, path)];
  throw new Error(`${path}: no sample fits this field.`);
}

/** All ways in one list; where they do not stand together, lists in which each of them stands once. */
function lists(schema: z.ZodArray, ways: readonly unknown[]): readonly unknown[] {
  if (schema.safeParse(ways).success) return [ways];
  const shorter = ways.map((_, left) => ways.filter((__, index) => index !== left));
  const fitting = shorter.filter((list) => schema.safeParse(list).success);
  return fitting.length > 0 ? fitting : [ways];
}

function textOrNumber(schema: z.ZodType, path: string): unknown {
  // Named after its place, so that fields which must differ do.
  const named = path.toLowerCase().replaceAll(/[^a-z]/g, '');
  const candidates: unknown[] = [named, 'sample', ...texts, ...numbers];
  const fitting = candidates.find((candidate) => schema.safeParse(candidate).success);
  if (fitting === undefined) throw new Error(`${path}: no sample fits this field.`);
  return fitting;
}

/** Every field at once if the rules let them; else the largest sets of fields that they let stand together. */
function objects(schema: z.ZodObject, path: string): readonly unknown[] {
  const fields = Object.entries(schema.shape).map(
    ([name, field]) => [name, variants(field, `${path}.${name}`)] as const,
  );
  const isLoose = schema.def.catchall !== undefined && !(schema.def.catchall instanceof z.ZodNever);
  const loose = isLoose ? { anything: { nested: [1, 'two', { three: 3.5 }] } } : {};
  const whole = { ...Object.fromEntries(fields.map(([name, [first]]) => [name, first])), ...loose };
  if (schema.safeParse(whole).success || fields.length > MOST_FIELDS) return [whole];
  return excluding(schema, path, fields);
}

/** More than the unions of Serin's objects have; all sets of them are tried. */
const MOST_FIELDS = 10;

function excluding(
  schema: z.ZodObject,
  path: string,
  fields: readonly (readonly [string, readonly unknown[]])[],
): readonly unknown[] {
  const sets = Array.from({ length: 2 ** fields.length }, (_, set) => fields.filter((_field, bit) => set & (2 ** bit)));
  const found: { readonly names: readonly string[]; readonly values: readonly unknown[] }[] = [];
  for (const set of sets.toSorted((a, b) => b.length - a.length)) {
    const names = set.map(([name]) => name);
    const values = [...Array(Math.max(1, ...set.map(([, ways]) => ways.length))).keys()].map((way) =>
      // Named after the variant too, because lists of them want different names.
      renamed(
        schema,
        Object.fromEntries(set.map(([name, ways]) => [name, ways[way] ?? ways[0]])),
        `${path}${found.length}${way}`,
      ),
    );
    const isNew = names.some((name) => !found.some((one) => one.names.includes(name)));
    if (isNew && values.every((value) => schema.safeParse(value).success)) found.push({ names, values });
  }
  return found.flatMap(({ values }) => values);
}

function renamed(schema: z.ZodObject, value: Record<string, unknown>, path: string): Record<string, unknown> {
  if (!('name' in schema.shape) || value['name'] === undefined) return value;
  const letters = path.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(97 + Number(digit)));
  return {
    ...value,
    name: letters
      .toLowerCase()
      .replaceAll(/[^a-z]/g, '')
      .slice(-20),
  };
}
