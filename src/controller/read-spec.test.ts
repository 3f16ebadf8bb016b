import { readSpec } from './read-spec.ts';
import { spec } from './sample-world.ts';

test('a spec is read with its defaults', () => {
  expect(readSpec(spec)).toMatchObject({
    kind: 'read',
    spec: { target: { name: 'checkout' }, strategy: { bakeMs: 300_000 } },
  });
});

test('what cannot be read is said with its place, and enough is left to give the workload back', () => {
  expect(readSpec({ ...spec, strategy: { bake: 'soon' } })).toMatchObject({
    kind: 'unreadable',
    message: expect.stringContaining('spec.strategy.bake'),
    remnant: { target: { name: 'checkout' }, traffic: { service: 'checkout', routes: [{ name: 'checkout' }] } },
  });
});

test.each([undefined, 7, {}, { targetRef: {} }])('%p is no spec, and nothing is left of it', (raw) => {
  expect(readSpec(raw)).toMatchObject({ kind: 'unreadable', remnant: undefined });
});
