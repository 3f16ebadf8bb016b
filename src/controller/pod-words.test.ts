import { diceFrom } from '../analysis/dice.ts';
import { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { events } from '../kube/resources.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import { createDouble, operatorUser } from '../simulation/cluster.ts';
import { pod } from '../workload/fixtures.ts';
import { PodWords } from './pod-words.ts';

const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503';

/** Reads of Events of an API server that answers with `answer`, which may throw or never come back. */
function world(answer: (uid: string) => unknown) {
  const clock = new ManualClock();
  const reads: { uid: string; atMs: number; request: KubeRequest }[] = [];
  const changed: string[] = [];
  const errors: unknown[] = [];
  const transport: Transport = {
    async request<T>(request: KubeRequest) {
      const uid = /involvedObject\.uid=([^,]+)/.exec(String(request.query?.['fieldSelector']))?.[1] ?? '';
      reads.push({ uid, atMs: clock.monotonicMs(), request });
      return (await answer(uid)) as T;
    },
    stream: () => Promise.reject(new Error('Events are not watched')),
    close: () => Promise.resolve(),
  };
  const words = new PodWords({
    clock,
    client: new KubeClient({ transport }),
    onChange: (rollout) => void changed.push(rollout),
    onError: (error) => void errors.push(error),
  });
  const stop = new AbortController();
  const running = words.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, reads, changed, errors, words, end };
}

const told = (uid: string, said = message, reason = 'Unhealthy', count = 1) => ({
  metadata: { name: `${uid}.1`, namespace: 'shop' },
  reason,
  message: said,
  count,
  lastTimestamp: '2026-01-01T00:00:00Z',
  involvedObject: { kind: 'Pod', uid },
});
const listed = (...items: readonly object[]) => ({ metadata: { resourceVersion: '9' }, items });
const pods = (...names: readonly string[]) => names.map((name) => pod(undefined, name));

test('a pod that is ready within moments is never asked about', async () => {
  const { clock, reads, words, end } = world(() => listed());
  words.follow('shop/checkout', pods('a'));
  await clock.advance(2_500);
  words.follow('shop/checkout', []);
  await clock.advance(60_000);
  expect(reads).toEqual([]);
  await end();
});

test('of one that stays unready the Events are read, of that pod alone, and its Rollout is looked at', async () => {
  const { clock, reads, changed, words, end } = world((uid) => listed(told(uid), told(uid, 'pulled', 'Pulled')));
  words.follow('shop/checkout', pods('a'));
  await clock.advance(5_000);
  expect(reads).toHaveLength(1);
  expect(reads[0]?.request).toMatchObject({
    method: 'GET',
    path: '/api/v1/namespaces/shop/events',
    query: { fieldSelector: 'involvedObject.kind=Pod,involvedObject.uid=uid-a,type=Warning', limit: 50 },
  });
  expect(changed).toEqual(['shop/checkout']);
  expect(words.of('shop/checkout')).toEqual([
    { reason: 'Unhealthy', message, lastTimestamp: '2026-01-01T00:00:00Z', involvedObject: { uid: 'uid-a' } },
  ]);
  expect(words.of('shop/cart')).toEqual([]);
  await end();
});

test('the same words once more wake nobody; other ones do', async () => {
  let said = message;
  let count = 0;
  const { clock, changed, words, end } = world((uid) => listed(told(uid, said, 'Unhealthy', ++count)));
  words.follow('shop/checkout', pods('a'));
  await clock.advance(60_000);
  expect(count).toBeGreaterThan(3);
  expect(changed).toHaveLength(1);
  said = 'Readiness probe failed: connection refused';
  await clock.advance(20_000);
  expect(changed).toHaveLength(2);
  await end();
});

test('however many pods fail, there is one read a second and two pods of a Rollout', async () => {
  const { clock, reads, words, end } = world(() => listed());
  const many = Array.from({ length: 50 }, (_, at) => `p${at}`);
  for (let rollout = 0; rollout < 20; rollout++)
    words.follow(`shop/r${rollout}`, pods(...many.map((name) => `r${rollout}-${name}`)));
  await clock.advance(100_000);
  expect(reads.length).toBeLessThanOrEqual(100);
  expect(new Set(reads.map(({ uid }) => uid)).size).toBe(40);
  await end();
});

test('a right that is missing costs words and nothing else, and is told once', async () => {
  const forbidden = new KubeError('list events: forbidden; a cluster admin gives the right', {
    code: 'Forbidden',
    retry: 'never',
  });
  const { clock, reads, errors, changed, words, end } = world(() => {
    throw forbidden;
  });
  words.follow('shop/checkout', pods('a'));
  await clock.advance(10 * 60_000);
  expect(errors).toEqual([forbidden]);
  expect(reads.length).toBeLessThanOrEqual(10);
  expect(changed).toEqual([]);
  expect(words.of('shop/checkout')).toEqual([]);
  await end();
});

test('a read that fails leaves the words of before', async () => {
  let isDown = false;
  const { clock, words, end } = world((uid) => {
    if (isDown) throw new KubeError('list events: unavailable', { code: 'Unavailable', retry: 'backoff' });
    return listed(told(uid));
  });
  words.follow('shop/checkout', pods('a'));
  await clock.advance(5_000);
  isDown = true;
  await clock.advance(60_000);
  expect(words.of('shop/checkout')).toMatchObject([{ message }]);
  await end();
});

test('what is known of a pod goes with it', async () => {
  const { clock, words, end } = world((uid) => listed(told(uid)));
  words.follow('shop/checkout', pods('a', 'b'));
  await clock.advance(10_000);
  expect(words.of('shop/checkout')).toHaveLength(2);
  words.follow('shop/checkout', pods('b'));
  expect(words.of('shop/checkout')).toMatchObject([{ involvedObject: { uid: 'uid-b' } }]);
  words.follow('shop/checkout', []);
  expect(words.of('shop/checkout')).toEqual([]);
  await end();
});

test('a cluster in memory answers as a real one is asked', async () => {
  const clock = new ManualClock();
  const double = createDouble({ clock, random: diceFrom(5), kubelet: 'none' });
  const admin = new KubeClient({ transport: double.transport });
  for (const [uid, type] of [
    ['uid-a', 'Warning'],
    ['uid-a', 'Normal'],
    ['uid-b', 'Warning'],
  ] as const) {
    const about = { kind: 'Pod', namespace: 'default', name: uid, uid };
    const metadata = { namespace: 'default', name: `${uid}-${type.toLowerCase()}` };
    await admin.create(events, {
      metadata,
      type,
      reason: 'Unhealthy',
      message: `${uid} ${type}`,
      involvedObject: about,
    });
  }
  const client = new KubeClient({ transport: double.transportAs(operatorUser) });
  const words = new PodWords({ clock, client, onChange: () => {}, onError: (error) => expect(error).toBeUndefined() });
  const stop = new AbortController();
  const running = words.run(stop.signal);
  words.follow('default/checkout', [pod(undefined, 'a', { metadata: { namespace: 'default' } })]);
  await clock.advance(5_000);
  expect(words.of('default/checkout').map((event) => event.message)).toEqual(['uid-a Warning']);
  stop.abort();
  await running;
});
