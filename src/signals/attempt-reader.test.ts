// One attempt, read step by step in virtual time: what a slow source and a second question must never do to the counts.
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Window } from '../analysis/engine.ts';
import { defaultErrors, weighted } from '../analysis/metric.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { AttemptReader, type Fetch } from './attempt-reader.ts';
import { Allowance } from './body-bytes.ts';
import { down } from './fetched.ts';
import type { HistoryParts } from './history.ts';
import { PodReads } from './pod-reads.ts';
import { PodScraper } from './pod-scraper.ts';
import { restoreEvidence } from './saved.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import type { Subject } from './subject.ts';

const startMs = Date.UTC(2026, 2, 1);
const never = new AbortController().signal;
/** Nobody knows anything of the time before. */
const forgetful: HistoryParts = { fetch: async () => down('No past.'), clock: new ManualClock(startMs) };

async function readDue(attempt: AttemptReader, nowOf: () => number, fetch: Fetch): Promise<void> {
  for (const reader of attempt.due(nowOf())) await attempt.read(reader, nowOf, fetch, never);
  if (attempt.isPastDue(nowOf())) await attempt.learn(forgetful, never);
}
const { weight: _whole, ...errors } = defaultErrors;

test('failures that are asked for second, long after the first answer, are not counted from their beginning', async () => {
  const fleet = new SimulatedFleet(startMs, 1, 5_000);
  for (const [index, offset] of [0.2, 0.6].entries()) {
    fleet.addPod(`old-${index}`, 'stable', offset);
    fleet.addPod(`new-${index}`, 'canary', offset);
  }
  const failRates = { canary: 0.5, stable: 0.5 };
  const orders = { perSecond: 100, failRates };
  fleet.traffic = { ...fleet.traffic, canaryWeight: 0.5, orders };
  fleet.advance(300_000);
  const subject: Subject = {
    key: 'uid/1',
    namespace: 'shop',
    pods: () => ({ canary: fleet.listed('canary'), stable: fleet.listed('stable') }),
    settings: { ...defaultSettings, metrics: weighted([{ ...errors, name: 'orders' }]) },
    queries: [{ name: 'orders', bad: 'orders_failed_total', total: 'orders_total' }],
    source: { name: 'main', address: 'http://prometheus.test', timeoutMs: 30_000, dataPlane: 'app' },
    beganAtMs: fleet.nowMs,
  };
  const before = structuredClone(fleet.orders.canary);
  const attempt = new AttemptReader(subject, () => 0.5);
  let answeredAfterMs = 0;
  const fetch: Fetch = async (selector, rangeMs) => {
    const series = fleet.answer(selector, rangeMs);
    fleet.advance(answeredAfterMs);
    return { kind: 'ok', value: { series, notCounts: 0, serverTimeMs: fleet.nowMs - 500 } };
  };
  const readFor = async (seconds: number) => {
    for (const endMs = fleet.nowMs + seconds * 1_000; fleet.nowMs < endMs; fleet.advance(1_000))
      await readDue(attempt, () => fleet.nowMs, fetch);
  };
  await readFor(40);
  fleet.traffic = { ...fleet.traffic, orders: { ...orders, failRates: { canary: 0, stable: 0 } } };
  await readFor(40);
  answeredAfterMs = 20_000;
  await readFor(60);
  const counted = attempt.explain()?.engines.find(({ name }) => name === 'query:orders')?.canary;
  expect(counted?.requests).toBeGreaterThan(0);
  expect(counted?.errors).toBeLessThanOrEqual(fleet.orders.canary.errors - before.errors);
});

describe('gateway and pods, read in different ways', () => {
  /** Prometheus, whose clock is ahead, shows the gateway; the pods are scraped, if they answer. */
  async function attemptOf({ aheadMs = 0, answers = true, seconds = 60 }) {
    const clock = new ManualClock(startMs);
    const fleet = new SimulatedFleet(startMs, 1, 5_000);
    const advance = async (ms: number) => {
      fleet.advance(ms);
      await clock.advance(ms);
    };
    for (const [index, offset] of [0.2, 0.6].entries()) {
      fleet.addPod(`old-${index}`, 'stable', offset);
      fleet.addPod(`new-${index}`, 'canary', offset);
    }
    fleet.traffic = { ...fleet.traffic, canaryWeight: 0.5 };
    await advance(30_000);
    const targetsOf = (arm: 'canary' | 'stable') =>
      fleet.listed(arm).map(({ name: pod }) => ({ pod, namespace: 'shop', arm, address: `http://${pod}:80/metrics` }));
    const subject: Subject = {
      key: 'uid/1',
      namespace: 'shop',
      pods: () => ({ canary: fleet.listed('canary'), stable: fleet.listed('stable') }),
      gateway: { canaryService: 'shop-canary', stableService: 'shop', route: 'shop', port: 80 },
      settings: defaultSettings,
      source: { name: 'main', address: 'http://prometheus.test', timeoutMs: 30_000, dataPlane: 'traefik' },
      scrape: { intervalMs: 2_000, targets: () => [...targetsOf('canary'), ...targetsOf('stable')] },
      beganAtMs: fleet.nowMs,
    };
    const request = async ({ origin }: { readonly origin: string }) => {
      if (answers) {
        const text = fleet.exposed(new URL(origin).hostname);
        return { statusCode: 200, headers: {}, body: Readable.from([Buffer.from(text)]) };
      }
      await advance(500);
      throw new Error('nobody answers');
    };
    const dispatcher = { request } as unknown as Dispatcher;
    const reads = new PodReads({ clock, dispatcher, allowance: new Allowance(1e6) });
    const attempt = new AttemptReader(subject, () => 0.5, new PodScraper({ clock, reads }));
    const fetch: Fetch = async (selector, rangeMs) => {
      const series = fleet.answer(selector, rangeMs).map(({ labels, samples }) => ({
        labels,
        samples: samples.map(({ atMs, value }) => ({ atMs: atMs + aheadMs, value })),
      }));
      return { kind: 'ok', value: { series, notCounts: 0, serverTimeMs: fleet.nowMs + aheadMs - 500 } };
    };
    for (const endMs = fleet.nowMs + seconds * 1_000; fleet.nowMs < endMs; await advance(500))
      await readDue(attempt, () => fleet.nowMs, fetch);
    return attempt;
  }

  test('are judged by the same clock, though that of the source is ahead', async () => {
    const attempt = await attemptOf({ aheadMs: 90_000 });
    const saved = attempt.saved();
    const events = saved ? (restoreEvidence(saved, saved.key, defaultSettings)?.course.events ?? []) : [];
    const lastOf = (name: string) =>
      events.findLast((event) => event.kind === 'window' && event.reader === name) as { window: Window } | undefined;
    const [gateway, app] = [lastOf('gateway')?.window.endMs ?? 0, lastOf('app')?.window.endMs ?? Infinity];
    expect(Math.abs(gateway - app)).toBeLessThan(10_000);
  });

  test('are both judged, also where the pods let every scrape hang', async () => {
    const attempt = await attemptOf({ answers: false });
    expect(attempt.explain()?.engines.map(({ name }) => name)).toEqual(['gateway', 'app']);
  });
});
