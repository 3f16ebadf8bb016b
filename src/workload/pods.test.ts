import { byDeployment, ownedBy, pod, replicaSet } from './fixtures.ts';
import type { KubeEvent, Pod } from './objects.ts';
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

const event = (uid: string, message: string, at: string) =>
  ({ reason: 'Unhealthy', message, lastTimestamp: at, involvedObject: { uid } }) as KubeEvent;

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
    const words = 'CrashLoopBackOff: back-off 10s; container app ended with exit code 137 (OOMKilled)';
    expect(trouble).toEqual({ reason: 'NotReady', words });
  });

  test('no room on the nodes', () => {
    const trouble = troubleOf(set, [unschedulable('a')], []);
    expect(trouble).toEqual({ reason: 'Unschedulable', words: '0/1 nodes are available: 1 Insufficient cpu.' });
  });

  test.each([
    ['pods "x" is forbidden: exceeded quota: team, requested: pods=1', 'QuotaExceeded'],
    ['admission webhook "policy" denied the request', 'NotReady'],
  ])('%s', (message, reason) => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
    expect(troubleOf(replicaSet('aaa', byDeployment, { status: { conditions } }), [], [])).toEqual({
      reason,
      words: message,
    });
  });

  test('a failing readiness probe, by the newest event of that pod', () => {
    const ready = { type: 'ContainersReady', status: 'False', message: 'containers with unready status: [app]' };
    const unready = pod(ownedBy(set), 'a', { status: { conditions: [notReady, ready] } });
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
