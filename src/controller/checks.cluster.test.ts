/** A check on a real cluster: real pods are called at their own addresses, before any route sends them a request. */
import { routeOf, serviceOf } from '../../test/inputs/world.ts';
import { pathTo } from '../../test/policies/api-server.ts';
import { type RunningOperator, startOperator } from '../../test/policies/operator.ts';
import { openStage } from '../../test/policies/stage.ts';
import { eventually, workload } from '../workload/as-serin.ts';

const stage = openStage('checks', ['pods', 'gateway']);
const { namespace, server } = stage;
const name = 'checkout';

interface Status {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly canary?: { readonly weight: number };
  readonly quarantined?: readonly { readonly reason: string; readonly message: string }[];
}

async function statusNow(): Promise<Status> {
  const { body } = await server.ask('GET', pathTo('serin.dev/v1alpha1', 'rollouts', namespace, name));
  return body['status'] ?? {};
}

async function apply(object: object): Promise<void> {
  const { code, output } = await server.kubectl(['apply', '-n', namespace, '-f', '-'], object);
  if (code !== 0) throw new Error(output);
}

function reached(...reasons: readonly string[]): Promise<Status> {
  return eventually(`the Rollout to say ${reasons.join(' or ')}`, async () => {
    const status = await statusNow();
    return reasons.includes(status.reason ?? '') ? status : undefined;
  });
}

/** The test application, which fails so much of its requests; its readiness probe knows nothing of that. */
function version(tag: string, errorRate: number): object {
  const deployment = Object(workload(name, tag));
  const [container] = deployment.spec.template.spec.containers;
  container.env.push({ name: 'ERROR_RATE', value: String(errorRate) });
  return deployment;
}

const service = serviceOf(name);
const route = routeOf(name, name, `${namespace}.test`);
const rollout = (port?: number) => ({
  apiVersion: 'serin.dev/v1alpha1',
  kind: 'Rollout',
  metadata: { name },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }], settle: '1s', drain: '1s' },
    strategy: {
      steps: [
        {
          check: {
            requests: [{ path: '/healthz', expect: { status: 200, within: '2s' } }, { path: '/cart?full=1' }],
            within: '6s',
            ...(port === undefined ? {} : { port }),
          },
        },
        { weight: 10 },
      ],
    },
    // Named, so that a default source of another suite judges nothing here.
    analysis: { source: 'none-of-this-test' },
  },
});

stage.describe('a check of pods on a real cluster', () => {
  let operator: RunningOperator;

  beforeAll(async () => {
    for (const object of [version('v1', 0), service, route]) await apply(object);
    await server.kubectl(['rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=60s']);
    operator = await startOperator(stage);
    await apply(rollout());
    await reached('UpToDate');
  }, 120_000);
  afterAll(async () => {
    await operator.stop();
    await operator.forget();
  }, 30_000);

  test('a version whose pods answer wrongly goes back before any user meets it', async () => {
    await apply(version('v2', 1));
    const { message } = await reached('Checking');
    expect(message).toContain('which no user reaches yet');
    const { quarantined } = await reached('CheckFailed', 'RolledBack');
    expect(quarantined).toMatchObject([{ reason: 'CheckFailed' }]);
    expect(quarantined?.[0]?.message).toMatch(
      /^check GET \/cart\?full=1 on pod checkout-\S+: status 500, expected 200 to 299\.$/,
    );
    await reached('RolledBack');
  }, 90_000);

  test('pods that cannot be asked hold the release and say nothing about it', async () => {
    await apply(rollout(9));
    await apply(version('v3', 1));
    const { message, quarantined } = await reached('CheckUnanswered');
    expect(message).toContain('it refuses connections');
    expect(quarantined).toHaveLength(1);
  }, 90_000);

  test('a version that answers as expected goes on, to the first weight, which waits for its metric source', async () => {
    await apply(rollout());
    await apply(version('v4', 0));
    const { canary } = await reached('SourceNeverAnswered', 'SourceDown');
    expect(canary?.weight).toBe(0);
  }, 90_000);

  test('when the Rollout is deleted nothing of the check is left', async () => {
    const { code } = await server.kubectl(['delete', '-n', namespace, 'rollout', name, '--timeout=60s']);
    expect(code).toBe(0);
    expect(operator.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  }, 90_000);
});
