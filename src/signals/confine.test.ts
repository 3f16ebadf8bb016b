import * as fc from 'fast-check';
import { anyQuery } from './any-query.ts';
import { confinedQuery } from './confine.ts';
import { parsePlain, readQuery, selectorText } from './promql.ts';

const shop = { label: 'namespace', value: 'shop' };
const confined = (query: string) => {
  const answer = confinedQuery(query, shop);
  return answer.kind === 'query' ? answer.query : `refused: ${answer.why}`;
};

describe('a confined query', () => {
  test.each([
    ['up', 'up{namespace="shop"}'],
    ['up{}', 'up{namespace="shop"}'],
    ['{__name__=~".+"}', '{namespace="shop",__name__=~".+"}'],
    ['{"http.errors", code="500"}', '{namespace="shop","http.errors", code="500"}'],
    ['up{namespace="shop"}', 'up{namespace="shop",namespace="shop"}'],
    [
      'sum(rate(a[5m])) / sum(rate(b{c="d",}[5m]))',
      'sum(rate(a{namespace="shop"}[5m])) / sum(rate(b{namespace="shop",c="d",}[5m]))',
    ],
    ['absent(up)', 'absent(up{namespace="shop"})'],
    ['absent_over_time(up{job="x"}[5m])', 'absent_over_time(up{namespace="shop",job="x"}[5m])'],
    [
      'max_over_time(rate(a[1m])[5m:10s] @ end() offset -5m)',
      'max_over_time(rate(a{namespace="shop"}[1m])[5m:10s] @ end() offset -5m)',
    ],
    ['a @ 1600000000 offset 5m', 'a{namespace="shop"} @ 1600000000 offset 5m'],
    ['a[5m:]', 'a{namespace="shop"}[5m:]'],
    [
      'label_replace(a, "namespace", "cart", "", "")',
      'label_replace(a{namespace="shop"}, "namespace", "cart", "", "")',
    ],
    ['label_join(a, "namespace", "", "x")', 'label_join(a{namespace="shop"}, "namespace", "", "x")'],
    [
      'sum without (namespace) (a) or on() vector(0)',
      'sum without (namespace) (a{namespace="shop"}) or on() vector(0)',
    ],
    [
      'a * on (pod) group_left (namespace) b',
      'a{namespace="shop"} * on (pod) group_left (namespace) b{namespace="shop"}',
    ],
    ['count_values("namespace", a)', 'count_values("namespace", a{namespace="shop"})'],
    ['topk(3, a) unless b', 'topk(3, a{namespace="shop"}) unless b{namespace="shop"}'],
    ['-(a)', '-(a{namespace="shop"})'],
    ['SUM(a)', 'SUM(a{namespace="shop"})'],
    // Names that are words of the language elsewhere.
    ['sum', 'sum{namespace="shop"}'],
    ['info + start', 'info{namespace="shop"} + start{namespace="shop"}'],
    ['vector(1) + time()', 'vector(1) + time()'],
  ])('%s', (query, wanted) => expect(confined(query)).toBe(wanted));

  test.each([
    [
      'up{namespace="cart"}',
      'it asks for namespace="cart", but only series with namespace="shop" may be read: leave this label out',
    ],
    ['up{namespace=~"shop|cart"}', 'it asks for namespace=~"shop|cart"'],
    ['up{namespace!="shop"}', 'it asks for namespace!="shop"'],
    ['up{namespace=""}', 'it asks for namespace=""'],
    ['a + up{x="y",namespace="cart"}', 'it asks for namespace="cart"'],
    ['up{"namespace"="cart"}', 'it asks for namespace="cart"'],
    [String.raw`up{'namesp\u0061ce'='cart'}`, 'it asks for namespace="cart"'],
    ['info(up)', 'info() reads series of others'],
    ['a + info(up, {data=~".+"})', 'info() reads series of others'],
    ['up{', 'it is no PromQL'],
    ['up) or (cart', 'it is no PromQL'],
    ['', 'it is no PromQL'],
    ['a; b', 'it is no PromQL'],
    ['unheard_of(a)', 'it is no PromQL'],
    ['WITH (x = up) x', 'it is no PromQL'],
    ['{a="b" or c="d"}', 'it is no PromQL'],
    ['up{a="b', 'is not closed'],
    ['up{a="b\\"}', 'is not closed'],
    [String.raw`up{a="\x41"}`, 'has an escape that is not read'],
    [String.raw`up{a="\101"}`, 'has an escape that is not read'],
    ['up\u00a0+ b', 'it holds the character U+A0'],
    ['up\u0000', 'it is no PromQL'],
    ['up # to here\r + cart', 'holds a carriage return'],
    ['a'.repeat(5_000), 'it is longer than 4096 characters'],
  ])('refuses %s', (query, why) => {
    expect(confined(query)).toMatch(/^refused: /);
    expect(confined(query)).toContain(why);
  });

  test.each([
    ['up # to here\r\n + b', 'up{namespace="shop"}    + b{namespace="shop"}'],
    ['up # {\n + b', 'up{namespace="shop"}    + b{namespace="shop"}'],
    ['up\r\n+\tb', 'up{namespace="shop"}  + b{namespace="shop"}'],
    ['up{a=`x"} or cart{b="`}', 'up{namespace="shop",a="x\\"} or cart{b=\\""}'],
    [`up{a='x"} or cart{b="'}`, 'up{namespace="shop",a="x\\"} or cart{b=\\""}'],
    ['up{a="# \\" }"}', 'up{namespace="shop",a="# \\" }"}'],
  ])('is written anew where readers could disagree: %j', (query, wanted) => expect(confined(query)).toBe(wanted));
});

test('a namespace cannot break out of its matcher', () => {
  const odd = confinedQuery('up', { label: 'team', value: 'x"} or cart{a="' });
  expect(odd).toEqual({ kind: 'query', query: String.raw`up{team="x\"} or cart{a=\""}` });
});

describe('a plain selector', () => {
  test.each([
    ['a', 'a'],
    ['a{}', 'a'],
    ["  a { b = 'c' } # why", 'a{b="c"}'],
    ['{__name__="a",b!~"c"}', '{__name__="a",b!~"c"}'],
    ['{"a.b","c.d"="e"}', '{"a.b","c.d"="e"}'],
  ])('is read from %s', (text, wanted) => {
    const selector = parsePlain(text);
    expect(selector && selectorText(selector)).toBe(wanted);
  });

  test.each([
    'a[5m]',
    'a offset 5m',
    'a @ 5',
    'rate(a[5m])',
    'sum(a)',
    '(a)',
    '-a',
    'a + b',
    'a[5m:1m]',
    '5',
    '"a"',
    'a{',
    'a b',
  ])('is not %s', (text) => expect(parsePlain(text)).toBeUndefined());
});

test('every selector of every confined query has the matcher, read again from the text that is sent', () => {
  fc.assert(
    fc.property(anyQuery, (written) => {
      const answer = confinedQuery(written, shop);
      if (answer.kind === 'refused') return;
      const read = readQuery(answer.query);
      const before = readQuery(written);
      if (read.kind !== 'query' || before.kind !== 'query') throw new Error(`not readable any more: ${answer.query}`);
      expect(read.selectors).toHaveLength(before.selectors.length);
      for (const { matchers } of read.selectors)
        expect(matchers.filter(({ label }) => label === 'namespace').map((one) => [one.operator, one.value])).toEqual(
          matchers.filter(({ label }) => label === 'namespace').map(() => ['=', 'shop']),
        );
      for (const { matchers } of read.selectors)
        expect(matchers).toContainEqual({ label: 'namespace', operator: '=', value: 'shop' });
    }),
    { numRuns: 500 },
  );
});

test('no text at all makes it fail or send what it has not read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const answer = confinedQuery(text, shop);
      if (answer.kind === 'query') expect(answer.query).not.toMatch(/[\n\r\t]/);
    }),
    { numRuns: 2_000 },
  );
});
