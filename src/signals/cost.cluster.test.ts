// OpenCost's metrics, scraped by a real Prometheus from a page in OpenCost's own format, give the same amounts as what the pods
// themselves ask for with the same prices; and without honor_labels that is noticed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUnavailable, notRun, openCluster } from '../../test/cluster/cluster.ts';
import { binaryPath } from '../../test/cluster/binaries.ts';
import type { Judged } from '../analysis/answer.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { shapeOf } from '../controller/pod-shape.ts';
import { systemClock } from '../kube/clock.ts';
import type { Pod } from '../workload/objects.ts';
import { type CostAsks, CostReader, type CostSubject } from './cost-reader.ts';
import { rawSamples } from './prometheus.ts';
import type { SourceOf, Subject } from './subject.ts';

const cluster = await openCluster(['prometheus']);
const absence = isUnavailable(cluster)
  ? cluster.unavailable
  : cluster.provider === 'local'
    ? undefined
    : 'starts a Prometheus of its own, from the binary of the local cluster';
const within = (sentence: string, tests: () => void): void =>
  absence === undefined ? describe(sentence, tests) : describe.skip(notRun(sentence, absence), tests);

const opencost = readFileSync(new URL('presets/recorded/opencost.txt', import.meta.url), 'utf8');
const stable = ['2xk8p', '7hqzt', 'lm4vd', 'wr9cs'].map((end) => `checkout-5d9c7b6f4-${end}`);
const canary = ['b7n5j', 'q2f6x'].map((end) => `checkout-84f6d5c9b8-${end}`);
const never = new AbortController().signal;

/** What pods use: all of them the same, a tenth of a CPU for ten requests a second. */
function usage(sinceMs: number): string {
  const seconds = (Date.now() - sinceMs) / 1000;
  return [...stable, ...canary]
    .flatMap((pod) => [
      `http_requests_total{namespace="shop",pod="${pod}",code="200"} ${Math.floor(10 * seconds)}`,
      `process_cpu_seconds_total{namespace="shop",pod="${pod}"} ${0.1 * seconds}`,
      `process_resident_memory_bytes{namespace="shop",pod="${pod}"} 2e8`,
    ])
    .join('\n');
}

async function free(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

within('OpenCost', () => {
  let pages: Server;
  let prometheus: ChildProcess;
  let source: SourceOf;
  const folder = mkdtempSync(join(tmpdir(), 'serin-cost-'));

  beforeAll(async () => {
    const sinceMs = Date.now();
    pages = createServer(({ url = '' }, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(url.startsWith('/opencost') ? opencost : `${usage(sinceMs)}\n`);
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const targets = [`127.0.0.1:${(pages.address() as AddressInfo).port}`];
    const job = (job_name: string, metrics_path: string, honor_labels: boolean) => ({
      job_name,
      metrics_path,
      honor_labels,
      static_configs: [{ targets }],
    });
    const config = {
      global: { scrape_interval: '2s', scrape_timeout: '1s' },
      scrape_configs: [
        job('pods', '/metrics', true),
        job('opencost', '/opencost', true),
        job('renamed', '/opencost-renamed', false),
      ].map((one) =>
        one.job_name === 'renamed'
          ? { ...one, static_configs: [{ targets, labels: { namespace: 'opencost', pod: 'opencost-0' } }] }
          : one,
      ),
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const port = await free();
    prometheus = spawn(
      binaryPath('prometheus'),
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    source = { name: 'main', address: `http://127.0.0.1:${port}`, timeoutMs: 5_000 };
  }, 30_000);

  afterAll(async () => {
    prometheus?.kill();
    if (prometheus) await once(prometheus, 'exit');
    pages?.close();
    pages?.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  const pod = (containers: readonly object[]) => ({ metadata: { name: 'x' }, spec: { containers } }) as unknown as Pod;
  const asking = (cpu: string, memory: string) => ({ name: 'c', resources: { requests: { cpu, memory } } });
  const shapes = {
    stable: shapeOf([pod([asking('500m', '1Gi')])]) ?? { cpu: 0, memoryBytes: 0, gpu: 0 },
    canary: shapeOf([pod([asking('500m', '1Gi'), asking('250m', '128Mi')])]) ?? { cpu: 0, memoryBytes: 0, gpu: 0 },
  };
  const cost: CostSubject = {
    settings: {
      metrics: [{ name: 'cost', tolerateRatio: 1.15, maxExtraPerMonth: 10, do: 'hold' }],
      logHold: Math.log(100),
      logRollback: Math.log(1000),
    },
    counters: [],
    world: () => ({ shapes, scaling: { kind: 'fixed', replicas: 4 } }),
  };

  /** Until every page was scraped once. */
  async function scraped(): Promise<void> {
    for (let tries = 0; tries < 60; tries += 1) {
      const found = await rawSamples(source, 'container_cpu_allocation', 60_000, { clock: systemClock }, never);
      const jobs = found.kind === 'ok' ? new Set(found.value.series.map(({ labels }) => labels['job'])) : new Set();
      if (jobs.size === 2) return;
      await systemClock.sleep(500);
    }
    throw new Error('Prometheus did not scrape both pages in half a minute');
  }

  /** Looks until something is known; `hides`: what of the source this reader does not see. */
  async function said(
    hides: (labels: Readonly<Record<string, string>>) => boolean,
  ): Promise<NonNullable<Judged['cost']>> {
    const startedAtMs = Date.now() - 600_000;
    const listed = (names: readonly string[]) => names.map((name) => ({ name, startedAtMs }));
    const subject: Subject = {
      key: 'uid/1',
      namespace: 'shop',
      pods: () => ({ canary: listed(canary), stable: listed(stable) }),
      settings: defaultSettings,
      cost,
      source,
      beganAtMs: startedAtMs,
    };
    const fetch: CostAsks['fetch'] = async (selector, rangeMs) => {
      const fetched = await rawSamples(source, selector, rangeMs, { clock: systemClock }, never);
      if (fetched.kind === 'down') return fetched;
      return {
        kind: 'ok',
        value: { ...fetched.value, series: fetched.value.series.filter(({ labels }) => !hides(labels)) },
      };
    };
    const reader = new CostReader(cost);
    const judged = { kind: 'judged', level: 'calm' } as Judged;
    for (let tries = 0; tries < 300; tries += 1) {
      if (reader.dueMs <= Date.now()) await reader.look(subject, { fetch, scrape: undefined, now: () => Date.now() });
      const view = (reader.addTo(judged) as Judged).cost;
      if (view !== undefined && view.state !== 'unknown') return view;
      await systemClock.sleep(500);
    }
    throw new Error(`nothing was said in two and a half minutes: ${JSON.stringify(reader.addTo(judged))}`);
  }

  test('says the same as the specs of the pods with the same prices: the sidecar of the new version is too much', async () => {
    await scraped();
    const isOpenCost = ({ __name__ = '' }: Readonly<Record<string, string>>) => /allocation|hourly/.test(__name__);
    const [seen, own, renamed] = await Promise.all([
      said(() => false),
      said(isOpenCost),
      said((labels) => isOpenCost(labels) && labels['exported_pod'] === undefined),
    ]);
    expect(seen.state).toBe('dearer');
    expect(seen.sentence).toContain('(allocations of OpenCost, prices of nodes by OpenCost)');
    expect(own.sentence).toContain('(requests of the pods, default prices)');
    expect(renamed.sentence).toContain('default prices; OpenCost is there, but its labels arrive as exported_pod');
    const [first, second, third] = [seen, own, renamed].map(({ sentence }) => sentence.replace(/ \([^()]*\)\.$/, ''));
    expect(first).toBe(
      'The pods of the new version ask for 0.75 CPU and 1152 MiB instead of 0.5 CPU and 1024 MiB, where 15% and 10.00 USD a month are tolerated: about 83.15 USD a month at 100% of the present traffic instead of 58.52 USD, 24.62 USD more',
    );
    expect([second, third]).toEqual([first, first]);
  }, 200_000);
});
