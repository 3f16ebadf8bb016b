import { parseExposition } from '../../src/signals/exposition.ts';
import { Metrics } from './metrics.ts';
import { readSettings } from './settings.ts';

test('what is counted reads as the Go workload writes it: a counter and a histogram by code and method', () => {
  const metrics = new Metrics();
  for (const code of [200, 200, 500]) metrics.observe(code, 'GET', 0.03);
  const read = parseExposition(metrics.text());
  const valueOf = (name: string, labels: Record<string, string>) =>
    read.find((one) => Object.entries({ ...labels, __name__: name }).every(([key, value]) => one.labels[key] === value))
      ?.value;
  expect(valueOf('http_requests_total', { code: '200', method: 'GET' })).toBe(2);
  expect(valueOf('http_requests_total', { code: '500', method: 'GET' })).toBe(1);
  expect(valueOf('http_request_duration_seconds_bucket', { code: '200', le: '0.025' })).toBe(0);
  expect(valueOf('http_request_duration_seconds_bucket', { code: '200', le: '0.05' })).toBe(2);
  expect(valueOf('http_request_duration_seconds_count', { code: '500' })).toBe(1);
  expect(valueOf('process_cpu_seconds_total', {})).toBeGreaterThan(0);
});

test('a slip in the environment is an error and no silent zero', () => {
  const environment = { FLAG: 'f', UNLEASH_URL: 'http://unleash/api', UNLEASH_TOKEN: 't' };
  expect(readSettings(environment)).toMatchObject({ flaggedErrorRate: 0, refreshMs: 1000 });
  expect(() => readSettings({ ...environment, FLAGGED_ERROR_RATE: 'half' })).toThrow('FLAGGED_ERROR_RATE="half"');
  expect(() => readSettings({ ...environment, FLAG: '' })).toThrow('FLAG is not set');
});
