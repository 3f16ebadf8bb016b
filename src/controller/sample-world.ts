/** The objects of one small shop, as users and controllers leave them at rest: the ground on which tests of the shell stand. */
import { createMetrics } from '../insight/metrics.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { ConvergenceWatch } from '../traffic/convergence.ts';
import { ApiDouble } from './api-double.ts';
import type { Log } from './log.ts';
import { ControlLoop } from './loop.ts';
import type { LoopOptions } from './loop-options.ts';
import { type Knowledge, Observer, type Seen } from './observe.ts';
import { createStores, type Stores } from './stores.ts';

const labels = { app: 'checkout' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'shop/checkout:1' }] } };
const owner = (kind: string, name: string, uid: string) => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid,
  controller: true,
});

/** A settled Deployment with two pods, its Service and a route that a gateway accepted. */
export function fillShop(api: ApiDouble, namespace = 'shop'): void {
  const at = { namespace };
  const deployment = api.put(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...at, name: 'checkout', generation: 1 },
      spec: { replicas: 2, selector: { matchLabels: labels }, template, strategy: { type: 'RollingUpdate' } },
      status: {
        observedGeneration: 1,
        replicas: 2,
        availableReplicas: 2,
        conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
      },
    } as never,
    'deployments',
  );
  const hashed = { ...labels, 'pod-template-hash': 'aaa' };
  const set = api.put(
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        ...at,
        name: 'checkout-aaa',
        generation: 1,
        labels: hashed,
        ownerReferences: [owner('Deployment', 'checkout', deployment.metadata.uid)],
      },
      spec: { replicas: 2, selector: { matchLabels: hashed }, template: { ...template, metadata: { labels: hashed } } },
      status: { observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2 },
    } as never,
    'replicasets',
  );
  const pods = ['checkout-aaa-1', 'checkout-aaa-2'].map((name) =>
    api.put(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...at,
          name,
          labels: hashed,
          ownerReferences: [owner('ReplicaSet', 'checkout-aaa', set.metadata.uid)],
        },
        spec: template.spec,
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      } as never,
      'pods',
    ),
  );
  api.put(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...at, name: 'checkout' },
      spec: { selector: labels, ports: [{ port: 80 }] },
    } as never,
    'services',
  );
  api.put(
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...at, name: 'checkout-1', labels: { 'kubernetes.io/service-name': 'checkout' } },
      addressType: 'IPv4',
      endpoints: pods.map(({ metadata }, i) => ({
        addresses: [`10.0.0.${i}`],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: 'Pod', name: metadata.name, uid: metadata.uid },
      })),
    } as never,
    'endpointslices',
  );
  putRoute(api, namespace);
}

function putRoute(api: ApiDouble, namespace: string): void {
  const parentRef = { name: 'gateway' };
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', observedGeneration: 1 }));
  api.put(
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { namespace, name: 'checkout', generation: 1 },
      spec: { parentRefs: [parentRef], rules: [{ backendRefs: [{ name: 'checkout', port: 80 }] }] },
      status: { parents: [{ parentRef, controllerName: 'traefik.io/gateway-controller', conditions }] },
    } as never,
    'httproutes',
  );
}

export const spec = {
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
  traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
};

/** A Rollout as its user applies it. */
export function putRollout(
  api: ApiDouble,
  given: { name?: string; namespace?: string; spec?: unknown; status?: unknown; metadata?: object } = {},
): void {
  const { name = 'checkout', namespace = 'shop', metadata = {}, status } = given;
  api.put(
    {
      apiVersion: 'serin.dev/v1alpha1',
      kind: 'Rollout',
      metadata: { generation: 1, ...metadata, namespace, name },
      spec: given.spec ?? spec,
      ...(status === undefined ? {} : { status }),
    } as never,
    'rollouts',
  );
}

/** A guard that works: the dry run of a new template comes back held. */
export function guardWorks(api: ApiDouble): void {
  api.admission = (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { 'serin.dev/held': 'true' } },
    spec: { ...(object['spec'] as object), paused: true },
  });
}

export interface Running {
  readonly loop: ControlLoop;
  readonly clock: ManualClock;
  readonly lines: readonly { readonly fields: object; readonly sentence: string }[];
  readonly metrics: ReturnType<typeof createMetrics>;
  mayWrite: boolean;
  stop(): Promise<void>;
}

/** The whole control loop over an API in memory, with time that moves by hand. */
export async function runLoop(api: ApiDouble, options: Pick<LoopOptions, 'guard'> = {}): Promise<Running> {
  const clock = new ManualClock();
  const lines: { fields: object; sentence: string }[] = [];
  const note = (fields: object, sentence: string): void => void lines.push({ fields, sentence });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const metrics = createMetrics();
  const stop = new AbortController();
  const leadership = { mayWrite: true };
  const loop = new ControlLoop({
    transport: api,
    clock,
    random: () => 0.5,
    log,
    metrics,
    instance: 'test',
    mayWrite: () => leadership.mayWrite,
    ...options,
  });
  const working = Promise.allSettled([loop.mirror(stop.signal), loop.lead(stop.signal)]);
  return {
    loop,
    clock,
    lines,
    metrics,
    get mayWrite() {
      return leadership.mayWrite;
    },
    set mayWrite(value: boolean) {
      leadership.mayWrite = value;
    },
    stop: async () => {
      stop.abort();
      await api.close();
      await clock.advance(1);
      await working;
    },
  };
}

/** What the shell sees of a Rollout when its stores show all that the API holds. */
export function seenIn(
  api: ApiDouble,
  knowledge: Partial<Knowledge> = {},
  key: { namespace?: string; name?: string } = {},
): { seen: Seen; stores: Stores } {
  const stores = createStores((error) => {
    throw error;
  });
  api.fill(stores);
  const observer = new Observer(stores, {
    guardOf: () => 'admission',
    rehearsalOf: () => ({}),
    checkOf: () => undefined,
    answerOf: () => ({ kind: 'noSource' }),
    alertsOf: () => [],
    flagsOf: () => [],
    eventsOf: () => [],
    convergence: new ConvergenceWatch(new ManualClock()),
    ...knowledge,
  });
  const rollout = stores.rollouts.get(key.namespace ?? 'shop', key.name ?? 'checkout');
  if (rollout === undefined) throw new Error('the test put no such Rollout there');
  const observation = observer.observe(rollout);
  if (observation.kind === 'unreadable') throw new Error(observation.message);
  return { seen: observation.seen, stores };
}
