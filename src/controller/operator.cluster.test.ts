/** The operator as a whole against a real API server, Deployment controller and kubelet, with the rights of its own identity. */
import { routeOf, serviceOf } from '../../test/inputs/world.ts';
import { pathTo } from '../../test/policies/api-server.ts';
import { type RunningOperator, startOperator } from '../../test/policies/operator.ts';
import { openStage } from '../../test/policies/stage.ts';
import { eventually, workload } from '../workload/as-serin.ts';

const stage = openStage('operator', ['gateway']);
const { namespace, server } = stage;
const name = 'checkout';

interface Shown {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: object;
    readonly annotations?: object;
    readonly finalizers?: readonly string[];
  };
  readonly spec: { readonly paused?: boolean; readonly selector?: object; readonly rules?: unknown };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly canary?: { readonly hash: string; readonly ready: number };
  };
}

async function get(apiVersion: string, plural: string, of = name): Promise<Shown | undefined> {
  const { status, body } = await server.ask('GET', pathTo(apiVersion, plural, namespace, of));
  return status === 200 ? (body as unknown as Shown) : undefined;
}

const rolloutNow = () => get('serin.dev/v1alpha1', 'rollouts');
const deploymentNow = () => get('apps/v1', 'deployments');

async function apply(object: object): Promise<void> {
  const { code, output } = await server.kubectl(['apply', '-n', namespace, '-f', '-'], object);
  if (code !== 0) throw new Error(output);
}

/** "phase reason" as soon as it is one of these. */
async function reached(...wanted: readonly string[]): Promise<string> {
  return eventually(`the Rollout to become ${wanted.join(' or ')}`, async () => {
    const { phase, reason } = (await rolloutNow())?.status ?? {};
    const now = `${phase ?? ''} ${reason ?? ''}`;
    return wanted.includes(now) ? now : undefined;
  });
}

async function podsNow(): Promise<readonly string[]> {
  const { body } = await server.ask('GET', pathTo('v1', 'pods', namespace));
  return (body['items'] as readonly Shown[]).map(({ metadata }) => metadata.uid).toSorted();
}

const service = serviceOf(name);
const route = routeOf(name, name, `${namespace}.test`);
const rollout = {
  apiVersion: 'serin.dev/v1alpha1',
  kind: 'Rollout',
  metadata: { name },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }], settle: '1s', drain: '1s' },
    strategy: { steps: [{ weight: 10, atLeast: '1s' }], bake: '1s' },
    // Named, so that a default source of another suite judges nothing here.
    analysis: { source: 'none-of-this-test' },
  },
};

stage.describe('the operator on a real cluster', () => {
  let operator: RunningOperator;
  let podsAtFirst: readonly string[];

  beforeAll(async () => {
    for (const object of [workload(name, 'v1'), service, route]) await apply(object);
    await server.kubectl(['rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=60s']);
    podsAtFirst = await podsNow();
    operator = await startOperator(stage);
  }, 90_000);
  afterAll(async () => {
    await operator.stop();
    await operator.forget();
  }, 30_000);

  test('it is ready when its stores are filled', async () => {
    const ready = await eventually('readiness', async () =>
      (await fetch(`http://127.0.0.1:${operator.port}/readyz`)).status === 200 ? true : undefined,
    );
    expect(ready).toBe(true);
    expect(await (await fetch(`http://127.0.0.1:${operator.port}/livez`)).text()).toBe('ok\n');
  });

  test('a running Deployment is attached by a label, and no pod is restarted', async () => {
    await apply(rollout);
    await reached('Idle UpToDate');
    expect((await deploymentNow())?.metadata.labels).toMatchObject({ 'serin.dev/attached': 'true' });
    expect((await deploymentNow())?.spec.paused).toBeUndefined();
    expect(await podsNow()).toEqual(podsAtFirst);
  }, 60_000);

  test('a new template is held, gets pods that no user reaches, and waits for a source that does not exist', async () => {
    await apply(workload(name, 'v2'));
    const canary = await eventually('ready pods of the new revision', async () => {
      const { canary: seen } = (await rolloutNow())?.status ?? {};
      return seen !== undefined && seen.ready > 0 ? seen : undefined;
    });
    expect((await deploymentNow())?.spec.paused).toBe(true);
    expect((await get('v1', 'services'))?.metadata.labels).toHaveProperty(['serin.dev/pinned']);
    expect((await get('v1', 'services', `${name}-canary`))?.spec.selector).toMatchObject({
      'pod-template-hash': canary.hash,
    });
  }, 60_000);

  test('a restarted operator goes on where the other one stopped, with the Lease given back to it', async () => {
    expect(await operator.stop()).toBe('stopped');
    operator = await startOperator(stage);
    await reached('Progressing SourceNeverAnswered', 'Progressing SourceDown', 'Progressing Judging');
    expect((await rolloutNow())?.status?.canary?.ready).toBeGreaterThan(0);
  }, 60_000);

  test('deleting the Rollout gives everything back, and starts no release', async () => {
    const { code, output } = await server.kubectl(['delete', '-n', namespace, 'rollout', name, '--timeout=60s']);
    expect(`${code} ${output}`).toContain('0 ');
    const deployment = await deploymentNow();
    expect(deployment?.metadata.labels ?? {}).not.toHaveProperty(['serin.dev/attached']);
    expect(deployment?.spec.paused).toBe(true);
    expect((await get('v1', 'services'))?.spec.selector).toEqual({ app: name });
    expect(await get('v1', 'services', `${name}-canary`)).toBeUndefined();
    expect((await get('gateway.networking.k8s.io/v1', 'httproutes'))?.metadata.annotations ?? {}).not.toHaveProperty([
      'serin.dev/split',
    ]);
    expect(await podsNow()).toEqual(podsAtFirst);
  }, 90_000);
});
