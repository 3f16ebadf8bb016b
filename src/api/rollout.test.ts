import * as fc from 'fast-check';
import { change, right, valid, wrong } from '../../test/policies/objects.ts';
import { maximal } from '../../test/policies/sample.ts';
import { parseRuleOut, parseTolerate } from '../analysis/tolerance.ts';
import { kindDeclarations } from './crd.ts';
import { rolloutSpecSchema } from './rollout.ts';
import { structuralSchema } from './structural.ts';

/** Whether zod alone, as for a file that never met an API server, accepts a spec. */
function accepts(kind: string, spec: unknown): boolean {
  const declaration = kindDeclarations.find(({ resource }) => resource.kind === kind);
  return declaration?.spec.safeParse(spec).success ?? false;
}

const specWith = (kind: string, path: string, value: (typeof wrong)[number][2]) =>
  Object(change({ spec: valid[kind] }, path, value)).spec;

test.each(Object.entries(valid))('the least that a %s can be is accepted without an API server', (kind, spec) => {
  expect(accepts(kind, spec)).toBe(true);
});

test.each(right)('a %s with %s = %j is accepted without an API server', (kind, path, value) => {
  expect(accepts(kind, specWith(kind, path, value))).toBe(true);
});

test.each(wrong)('a %s with %s = %j is refused without an API server too', (kind, path, value) => {
  expect(accepts(kind, specWith(kind, path, value))).toBe(false);
});

test('an unknown field is refused without an API server too', () => {
  expect(accepts('Rollout', { ...Object(valid['Rollout']), wieght: 5 })).toBe(false);
});

test('every tolerance that the CRD lets in can be read by the judge', () => {
  const metric = structuralSchema(rolloutSpecSchema, 'spec').properties?.['analysis']?.properties?.['metrics']?.items;
  const written = (kind: string, field: string) =>
    fc.stringMatching(new RegExp(metric?.properties?.[kind]?.properties?.[field]?.pattern ?? '$^'));
  for (const kind of ['errors', 'latency', 'query']) {
    fc.assert(fc.property(written(kind, 'tolerate'), (text) => expect(parseTolerate(text)).not.toHaveProperty('kind')));
    fc.assert(fc.property(written(kind, 'ruleOut'), (text) => expect(parseRuleOut(text)).not.toHaveProperty('kind')));
  }
});

test('every tolerance of latency that the CRD lets in is more than nothing, as the judge needs it', () => {
  const metric = structuralSchema(rolloutSpecSchema, 'spec').properties?.['analysis']?.properties?.['metrics']?.items;
  const { pattern = '$^' } = metric?.properties?.['latency']?.properties?.['tolerate'] ?? {};
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(pattern)), (text) => expect(Number.parseFloat(text)).toBeGreaterThan(0)),
  );
});

test.each(kindDeclarations.map((kind) => [kind.resource.kind, kind] as const))(
  'a %s in which everything is filled in is accepted',
  (_name, kind) => {
    expect(kind.spec.safeParse(maximal(kind.spec)).error).toBeUndefined();
  },
);
