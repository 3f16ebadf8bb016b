import { KubeError, type KubeErrorCode } from '../kube/errors.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { Autoscalers } from './autoscalers.ts';

/** A namespace with autoscalers, and an operator that reads them. */
function world(specs: readonly object[]) {
  const clock = new ManualClock();
  const state: { refuses: KubeErrorCode | undefined; lists: number } = { refuses: undefined, lists: 0 };
  const list = async () => {
    state.lists += 1;
    if (state.refuses) throw new KubeError('list autoscalers', { code: state.refuses, retry: 'backoff' });
    return { items: specs.map((spec, index) => ({ metadata: { name: `hpa-${index}` }, spec })), resourceVersion: '1' };
  };
  const autoscalers = new Autoscalers({ client: { list: list as never }, clock });
  const stop = new AbortController();
  const running = autoscalers.run(stop.signal);
  return {
    state,
    scaling: (deployment = 'checkout') => autoscalers.scalingOf('shop', deployment, 4),
    pass: (seconds: number) => clock.advance(seconds * 1000),
    async stop() {
      stop.abort();
      await clock.advance(0);
      await running;
    },
  };
}

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' };
const cpu = (target: object) => [{ type: 'Resource', resource: { name: 'cpu', target } }];
const size = { scaleTargetRef, minReplicas: 2, maxReplicas: 20 };
const byCpu = (target: object) => ({ kind: 'autoscaler', name: 'hpa-0', min: 2, max: 20, target });

test.each<[string, object, unknown]>([
  [
    'part of the request',
    { ...size, metrics: cpu({ type: 'Utilization', averageUtilization: 60 }) },
    byCpu({ ofRequest: 0.6 }),
  ],
  ['CPU of a pod', { ...size, metrics: cpu({ type: 'AverageValue', averageValue: '500m' }) }, byCpu({ cores: 0.5 })],
  [
    'one container',
    {
      ...size,
      metrics: [
        {
          type: 'ContainerResource',
          containerResource: { name: 'cpu', container: 'app', target: { averageUtilization: 70 } },
        },
      ],
    },
    byCpu({ ofRequest: 0.7 }),
  ],
  ['no metric, which means 80 percent', size, byCpu({ ofRequest: 0.8 })],
  [
    'a queue',
    { ...size, metrics: [{ type: 'External', external: {} }] },
    { kind: 'otherAutoscaler', name: 'hpa-0', replicas: 4 },
  ],
  [
    'another Deployment',
    { ...size, scaleTargetRef: { ...scaleTargetRef, name: 'cart' } },
    { kind: 'fixed', replicas: 4 },
  ],
])('an autoscaler that looks at %s', async (_, spec, scaling) => {
  const shop = world([spec]);
  expect(shop.scaling()).toBe('autoscalers are being read');
  await shop.pass(2);
  expect(shop.scaling()).toEqual(scaling);
  await shop.stop();
});

test('they are read once a minute, and not at all where nobody asks any more', async () => {
  const shop = world([]);
  shop.scaling();
  await shop.pass(130);
  expect(shop.state.lists).toBe(3);
  await shop.pass(1_000);
  const { lists } = shop.state;
  await shop.pass(1_000);
  expect(shop.state.lists).toBe(lists);
  await shop.stop();
});

test('a right that is missing is said, and an outage takes away nothing that was known', async () => {
  const shop = world([{ ...size, metrics: cpu({ averageUtilization: 60 }) }]);
  shop.state.refuses = 'Forbidden';
  shop.scaling();
  await shop.pass(2);
  expect(shop.scaling()).toMatch(/may not list horizontalpodautoscalers/);
  shop.state.refuses = undefined;
  await shop.pass(61);
  expect(shop.scaling()).toMatchObject({ kind: 'autoscaler' });
  shop.state.refuses = 'Unavailable' as KubeErrorCode;
  await shop.pass(61);
  expect(shop.scaling()).toMatchObject({ kind: 'autoscaler' });
  await shop.stop();
});
