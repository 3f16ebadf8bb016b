import { ManualClock } from '../kube/manual-clock.ts';
import { services } from '../kube/resources.ts';
import { recordedApi, refused } from '../workload/fixtures.ts';
import type { Hand } from './by-hand.ts';
import { onCurrent } from './by-hand-release.ts';

const seen = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'checkout', uid: 'u', resourceVersion: '1' },
};

/** A Service of which somebody makes another version between any two reads. */
function world() {
  const clock = new ManualClock();
  let version = 1;
  const { client, requests } = recordedApi(() => ({
    ...seen,
    metadata: { ...seen.metadata, resourceVersion: String(++version) },
  }));
  const hand: Hand = { client, clock, say: () => {} };
  return { clock, hand, requests };
}

test('what somebody wrote in between is read, and the work done again on that', async () => {
  const { clock, hand } = world();
  const tried: string[] = [];
  const done = onCurrent(hand, services, seen, async ({ metadata }) => {
    tried.push(metadata.resourceVersion);
    if (tried.length < 3) throw refused('Conflict');
  });
  await clock.advance(5_000);
  await done;
  expect(tried).toEqual(['2', '3', '4']);
  expect(clock.pendingTimers).toBe(0);
});

test('an object on which somebody writes all the time is given up, with what the API server said', async () => {
  const { clock, hand, requests } = world();
  const done = onCurrent(hand, services, seen, async () => {
    throw refused('Conflict', 'the object has been modified');
  });
  await Promise.all([clock.advance(60_000), expect(done).rejects.toThrow('the object has been modified')]);
  expect(requests).toHaveLength(5);
});

test('one that is gone meanwhile needs nothing', async () => {
  const { hand } = world();
  const work = async (): Promise<void> => {
    throw refused('NotFound');
  };
  await expect(onCurrent(hand, services, seen, work)).resolves.toBeUndefined();
});

test('any other refusal is told at once', async () => {
  const { hand, requests } = world();
  const work = async (): Promise<void> => {
    throw refused('Forbidden');
  };
  await expect(onCurrent(hand, services, seen, work)).rejects.toThrow('Forbidden');
  expect(requests).toHaveLength(1);
});

test('who stops it waits for no further try', async () => {
  const { clock, hand, requests } = world();
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    stop.abort();
    throw refused('Conflict', 'the object has been modified');
  };
  await expect(onCurrent(hand, services, seen, work, stop.signal)).rejects.toThrow('the object has been modified');
  expect(requests).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});
