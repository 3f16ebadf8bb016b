import { request } from 'undici';
import { ManualClock } from '../kube/manual-clock.ts';
import { appPreset } from '../signals/presets/app.ts';
import { rawSamples } from '../signals/prometheus.ts';
import { systemClock } from '../kube/clock.ts';
import { type Application, serveApplication } from './application.ts';
import { eventually } from './fixtures.ts';
import { PodNetwork } from './network.ts';
import { openPrometheus, type Prometheus } from './prometheus.ts';

const target = { address: '10.244.0.1:8080', namespace: 'shop', pod: 'checkout-1' };
const clock = new ManualClock();
const network = new PodNetwork();
let prometheus: Prometheus;
let application: Application;
let running: Promise<void>;
let scrapes = 0;
const stop = new AbortController();

beforeAll(async () => {
  let requests = 0;
  // Every third answer is a failure.
  const random = () => (++requests % 3 === 0 ? 0 : 0.9);
  application = await serveApplication({ version: 'v1', badRate: 0.5, random });
  network.open(target.address, application.port);
  const targets = () => {
    scrapes += 1;
    return [target];
  };
  prometheus = await openPrometheus({ clock, network, targets, intervalMs: 1_000 });
  running = prometheus.run(stop.signal);
  // The first scrape meets a pod that has not answered anyone yet.
  await untilScraped(1);
});

afterAll(async () => {
  stop.abort();
  await running;
  await application.close();
});

/** The scraper sleeps again when its round is over. */
async function untilScraped(rounds: number): Promise<void> {
  await eventually(() => scrapes === rounds && clock.pendingTimers === 1);
}

async function scrapeAgain(): Promise<void> {
  const next = scrapes + 1;
  await clock.advance(1_000);
  await untilScraped(next);
}

async function send(requests: number): Promise<void> {
  for (let sent = 0; sent < requests; sent += 1) {
    const { body } = await request(application.url);
    await body.dump();
  }
}

/** As Serin asks. */
async function asked(rangeMs: number) {
  const [selector = ''] = appPreset('shop', ['checkout-1'], () => 'canary').selectors;
  const source = { name: 'prometheus', address: prometheus.url, timeoutMs: 5_000 };
  const answer = await rawSamples(source, selector, rangeMs, { clock: systemClock }, stop.signal);
  if (answer.kind === 'down') throw new Error(answer.sentence);
  return answer.value.series.map(({ labels, samples }) => ({
    labels,
    values: samples.map(({ value }) => value),
    samples,
  }));
}

test('Serin reads exactly what was scraped: born series, each scrape with one time, and the range open to the left', async () => {
  const startMs = clock.nowMs();
  await send(6);
  await scrapeAgain();
  await send(3);
  await scrapeAgain();
  const series = await asked(10_000);
  const byName = Object.fromEntries(
    series.map((one) => [`${one.labels['__name__']} ${one.labels['code'] ?? ''}`, one]),
  );
  expect(byName['up ']?.values).toEqual([1, 1, 1]);
  expect(byName['http_requests_total 200']?.values).toEqual([4, 6]);
  expect(byName['http_requests_total 500']?.values).toEqual([2, 3]);
  expect(byName['http_requests_total 500']?.labels).toEqual({
    __name__: 'http_requests_total',
    code: '500',
    instance: target.address,
    job: 'pods',
    namespace: 'shop',
    pod: 'checkout-1',
  });
  expect(byName['up ']?.samples.map(({ atMs }) => atMs - startMs)).toEqual([0, 1_000, 2_000]);
  const recent = await asked(1_000);
  expect(recent.map(({ values }) => values.length)).toEqual([1, 1, 1]);
});

test('a pod that does not answer is up 0 and has no other sample', async () => {
  network.close(target.address);
  await scrapeAgain();
  network.open(target.address, application.port);
  const last = (await asked(1_000)).map(({ labels, values }) => [labels['__name__'], values]);
  expect(last).toEqual([['up', [0]]]);
});

test('what it cannot answer it refuses in words', async () => {
  const source = { name: 'prometheus', address: prometheus.url, timeoutMs: 5_000 };
  const answer = await rawSamples(source, 'rate(up', 1_000, { clock: systemClock }, stop.signal);
  expect(answer).toMatchObject({ kind: 'down', sentence: expect.stringContaining('selectors with a range') });
  const { statusCode, body } = await request(`${prometheus.url}/api/v1/labels`);
  await body.dump();
  expect(statusCode).toBe(404);
});
