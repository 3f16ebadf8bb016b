import { metricSourceOf } from './metric-sources.ts';
import type { MetricSource } from './stores.ts';

const source = (spec: object): MetricSource =>
  ({
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'MetricSource',
    metadata: { name: 'main', uid: 'm' },
    spec,
  }) as MetricSource;
const sentenceOf = (spec: object): string => {
  const reading = metricSourceOf([source(spec)], 'main');
  return reading.kind === 'missing' ? reading.sentence : reading.kind;
};

test.each([
  [{}, 'MetricSource main cannot be used: spec.prometheus: …; the platform team corrects it.'],
  [{ prometheus: {} }, 'MetricSource main cannot be used: spec.prometheus.address: …; the platform team corrects it.'],
  [
    { prometheus: { address: 'http://prometheus:99999' } },
    'MetricSource main cannot be used: spec.prometheus.address: http://prometheus:99999 is no address; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', timeout: '0s' } },
    'MetricSource main cannot be used: spec.prometheus.timeout: 0s is not between 1s and 30s; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', timeout: '1h' } },
    'MetricSource main cannot be used: spec.prometheus.timeout: 1h is not between 1s and 30s; the platform team corrects it.',
  ],
])('a source that cannot be asked is one that is missing, and a sentence says why: %j', (spec, sentence) => {
  const [start = '', end = ''] = sentence.split('…');
  expect(sentenceOf(spec).startsWith(start)).toBe(true);
  expect(sentenceOf(spec).endsWith(end)).toBe(true);
});

test.each(['1s', '30s'])('a query may take %s', (timeout) => {
  const reading = metricSourceOf([source({ prometheus: { address: 'http://prometheus', timeout } })], 'main');
  expect(reading).toMatchObject({ kind: 'found', source: { timeoutMs: Number.parseInt(timeout, 10) * 1000 } });
});
