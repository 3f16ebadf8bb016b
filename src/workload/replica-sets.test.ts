import { byDeployment, byRecord, deployment, ownedBy, pod, ROLLOUT_UID, replicaSet, template } from './fixtures.ts';
import type { Pod, ReplicaSet } from './objects.ts';
import { viewReplicaSets } from './replica-sets.ts';

const ours = { 'serin.dev/rollout-uid': ROLLOUT_UID, 'serin.dev/attempt': '3', app: 'checkout' };

function view(replicaSets: ReplicaSet[], pods: Pod[] = [], seen: { deployment?: undefined; named?: string } = {}) {
  return viewReplicaSets({ deployment: deployment(), replicaSets, pods, rolloutUid: ROLLOUT_UID, ...seen });
}

describe('whose it is', () => {
  test.each([
    ['the Deployment’s', byDeployment, 'deployment'],
    ['ours, by its anchor', byRecord, 'ours'],
    ['another’s', { ...byDeployment, uid: 'an older Deployment of that name' }, 'other'],
  ] as const)('%s', (_who, owner, expected) => {
    expect(view([replicaSet('aaa', owner)])[0]?.owner).toBe(expected);
  });

  test('nobody’s, after its controllerRef was stripped; the mark tells that it was ours', () => {
    const escaped = replicaSet('aaa', undefined, { metadata: { ownerReferences: [], labels: ours } });
    expect(view([escaped])[0]).toMatchObject({ owner: 'nobody', carriesOurMark: true, attempt: 3 });
  });

  test('a label alone makes nothing ours', () => {
    expect(view([replicaSet('aaa', byDeployment, { metadata: { labels: ours } })])[0]?.owner).toBe('deployment');
  });
});

describe('which are shown', () => {
  test('those that the selector matches or that carry our mark, and no others', () => {
    const matched = replicaSet('aaa');
    const marked = replicaSet('bbb', byRecord, { metadata: { labels: { ...ours, app: 'was-relabelled' } } });
    const foreign = replicaSet('ccc', { ...byDeployment, uid: 'x' }, { metadata: { labels: { app: 'cart' } } });
    expect(view([matched, marked, foreign]).map(({ hash, name }) => hash || name)).toEqual(['aaa', 'checkout-bbb']);
  });

  test('also a stranger under the name that the attempt needs', () => {
    const foreign = replicaSet('ccc', { ...byDeployment, uid: 'x' }, { metadata: { labels: { app: 'cart' } } });
    expect(view([foreign], [], { named: 'checkout-ccc' })).toMatchObject([{ name: 'checkout-ccc', owner: 'other' }]);
  });

  test('our own when the Deployment is gone', () => {
    const canary = replicaSet('bbb', byRecord, { metadata: { labels: ours } });
    const seen = view([replicaSet('aaa'), canary], [], { deployment: undefined });
    expect(seen).toMatchObject([{ name: 'checkout-bbb', owner: 'ours', sameAsLive: false }]);
  });
});

describe('what its pods say', () => {
  const set = replicaSet('aaa');
  const terminating = { deletionTimestamp: '2026-01-01T00:00:00Z' };

  test('a terminating pod still exists and is not ready any more', () => {
    const pods = [
      pod(ownedBy(set), 'a'),
      pod(ownedBy(set), 'b', { metadata: terminating }),
      pod(undefined, 'stranger'),
    ];
    expect(view([set], pods)[0]).toMatchObject({ ready: 1, podsLeft: 2, pods: 4 });
  });

  test('an old count of the controller never says more than the pods do', () => {
    expect(view([set], [pod(ownedBy(set), 'a')])[0]).toMatchObject({ ready: 1, available: 1 });
  });

  test('crashing and restarted pods are counted; init containers that retried are no restart', () => {
    const crash = { name: 'app', restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } };
    const pods = [
      pod(ownedBy(set), 'a', { status: { containerStatuses: [crash] } }),
      pod(ownedBy(set), 'b', {
        status: {
          containerStatuses: [
            { name: 'app', restartCount: 1, lastState: { terminated: { finishedAt: '2026-01-01T00:00:10Z' } } },
          ],
        },
      }),
      pod(ownedBy(set), 'c', { status: { initContainerStatuses: [{ name: 'wait-for-db', restartCount: 5 }] } }),
      pod(ownedBy(set), 'd', {
        spec: { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] },
        status: { initContainerStatuses: [{ name: 'proxy', restartCount: 1 }] },
      }),
      pod(ownedBy(set), 'e', { metadata: terminating, status: { containerStatuses: [crash] } }),
    ];
    expect(view([set], pods)[0]).toMatchObject({
      crashLooping: 1,
      restartedPods: 3,
      lastRestartAtMs: Date.parse('2026-01-01T00:00:10Z'),
    });
  });
});

test('its template is compared with the live one, its own hash left out', () => {
  const other = replicaSet('bbb', byDeployment, { spec: { template: template('shop/checkout:0') } });
  expect(view([replicaSet('aaa'), other]).map(({ sameAsLive, image }) => [sameAsLive, image])).toEqual([
    [true, 'shop/checkout:1'],
    [false, 'shop/checkout:0'],
  ]);
});

test('counts are current only when the controller has seen the newest spec', () => {
  const changed = replicaSet('aaa', byDeployment, { metadata: { generation: 2 } });
  expect(view([replicaSet('aaa'), changed]).map(({ current }) => current)).toEqual([true, false]);
});
