import { answerAction, pruneActions, viewActions } from './actions.ts';
import { recordedApi, refused } from './fixtures.ts';
import type { RolloutAction } from './objects.ts';

function action(day: number, change: Partial<RolloutAction['spec']> = {}, isAnswered = false): RolloutAction {
  return {
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'RolloutAction',
    metadata: {
      namespace: 'shop',
      name: `act-${day}`,
      uid: `uid-${day}`,
      resourceVersion: '9',
      creationTimestamp: new Date(Date.UTC(2026, 0, day)).toISOString(),
    },
    spec: { rollout: 'checkout', action: 'abort', revision: 'bcdfghjklm', by: 'alice', ...change },
    ...(isAnswered ? { status: { state: 'Accepted', at: '2026-01-01T00:00:00Z', message: '' } as const } : {}),
  };
}

test('acts that wait for an answer are shown oldest first, those of other Rollouts and answered ones not', () => {
  const seen = [action(3, { reason: 'it fails' }), action(1, {}, true), action(2), action(4, { rollout: 'cart' })];
  expect(viewActions(seen, 'checkout')).toEqual([
    { name: 'act-2', action: 'abort', revision: 'bcdfghjklm', by: 'alice', createdAtMs: Date.UTC(2026, 0, 2) },
    {
      name: 'act-3',
      action: 'abort',
      revision: 'bcdfghjklm',
      by: 'alice',
      reason: 'it fails',
      createdAtMs: Date.UTC(2026, 0, 3),
    },
  ]);
});

test('the answer goes into the status of the action as it was looked at', async () => {
  const { client, requests } = recordedApi();
  await answerAction(client, action(1), { state: 'Refused', message: 'x'.repeat(2000), atMs: 0 });
  expect(requests[0]).toMatchObject({
    path: expect.stringMatching(/act-1\/status$/),
    body: { metadata: { resourceVersion: '9' }, status: { state: 'Refused', at: '1970-01-01T00:00:00.000Z' } },
  });
  expect(JSON.stringify(requests[0]?.body).length).toBeLessThan(1200);
});

test('an action that is gone needs no answer', async () => {
  const { client } = recordedApi(() => {
    throw refused('NotFound');
  });
  await expect(answerAction(client, action(1), { state: 'Accepted', message: '', atMs: 0 })).resolves.toBeUndefined();
});

test('of answered acts the newest twenty stay; one that waits is never deleted', async () => {
  const { client, requests } = recordedApi();
  const answered = Array.from({ length: 22 }, (_, at) => action(at + 2, {}, true));
  expect(await pruneActions(client, [action(1), ...answered], 'checkout')).toBe(2);
  expect(requests.map(({ path }) => path.split('/').at(-1))).toEqual(['act-3', 'act-2']);
});
