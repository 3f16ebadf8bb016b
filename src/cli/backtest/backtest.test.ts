/** `serin backtest`: what it asks a metric source, what it prints, what it keeps. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trial } from '../trial.ts';

const scrapeMs = 15_000;
const [old, bad] = ['6b7d9c5f48', '7f9c4d8b2x'];

interface PastPod {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly perScrape: number;
  readonly failedPerScrape: number;
}

/** A server that remembers scrapes of pods, and evaluates the three expressions that a backtest asks. */
async function remembering(pods: readonly PastPod[], asked: URLSearchParams[] = []): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      asked.push(form);
      response.setHeader('content-type', 'application/json');
      const result = request.url?.endsWith('/query_range') ? ranged(form, pods) : raw(form, pods);
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const isAt = ({ fromMs, untilMs }: PastPod, atMs: number, spanMs: number) => untilMs > atMs - spanMs && fromMs <= atMs;

function ranged(form: URLSearchParams, pods: readonly PastPod[]): readonly object[] {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)) * 1000) as [
    number,
    number,
    number,
  ];
  const spanMs = Number(/\[(\d+)ms\]/.exec(form.get('query') ?? '')?.[1]);
  const label = form.get('query')?.startsWith('count by (pod)') === true ? 'pod' : 'revision';
  const nameOf = ({ name }: PastPod) => (label === 'pod' ? name : (name.split('-').at(-2) ?? ''));
  return [...Map.groupBy(pods, nameOf)].flatMap(([name, own]) => {
    const values: unknown[] = [];
    for (let atMs = start; atMs <= end; atMs += step) {
      const count = own.filter((pod) => isAt(pod, atMs, spanMs)).length;
      if (count > 0) values.push([atMs / 1000, String(count)]);
    }
    return values.length === 0 ? [] : [{ metric: { [label]: name }, values }];
  });
}

function raw(form: URLSearchParams, pods: readonly PastPod[]): readonly object[] {
  const untilMs = Number(form.get('time')) * 1000;
  const fromMs = untilMs - Number(/\[(\d+)ms\]/.exec(form.get('query') ?? '')?.[1]);
  return pods
    .filter(({ name }) => form.get('query')?.includes(name))
    .flatMap((pod) => {
      const scrapes = Array.from({ length: (pod.untilMs - pod.fromMs) / scrapeMs }, (_, index) => index + 1);
      const shown = scrapes.filter((n) => pod.fromMs + n * scrapeMs > fromMs && pod.fromMs + n * scrapeMs <= untilMs);
      const series = (labels: object, valueOf: (n: number) => number) => ({
        metric: { job: 'pods', instance: pod.name, namespace: 'shop', pod: pod.name, ...labels },
        values: shown.map((n) => [(pod.fromMs + n * scrapeMs) / 1000, String(valueOf(n))]),
      });
      return [
        series({ __name__: 'up' }, () => 1),
        series({ __name__: 'http_requests_total', code: '200' }, (n) => n * (pod.perScrape - pod.failedPerScrape)),
        series({ __name__: 'http_requests_total', code: '500' }, (n) => n * pod.failedPerScrape),
      ];
    });
}

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const minutesAgo = (minutes: number) => nowMs - minutes * 60_000;

/** The old version, then for ten minutes one that fails a tenth of its requests, then the old one again. */
const history: readonly PastPod[] = [
  ...['k2x7p', 'm4d8q'].flatMap((end) => [
    {
      name: `checkout-${old}-${end}`,
      fromMs: minutesAgo(120),
      untilMs: minutesAgo(60),
      perScrape: 750,
      failedPerScrape: 0,
    },
    {
      name: `checkout-${old}-2${end.slice(1)}`,
      fromMs: minutesAgo(50),
      untilMs: nowMs,
      perScrape: 750,
      failedPerScrape: 0,
    },
  ]),
  {
    name: `checkout-${bad}-b5c6d`,
    fromMs: minutesAgo(61),
    untilMs: minutesAgo(50),
    perScrape: 1500,
    failedPerScrape: 150,
  },
];

async function withHistory<T>(use: (address: string, asked: URLSearchParams[]) => Promise<T>): Promise<T> {
  const asked: URLSearchParams[] = [];
  const server = await remembering(history, asked);
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const line = (address: string) => `backtest deployment/checkout -n shop --days 1 --prometheus ${address}`;

test('it finds the bad release, says when it would have gone back, and lets the way back pass', async () => {
  await withHistory(async (address) => {
    const { said, serin } = trial();
    expect(await serin(line(address))).toBe(0);
    expect(said.err).toBe('');
    expect(said.out).toMatch(
      new RegExp(
        `^2026-11-24 10:58 +${bad} .* 10 % +0 % +rolled back after \\w+, \\d+ failed +failed more, ran \\d+m$`,
        'm',
      ),
    );
    expect(said.out).toMatch(new RegExp(`^2026-11-24 11:\\d\\d   ${old} .* let it go .* still runs$`, 'm'));
    expect(said.out).toContain('1 undone or worse: Serin would have rolled back 1 of them');
    expect(said.out).toContain('1 without such a mark: 0 would have been rolled back, 0 braked');
    expect(said.out).toContain(`${bad}: The new version fails 10 % of requests`);
  });
});

test('what was counted can be kept, and says the same again without a cluster', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-backtest-'));
  try {
    const path = join(directory, 'past.json');
    const first = trial();
    await withHistory((address) => first.serin(`${line(address)} --save ${path}`));
    const again = trial({ hasNoCluster: true, files: { 'past.json': readFileSync(path, 'utf8') } });
    expect(await again.serin('backtest --file past.json')).toBe(0);
    expect(again.said.out).toBe(first.said.out);
    const json = trial({ hasNoCluster: true, files: { 'past.json': readFileSync(path, 'utf8') } });
    expect(await json.serin('backtest --file past.json --confidence 90 -o json')).toBe(0);
    expect(JSON.parse(json.said.out)).toMatchObject({
      confidence: 90,
      summary: { releases: 2, bad: 1, badStopped: 1 },
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a source that is not there is an error that names it, and a file of another kind names the file', async () => {
  const { said, serin } = trial({ files: { 'other.json': '{"kind":"List"}' } });
  expect(await serin('backtest deployment/checkout --prometheus http://127.0.0.1:1 --days 1')).toBe(1);
  expect(said.err).toMatch(/^error: MetricSource --prometheus \(http:\/\/127\.0\.0\.1:1\) cannot be reached/);
  expect(await serin('backtest --file other.json')).toBe(1);
  expect(said.err).toContain('other.json holds no releases of the past');
  expect(await serin('backtest')).toBe(2);
});

test('every question is about this Deployment of this namespace', async () => {
  await withHistory(async (address, asked) => {
    await trial().serin(line(address));
    expect(asked.length).toBeGreaterThan(3);
    for (const form of asked) {
      expect(form.get('query')).toContain('namespace="shop"');
      expect(form.get('query')).toMatch(/checkout-/);
    }
  });
});
