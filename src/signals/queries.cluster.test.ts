// What a confined query selects, in the words of a real Prometheus; and whether pods that are scraped by Serin itself count what
// they really answered.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { Agent, request } from 'undici';
import { type TestCluster, isUnavailable, notRun, openCluster } from '../../test/cluster/cluster.ts';
import { metricsEndpoints } from '../controller/metrics-endpoints.ts';
import { createStores } from '../controller/stores.ts';
import { systemClock } from '../kube/clock.ts';
import { eventually } from '../workload/as-serin.ts';
import { type Pod, controllerOf } from '../workload/objects.ts';
import { anyQuery } from './any-query.ts';
import { Allowance } from './body-bytes.ts';
import { confinedQuery } from './confine.ts';
import { growth } from './increments.ts';
import { PodReads } from './pod-reads.ts';
import { PodScraper } from './pod-scraper.ts';
import { appPreset } from './presets/app.ts';
import { instantNumber } from './prometheus.ts';

const cluster = await openCluster(['pods', 'prometheus']);
const absence = isUnavailable(cluster)
  ? cluster.unavailable
  : cluster.provider === 'local'
    ? undefined
    : 'asks pods and Prometheus of the local cluster';
const within = (sentence: string, tests: () => void): void =>
  absence === undefined ? describe(sentence, tests) : describe.skip(notRun(sentence, absence), tests);
const { prometheusUrl = '' } = cluster as TestCluster;
const never = new AbortController().signal;

interface Parsed {
  readonly type?: string;
  readonly matchers?: readonly { readonly name: string; readonly type: string; readonly value: string }[];
}

/** Every selector that Prometheus sees in a query; undefined when it is none for it. */
async function selectorsOf(query: string): Promise<readonly Parsed[] | undefined> {
  const url = `${prometheusUrl}/api/v1/parse_query?${new URLSearchParams({ query }).toString()}`;
  const { body } = await request(url);
  const answer = (await body.json()) as { readonly status: string; readonly data?: unknown };
  return answer.status === 'success' ? found(answer.data) : undefined;
}

function found(node: unknown): readonly Parsed[] {
  if (typeof node !== 'object' || node === null) return [];
  const { type, matchers } = node as Parsed;
  const own = matchers !== undefined && /[vV]ectorSelector|[mM]atrixSelector/.test(type ?? '') ? [node as Parsed] : [];
  return [...own, ...Object.values(node).flatMap(found)];
}

within('a confined query, read by Prometheus itself', () => {
  const shop = { label: 'namespace', value: 'shop' };

  test('selects nothing without the matcher, whatever was written', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(anyQuery, async (written) => {
        const answer = confinedQuery(written, shop);
        const selectors = answer.kind === 'query' ? await selectorsOf(answer.query) : undefined;
        if (selectors === undefined) return;
        read += 1;
        for (const { matchers = [] } of selectors)
          expect(matchers.filter(({ name }) => name === 'namespace')).toEqual(
            matchers
              .filter(({ name }) => name === 'namespace')
              .map(() => ({ name: 'namespace', type: '=', value: 'shop' })),
          );
        for (const { matchers = [] } of selectors)
          expect(matchers).toContainEqual({ name: 'namespace', type: '=', value: 'shop' });
        const before = await selectorsOf(written);
        if (before !== undefined) expect(selectors).toHaveLength(before.length);
      }),
      { numRuns: 400 },
    );
    expect(read).toBeGreaterThan(50);
  }, 120_000);

  test('gives its number, and nothing of other namespaces', async () => {
    const source = { name: 'test', address: prometheusUrl, timeoutMs: 5_000 };
    const ask = (query: string, confined: boolean) =>
      instantNumber(
        confined ? { ...source, confine: { namespaceLabel: 'namespace' } } : source,
        'no-such-namespace',
        query,
        { clock: systemClock },
        never,
      );
    // A Prometheus that has just begun has scraped nobody yet.
    await eventually('the first scrape', async () => {
      const answer = await ask('count(up)', false);
      return answer.kind === 'ok' && answer.value.kind === 'number' ? answer : undefined;
    });
    expect(await ask('count(up)', false)).toMatchObject({ kind: 'ok', value: { kind: 'number' } });
    expect(await ask('count(up)', true)).toEqual({ kind: 'ok', value: { kind: 'none', why: 'no series' } });
    expect(await ask('absent(up)', true)).toEqual({ kind: 'ok', value: { kind: 'number', value: 1 } });
    expect(await ask('up[1m]', false)).toMatchObject({ kind: 'ok', value: { kind: 'none' } });
    expect(await ask('sum(', false)).toMatchObject({ kind: 'down', sentence: expect.stringContaining('status 400') });
  });
});

within('pods that Serin scrapes itself', () => {
  const namespace = `serin-scrape-${randomBytes(3).toString('hex')}`;
  const agent = new Agent();

  function kubectl(args: readonly string[], input?: object): Promise<string> {
    const { kubectl: command, kubeconfig } = cluster as TestCluster;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = execFile(command, ['--kubeconfig', kubeconfig, '-n', namespace, ...args], (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(input ? JSON.stringify(input) : '');
    return promise;
  }

  afterAll(async () => {
    await agent.destroy();
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  test('count what they really answered', async () => {
    await kubectl(['create', 'namespace', namespace]);
    const labels = { app: 'shop' };
    const app = {
      name: 'app',
      image: 'serin.test/workload:v1',
      imagePullPolicy: 'Never',
      env: [
        { name: 'VERSION', value: 'new' },
        { name: 'ERROR_RATE', value: '0.4' },
      ],
      ports: [{ name: 'metrics', containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
    };
    await kubectl(['apply', '-f', '-'], {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [app] } },
      },
    });
    await kubectl(['rollout', 'status', 'deployment/shop', '--timeout=120s']);
    const { items } = JSON.parse(await kubectl(['get', 'pods', '-o', 'json'])) as { readonly items: readonly Pod[] };
    const stores = createStores((error) => {
      throw error;
    });
    stores.pods.replaceAll(items.map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' })));
    const replicaSetUid = controllerOf(items[0] as Pod)?.uid;
    const targets = metricsEndpoints(stores, { namespace, arm: 'canary', replicaSetUid, servicePort: undefined });
    expect(targets.map(({ address }) => address).toSorted()).toEqual(
      items.map(({ status }) => `http://${status?.podIP}:8080/metrics`).toSorted(),
    );

    const truth = { good: 0, bad: 0 };
    const visit = async (times: number) => {
      for (let visited = 0; visited < times; visited += 1) {
        const { address } = targets[visited % targets.length] ?? { address: '' };
        const { statusCode, body } = await agent.request({ origin: new URL(address).origin, path: '/', method: 'GET' });
        await body.dump();
        if (statusCode < 500) truth.good += 1;
        else truth.bad += 1;
      }
    };
    const reads = new PodReads({ clock: systemClock, dispatcher: agent, allowance: new Allowance(64 * 1024 * 1024) });
    const scraper = new PodScraper({ clock: systemClock, reads });
    const names = items.map(({ metadata }) => metadata.name);
    const preset = appPreset(namespace, names, () => 'canary');
    const read = () => scraper.read(targets, 1_000, preset.selectors[0] ?? '', 60_000, never);
    const beganMs = Date.now();
    await read();
    for (let round = 0; round < 3; round += 1) {
      await visit(60);
      await systemClock.sleep(1_000);
      await read();
    }
    const answer = await read();
    const series = answer.kind === 'ok' ? answer.value.series : [];
    const grown = { good: 0, bad: 0 };
    for (const { labels: own, samples } of series) {
      const placed = preset.place(own);
      if (placed.kind !== 'requests' || own['__name__'] !== 'http_requests_total') continue;
      grown[placed.isBad ? 'bad' : 'good'] += growth(samples, beganMs - 1, Date.now(), () => true);
    }
    expect(truth.bad).toBeGreaterThan(20);
    expect(grown).toEqual(truth);
  }, 240_000);
});
