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
  [
    { prometheus: { address: 'https://prometheus', caBundle: 'nonsense' } },
    'MetricSource main cannot be used: spec.prometheus.caBundle: it holds no certificate that can be read (PEM, "-----BEGIN CERTIFICATE-----"); the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', caBundle: 'nonsense' } },
    'MetricSource main cannot be used: spec.prometheus: caBundle needs an address with https://, without TLS there is no certificate to check.; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', headers: [{ name: 'Authorization', value: 'x' }] } },
    'MetricSource main cannot be used: spec.prometheus.headers.0: this header…; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', headers: [{ name: 'HOST', value: 'x' }] } },
    'MetricSource main cannot be used: spec.prometheus.headers.0: this header…; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus', headers: [{ name: 'X-A', value: 'x\r\nHost: y' }] } },
    'MetricSource main cannot be used: spec.prometheus.headers.0.value: …; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus' }, scrape: { interval: '20s' } },
    'MetricSource main cannot be used: spec.scrape.interval: 20s is not between 1s and 15s; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus' }, confine: { namespaceLabel: 'a"} or b{c="' } },
    'MetricSource main cannot be used: spec.confine.namespaceLabel: …; the platform team corrects it.',
  ],
  [
    { prometheus: { address: 'http://prometheus' }, namespaces: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    'MetricSource main cannot be used: spec.namespaces.matchExpressions.0: In and NotIn need values…; the platform team corrects it.',
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

test('what the platform team wrote reaches the collector, and what must be known first is told apart', () => {
  const reading = metricSourceOf(
    [
      source({
        prometheus: {
          address: 'http://prometheus',
          auth: { secretRef: { namespace: 'serin-system', name: 'prom' } },
          headers: [{ name: 'X-Scope-OrgID', value: 'shop' }],
        },
        confine: { namespaceLabel: 'kubernetes_namespace' },
        scrape: { interval: '2s' },
        namespaces: { matchLabels: { team: 'shop' } },
        dataPlane: 'istio',
      }),
    ],
    'main',
  );
  expect(reading).toEqual({
    kind: 'found',
    source: {
      name: 'main',
      address: 'http://prometheus',
      timeoutMs: 5_000,
      dataPlane: 'istio',
      access: { headers: [{ name: 'X-Scope-OrgID', value: 'shop' }] },
      confine: { namespaceLabel: 'kubernetes_namespace' },
      scrapeMs: 2_000,
    },
    demands: {
      secretRefs: [{ namespace: 'serin-system', name: 'prom' }],
      caBundle: undefined,
      namespaces: { matchLabels: { team: 'shop' } },
    },
  });
});
