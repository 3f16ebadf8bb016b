import { kindDeclarations } from '../src/api/crd.ts';
import { type StructuralSchema, structuralSchema } from '../src/api/structural.ts';
import { defaultOf } from './reference-defaults.ts';
import { referencePages } from './reference.ts';

const pages = new Map(referencePages().map(({ path, content }) => [path, content]));

function fieldNames(schema: StructuralSchema): string[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  return [...Object.keys(schema.properties ?? {}), ...inner.flatMap(fieldNames)];
}

function messages(schema: StructuralSchema): string[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  return [...(schema['x-kubernetes-validations'] ?? []).map((rule) => rule.message), ...inner.flatMap(messages)];
}

describe.each(kindDeclarations.map((kind) => [kind.singular, kind] as const))('the page of %s', (singular, kind) => {
  const page = pages.get(`docs/reference/${singular}.md`) ?? '';
  const schemas = [
    structuralSchema(kind.spec, 'spec'),
    ...(kind.status ? [structuralSchema(kind.status, 'status')] : []),
  ];

  test('has every field once for each place where it stands', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((found) => found[1] ?? '');
    expect(rows.toSorted()).toEqual(schemas.flatMap(fieldNames).toSorted());
  });

  test('has the message of every rule', () => {
    for (const message of schemas.flatMap(messages)) expect(page).toContain(message);
  });

  test('has no table whose rows are of different widths', () => {
    for (const [table] of page.matchAll(/(^\|.*\|\n)+/gm)) {
      const widths = table
        .trimEnd()
        .split('\n')
        .map((row) => row.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });
});

describe('the default of a field', () => {
  test('is what the program uses, taken out of its words', () => {
    expect(defaultOf('Rollout.spec.strategy.bake', 'How long. Default: 5m.')).toEqual({
      meaning: 'How long.',
      default: '`5m`',
    });
  });

  test('that its words name wrongly is not generated', () => {
    expect(() => defaultOf('Rollout.spec.strategy.bake', 'How long. Default: 6m.')).toThrow(/the program uses 5m/);
    expect(() => defaultOf('Rollout.spec.strategy.bake', 'How long.')).toThrow(/Rollout\.spec\.strategy\.bake/);
  });

  test('may be words, where it depends on the cluster', () => {
    expect(defaultOf('Rollout.spec.traffic.settle', 'A wait. Default: by the kind of gateway.').default).toBe(
      'by the kind of gateway',
    );
  });
});
