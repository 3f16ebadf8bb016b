import { decide } from '../decide.ts';
import { MINUTE, NOW, attemptIn, beginning, prepared, stepping, withCanaryPods, withSet } from '../sample-world.ts';

const exit = {
  reason: 'NotReady',
  words: 'CrashLoopBackOff: container app ended with exit code 137 (OOMKilled)',
} as const;

describe('what people read about pods that do not come up', () => {
  test('crashes are told with how the container ended, in the brake and on the way back', () => {
    const crashing = withSet(stepping(1), 'new', { crashLooping: 1, trouble: exit });
    const braked = decide(crashing, NOW);
    const words =
      '1 of 2 pods crash again and again (CrashLoopBackOff: container app ended with exit code 137 (OOMKilled))';
    expect(attemptIn(braked).brake?.message).toBe(`${words}.`);
    const later = decide({ ...crashing, memory: braked.memory }, NOW + MINUTE);
    expect(attemptIn(later).retreat).toMatchObject({ reason: 'Crashes', message: `${words}, for 60s.` });
  });

  test('trouble of another kind does not explain crashes', () => {
    const trouble = { reason: 'ImagePull', words: 'ErrImagePull: not found' } as const;
    const braked = decide(withSet(stepping(1), 'new', { crashLooping: 1, trouble }), NOW);
    expect(attemptIn(braked).brake?.message).toBe('1 of 2 pods crash again and again.');
  });

  test.each(['ImagePull', 'Unschedulable', 'QuotaExceeded', 'NotReady'] as const)(
    'the reason of an attempt that is out of time is that of its pods: %s',
    (reason) => {
      const late = withCanaryPods(prepared({ weightSinceMs: NOW - 11 * MINUTE }), 2, 0);
      const world = withSet(late, 'new', { trouble: { reason, words: 'said so' }, createdAtMs: NOW - 10 * MINUTE });
      const message = '0 of 2 pods became ready within 600s (said so).';
      expect(attemptIn(decide(world, NOW)).retreat).toMatchObject({ why: 'notReady', reason, message });
    },
  );

  test('a ReplicaSet that could never be created ends the attempt too (S8)', () => {
    const world = {
      ...beginning({ weightSinceMs: NOW - 11 * MINUTE }),
      records: prepared().records,
      services: prepared().services,
    };
    expect(attemptIn(decide(world, NOW)).retreat).toMatchObject({
      why: 'notReady',
      reason: 'NotReady',
      message: 'ReplicaSet shop-new could not be created within 600s; the Events of the Rollout say why.',
    });
  });
});
