/**
 * Holds an object of Serin's kinds against the structural schema of its CRD: fields that it does not know are dropped,
 * values that it forbids are named as the API server names them. CEL rules are not evaluated.
 */
import type { StructuralSchema } from '../../api/structural.ts';
import { type Fields, isFields } from './objects.ts';
import type { Cause } from './refusals.ts';

/** Without the fields that the schema does not have. Null counts as absent. */
export function pruned(schema: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => pruned(items, item));
  }
  if (!isFields(value) || schema['x-kubernetes-preserve-unknown-fields'] === true) return value;
  const known = schema.properties ?? {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const below = Object.hasOwn(known, key) ? known[key] : undefined;
      return below === undefined || inner === null ? [] : [[key, pruned(below, inner)] as const];
    }),
  );
}

/** Everything that the schema forbids; empty when the value is as it should be. */
export function faultsIn(schema: StructuralSchema, value: unknown, field: string): Required<Cause>[] {
  const wrong = typeFault(schema, value);
  if (wrong !== undefined) {
    const message = `Invalid value: ${JSON.stringify(wrong)}: ${field} in body must be of type ${schema.type ?? ''}: ${JSON.stringify(wrong)}`;
    return [{ reason: 'FieldValueTypeInvalid', field, message }];
  }
  const own = valueFaults(schema, value, field);
  if (Array.isArray(value)) {
    const { items } = schema;
    return [...own, ...(items ? value.flatMap((item, at) => faultsIn(items, item, `${field}[${at}]`)) : [])];
  }
  return isFields(value) ? [...own, ...objectFaults(schema, value, field)] : own;
}

function objectFaults({ required = [], properties = {} }: StructuralSchema, value: Fields, field: string) {
  const missing = required
    .filter((key) => value[key] === undefined)
    .map(
      (key): Required<Cause> => ({
        reason: 'FieldValueRequired',
        field: pathOf(field, key),
        message: 'Required value',
      }),
    );
  const inner = Object.entries(value).flatMap(([key, part]) => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return schema === undefined ? [] : faultsIn(schema, part, pathOf(field, key));
  });
  return [...missing, ...inner];
}

function pathOf(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`;
}

/** The name of the type that stands there instead; undefined when it is right. */
function typeFault({ type }: StructuralSchema, value: unknown): string | undefined {
  if (type === undefined || value === undefined) return undefined;
  const actual = typeOf(value);
  if (type === actual || (type === 'number' && actual === 'integer')) return undefined;
  return actual;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function valueFaults(schema: StructuralSchema, value: unknown, field: string): Required<Cause>[] {
  const refused = (words: string | undefined): Required<Cause>[] => {
    const message = `Invalid value: ${JSON.stringify(value)}: ${field} in body ${words ?? ''}`;
    return words === undefined ? [] : [{ reason: 'FieldValueInvalid', field, message }];
  };
  if (typeof value === 'string') {
    return [
      ...enumFaults(schema, value, field),
      ...refused(textFault(schema, value)),
      ...lengthFaults(schema, value, field),
    ];
  }
  if (typeof value === 'number') return [...enumFaults(schema, value, field), ...refused(numberFault(schema, value))];
  if (Array.isArray(value)) return refused(listFault(schema, value));
  return enumFaults(schema, value, field);
}

function enumFaults(schema: StructuralSchema, value: unknown, field: string): Required<Cause>[] {
  if (schema.enum === undefined || schema.enum.some((one) => one === value)) return [];
  const supported = schema.enum.map((one) => JSON.stringify(one)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  return [{ reason: 'FieldValueNotSupported', field, message }];
}

function textFault({ pattern, minLength = 0 }: StructuralSchema, value: string): string | undefined {
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return `should match '${pattern}'`;
  return value.length < minLength ? `should be at least ${minLength} chars long` : undefined;
}

function lengthFaults({ maxLength = Infinity }: StructuralSchema, value: string, field: string): Required<Cause>[] {
  if (value.length <= maxLength) return [];
  return [{ reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxLength} bytes` }];
}

function numberFault({ minimum = -Infinity, maximum = Infinity }: StructuralSchema, value: number): string | undefined {
  if (value < minimum) return `should be greater than or equal to ${minimum}`;
  return value > maximum ? `should be less than or equal to ${maximum}` : undefined;
}

function listFault(
  { minItems = 0, maxItems = Infinity }: StructuralSchema,
  { length }: readonly unknown[],
): string | undefined {
  if (length < minItems) return `should have at least ${minItems} items`;
  return length > maxItems ? `should have at most ${maxItems} items` : undefined;
}
