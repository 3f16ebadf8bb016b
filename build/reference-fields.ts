/** Owns how the fields of one object read in the reference: type, default, meaning, limits, and the rules of the API server. */
import { DURATION_PATTERN } from '../src/api/duration.ts';
import { type StructuralSchema, structuralSchema } from '../src/api/structural.ts';
import { objectName, serviceName } from '../src/api/text.ts';
import { anchorOf, table } from './markdown.ts';
import { defaultOf } from './reference-defaults.ts';

/** Patterns that a word in the column of types says better. */
const spoken: ReadonlyMap<string | undefined, string> = new Map([
  [DURATION_PATTERN, 'duration'],
  [structuralSchema(objectName('an object'), 'objectName').pattern, 'name'],
  [structuralSchema(serviceName('a Service'), 'serviceName').pattern, 'name'],
]);

/** A section for the object at `path` and one for every object inside it, the outer first. */
export function fieldSections(kind: string, path: string, schema: StructuralSchema): string[] {
  const fields = Object.entries(schema.properties ?? {});
  const rows = fields.map(([name, field]) => fieldRow(kind, path, name, field, schema.required ?? []));
  return [
    `${path.includes('.') ? '###' : '##'} ${path}`,
    schema.description ?? '',
    ...(rows.length === 0 ? [] : [table(['field', 'type', 'default', 'meaning'], rows)]),
    ...rulesOf(schema),
    ...fields.flatMap(([name, field]) => innerSections(kind, `${path}.${name}`, field)),
  ];
}

function innerSections(kind: string, path: string, field: StructuralSchema): string[] {
  if (hasFields(field)) return fieldSections(kind, path, field);
  return field.items !== undefined && hasFields(field.items) ? fieldSections(kind, `${path}[]`, field.items) : [];
}

function hasFields({ properties = {} }: StructuralSchema): boolean {
  return Object.keys(properties).length > 0;
}

function fieldRow(
  kind: string,
  path: string,
  name: string,
  field: StructuralSchema,
  required: readonly string[],
): string[] {
  const words = defaultOf(`${kind}.${path}.${name}`, field.description ?? '');
  const limits = limitsOf(field);
  return [
    `\`${name}\``,
    `${linkedType(`${path}.${name}`, field)}${required.includes(name) ? ', required' : ''}`,
    words.default,
    limits.length === 0 ? words.meaning : `${words.meaning} *${sentence(limits)}*`,
  ];
}

function linkedType(path: string, field: StructuralSchema): string {
  if (hasFields(field)) return `[object](#${anchorOf(path)})`;
  if (field.items !== undefined && hasFields(field.items)) return `[list of objects](#${anchorOf(`${path}[]`)})`;
  return field.items === undefined ? typeWords(field) : `list of ${typeWords(field.items)}s`;
}

/** One or two words for a field that is no object of ours. */
export function typeWords(field: StructuralSchema): string {
  if (field['x-kubernetes-preserve-unknown-fields'] === true) return 'object, any fields';
  if (field.format === 'date-time') return 'time, RFC 3339';
  if (field.additionalProperties !== undefined) return `map of ${typeWords(field.additionalProperties)}s`;
  return spoken.get(field.pattern ?? '') ?? field.type ?? 'anything';
}

function limitsOf(field: StructuralSchema): string[] {
  const inner = field.items === undefined || hasFields(field.items) ? [] : limitsOf(field.items);
  return [
    ...choices(field),
    ...span(field.minimum, field.maximum, ''),
    ...(field.enum === undefined && field.pattern !== DURATION_PATTERN
      ? span(field.minLength, field.maxLength, ' characters')
      : []),
    ...span(field.minItems, field.maxItems, ' entries'),
    ...span(undefined, field.maxProperties, ' entries'),
    ...distinctness(field),
    ...shapeOf(field),
    ...(inner.length === 0 ? [] : [`each of them: ${inner.join(', ')}`]),
  ];
}

function choices({ enum: allowed }: StructuralSchema): string[] {
  if (allowed === undefined) return [];
  const words = allowed.map((one) => `\`${one}\``);
  return [words.length === 1 ? `always ${words[0] ?? ''}` : `one of ${words.join(', ')}`];
}

function span(least: number | undefined, most: number | undefined, unit: string): string[] {
  if (least !== undefined && least === most)
    return [`exactly ${least}${least === 1 ? unit.replace('entries', 'entry') : unit}`];
  if (least !== undefined && most !== undefined) return [`${least} to ${most}${unit}`];
  if (most !== undefined) return [`at most ${most}${unit}`];
  return least === undefined ? [] : [`at least ${least}${unit}`];
}

function distinctness(field: StructuralSchema): string[] {
  if (field['x-kubernetes-list-type'] === 'set') return ['nothing twice'];
  if (field['x-kubernetes-list-type'] !== 'map') return [];
  const keys = (field['x-kubernetes-list-map-keys'] ?? []).map((key) => `\`${key}\``).join(' and ');
  return [`no two with the same ${keys}`];
}

function shapeOf({ pattern }: StructuralSchema): string[] {
  return pattern === undefined || spoken.has(pattern) ? [] : [`matches \`${pattern}\``];
}

function sentence(parts: readonly string[]): string {
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Rules of the object itself and of those of its fields that have no section of their own. */
function rulesOf(schema: StructuralSchema): string[] {
  const own = spelled(schema, '');
  const fields = Object.entries(schema.properties ?? {}).filter(([, field]) => !hasFields(field));
  const theirs = fields.flatMap(([name, field]) => [
    ...spelled(field, `\`${name}\`: `),
    ...(field.items === undefined || hasFields(field.items) ? [] : spelled(field.items, `\`${name}\`: `)),
  ]);
  const all = [...own, ...theirs];
  return all.length === 0 ? [] : [`The API server refuses what breaks one of these rules:\n\n${all.join('\n')}`];
}

function spelled(schema: StructuralSchema, whose: string): string[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  return rules.map(({ rule, message }) => `- ${whose}${message}\n  \`${rule}\``);
}
