import { stringify } from 'yaml';
import * as z from 'zod';
import { customResourceDefinition, kindDeclarations } from './crd.ts';
import { type StructuralSchema, structuralSchema } from './structural.ts';

const definitions = kindDeclarations.map((kind) => [kind.resource.kind, customResourceDefinition(kind)] as const);

function everySchema(schema: StructuralSchema): StructuralSchema[] {
  const children = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  return [schema, ...children.flatMap(everySchema)];
}

describe.each(definitions)('the definition of %s', (_kind, definition) => {
  const root = definition.spec.versions[0]?.schema.openAPIV3Schema ?? {};

  test('carries no default, which the API server would write into the object of a user', () => {
    expect(everySchema(root).filter((schema) => 'default' in schema)).toEqual([]);
  });

  test('is far below the size at which kubectl apply fails', () => {
    expect(stringify(definition).length).toBeLessThan(256 * 1024);
  });

  test('explains every field in words', () => {
    const { metadata: _owned, ...ours } = root.properties ?? {};
    const silent = Object.values(ours)
      .flatMap(everySchema)
      .filter((schema) => (schema.description ?? '').length < 8);
    expect(silent).toEqual([]);
  });
});

describe('a field that the API server could not keep in bounds', () => {
  test.each([
    ['a list without an end', z.array(z.string().max(3).describe('x')).describe('x')],
    ['a string without an end', z.string().describe('x')],
    ['a field without words', z.string().max(3)],
    ['a union', z.union([z.string().max(3), z.int()]).describe('x')],
    ['a value that may be null', z.string().max(3).nullable().describe('x')],
    ['a map', z.record(z.string(), z.string().max(3)).describe('x')],
    ['a default', z.string().max(3).default('x').describe('x')],
    [
      'a pattern with look-around',
      z
        .string()
        .max(3)
        .regex(/^(?!x)/)
        .describe('x'),
    ],
  ])('%s is refused, with its path', (_what, schema) => {
    expect(() => structuralSchema(schema, 'Kind.spec.field')).toThrow(/^Kind\.spec\.field/);
  });
});
