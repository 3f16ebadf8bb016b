import type { Pod } from '../workload/objects.ts';
import { armRestarts } from './pod-restarts.ts';

const created = '2026-03-01T00:00:00Z';
const initialized = '2026-03-01T00:00:05Z';
const running = { running: { startedAt: '2026-03-01T00:00:20Z' } };

function of(status: NonNullable<Pod['status']>, metadata: Partial<Pod['metadata']> = {}) {
  const pod = {
    metadata: { name: 'new-0', namespace: 'shop', uid: 'u', creationTimestamp: created, ...metadata },
    spec: { containers: [{ name: 'app' }] },
    status,
  } as unknown as Pod;
  return armRestarts({ pods: { list: (): readonly Pod[] => [pod] } }, 'shop', 'set');
}

test('a pod counts from the first start of its containers', () => {
  expect(of({ containerStatuses: [{ name: 'app', state: running }] })).toEqual([
    { name: 'new-0', startedAtMs: Date.parse('2026-03-01T00:00:20Z'), restarts: 0, isOutOfMemory: false },
  ]);
});

test('and not from the last one, when it was restarted', () => {
  const [pod] = of({
    conditions: [{ type: 'Initialized', status: 'True', lastTransitionTime: initialized }],
    containerStatuses: [
      {
        name: 'app',
        restartCount: 2,
        state: running,
        lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
      },
    ],
  });
  expect(pod).toEqual({ name: 'new-0', startedAtMs: Date.parse(initialized), restarts: 2, isOutOfMemory: true });
});

test('a pod that waits for its image cannot be restarted, and one on its way out ends by intent', () => {
  expect(of({ containerStatuses: [{ name: 'app', state: { waiting: { reason: 'ErrImagePull' } } }] })).toEqual([]);
  expect(of({ containerStatuses: [{ name: 'app', state: running }] }, { deletionTimestamp: created })).toEqual([]);
});

test('a container in back-off was restarted', () => {
  expect(
    of({ containerStatuses: [{ name: 'app', restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } }] }),
  ).toMatchObject([{ restarts: 4, startedAtMs: Date.parse(created) }]);
});
