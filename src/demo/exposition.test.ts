import { parseExposition } from './exposition.ts';

test('counters are read with their labels, comments and other lines are left out', () => {
  const text = [
    '# TYPE http_requests_total counter',
    'http_requests_total{code="200",path="/a \\"b\\""} 12',
    'process_start_time_seconds 1.7e9 1700000000000',
    'nonsense',
    '',
  ].join('\n');
  expect(parseExposition(text)).toEqual([
    { labels: { __name__: 'http_requests_total', code: '200', path: '/a "b"' }, value: 12 },
    { labels: { __name__: 'process_start_time_seconds' }, value: 1.7e9 },
  ]);
});
