import { KubeClient } from './client.ts';
import { EventRecorder, type EventNote, type RecorderOptions } from './events.ts';
import { ManualClock } from './manual-clock.ts';
import { failure, MemoryApi } from './memory-api.ts';

let clock: ManualClock;
let api: MemoryApi;
let stop: AbortController;
let running: Promise<void> | undefined;

beforeEach(() => {
  clock = new ManualClock();
  api = new MemoryApi();
  stop = new AbortController();
  running = undefined;
});

afterEach(async () => {
  stop.abort();
  await running;
  expect(clock.pendingTimers).toBe(0);
});

function start(options: Partial<RecorderOptions> = {}): EventRecorder {
  const recorder = new EventRecorder({
    client: new KubeClient({ transport: api }),
    clock,
    instance: 'serin-1',
    ...options,
  });
  running = recorder.run(stop.signal);
  return recorder;
}

function note(text = 'weight 10', name = 'checkout'): EventNote {
  const about = { apiVersion: 'serin.dev/v1alpha1', kind: 'Rollout', namespace: 'shop', name, uid: `uid-${name}` };
  return { about, type: 'Normal', reason: 'Shifted', action: 'Shift', note: text };
}

const written = () => [...api.objects.values()];

test('writes what happened to which object, who says it, and when', async () => {
  start().record(note());
  await clock.advance(0);
  expect(written()).toMatchObject([
    {
      kind: 'Event',
      involvedObject: { kind: 'Rollout', name: 'checkout', uid: 'uid-checkout' },
      type: 'Normal',
      reason: 'Shifted',
      action: 'Shift',
      message: 'weight 10',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      reportingComponent: 'serin',
      reportingInstance: 'serin-1',
      source: { component: 'serin' },
    },
  ]);
});

test('the same again is a count, not another object', async () => {
  const recorder = start();
  for (let i = 0; i < 3; i++) {
    recorder.record(note());
    await clock.advance(60_000);
  }
  recorder.record(note('weight 25'));
  recorder.record(note('weight 10', 'cart'));
  await clock.advance(0);
  expect(written().map(({ message, count, lastTimestamp }) => [message, count, lastTimestamp])).toEqual([
    ['weight 10', 3, '2026-01-01T00:02:00Z'],
    ['weight 25', 1, '2026-01-01T00:03:00Z'],
    ['weight 10', 1, '2026-01-01T00:03:00Z'],
  ]);
});

test('what repeats faster than it can be written costs one write, and recording never waits', async () => {
  const slow = Promise.withResolvers<void>();
  api.before = () => slow.promise;
  const recorder = start();
  for (let i = 0; i < 1000; i++) recorder.record(note());
  await clock.advance(0);
  for (let i = 0; i < 1000; i++) recorder.record(note());
  slow.resolve();
  await clock.advance(0);
  expect(written()).toMatchObject([{ count: 2000 }]);
  expect(api.requests).toHaveLength(2);
});

test('after a long pause, or when the Event has expired, the series begins anew', async () => {
  const recorder = start();
  recorder.record(note());
  await clock.advance(600_000);
  recorder.record(note());
  await clock.advance(0);
  expect(written().map(({ count }) => count)).toEqual([1, 1]);
  api.objects.clear();
  recorder.record(note());
  await clock.advance(0);
  expect(written().map(({ count }) => count)).toEqual([2]);
});

test('a failing server is tried a few times, then the event is dropped and the next one written', async () => {
  const errors: unknown[] = [];
  api.before = (request) => {
    if (JSON.stringify(request.body).includes('weight 10')) throw failure('Unavailable');
  };
  const recorder = start({ onError: (error) => errors.push(error) });
  recorder.record(note('weight 10'));
  recorder.record(note('weight 25'));
  await clock.advance(3000);
  expect(written()).toMatchObject([{ message: 'weight 25' }]);
  expect(recorder.counts).toEqual({ written: 1, dropped: 1 });
  expect(errors).toHaveLength(3);
});

test('a refusal is not tried again', async () => {
  api.before = () => {
    throw failure('Forbidden');
  };
  const recorder = start();
  recorder.record(note());
  await clock.advance(0);
  expect(api.requests).toHaveLength(1);
  expect(recorder.counts).toEqual({ written: 0, dropped: 1 });
});

test('more than can wait is dropped and counted, not held', async () => {
  api.before = () => new Promise(() => {});
  const recorder = new EventRecorder({
    client: new KubeClient({ transport: api }),
    clock,
    instance: 'serin-1',
    capacity: 10,
  });
  for (let i = 0; i < 25; i++) recorder.record(note(`weight ${i}`));
  expect(recorder.counts.dropped).toBe(15);
});

test('long notes are cut without cutting a character, and long names make valid names', async () => {
  start().record(note('é'.repeat(900), `${'a'.repeat(236)}-${'b'.repeat(16)}`));
  await clock.advance(0);
  const [event] = written();
  const message = String(event?.['message']);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
  expect(message).toMatch(/^é+…$/);
  const name = String(event?.metadata['name']);
  expect(name.length).toBeLessThanOrEqual(253);
  expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
});

test('stopping counts what was not written, and a second start is refused', async () => {
  const recorder = start();
  await expect(recorder.run(stop.signal)).rejects.toThrow('started twice');
  stop.abort();
  recorder.record(note());
  await running;
  expect(recorder.counts.dropped).toBe(1);
});
