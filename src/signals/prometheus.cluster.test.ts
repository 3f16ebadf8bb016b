// The collector against a real Prometheus that scrapes real pods and a real Traefik: is every request counted once, by
// both engines, and is a bad version found, also one that is only slow?
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Agent } from 'undici';
import { type TestCluster, isUnavailable, notRun, openCluster } from '../../test/cluster/cluster.ts';
import { type Load, type LoadResult, startLoad } from '../../test/cluster/load.ts';
import { defaultErrors, weighted } from '../analysis/metric.ts';
import { type JudgeSettings, defaultSettings } from '../analysis/settings.ts';
import { systemClock } from '../kube/clock.ts';
import { Collector } from './collector.ts';
import type { PodRef } from './picture.ts';
import type { ScrapeTarget } from './pod-scraper.ts';
import type { Subject } from './subject.ts';

const cluster = await openCluster(['pods', 'gateway', 'prometheus']);
const absence = isUnavailable(cluster)
  ? cluster.unavailable
  : cluster.provider === 'local'
    ? undefined
    : 'needs a Prometheus that scrapes the gateway, which only the local one is known to do';
const within = absence === undefined ? describe : describe.skip;

const namespace = `serin-signals-${randomBytes(3).toString('hex')}`;
const key = `${namespace}/1`;
const patienceMs = 240_000;
const { weight: _whole, ...errors } = defaultErrors;
const withLatency: JudgeSettings = {
  ...defaultSettings,
  metrics: weighted([
    errors,
    { kind: 'latency', name: 'latency', tolerateRatio: 1.1, ruleOut: { ratio: 2, absolute: 0.01 } },
  ]),
};

function kubectl(args: readonly string[], input?: object): Promise<string> {
  const { kubectl: command, kubeconfig } = cluster as TestCluster;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(command, ['--kubeconfig', kubeconfig, '-n', namespace, ...args], (error, stdout) =>
    error ? reject(error) : resolve(stdout),
  );
  child.stdin?.end(input ? JSON.stringify(input) : '');
  return promise;
}

const apply = (items: readonly object[]) => kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });

function deployment(version: 'old' | 'new' | 'slow', replicas: number, errorRate: number, latencyMs = 0): object {
  const labels = { app: 'shop', version };
  const annotations = {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '8080',
    'prometheus.io/path': '/metrics',
  };
  const app = {
    name: 'app',
    image: 'serin.test/workload:v1',
    imagePullPolicy: 'Never',
    env: [
      { name: 'VERSION', value: version },
      { name: 'ERROR_RATE', value: String(errorRate) },
      { name: 'LATENCY_MS', value: String(latencyMs) },
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: version, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: { containers: [app] } },
    },
  };
}

const service = (name: string, version: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: 'shop', version }, ports: [{ port: 80, targetPort: 8080 }] },
});

const route = (canaryWeight: number): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop', namespace },
  spec: {
    parentRefs: [{ name: 'gateway', namespace: 'serin-gateway' }],
    hostnames: [`${namespace}.test`],
    rules: [
      {
        backendRefs: [
          { name: 'shop', port: 80, weight: 100 - canaryWeight },
          { name: 'shop-canary', port: 80, weight: canaryWeight },
        ],
      },
    ],
  },
});

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly startTime: string; readonly podIP: string };
  }[];
}

async function podsOf(version: string): Promise<readonly PodRef[]> {
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-l', `version=${version}`, '-o', 'json'])) as Listed;
  return items.map(({ metadata, status }) => ({ name: metadata.name, startedAtMs: Date.parse(status.startTime) }));
}

/** As if they had been there for a minute: there is nothing in them that has to get warm. */
const warm = (pods: readonly PodRef[]): readonly PodRef[] =>
  pods.map(({ name, startedAtMs }) => ({ name, startedAtMs: startedAtMs - 60_000 }));

async function endpointsOf(version: string, arm: ScrapeTarget['arm']): Promise<readonly ScrapeTarget[]> {
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-l', `version=${version}`, '-o', 'json'])) as Listed;
  return items.map(({ metadata, status }) => ({
    pod: metadata.name,
    namespace,
    arm,
    address: `http://${status.podIP}:8080/metrics`,
  }));
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 90_000; Date.now() < endMs; await systemClock.sleep(250)) {
    if (await isSo()) return;
  }
  throw new Error(`waited 90 s for ${what}`);
}

const sentence = 'a release on a real cluster';

within(absence === undefined ? sentence : notRun(sentence, absence), () => {
  const stop = new AbortController();
  const agent = new Agent();
  let load: Load | undefined;
  let running: Promise<void> | undefined;

  afterAll(async () => {
    stop.abort();
    await running;
    await load?.stop();
    await agent.destroy();
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }, patienceMs);

  test(
    'that fails half of its requests is braked and found harmful by gateway and pods, and every request is counted once',
    async () => {
      const { gatewayUrl = '', prometheusUrl = '' } = cluster as TestCluster;
      await kubectl(['create', 'namespace', namespace]);
      await apply([
        deployment('old', 2, 0),
        deployment('new', 0, 0.5),
        service('shop', 'old'),
        service('shop-canary', 'new'),
        route(0),
      ]);
      await kubectl(['rollout', 'status', 'deployment/old', '--timeout=120s']);
      load = startLoad({ url: gatewayUrl, host: `${namespace}.test`, ratePerSecond: 50 });
      const { log } = load;
      const snapshot = () => (load as Load).snapshot();
      await until('answers of the old version', () => existsSync(log) && snapshot().answersOf('old').length > 300);

      const pods = { canary: [] as readonly PodRef[], stable: await podsOf('old') };
      const levels: { readonly level: string; readonly atMs: number }[] = [];
      const collector = new Collector({
        clock: systemClock,
        random: () => 0.5,
        dispatcher: agent,
        onChange: () => {
          const answer = collector.reading(key)?.answer;
          levels.push({ level: answer?.kind === 'judged' ? answer.level : (answer?.kind ?? ''), atMs: Date.now() });
        },
      });
      running = collector.run(stop.signal);
      const reach = (level: string) => until(level, () => levels.some((one) => one.level === level));
      collector.watch({
        key,
        namespace,
        pods: () => pods,
        gateway: { canaryService: 'shop-canary', stableService: 'shop', route: 'shop', port: 80 },
        settings: defaultSettings,
        source: { name: 'test', address: prometheusUrl, timeoutMs: 5_000, dataPlane: 'traefik' },
        beganAtMs: Date.now(),
      });
      await reach('calm');

      await kubectl(['scale', 'deployment/new', '--replicas=2']);
      await kubectl(['rollout', 'status', 'deployment/new', '--timeout=120s']);
      pods.canary = await podsOf('new');
      await apply([route(20)]);
      collector.stepStarted(key, 'first');
      await reach('harmful');
      const verdict = collector.reading(key)?.answer;
      expect(levels.map(({ level }) => level)).toContain('brake');
      expect(verdict).toMatchObject({ kind: 'judged', level: 'harmful', judge: 'twoArms' });
      expect(verdict).toMatchObject({
        sentence: expect.stringMatching(/^The new version fails [3-7]\d % of requests/),
      });

      await apply([route(0)]);
      await until('the canary to be left alone', () => {
        const { requests } = snapshot();
        return requests.slice(-200).every(({ version }) => version === 'old');
      });
      const seen: LoadResult = await load.stop();
      await systemClock.sleep(13_000);
      const engines = collector.reading(key)?.explain?.engines ?? [];
      const truth = { requests: seen.answersOf('new').length, errors: seen.badAnswers('new').length };
      expect(engines.map(({ name, canary }) => ({ name, ...canary }))).toEqual([
        { name: 'gateway', ...truth },
        { name: 'app', ...truth },
      ]);
    },
    patienceMs,
  );

  test(
    'that takes 150 ms longer is found to be slow, through Prometheus and by scraping its pods',
    async () => {
      const { gatewayUrl = '', prometheusUrl = '' } = cluster as TestCluster;
      await apply([deployment('slow', 2, 0, 150), service('shop-canary', 'slow')]);
      await kubectl(['rollout', 'status', 'deployment/slow', '--timeout=120s']);
      load = startLoad({ url: gatewayUrl, host: `${namespace}.test`, ratePerSecond: 60 });
      const pods = { canary: warm(await podsOf('slow')), stable: warm(await podsOf('old')) };
      const targets = [...(await endpointsOf('slow', 'canary')), ...(await endpointsOf('old', 'stable'))];
      const collector = new Collector({
        clock: systemClock,
        random: () => 0.5,
        dispatcher: agent,
        scrapes: agent,
        onChange: () => undefined,
      });
      const reading = collector.run(stop.signal);
      running = Promise.all([running, reading]).then(() => undefined);
      const subject = {
        namespace,
        pods: () => pods,
        gateway: { canaryService: 'shop-canary', stableService: 'shop', route: 'shop', port: 80 },
        settings: withLatency,
        beganAtMs: Date.now(),
      };
      const source = { name: 'test', address: prometheusUrl, timeoutMs: 5_000 };
      const ways: readonly Subject[] = [
        { ...subject, key: 'asked', source: { ...source, dataPlane: 'traefik' } },
        {
          ...subject,
          key: 'scraped',
          source: { ...source, dataPlane: 'app' },
          scrape: { intervalMs: 1_000, targets: () => targets },
        },
      ];
      for (const way of ways) collector.watch(way);
      const answers = () => ways.map((way) => collector.reading(way.key)?.answer);
      await until('stable to be counted both ways', () => answers().every((answer) => answer?.kind === 'judged'));

      await apply([route(20)]);
      for (const way of ways) collector.stepStarted(way.key, 'first');
      await until('a slow version to be found both ways', () =>
        answers().every((answer) => answer?.kind === 'judged' && answer.level === 'harmful'),
      );
      const slow = { culprit: 'latency', sentence: expect.stringMatching(/^The new version is slow: /) };
      expect(answers()).toEqual([expect.objectContaining(slow), expect.objectContaining(slow)]);
      const engines = (name: string) => collector.reading(name)?.explain?.engines.map((engine) => engine.name);
      expect(engines('asked')).toEqual(expect.arrayContaining(['gateway', 'app']));
      expect(new Set(engines('scraped'))).toEqual(new Set(['app']));
    },
    patienceMs,
  );
});
