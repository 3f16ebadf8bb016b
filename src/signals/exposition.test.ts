import * as fc from 'fast-check';
import { parseExposition } from './exposition.ts';

const of = (text: string) =>
  parseExposition(text).map(({ labels: { __name__: name, ...labels }, value }) => [name, labels, value]);

test('counters are read with their labels, comments and other lines are left out', () => {
  const text = [
    '# HELP http_requests_total Requests.',
    '# TYPE http_requests_total counter',
    'http_requests_total{code="200",path="/a \\"b\\""} 12',
    'process_start_time_seconds 1.7e9 1700000000000',
    '  up{ a = "b" , } 1  ',
    'nonsense',
    '',
  ].join('\n');
  expect(of(text)).toEqual([
    ['http_requests_total', { code: '200', path: '/a "b"' }, 12],
    ['process_start_time_seconds', {}, 1.7e9],
    ['up', { a: 'b' }, 1],
  ]);
});

test('OpenMetrics is read too, with exemplars, times in seconds and names of any characters', () => {
  const text = [
    '# TYPE http_requests counter',
    'http_requests_total{code="500"} 3.0 1700000000.123 # {trace_id="a } b"} 1.0 1700000000.1',
    'http_requests_created{code="500"} 1.7e9',
    'latency_bucket{le="+Inf"} 17 # {trace_id="x"} 9',
    '{"http.requests","service.name"="shop"} 4',
    '# EOF',
  ].join('\r\n');
  expect(of(text)).toEqual([
    ['http_requests_total', { code: '500' }, 3],
    ['http_requests_created', { code: '500' }, 1.7e9],
    ['latency_bucket', { le: '+Inf' }, 17],
    ['http.requests', { 'service.name': 'shop' }, 4],
  ]);
});

test.each([
  ['a NaN', Number.NaN],
  ['a +Inf', Infinity],
  ['a -Inf', -Infinity],
  ['a -4', -4],
  ['a .5e1', 5],
])('the value of "%s" is what the format says', (text, value) => expect(of(text)).toEqual([['a', {}, value]]));

test.each([
  'a',
  'a ',
  'a x',
  'a 0x10',
  'a 1_0',
  'a{',
  'a{b',
  'a{b=',
  'a{b="c',
  'a{b="c\\"} 1',
  'a{b="c"',
  'a{1="c"} 1',
  '{b="c"} 1',
  '{} 1',
  '5 a',
  '\u0000',
  'a{b=c} 1',
])('what is no sample is left out: %j', (text) => expect(of(`${text}\nwell 1`)).toEqual([['well', {}, 1]]));

test('a label that is called like a part of every object is a label', () => {
  const [sample] = parseExposition('a{__proto__="x",constructor="y"} 1');
  expect(Object.entries(sample?.labels ?? {})).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
    ['__name__', 'a'],
  ]);
});

test('metrics that are not wanted are not even read', () => {
  const names: string[] = [];
  const wants = (name: string) => names.push(name) > 0 && name === 'b';
  expect(parseExposition('a{ 1\na 2\nb 3\na 4\nb 5', wants).map(({ value }) => value)).toEqual([3, 5]);
  expect(names).toEqual(['a', 'b']);
});

test('any text at all is read, and what is written is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void parseExposition(text)),
    { numRuns: 1_000 },
  );
  const written = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.integer(), (text, value) => {
      expect(of(`a{b="${written(text)}"} ${value}`)).toEqual([['a', { b: text }, value]]);
    }),
  );
});
