import * as fc from 'fast-check';
import { alertQuery } from './alert-query.ts';
import { anyQuery } from './any-query.ts';
import { parsePlain } from './promql.ts';

const own = { label: 'namespace', value: 'shop' };

test('matchers become a selector of the alerts that fire', () => {
  expect(alertQuery('{severity="page", service=~"check.*"}', undefined)).toEqual({
    kind: 'query',
    query: 'ALERTS{alertstate="firing",severity="page",service=~"check.*"}',
  });
  expect(alertQuery('ALERTS{severity="page"}', undefined)).toEqual(alertQuery(' {severity="page"} ', undefined));
  expect(alertQuery('{severity="page", alertstate="firing"}', undefined)).toEqual({
    kind: 'query',
    query: 'ALERTS{alertstate="firing",severity="page"}',
  });
});

test('a tenant is told of alerts that carry its own namespace, and of no others', () => {
  expect(alertQuery('{severity="page"}', own)).toEqual({
    kind: 'query',
    query: 'ALERTS{namespace="shop",alertstate="firing",severity="page"}',
  });
  expect(alertQuery('{severity="page", namespace="cart"}', own)).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('namespace="shop"'),
  });
});

test.each([
  ['{severity="page"', /no PromQL/],
  ['{}', /every alert/],
  ['ALERTS{alertstate="firing"}', /every alert/],
  ['{severity="page", alertstate="pending"}', /leave alertstate out/],
  ['{severity="page", alertstate=~".*"}', /leave alertstate out/],
  ['up{severity="page"}', /names a series/],
  ['{__name__="up", severity="page"}', /names a series/],
  ['{severity="page"} or up{a="b"}', /more than one selector/],
  ['max({severity="page"})', /more than one selector/],
  ['ALERTS{severity="page"}[5m]', /more than one selector/],
  ['ALERTS{severity="page"} offset 1d', /more than one selector/],
])('%s is refused, with what to change', (matching, why) => {
  expect(alertQuery(matching, own)).toMatchObject({ kind: 'refused', why: expect.stringMatching(why) });
});

test('whatever a tenant writes, what is asked selects firing alerts of its own namespace, or nothing is asked', () => {
  fc.assert(
    fc.property(fc.oneof(anyQuery, fc.string()), (written) => {
      const asked = alertQuery(written, own);
      if (asked.kind === 'refused') return;
      const selector = parsePlain(asked.query);
      expect(selector?.name).toBe('ALERTS');
      expect(selector?.matchers).toContainEqual({ label: 'namespace', operator: '=', value: 'shop' });
      expect(selector?.matchers).toContainEqual({ label: 'alertstate', operator: '=', value: 'firing' });
    }),
    { numRuns: 500 },
  );
});
