// What real data planes and client libraries expose, as Prometheus stores it: whose requests are counted, and how long they took.
import { readFileSync } from 'node:fs';
import type { Distribution } from '../distribution.ts';
import { parseExposition } from '../exposition.ts';
import { type KnownPod, type Target, pictureOf } from '../picture.ts';
import type { Series } from '../series.ts';
import { appPreset } from './app.ts';
import { istioPreset } from './istio.ts';
import { linkerdPreset } from './linkerd.ts';
import type { Arm, Labels, Preset } from './preset.ts';
import { traefikPreset } from './traefik.ts';

const known: ReadonlyMap<string, KnownPod> = new Map(
  [
    { name: 'shop-old-1', arm: 'stable', startedAtMs: 0, isLive: true } as const,
    { name: 'shop-new-1', arm: 'canary', startedAtMs: 0, isLive: true } as const,
  ].map((pod) => [pod.name, pod] as const),
);
const arms = { namespace: 'shop', pods: [...known.keys()], armOf: (pod: string) => known.get(pod)?.arm };

/** One scrape of a target, with the labels that Prometheus gives it. */
function scraped(file: string, target: Labels): readonly Series[] {
  const text = readFileSync(new URL(`recorded/${file}`, import.meta.url), 'utf8');
  return parseExposition(text).map(({ labels, value }) => ({
    labels: { ...labels, ...target },
    samples: [{ atMs: 5_000, value }],
  }));
}

const ofPod = (file: string, pod: string) =>
  scraped(file, { namespace: 'shop', pod, job: 'pods', instance: `${pod}:9090` });
const ofBoth = (file: string) => [...ofPod(file, 'shop-old-1'), ...ofPod(file, 'shop-new-1')];

function counted(all: readonly Series[], preset: Preset, arm: Arm) {
  const { targets } = pictureOf(all, preset, known, undefined);
  const counters = targets.flatMap((target) => target.counters).filter((counter) => counter.arm === arm);
  const sum = (some: typeof counters) => some.reduce((total, { samples }) => total + (samples.at(-1)?.value ?? 0), 0);
  return { requests: sum(counters), failed: sum(counters.filter(({ isBad }) => isBad)), slow: slowIn(targets, arm) };
}

/** Requests by the smallest boundary that they do not exceed; empty ones left out. */
function slowIn(targets: readonly Target[], arm: Arm): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  const add = ({ upperBounds, readings }: Distribution) => {
    const upTo = readings.at(-1)?.upTo ?? [];
    for (const [index, bound] of upperBounds.entries()) {
      const count = (upTo[index] ?? 0) - (upTo[index - 1] ?? 0);
      if (count > 0) found[bound] = (found[bound] ?? 0) + count;
    }
  };
  for (const { latencies } of targets) for (const one of latencies) if (one.arm === arm) add(one);
  return found;
}

describe('what a data plane exposes', () => {
  test("Istio's sidecars: what came in, by the pod that was scraped; a call that the server itself made is not its answer", () => {
    const seen = counted(ofBoth('istio.txt'), istioPreset(arms, true), 'canary');
    // 90 + 4 + 3 + 5: without the two of clients that went away, and the 40 calls to another service.
    expect(seen).toMatchObject({ requests: 102, failed: 7 });
    expect(seen.slow).toEqual({
      0.001: 2,
      0.005: 8,
      0.01: 20,
      0.025: 30,
      0.05: 20,
      0.1: 6,
      0.25: 4,
    });
    expect(counted(ofBoth('istio.txt'), istioPreset(arms, true), 'stable').requests).toBe(102);
  });

  test("Linkerd's proxies: without the kubelet's probes, and without whoever scrapes the pod or its proxy", () => {
    const seen = counted(ofBoth('linkerd.txt'), linkerdPreset(arms, true), 'canary');
    expect(seen).toMatchObject({ requests: 94, failed: 4 });
    expect(seen.slow).toEqual({
      0.002: 2,
      0.003: 3,
      0.004: 3,
      0.005: 2,
      0.01: 20,
      0.02: 30,
      0.03: 10,
      0.04: 6,
      0.05: 4,
      0.1: 6,
      0.2: 4,
    });
  });

  test('Traefik: both versions at one target, by their Services; an open socket is no slow answer', () => {
    const preset = traefikPreset(
      { namespace: 'shop', canaryService: 'shop-canary', stableService: 'shop', port: 80 },
      true,
    );
    const all = scraped('traefik.txt', { job: 'traefik', instance: 'gateway:9100' });
    expect(counted(all, preset, 'canary')).toEqual({
      requests: 100,
      failed: 4,
      slow: { 0.1: 80, 0.3: 6, 1.2: 4 },
    });
    expect(counted(all, preset, 'stable')).toEqual({
      requests: 900,
      failed: 0,
      slow: { 0.1: 800, 0.3: 80, 1.2: 16, 5: 3, Infinity: 1 },
    });
  });
});

describe('what pods expose themselves', () => {
  const preset = appPreset('shop', arms.pods, arms.armOf, true);

  test.each([
    ['opentelemetry.txt', 94, { 0.005: 10, 0.01: 20, 0.025: 30, 0.05: 20, 0.075: 4, 0.1: 2, 0.25: 4 }],
    ['micrometer.txt', 94, { 0.01: 30, 0.1: 56, 0.5: 4 }],
  ])('%s: requests and their time, without probes and without the time of failures', (file, requests, slow) => {
    expect(counted(ofBoth(file), preset, 'canary')).toEqual({ requests, failed: 4, slow });
  });

  test('a histogram without a status: the time of all of them', () => {
    expect(counted(ofBoth('prometheus-client.txt'), preset, 'canary')).toEqual({
      requests: 94,
      failed: 4,
      slow: { 0.005: 14, 0.01: 20, 0.025: 30, 0.05: 20, 0.1: 6, 0.25: 4 },
    });
  });

  test('a summary has the name of a histogram, and says nothing about how many took how long', () => {
    const summary = ofBoth('prometheus-client.txt').map(({ labels, samples }) => ({
      labels: labels['__name__']?.endsWith('_bucket')
        ? { ...labels, __name__: 'http_request_duration_seconds', quantile: '0.9' }
        : labels,
      samples,
    }));
    expect(counted(summary, preset, 'canary').slow).toEqual({});
  });
});

test('a native histogram counts requests too, where there is no counter beside it', () => {
  const native = (pod: string, status: string, count: number): Series => ({
    labels: {
      __name__: 'http_server_request_duration_seconds',
      http_response_status_code: status,
      namespace: 'shop',
      pod,
      job: 'pods',
      instance: `${pod}:9464`,
    },
    samples: [],
    histograms: [{ atMs: 5_000, count, buckets: [{ lower: 2 ** (-33 / 8), upper: 2 ** -4, count }] }],
  });
  const all = [...known.keys()].flatMap((pod) => [native(pod, '200', 90), native(pod, '500', 4)]);
  const preset = appPreset('shop', arms.pods, arms.armOf, true);
  expect(counted(all, preset, 'canary')).toEqual({ requests: 94, failed: 4, slow: { 0.0625: 90 } });
});

describe('the selectors', () => {
  test.each([
    [
      'Istio',
      istioPreset(arms, true),
      'istio_requests_total|istio_request_duration_milliseconds_bucket|up',
      'reporter=~"destination|"',
    ],
    ['Linkerd', linkerdPreset(arms, true), 'response_total|response_latency_ms_bucket|up', 'direction=~"inbound|"'],
  ])('of %s ask for its pods only', (_, preset, names, side) => {
    expect(preset.selectors).toEqual([`{__name__=~"${names}",${side},namespace="shop",pod=~"shop-old-1|shop-new-1"}`]);
  });

  test.each([
    ['istio', istioPreset],
    ['linkerd', linkerdPreset],
  ])('of %s ask nothing while no pod is known', (_, preset) => {
    expect(preset({ ...arms, pods: [] }).selectors).toEqual([]);
  });

  test('leave the buckets out where nobody asked for latency', () => {
    const backends = { namespace: 'shop', canaryService: 'shop-canary', stableService: 'shop', port: 80 };
    const presets = [
      istioPreset(arms),
      linkerdPreset(arms),
      traefikPreset(backends),
      appPreset('shop', arms.pods, arms.armOf),
    ];
    expect(presets.flatMap(({ selectors }) => selectors).filter((selector) => selector.includes('_bucket'))).toEqual(
      [],
    );
  });
});
