/**
 * Decides how a zod schema reads as the structural schema of a CRD; it must never emit a `default`, an unbounded list or
 * string, or a field without a description.
 */
import * as z from 'zod';

/** The part of OpenAPI 3.0 that the API server accepts in a CRD. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  format?: string;
  enum?: (string | number | boolean)[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: StructuralSchema;
  required?: string[];
  properties?: Record<string, StructuralSchema>;
  /** Of a map, whose keys are the user's. */
  additionalProperties?: StructuralSchema;
  maxProperties?: number;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

/** What `z.toJSONSchema` may hand us beyond that. */
type Emitted = Omit<StructuralSchema, 'items' | 'properties' | 'additionalProperties'> & {
  const?: string | number | boolean;
  items?: Emitted;
  properties?: Record<string, Emitted>;
  additionalProperties?: object | boolean;
};

/**
 * The structural schema of a zod schema.
 *
 * @throws Error naming the path of the field that is unbounded, undescribed or has no structural form.
 */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  const standard = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    cycles: 'throw',
  });
  const emitted: Emitted = JSON.parse(JSON.stringify(standard));
  return structural(emitted, path);
}

function structural(emitted: Emitted, path: string): StructuralSchema {
  const result: StructuralSchema = { ...keywords(emitted, path), ...children(emitted, path) };
  requireBounds(result, path);
  return result;
}

const copied = [
  'description',
  'type',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const;

const handledElsewhere = ['$schema', 'const', 'format', 'items', 'properties', 'additionalProperties', 'readOnly'];
const understood = new Set<string>([...copied, ...handledElsewhere]);

function keywords(emitted: Emitted, path: string): StructuralSchema {
  const foreign = Object.keys(emitted).find((key) => !understood.has(key));
  if (foreign !== undefined) throw new Error(`${path}: "${foreign}" has no structural form here.`);
  const result: Record<string, unknown> = {};
  for (const key of copied) if (emitted[key] !== undefined) result[key] = emitted[key];
  if (emitted.const !== undefined) result['enum'] = [emitted.const];
  if (emitted.format === 'date-time') {
    result['format'] = 'date-time';
    // zod's pattern for dates uses look-around, which the API server's RE2 does not have; the format says the same.
    delete result['pattern'];
  }
  if (emitted.type === 'integer') {
    result['format'] = 'int64';
    if (emitted.minimum === Number.MIN_SAFE_INTEGER) delete result['minimum'];
    if (emitted.maximum === Number.MAX_SAFE_INTEGER) delete result['maximum'];
  }
  return result;
}

function children(emitted: Emitted, path: string): StructuralSchema {
  const result: StructuralSchema = {};
  if (emitted.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(emitted.properties).map(([name, child]) => [name, structural(child, `${path}.${name}`)]),
    );
  }
  if (emitted.items !== undefined) result.items = structural(emitted.items, `${path}[]`);
  const more = emitted.additionalProperties;
  if (typeof more !== 'object') return result;
  if (Object.keys(more).length > 0) return { ...result, additionalProperties: structural(more, `${path}.*`) };
  // `{}` is zod's word for a loose object, where a strict one says `false` and a plain one says nothing.
  result['x-kubernetes-preserve-unknown-fields'] = true;
  return result;
}

function requireBounds(schema: StructuralSchema, path: string): void {
  if (schema.description === undefined) throw new Error(`${path}: has no description.`);
  if (schema.type === 'array' && schema.maxItems === undefined) throw new Error(`${path}: a list without maxItems.`);
  if (schema.additionalProperties !== undefined && schema.maxProperties === undefined) {
    throw new Error(`${path}: a map without maxProperties.`);
  }
  if (schema.type === 'string' && schema.enum === undefined && schema.maxLength === undefined) {
    throw new Error(`${path}: a string without maxLength.`);
  }
  if (schema.pattern !== undefined && /\(\?[=!<]/.test(schema.pattern)) {
    throw new Error(`${path}: the pattern uses look-around, which the API server does not have.`);
  }
}
