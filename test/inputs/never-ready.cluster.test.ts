// Versions whose pods never become ready, on real pods behind a real gateway: the status says why in the cluster's own words,
// the attempt ends in time with the right reason, and no request is lost or reaches the new version.
import { request } from 'node:http';
import { isUnavailable, openCluster } from '../cluster/cluster.ts';
import { pathTo } from '../policies/api-server.ts';
import { type RunningOperator, startOperator } from '../policies/operator.ts';
import { openStage } from '../policies/stage.ts';
import { type PodFault, podFaults, quota } from './pod-faults.ts';
import { matches } from './table.ts';
import {
  Cluster,
  type Fields,
  type KubeObject,
  type Shown,
  deploymentOf,
  rolloutOf,
  routeOf,
  serviceOf,
  within,
} from './world.ts';

const stage = openStage('pods', ['pods', 'gateway', 'prometheus']);
const { namespace, server } = stage;
const cluster = new Cluster(server, namespace);
const faults = podFaults.map((fault, at) => ({ ...fault, name: `checkout-${String.fromCharCode(97 + at)}` }));
const sourceless = 'sourceless';
const domain = `${namespace}.test`;
const names = [...faults.map(({ name }) => name), sourceless];

const container = (version: string, more: Fields = {}): Fields => ({
  name: 'app',
  image: `serin.test/workload:${version}`,
  imagePullPolicy: 'Never',
  env: [{ name: 'VERSION', value: version }],
  // Patient: on a busy machine a probe that is answered late is no pod that fails.
  readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
  ...more,
});
const released = (name: string, version: string, more: Fields = {}, pod: Fields = {}): KubeObject =>
  deploymentOf(name, { replicas: 1 }, { containers: [container(version, more)], ...pod });

const seen = (rollout: Shown | undefined): string => JSON.stringify(rollout?.status ?? {}).slice(0, 600);

async function reached(name: string, seconds: number, ...wanted: readonly string[]): Promise<Shown> {
  return within(seconds, `${name} to become ${wanted.join(' or ')}`, async () => {
    const now = await cluster.get(rolloutOf(name));
    const is = `${now?.status?.phase ?? ''} ${now?.status?.reason ?? ''}`;
    return now !== undefined && wanted.includes(is) ? { found: now, seen: '' } : { seen: seen(now) };
  });
}

stage.describe('pods that never become ready', () => {
  let operator: RunningOperator;
  let users: Users;
  let stablePods: readonly string[];

  beforeAll(async () => {
    const hard = { [`requests.${quota.resource}`]: '0' };
    await cluster.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: quota.name }, spec: { hard } });
    for (const name of names)
      await cluster.apply(released(name, 'v1'), serviceOf(name), routeOf(name, name, domain), rolloutFor(name));
    for (const name of names)
      await server.kubectl(['rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=60s']);
    stablePods = await podsNow();
    operator = await startOperator(stage);
    for (const name of names) await reached(name, 60, 'Idle UpToDate');
    users = await startUsers(names);
    for (const { name, container: more, pod } of faults) await cluster.apply(released(name, 'v2', more, pod));
  }, 180_000);
  afterAll(async () => {
    await users.stop();
    await server.kubectl(['delete', 'rollouts', '-n', namespace, '--timeout=90s', ...names]);
    await server.ask('DELETE', pathTo('serin.dev/v1alpha1', 'metricsources', undefined, namespace));
    await operator.stop();
    await operator.forget();
  }, 150_000);

  test.each(faults)('$input: $reason', async ({ name, sentence, reason }) => {
    const { status } = await reached(name, 150, 'RolledBack RolledBack');
    const [rejected] = status?.quarantined ?? [];
    expect(rejected?.reason).toBe(reason);
    expect(rejected?.message.replaceAll(name, 'checkout')).toEqual(matches(sentence));
    expect(status?.message).toContain(rejected?.message);
    // As it was, but for the template that its owner wrote: held, and no request can reach the other one.
    const deployment = await cluster.get(deploymentOf(name));
    expect(deployment?.spec['paused']).toBe(true);
    expect((await cluster.get(serviceOf(name)))?.spec['selector']).toEqual({ app: name });
  });

  test('the way out is a template that works', async () => {
    const [{ name }] = faults as [(typeof faults)[0]];
    await cluster.apply(released(name, 'v2'));
    const { status } = await within(60, 'pods of the corrected version', async () => {
      const now = await cluster.get(rolloutOf(name));
      return now?.status?.canary?.ready === 1 ? { found: now, seen: '' } : { seen: seen(now) };
    });
    expect(status?.canary).toMatchObject({ weight: 0 });
  });

  test('a MetricSource that does not exist holds the release before its first request, and says whose move it is', async () => {
    await cluster.apply(released(sourceless, 'v2'));
    const stalled = await within(60, 'the release to be stalled', async () => {
      const now = await cluster.get(rolloutOf(sourceless));
      const isStalled = now?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True');
      return now?.status?.reason === 'SourceNeverAnswered' && isStalled === true
        ? { found: now, seen: '' }
        : { seen: seen(now) };
    });
    expect(stalled.status?.message).toMatch(
      /^Holding: MetricSource serin-\S+ \(analysis\.source\) does not exist; the platform team creates it, or correct the name\. This says nothing about revision \w+\.$/,
    );
    expect(stalled.status?.canary).toMatchObject({ weight: 0 });
  });

  test('no request of a user was lost, and none reached a version that was not ready', async () => {
    await users.stop();
    expect(users.answers.get('v1') ?? 0).toBeGreaterThan(100);
    expect([...users.answers].filter(([answer]) => answer !== 'v1')).toEqual([]);
    expect((await podsNow()).filter((uid) => stablePods.includes(uid)).toSorted()).toEqual(stablePods);
    expect(await operator.isWell()).toBe(true);
  });

  test('and goes on by itself when the MetricSource is there, which tries it on a share of the requests', async () => {
    const opened = await openCluster();
    const address = isUnavailable(opened) ? undefined : opened.prometheusUrl;
    await cluster.apply({
      apiVersion: 'serin.dev/v1alpha1',
      kind: 'MetricSource',
      metadata: { name: namespace },
      spec: { prometheus: { address: address ?? 'http://127.0.0.1:1' } },
    });
    await within(60, 'the release to go on', async () => {
      const now = await cluster.get(rolloutOf(sourceless));
      const isOn = now?.status?.canary !== undefined && now.status.canary.weight > 0;
      return isOn || address === undefined ? { found: now, seen: '' } : { seen: seen(now) };
    });
  });

  async function podsNow(): Promise<readonly string[]> {
    const { body } = await server.ask('GET', pathTo('v1', 'pods', namespace));
    return (body['items'] as readonly Shown[]).map(({ metadata }) => metadata.uid).toSorted();
  }
});

function rolloutFor(name: string): KubeObject {
  const fault: PodFault | undefined = faults.find((one) => one.name === name);
  const podsReadyWithin = fault?.podsReadyWithin ?? '25s';
  return rolloutOf(name, {
    strategy: { steps: [{ weight: 10, atLeast: '10m' }], podsReadyWithin },
    analysis: { source: name === sourceless ? namespace : 'none-of-this-test', onSourceDown: { after: '1s' } },
  });
}

interface Users {
  /** How often each version answered; anything but an answer of a version is a failure. */
  readonly answers: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** Every application is asked a few times a second, through the gateway, from the moment at which the gateway knows them all. */
async function startUsers(all: readonly string[]): Promise<Users> {
  const opened = await openCluster();
  const gateway = isUnavailable(opened) ? undefined : opened.gatewayUrl;
  const answers = new Map<string, number>();
  const over = new AbortController();
  for (const name of gateway === undefined ? [] : all)
    await within(60, `the gateway to know ${name}`, async () => {
      const answer = await answerOf(gateway ?? '', name);
      return answer === 'v1' ? { found: true, seen: '' } : { seen: answer };
    });
  const startMs = Date.now();
  const running = all.map(async (name) => {
    if (gateway === undefined) return;
    while (!over.signal.aborted) {
      const said = await answerOf(gateway, name);
      const answer = said === 'v1' ? said : `${said} of ${name} after ${Math.round((Date.now() - startMs) / 1000)} s`;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  });
  return {
    answers,
    stop: async () => {
      over.abort();
      await Promise.all(running);
    },
  };
}

function answerOf(gateway: string, name: string): Promise<string> {
  return new Promise((resolve) => {
    const call = request(gateway, { headers: { host: `${name}.${domain}` }, timeout: 5_000 }, (response) => {
      const { statusCode, headers } = response.resume();
      response.on('end', () => resolve(statusCode === 200 ? String(headers['x-version']) : `status ${statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
    call.on('error', (error) => resolve(error.message)).end();
  });
}
