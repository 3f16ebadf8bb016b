// What an attempt costs, read from the samples of a small world in which pods use CPU and memory, count what has a price, and are
// watched by OpenCost or not.
import type { Judged } from '../analysis/answer.ts';
import type { CostTerms } from '../analysis/cost.ts';
import { diceFrom, poisson } from '../analysis/dice.ts';
import type { Scaling } from '../analysis/money.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { type CostAsks, CostReader, type CostSubject } from './cost-reader.ts';
import { type Fetched, down } from './fetched.ts';
import { matchesOf } from './pod-scraper.ts';
import type { Answered } from './prometheus-body.ts';
import type { Sample, Series } from './series.ts';
import type { SourceOf, Subject } from './subject.ts';

const calm: Judged = {
  kind: 'judged',
  level: 'calm',
  stepAcceptable: true,
  finalAcceptable: true,
  brakeReleasable: true,
  canaryRequestsPerSecond: 25,
  totalRequestsPerSecond: 100,
  canaryRequests: 50,
  canaryErrors: 0,
  stableRequests: 950,
  stableErrors: 1,
  freshAtMs: 0,
  judge: 'twoArms',
  sentence: 'All is well.',
};

const cost: CostTerms = { name: 'cost', tolerateRatio: 1.15, maxExtraPerMonth: 5, do: 'hold' };
const tokens: CostTerms = {
  name: 'llm-tokens',
  tolerateRatio: 1.1,
  maxExtraPerMonth: 50,
  do: 'rollback',
  unitPrice: 0.000002,
};
const shape = { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 };
const source: SourceOf = { name: 'main', address: 'http://prometheus.test', timeoutMs: 5_000 };

interface Wish {
  readonly metrics?: readonly CostTerms[];
  readonly counter?: string;
  readonly scaling?: Scaling | string;
  readonly source?: Partial<SourceOf>;
  /** Of the new version, to the old one. */
  readonly cpu?: number;
  readonly tokens?: number;
  /** Names of metrics that pods do not have. */
  readonly without?: readonly string[];
  readonly weight?: number;
}

const scrapeMs = 5_000;

function world(wish: Wish = {}) {
  const { metrics = [cost], counter = 'llm_tokens_total{model="large"}', without = [], weight = 0.5 } = wish;
  const dice = diceFrom(3);
  const series = new Map<string, { labels: Series['labels']; samples: Sample[]; value: number }>();
  const pods = Array.from({ length: 6 }, (_, index) => ({
    name: `pod-${index}`,
    isNew: index >= 4,
    startedAtMs: index >= 4 ? 600_000 : 0,
  }));
  let nowMs = 0;
  let isDown = false;
  const queries: string[] = [];
  const add = (labels: Series['labels'], grown: number, isGauge = false) => {
    if (without.includes(labels['__name__'] ?? '')) return;
    const key = JSON.stringify(labels);
    const one = series.get(key) ?? { labels, samples: [], value: 0 };
    one.value = isGauge ? grown : one.value + grown;
    one.samples.push({ atMs: nowMs, value: one.value });
    series.set(key, one);
  };
  const serve = () => {
    for (const { name, isNew, startedAtMs } of pods) {
      if (nowMs < startedAtMs) continue;
      const isWarm = nowMs > 630_000;
      const share = isNew ? (isWarm ? weight / 2 : 0) : (isWarm ? 1 - weight : 1) / 4;
      const requests = poisson(dice, (100 * share * scrapeMs) / 1000);
      const own = { namespace: 'shop', pod: name, job: 'pods', instance: `${name}:80` };
      add({ ...own, __name__: 'http_requests_total', code: '200' }, requests);
      add({ ...own, __name__: 'http_requests_total', code: '200', path: '/healthz' }, 5);
      add(
        { ...own, __name__: 'process_cpu_seconds_total' },
        0.05 + requests * 0.02 * (isNew ? (wish.cpu ?? 1) : 1) * (0.95 + 0.1 * dice()),
      );
      add({ ...own, __name__: 'process_resident_memory_bytes' }, 2e8 * (0.95 + 0.1 * dice()), true);
      add(
        { ...own, __name__: 'llm_tokens_total', model: 'large' },
        requests * 300 * (isNew ? (wish.tokens ?? 1) : 1) * (0.9 + 0.2 * dice()),
      );
      add({ ...own, __name__: 'llm_tokens_total', model: 'small' }, isNew ? 9e9 : 1);
    }
  };
  const answer = (selector: string, rangeMs: number): Fetched<Answered> => {
    queries.push(selector);
    if (isDown) return down('MetricSource main is down.');
    const { all } = matchesOf(selector);
    const found = [...series.values()]
      .filter(({ labels }) => all(labels))
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ atMs }) => atMs > nowMs - rangeMs) }))
      .filter(({ samples }) => samples.length > 0);
    return { kind: 'ok', value: { series: found, notCounts: 0, serverTimeMs: nowMs } };
  };
  const asked: CostSubject = {
    settings: { metrics, logHold: Math.log(100), logRollback: Math.log(1000) },
    counters: metrics.flatMap(({ name, unitPrice }) => (unitPrice === undefined ? [] : [{ name, counter }])),
    world: () => ({
      shapes: { canary: shape, stable: shape },
      scaling: wish.scaling ?? { kind: 'fixed', replicas: 4 },
    }),
  };
  const listed = (isNew: boolean) => pods.filter((pod) => pod.isNew === isNew && nowMs >= pod.startedAtMs);
  const subject: Subject = {
    key: 'uid/1',
    namespace: 'shop',
    pods: () => ({ canary: listed(true), stable: listed(false) }),
    settings: defaultSettings,
    cost: asked,
    source: { ...source, ...wish.source },
    beganAtMs: 600_000,
  };
  let reader = new CostReader(asked);
  const asks: CostAsks = {
    fetch: async (selector, rangeMs) => answer(selector, rangeMs),
    scrape: undefined,
    now: () => nowMs,
  };
  return {
    queries,
    series,
    add,
    subject,
    /** Seconds; looks are taken when they are due, from the tenth minute on, when the release begins. */
    async pass(seconds: number, more: Partial<CostAsks> = {}) {
      for (const endMs = nowMs + seconds * 1000; nowMs < endMs; ) {
        nowMs += scrapeMs;
        serve();
        if (nowMs >= 600_000 && reader.dueMs <= nowMs) await reader.look(subject, { ...asks, ...more });
      }
    },
    goDown: (now: boolean) => (isDown = now),
    restart(of: CostSubject = asked) {
      reader = new CostReader(of, JSON.parse(JSON.stringify(reader.saved ?? null)));
    },
    saved: () => reader.saved,
    answer: () => reader.addTo(calm) as Judged,
    at: () => nowMs,
  };
}

describe('what a release costs', () => {
  test('is told once enough is known: the same version lets steps go on', async () => {
    const shop = world();
    await shop.pass(1_000);
    expect(shop.answer()).toMatchObject({ stepAcceptable: true, finalAcceptable: true, cost: { state: 'fine' } });
    expect(shop.answer().cost?.sentence).toMatch(
      /^Cost: about \d+ USD a month at 100% of the present traffic, where the old version costs \d+ USD; 30% more CPU for a request is ruled out \(requests of the pods, default prices\)\.$/,
    );
  });

  test('is too much for 60% more CPU, and nothing goes forward by evidence then; harm it is not', async () => {
    const shop = world({ cpu: 1.6 });
    await shop.pass(1_200);
    const answer = shop.answer();
    expect(answer).toMatchObject({
      level: 'calm',
      stepAcceptable: false,
      finalAcceptable: false,
      brakeReleasable: true,
    });
    expect(answer.cost).toMatchObject({ state: 'dearer', do: 'hold', culprit: 'cost' });
    expect(answer.sentence).toContain('more CPU for a request');
  });

  test('is read every twenty seconds at most, and prices once a minute', async () => {
    const shop = world();
    await shop.pass(600);
    shop.queries.length = 0;
    await shop.pass(600);
    expect(shop.queries.filter((query) => query.includes('process_cpu'))).toHaveLength(30);
    expect(shop.queries.filter((query) => query.includes('container_cpu_allocation'))).toHaveLength(20);
  });

  test('goes on where it was when the operator restarts, and a verdict stays', async () => {
    const shop = world({ cpu: 1.6 });
    await shop.pass(760);
    expect(shop.answer().cost?.state).toBe('unknown');
    const before = shop.saved();
    shop.restart();
    expect(shop.saved()).toEqual(before);
    await shop.pass(440);
    expect(shop.answer().cost?.state).toBe('dearer');
    shop.restart();
    expect(shop.answer().cost?.state).toBe('dearer');
    expect(JSON.stringify(shop.saved()).length).toBeLessThan(4_000);
  });

  test.each<[string, (saved: object) => unknown]>([
    ['of another question', (saved) => ({ ...saved, of: 'another' })],
    ['that was cut', (saved) => ({ ...saved, uses: { cpu: { wealths: [], numbers: '', pods: [] } } })],
    ['of nonsense', () => 7],
  ])('is not taken from what was saved %s', async (_, spoil) => {
    const shop = world({ cpu: 1.6 });
    await shop.pass(1_200);
    const { cost: asked } = shop.subject;
    const reader = new CostReader(asked, spoil(shop.saved() ?? {}));
    expect((reader.addTo(calm) as Judged).cost).toMatchObject({ state: 'unknown', waits: 'step' });
  });
});

describe('a price', () => {
  const metrics = [tokens];

  test('is held against a version that uses twice as much of it, with the amount, and only by the counter that was named', async () => {
    const shop = world({ metrics, tokens: 2 });
    await shop.pass(1_200);
    expect(shop.answer().cost).toMatchObject({ state: 'dearer', do: 'rollback', culprit: 'llm-tokens' });
    // 100 requests a second, 300 tokens each, 2,628,000 seconds, two millionths.
    expect(shop.answer().cost?.sentence).toMatch(/about 3\d{5} USD a month .* instead of 15\d{4} USD/);
  });

  test('is fine for the same version, and read of its pods alone', async () => {
    const shop = world({ metrics, source: { confine: { namespaceLabel: 'namespace' } } });
    await shop.pass(1_000);
    expect(shop.answer().cost).toMatchObject({ state: 'fine' });
    const [query] = shop.queries.filter((one) => one.startsWith('llm_tokens_total'));
    expect(query).toMatch(/^llm_tokens_total\{model="large",namespace="shop",pod=~"pod-4\|pod-5\|pod-0\|pod-1/);
  });

  test.each([
    ['sum(llm_tokens_total)', /no plain selector/],
    ['rate(llm_tokens_total[5m])', /no plain selector/],
    ['nobody_counts_this', /no pod of this release counts nobody_counts_this/],
  ])('of %s is unknown', async (counter, words) => {
    const shop = world({ metrics, counter });
    await shop.pass(800);
    expect(shop.answer().cost).toMatchObject({ state: 'unknown', waits: 'step' });
    expect(shop.answer().cost?.sentence).toMatch(words);
  });
});

describe('where money comes from', () => {
  const opencost = (shop: ReturnType<typeof world>, renamed = false) => {
    for (let index = 0; index < 6; index += 1) {
      const place = renamed
        ? { exported_namespace: 'shop', exported_pod: `pod-${index}` }
        : { namespace: 'shop', pod: `pod-${index}` };
      const own = { ...place, container: 'app', node: 'a', instance: 'a' };
      shop.add({ ...own, __name__: 'container_cpu_allocation' }, 1, true);
      shop.add({ ...own, __name__: 'container_memory_allocation_bytes' }, 2 ** 30, true);
    }
    shop.add({ __name__: 'node_cpu_hourly_cost', node: 'a' }, 0.05, true);
    shop.add({ __name__: 'node_ram_hourly_cost', node: 'a' }, 0.01, true);
    shop.add({ __name__: 'node_cpu_hourly_cost', node: 'elsewhere' }, 99, true);
  };

  test('is OpenCost where it is, with the prices of the nodes that the pods are on', async () => {
    const shop = world({ source: { prices: { cpuHour: 0.05, memoryGibHour: 0.01 } } });
    await shop.pass(900);
    const table = shop.answer().cost?.sentence ?? '';
    expect(table).toContain('(requests of the pods, the price table of MetricSource main)');
    opencost(shop);
    await shop.pass(120);
    const seen = shop.answer().cost?.sentence ?? '';
    expect(seen).toContain('(allocations of OpenCost, prices of nodes by OpenCost)');
    expect(seen.replace(/\(.*\)/, '')).toBe(table.replace(/\(.*\)/, ''));
  });

  test('is not OpenCost where its labels were renamed, which is said', async () => {
    const shop = world();
    await shop.pass(900);
    opencost(shop, true);
    await shop.pass(120);
    expect(shop.answer().cost?.sentence).toContain('honor_labels: true');
  });

  test('is kube-state-metrics for requests where only that is there', async () => {
    const shop = world();
    await shop.pass(900);
    for (let index = 0; index < 6; index += 1) {
      const own = {
        namespace: 'shop',
        pod: `pod-${index}`,
        container: 'app',
        __name__: 'kube_pod_container_resource_requests',
      };
      shop.add({ ...own, resource: 'cpu', unit: 'core' }, 2, true);
      shop.add({ ...own, resource: 'memory', unit: 'byte' }, 2 ** 30, true);
    }
    await shop.pass(120);
    expect(shop.answer().cost?.sentence).toContain('(requests as kube-state-metrics shows them, default prices)');
    expect(shop.answer().cost?.sentence).toContain('about 197 USD');
  });
});

describe('unknown is said', () => {
  test.each<[string, Wish, RegExp]>([
    [
      'where pods count no requests',
      { without: ['http_requests_total'] },
      /shows no counter of requests by pod \(http_requests_total\{namespace="shop"/,
    ],
    ['where nobody shows their CPU', { without: ['process_cpu_seconds_total'] }, /shows no CPU of its pods/],
    [
      'where autoscalers may not be read',
      { scaling: 'the operator may not list them' },
      /because the operator may not list them\./,
    ],
    [
      'while the new pods get hardly any requests',
      { weight: 0.02 },
      /Cost is unknown, because a pod of the new version has/,
    ],
  ])('%s', async (_, wish, words) => {
    const shop = world(wish);
    await shop.pass(1_600);
    expect(shop.answer().cost).toMatchObject({ state: 'unknown' });
    expect(shop.answer()).toMatchObject({ finalAcceptable: false, sentence: expect.stringMatching(words) });
  });

  test('while the source is down, and it ends when it answers again; nothing is counted for the time between', async () => {
    const shop = world();
    await shop.pass(700);
    shop.goDown(true);
    await shop.pass(1_200);
    expect(shop.answer().cost?.sentence).toBe('Cost is unknown, because MetricSource main is down.');
    shop.goDown(false);
    await shop.pass(400);
    expect(shop.answer().cost?.state).toBe('fine');
  });

  test('the pods themselves are read where the server shows nothing of them', async () => {
    const shop = world({ cpu: 1.6, metrics: [cost, tokens] });
    const scraped: CostAsks['scrape'] = async (selector, rangeMs) => {
      const { all } = matchesOf(selector);
      const series = [...shop.series.values()].filter(({ labels }) => all(labels));
      const recent = series.map(({ labels, samples }) => ({
        labels,
        samples: samples.filter(({ atMs }) => atMs > shop.at() - rangeMs),
      }));
      return { kind: 'ok', value: { series: recent, notCounts: 0, serverTimeMs: undefined } };
    };
    const nothing: CostAsks['fetch'] = async () => ({
      kind: 'ok',
      value: { series: [], notCounts: 0, serverTimeMs: undefined },
    });
    await shop.pass(1_400, { fetch: nothing, scrape: scraped });
    expect(shop.answer().cost).toMatchObject({ state: 'dearer', culprit: 'cost' });
  });

  test('nobody who does not ask is told', () => {
    const reader = new CostReader(undefined);
    expect(reader.addTo(calm)).toBe(calm);
    expect(reader.dueMs).toBe(Infinity);
    expect(reader.saved).toBeUndefined();
  });
});
