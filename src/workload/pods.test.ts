import { byDeployment, ownedBy, pod, replicaSet } from './fixtures.ts';
import type { Pod, PodEvent } from './objects.ts';
import { troubleOf } from './pods.ts';

const set = replicaSet('aaa');
const notReady = { type: 'Ready', status: 'False' };

function waiting(name: string, reason: string, message?: string, exitCode?: number): Pod {
  const state = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  const lastState = exitCode === undefined ? {} : { terminated: { exitCode, reason: 'OOMKilled' } };
  return pod(ownedBy(set), name, {
    status: { conditions: [notReady], containerStatuses: [{ name: 'app', state, lastState }] },
  });
}

function unschedulable(name: string): Pod {
  const message = '0/1 nodes are available: 1 Insufficient cpu.';
  const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  return pod(ownedBy(set), name, { status: { conditions: [notReady, scheduled] } });
}

const event = (uid: string, message: string, at: string): PodEvent => ({
  reason: 'Unhealthy',
  message,
  lastTimestamp: at,
  involvedObject: { uid },
});

describe('why pods are not ready, in the cluster’s own words', () => {
  test.each(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'])(
    '%s is the image',
    (reason) => {
      const trouble = troubleOf(set, [waiting('a', reason, 'Back-off pulling image "shop/checkout:2"')], []);
      expect(trouble).toEqual({ reason: 'ImagePull', words: `${reason}: Back-off pulling image "shop/checkout:2"` });
    },
  );

  test('a missing ConfigMap', () => {
    const trouble = troubleOf(set, [waiting('a', 'CreateContainerConfigError', 'configmap "x" not found')], []);
    expect(trouble).toEqual({ reason: 'NotReady', words: 'CreateContainerConfigError: configmap "x" not found' });
  });

  test('a crash tells how the container ended', () => {
    const trouble = troubleOf(set, [waiting('a', 'CrashLoopBackOff', 'back-off 10s', 137)], []);
    const words = 'CrashLoopBackOff: container app ended with exit code 137 (OOMKilled)';
    expect(trouble).toEqual({ reason: 'NotReady', words });
  });

  test.each([
    ['StartError', ': exec: "serve": executable file not found'],
    // What the application wrote itself may hold a secret.
    ['Error', ''],
  ])('a container that ended with %s', (reason, said) => {
    const terminated = { exitCode: 128, reason, message: 'exec: "serve": executable file not found' };
    const container = { name: 'app', state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } };
    const crashing = pod(ownedBy(set), 'a', { status: { conditions: [notReady], containerStatuses: [container] } });
    const words = `CrashLoopBackOff: container app ended with exit code 128 (${reason})${said}`;
    expect(troubleOf(set, [crashing], [])).toEqual({ reason: 'NotReady', words });
  });

  test('between two crashes, how the last run ended', () => {
    const container = {
      name: 'app',
      ready: false,
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    };
    const status = { conditions: [notReady], containerStatuses: [container] };
    const running = pod(ownedBy(set), 'a', { status });
    expect(troubleOf(set, [running], [])?.words).toBe('container app ended with exit code 1 (Error)');
  });

  test('a pod that its node threw out', () => {
    const status = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' };
    const evicted = pod(ownedBy(set), 'a', { status: { ...status, conditions: [notReady] } });
    const words = 'Evicted: The node was low on resource: memory.';
    expect(troubleOf(set, [evicted], [])).toEqual({ reason: 'NotReady', words });
  });

  test('no room on the nodes', () => {
    const trouble = troubleOf(set, [unschedulable('a')], []);
    expect(trouble).toEqual({ reason: 'Unschedulable', words: '0/1 nodes are available: 1 Insufficient cpu.' });
  });

  test.each([
    [
      'pods "x-7f9c-abcde" is forbidden: exceeded quota: team, requested: pods=1',
      'QuotaExceeded',
      'pods are forbidden: exceeded quota: team, requested: pods=1',
    ],
    [
      'pods "x-7f9c-abcde" is forbidden: failed quota: team: must specify limits.cpu',
      'QuotaExceeded',
      'pods are forbidden: failed quota: team: must specify limits.cpu',
    ],
    ['admission webhook "policy" denied the request', 'NotReady', 'admission webhook "policy" denied the request'],
  ])('%s', (message, reason, words) => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
    const refused = replicaSet('aaa', byDeployment, { status: { conditions } });
    expect(troubleOf(refused, [], [])).toEqual({ reason, words });
  });

  test('a failing readiness probe, by the newest event of that pod', () => {
    const ready = { type: 'ContainersReady', status: 'False', message: 'containers with unready status: [app]' };
    const containerStatuses = [{ name: 'app', ready: false, state: { running: {} } }];
    const unready = pod(ownedBy(set), 'a', { status: { conditions: [notReady, ready], containerStatuses } });
    expect(troubleOf(set, [unready], [])).toEqual({
      reason: 'NotReady',
      words: 'containers with unready status: [app]',
    });
    const events = [
      event('uid-a', 'Readiness probe failed: 500', '2026-01-01T00:00:01Z'),
      event('uid-a', 'Readiness probe failed: 503', '2026-01-01T00:00:02Z'),
      event('uid-b', 'another pod', '2026-01-01T00:00:03Z'),
    ];
    expect(troubleOf(set, [unready], events)?.words).toBe('Readiness probe failed: 503');
  });

  describe('as far as the pod itself shows it', () => {
    const conditions = [
      notReady,
      { type: 'ContainersReady', status: 'False', message: 'containers with unready status' },
    ];
    const running = { name: 'app', ready: false, state: { running: {} } };
    const words = (status: object, spec: object): string | undefined =>
      troubleOf(set, [pod(ownedBy(set), 'a', { status: { conditions, ...status }, spec })], [])?.words;
    const app = (more: object) => ({ containers: [{ name: 'app', ...more }] });

    test.each([
      [{ httpGet: { path: '/healthz', port: 8080 } }, 'GET :8080/healthz'],
      [{ tcpSocket: { port: 'http' } }, 'TCP :http'],
      [{ grpc: { port: 9000 } }, 'gRPC :9000'],
      [{ exec: { command: ['check', '--token', 'secret'] } }, 'exec check'],
    ])('a readiness probe %j', (readinessProbe, shown) => {
      const said = `container app runs, but its readiness probe (${shown}) does not succeed`;
      expect(words({ containerStatuses: [{ ...running, started: true }] }, app({ readinessProbe }))).toBe(said);
    });

    test('a startup probe comes first', () => {
      const probes = { readinessProbe: { grpc: { port: 1 } }, startupProbe: { httpGet: { path: '/up', port: 80 } } };
      const said = 'container app runs, but its startup probe (GET :80/up) has not succeeded';
      expect(words({ containerStatuses: [{ ...running, started: false }] }, app(probes))).toBe(said);
    });

    test('an init container that still runs', () => {
      const status = {
        initContainerStatuses: [
          { name: 'first', ready: false, state: { terminated: { exitCode: 0 } } },
          { name: 'migrate', ready: false, state: { running: {} } },
        ],
        containerStatuses: [{ name: 'app', state: { waiting: { reason: 'PodInitializing' } } }],
      };
      expect(words(status, app({}))).toBe('init container migrate has not finished');
    });

    test('a volume that cannot be had, by the names of all that may be missing', () => {
      const status = { containerStatuses: [{ name: 'app', state: { waiting: { reason: 'ContainerCreating' } } }] };
      const volumes = [
        { name: 'a', configMap: { name: 'settings' } },
        { name: 'b', secret: { secretName: 'keys', optional: true } },
        { name: 'c', persistentVolumeClaim: { claimName: 'disk' } },
      ];
      const said = (what: string) => `container app is not created yet: is there ${what}? (kubectl describe pod a)`;
      expect(words(status, { ...app({}), volumes })).toBe(said('ConfigMap settings, PersistentVolumeClaim disk'));
      expect(words(status, app({}))).toBe(said('its volumes, its network'));
    });

    test('and no more than the condition says, where nothing is known', () => {
      expect(words({ containerStatuses: [running] }, app({}))).toBe('containers with unready status');
    });
  });

  test('long words of a registry or a webhook are cut: all that is remembered has to fit into status', () => {
    const trouble = troubleOf(set, [waiting('a', 'ErrImagePull', `pulling:\n${'x'.repeat(5000)}`)], []);
    expect(trouble?.words).toHaveLength(401);
    expect(trouble?.words).toMatch(/^ErrImagePull: pulling: x+…$/);
  });

  test('words that would act on a terminal are words and no more', () => {
    const trouble = troubleOf(set, [waiting('a', 'ErrImagePull', 'no \u001b[2Jsuch\r\u0000\nimage')], []);
    expect(trouble?.words).toBe('ErrImagePull: no [2Jsuch image');
  });

  test('the image is more telling than anything else', () => {
    const pods = [unschedulable('a'), waiting('b', 'CrashLoopBackOff'), waiting('c', 'ErrImagePull')];
    expect(troubleOf(set, pods, [])?.reason).toBe('ImagePull');
    expect(troubleOf(set, pods.slice(0, 2), [])?.reason).toBe('Unschedulable');
  });
});

test('pods that are ready, just starting or on their way out are in no trouble', () => {
  const leaving = { ...waiting('c', 'ErrImagePull') };
  const pods = [
    pod(ownedBy(set), 'a'),
    waiting('b', 'ContainerCreating'),
    { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ];
  expect(troubleOf(set, pods, [])).toBeUndefined();
});
