/**
 * Makes an object in which every field that a zod schema knows is filled in: what the operator could ever write. It is derived
 * from zod and not from the CRD, so that a field which the CRD forgot is missed.
 */
import * as z from 'zod';

const texts = ['10m', '2026-11-24T04:00:00Z', 'http://prometheus.monitoring:9090/base', '10% or 0.01pp', '2x + 0.2pp'];
const numbers = [7, 99, 1, 0];

/**
 * @throws Error for a schema that none of the samples satisfies, or of a kind that is not used in Serin's objects.
 */
export function maximal(schema: z.core.$ZodType, path = ''): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly) return maximal(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return [maximal(schema.element, `${path}[]`)];
  if (schema instanceof z.ZodLiteral) return schema.value;
  if (schema instanceof z.ZodEnum) return schema.options[0];
  if (schema instanceof z.ZodBoolean) return true;
  if (schema instanceof z.ZodObject) return maximalObject(schema, path);
  if (schema instanceof z.ZodType) {
    // Named after its place, so that fields which must differ do.
    const named = path.toLowerCase().replaceAll(/[^a-z]/g, '');
    const candidates: unknown[] = [named, 'sample', ...texts, ...numbers];
    const fitting = candidates.find((candidate) => schema.safeParse(candidate).success);
    if (fitting !== undefined) return fitting;
  }
  throw new Error(`${path}: no sample fits this field.`);
}

function maximalObject(schema: z.ZodObject, path: string): unknown {
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, maximal(field, `${path}.${name}`)]);
  const isLoose = schema.def.catchall !== undefined && !(schema.def.catchall instanceof z.ZodNever);
  return Object.fromEntries(isLoose ? [...fields, ['anything', { nested: [1, 'two', { three: 3.5 }] }]] : fields);
}
