import * as fc from 'fast-check';
import { SPLIT_ANNOTATION } from '../workload/marks.ts';
import { backend, route } from './fixtures.ts';
import type { BackendRef, HTTPRoute, RouteRule } from './objects.ts';
import { readSplit, withSplit } from './split.ts';

/** The route after the split was written. */
function put(on: HTTPRoute, weight: number | 'out', service = 'checkout'): HTTPRoute {
  const split = withSplit(on, service, `${service}-canary`, weight);
  if (split === undefined) return on;
  const { [SPLIT_ANNOTATION]: _old, ...annotations } = on.metadata.annotations ?? {};
  const marks = split.annotation === undefined ? annotations : { ...annotations, [SPLIT_ANNOTATION]: split.annotation };
  const { annotations: _all, ...metadata } = on.metadata;
  const marked = Object.keys(marks).length === 0 ? metadata : { ...metadata, annotations: marks };
  return { ...on, metadata: marked, spec: { ...on.spec, rules: split.rules } };
}

function weightsOf(on: HTTPRoute, rule = 0): [string, number | undefined][] {
  return (on.spec.rules?.[rule]?.backendRefs ?? []).map(({ name, weight }) => [name, weight]);
}

const read = (on: HTTPRoute) => readSplit(on, 'checkout', 'checkout-canary');
const ruleOf = (...backendRefs: BackendRef[]) => route([{ backendRefs }]);

describe('weights', () => {
  test.each<[number, number, number]>([
    [0, 1, 0],
    [0.01, 9999, 1],
    [5, 19, 1],
    [12.34, 4383, 617],
    [25, 3, 1],
    [50, 1, 1],
    [100, 0, 1],
  ])('%d percent of a backend without a weight is %d to %d', (percent, stable, canary) => {
    expect(weightsOf(put(ruleOf(backend('checkout')), percent))).toEqual([
      ['checkout', stable],
      ['checkout-canary', canary],
    ]);
  });

  test('a backend of somebody else keeps its share', () => {
    expect(weightsOf(put(ruleOf(backend('checkout', 3), backend('cart')), 25))).toEqual([
      ['checkout', 9],
      ['checkout-canary', 3],
      ['cart', 4],
    ]);
  });

  test('more than the API takes is brought down exactly where that can be, else the canary is rounded down, never to nothing', () => {
    expect(weightsOf(put(ruleOf(backend('checkout', 1000), backend('cart', 1000)), 0.01))).toEqual([
      ['checkout', 9999],
      ['checkout-canary', 1],
      ['cart', 10000],
    ]);
    expect(weightsOf(put(ruleOf(backend('checkout', 7), backend('cart', 999_983)), 0.01))).toEqual([
      ['checkout', 7],
      ['checkout-canary', 1],
      ['cart', 1_000_000],
    ]);
  });

  test('what is next to the weight comes along: port, filters, a mirror among them', () => {
    const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'checkout', port: 80 } } }];
    const rule: RouteRule = { backendRefs: [backend('checkout', 1, { port: 8080, filters })], filters, name: 'all' };
    const [split] = put(route([rule]), 50).spec.rules ?? [];
    expect(split).toEqual({
      filters,
      name: 'all',
      backendRefs: [
        { name: 'checkout', port: 8080, weight: 1, filters },
        { name: 'checkout-canary', port: 8080, weight: 1, filters },
      ],
    });
  });

  test('a Service that stands in a rule twice is split twice', () => {
    const twice = ruleOf(backend('checkout', 1, { port: 80 }), backend('checkout', 3, { port: 81 }));
    expect(weightsOf(put(twice, 50)).map(([, weight]) => weight)).toEqual([1, 1, 3, 3]);
  });

  test.each([
    ['whose weights are all 0', [backend('checkout', 0), backend('cart', 0)]],
    ['without the Service', [backend('cart')]],
    ['with a namesake of another kind', [backend('checkout', 1, { group: 'traefik.io', kind: 'TraefikService' })]],
    ['with a namesake in another namespace', [backend('checkout', 1, { namespace: 'other' })]],
    ['without backends', []],
  ])('a rule %s is left alone', (_what, refs) => {
    const rules = [{ backendRefs: refs }, { backendRefs: [backend('checkout')] }];
    expect(put(route(rules), 25).spec.rules?.[0]).toBe(rules[0]);
  });

  test('the Service in its own namespace, spelled out, is the Service', () => {
    expect(
      weightsOf(put(ruleOf(backend('checkout', 1, { namespace: 'shop', group: '', kind: 'Service' })), 50)),
    ).toHaveLength(2);
  });
});

describe('taking the canary out', () => {
  test('restores the very weights, also that there was none, and leaves no annotation', () => {
    const before = ruleOf(backend('checkout'), backend('cart', 20), backend('search', 0));
    const after = put(put(put(before, 5), 50), 'out');
    expect(after).toEqual(before);
  });

  test('removes an annotation that is all that is left after a forced apply from Git', () => {
    const git = ruleOf(backend('checkout'));
    const { annotations } = put(git, 25).metadata;
    const applied = { ...git, metadata: { ...git.metadata, annotations: annotations ?? {} } };
    expect(read(applied)).toMatchObject({ canaryWeightPercent: 0, uniform: false });
    expect(put(applied, 'out')).toEqual(git);
    expect(read(put(applied, 25))).toMatchObject({ canaryWeightPercent: 25, uniform: true });
  });

  test('without the annotation the smallest weights of the same proportions are put back', () => {
    const split = put(ruleOf(backend('checkout', 1), backend('cart', 3)), 5);
    const { annotations: _lost, ...metadata } = split.metadata;
    expect(weightsOf(put({ ...split, metadata }, 'out'))).toEqual([
      ['checkout', 1],
      ['cart', 3],
    ]);
  });

  test('an annotation that cannot be read is replaced and removed like any other', () => {
    const split = put(ruleOf(backend('checkout', 2)), 50);
    for (const text of ['{', '[]', '{"splits":[{"service":1}],"rules":[]}', '{"splits":[],"rules":[[-1]]}']) {
      const spoilt = { ...split, metadata: { ...split.metadata, annotations: { [SPLIT_ANNOTATION]: text } } };
      expect(put(spoilt, 'out')).toEqual(ruleOf(backend('checkout', 1)));
    }
  });

  test('where only the canary is left of a Service, the Service takes its place', () => {
    const split = put(ruleOf(backend('checkout', 2)), 50);
    const only = { ...split, spec: { ...split.spec, rules: [{ backendRefs: [backend('checkout-canary', 5)] }] } };
    expect(weightsOf(put(only, 'out'))).toEqual([['checkout', 1]]);
  });
});

const edited = (on: HTTPRoute, rules: readonly RouteRule[]): HTTPRoute => ({ ...on, spec: { ...on.spec, rules } });

describe('edits by others', () => {
  test('weights that somebody set by hand are split anew, not restored', () => {
    const split = put(ruleOf(backend('checkout', 1), backend('cart', 1)), 50);
    const byHand = edited(split, [
      { backendRefs: [backend('checkout', 10), backend('checkout-canary', 30), backend('cart', 60)] },
    ]);
    expect(read(byHand)).toMatchObject({ canaryWeightPercent: 75, uniform: false });
    expect(weightsOf(put(byHand, 50))).toEqual([
      ['checkout', 2],
      ['checkout-canary', 2],
      ['cart', 6],
    ]);
    expect(weightsOf(put(put(byHand, 50), 'out'))).toEqual([
      ['checkout', 2],
      ['cart', 3],
    ]);
  });

  test('a rule that was added or restored is split too, and every other keeps its own weights', () => {
    const split = put(ruleOf(backend('checkout', 4)), 25);
    const added = edited(split, [{ backendRefs: [backend('checkout')] }, ...(split.spec.rules ?? [])]);
    expect(read(added)).toMatchObject({ canaryWeightPercent: 25, uniform: false });
    const again = put(added, 25);
    expect(read(again).uniform).toBe(true);
    expect(put(again, 'out').spec.rules).toEqual([
      { backendRefs: [backend('checkout')] },
      { backendRefs: [backend('checkout', 4)] },
    ]);
  });

  test('matches, filters and rules of others are kept as they are edited', () => {
    const split = put(ruleOf(backend('checkout')), 25);
    const rules = (split.spec.rules ?? []).map((rule) => ({ ...rule, matches: [{ path: { value: '/new' } }] }));
    expect(put(edited(split, rules), 'out').spec.rules).toEqual([
      { matches: rules[0]?.matches, backendRefs: [backend('checkout')] },
    ]);
  });

  test('two Rollouts that share a rule leave each other’s shares alone', () => {
    const before = ruleOf(backend('checkout', 3), backend('cart'));
    const both = put(put(before, 25), 10, 'cart');
    expect(weightsOf(both)).toEqual([
      ['checkout', 45],
      ['checkout-canary', 15],
      ['cart', 18],
      ['cart-canary', 2],
    ]);
    expect(withSplit(both, 'checkout', 'checkout-canary', 25)).toBeUndefined();
    const first = put(both, 'out');
    expect(weightsOf(first)).toEqual([
      ['checkout', 30],
      ['cart', 9],
      ['cart-canary', 1],
    ]);
    expect(put(first, 'out', 'cart')).toEqual(before);
  });
});

const sticky = (name: string) => route([{ backendRefs: [backend(name)], sessionPersistence: { type: 'Cookie' } }]);

describe('reading', () => {
  test('a route without the canary has no weight, one without the Service does not serve it', () => {
    const plain = { canaryWeightPercent: undefined, uniform: true, sessionPersistence: false };
    expect(read(ruleOf(backend('checkout')))).toEqual({ ...plain, serves: true });
    expect(read(ruleOf(backend('cart')))).toEqual({ ...plain, serves: false });
  });

  test('sessions matter in the rules that name the Service', () => {
    expect([read(sticky('checkout')), read(sticky('cart'))].map((one) => one.sessionPersistence)).toEqual([
      true,
      false,
    ]);
  });

  test('the largest share of all rules counts', () => {
    const low = put(ruleOf(backend('checkout')), 10).spec.rules ?? [];
    const high = put(ruleOf(backend('checkout')), 40).spec.rules ?? [];
    expect(read(route([...low, ...high]))).toMatchObject({ canaryWeightPercent: 40, uniform: false });
  });
});

const total = (refs: readonly BackendRef[], name: string) =>
  refs.filter((one) => one.name === name).reduce((sum, one) => sum + (one.weight ?? 1), 0);
const all = (refs: readonly BackendRef[]) => refs.reduce((sum, one) => sum + (one.weight ?? 1), 0);

describe('for every route', () => {
  const names = fc.constantFrom('checkout', 'cart', 'search');
  const weight = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 0, max: 1_000_000 }),
  );
  const ref = fc.tuple(names, weight, fc.constantFrom(80, 81)).map(([name, w, port]) => backend(name, w, { port }));
  const rule = fc.record({ backendRefs: fc.array(ref, { maxLength: 5 }) });
  const anyRoute = fc.array(rule, { minLength: 1, maxLength: 4 }).map((rules) => route(rules));
  const percent = fc.integer({ min: 0, max: 10_000 }).map((share) => share / 100);
  const act = fc.tuple(fc.constantFrom('checkout', 'cart'), fc.oneof(percent, fc.constant('out' as const)));

  test('whatever was put on in whatever order, taking it out gives the very route back', () => {
    fc.assert(
      fc.property(anyRoute, fc.array(act, { maxLength: 6 }), (before, acts) => {
        const during = acts.reduce((on, [service, w]) => put(on, w, service), before);
        expect(put(put(during, 'out'), 'out', 'cart')).toEqual(before);
      }),
    );
  });

  test('the same split again writes nothing, and is read as it was written', () => {
    fc.assert(
      fc.property(anyRoute, percent, percent, (before, first, second) => {
        const after = put(put(before, first), second);
        expect(withSplit(after, 'checkout', 'checkout-canary', second)).toBeUndefined();
        const { canaryWeightPercent, uniform } = read(after);
        expect(uniform).toBe(true);
        expect(canaryWeightPercent).toBe(second);
      }),
    );
  });

  test('the canary has its share of the Service, and everybody the share they had, as far as the API can say it', () => {
    fc.assert(
      fc.property(anyRoute, percent, (before, share) => {
        const after = put(before, share);
        before.spec.rules?.forEach(({ backendRefs: was = [] }, at) => {
          const is = after.spec.rules?.[at]?.backendRefs ?? [];
          expect(Math.max(0, ...is.map((one) => one.weight ?? 1))).toBeLessThanOrEqual(1_000_000);
          if (all(was) === 0) return expect(is).toEqual(was);
          const canary = total(is, 'checkout-canary');
          const whole = total(is, 'checkout') + canary;
          // Each of at most ten weights may be off by one in a million.
          const slack = 10 / 1_000_000;
          expect(Math.abs(canary / all(is) - (share / 100) * (total(was, 'checkout') / all(was)))).toBeLessThan(slack);
          expect(Math.abs(whole / all(is) - total(was, 'checkout') / all(was))).toBeLessThan(slack);
          for (const other of ['cart', 'search']) {
            expect(Math.abs(total(is, other) / all(is) - total(was, other) / all(was))).toBeLessThan(slack);
          }
          if (share > 0 && total(was, 'checkout') > 0) expect(canary).toBeGreaterThan(0);
          return undefined;
        });
      }),
      { numRuns: 500 },
    );
  });

  test('small weights are split exactly', () => {
    const small = fc.array(fc.tuple(names, fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(small, percent, (refs, share) => {
        const was = refs.map(([name, w]) => backend(name, w));
        const is = put(ruleOf(...was), share).spec.rules?.[0]?.backendRefs ?? [];
        expect(total(is, 'checkout-canary') * 10_000).toBe(
          (total(is, 'checkout') + total(is, 'checkout-canary')) * Math.round(share * 100),
        );
        for (const name of ['cart', 'search']) expect(total(is, name) * all(was)).toBe(total(was, name) * all(is));
      }),
    );
  });
});
