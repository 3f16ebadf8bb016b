import * as fc from 'fast-check';
import { ManualClock } from './manual-clock.ts';
import { KeyQueue, type Priority, type QueueOptions } from './queue.ts';

let clock: ManualClock;
let stop: AbortController;
let running: Promise<void>;
let order: string[];
let errors: { readonly key: string; readonly failures: number; readonly retryInMs: number }[];
/** Ends the work on a key. */
let ends: Map<string, { readonly resolve: () => void; readonly reject: (error: unknown) => void }>;

beforeEach(() => {
  clock = new ManualClock();
  stop = new AbortController();
  order = [];
  errors = [];
  ends = new Map();
  running = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  for (const { resolve } of ends.values()) resolve();
  await running;
  expect(clock.pendingTimers).toBe(0);
});

function queueWith(handler: QueueOptions['handler'], options: Partial<QueueOptions> = {}): KeyQueue {
  return new KeyQueue({
    clock,
    handler,
    onError: (key, _, failures, retryInMs) => void errors.push({ key, failures, retryInMs }),
    workers: 1,
    ...options,
  });
}

/** A queue whose work ends when the test says so. */
function heldQueue(options: Partial<QueueOptions> = {}): KeyQueue {
  return queueWith(hold, options);
}

function hold(key: string): Promise<void> {
  order.push(key);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  ends.set(key, { resolve, reject });
  return promise;
}

async function end(key: string): Promise<void> {
  ends.get(key)?.resolve();
  ends.delete(key);
  await clock.advance(0);
}

const record = async (key: string) => void order.push(key);

test('a key added many times is worked on once', async () => {
  const queue = queueWith(record);
  for (let i = 0; i < 5; i++) queue.add('a');
  running = queue.run(stop.signal);
  await clock.advance(0);
  expect(order).toEqual(['a']);
});

test('a key added during the work on it is worked on again, after it', async () => {
  const queue = heldQueue({ workers: 4 });
  running = queue.run(stop.signal);
  queue.add('a');
  await clock.advance(0);
  queue.add('a');
  queue.add('a', { priority: 'urgent' });
  await clock.advance(0);
  expect(order).toEqual(['a']);
  expect(queue.counts).toEqual({ ready: { urgent: 0, normal: 0, resync: 0 }, waiting: 1, working: 1 });
  await end('a');
  expect(order).toEqual(['a', 'a']);
});

test('urgent comes before normal, normal before resync, and each in its order', async () => {
  const queue = queueWith(record);
  queue.add('r', { priority: 'resync' });
  queue.add('n1');
  queue.add('u', { priority: 'urgent' });
  queue.add('n2');
  running = queue.run(stop.signal);
  await clock.advance(0);
  expect(order).toEqual(['u', 'n1', 'n2', 'r']);
});

test('a waiting key keeps the higher priority and the earlier time', async () => {
  const queue = queueWith(record);
  running = queue.run(stop.signal);
  queue.add('a', { priority: 'urgent', afterMs: 5000 });
  queue.add('a', { priority: 'resync', afterMs: 1000 });
  queue.add('a', { priority: 'normal', afterMs: 9000 });
  expect(queue.counts.waiting).toBe(1);
  await clock.advance(999);
  expect(order).toEqual([]);
  await clock.advance(1);
  expect(order).toEqual(['a']);
  await clock.advance(60_000);
  expect(order).toEqual(['a']);
});

test('a busy key keeps its place in the line', async () => {
  const queue = heldQueue();
  running = queue.run(stop.signal);
  for (const key of ['blocker', 'a', 'b']) queue.add(key);
  await clock.advance(0);
  queue.add('a');
  await end('blocker');
  expect(order).toEqual(['blocker', 'a']);
});

test('an urgent key never waits behind others, however slow they are', async () => {
  const queue = heldQueue({ workers: 2 });
  running = queue.run(stop.signal);
  for (const key of ['r1', 'r2', 'r3']) queue.add(key, { priority: 'resync' });
  await clock.advance(0);
  queue.add('n');
  queue.add('u', { priority: 'urgent' });
  await clock.advance(0);
  expect(order).toEqual(['r1', 'r2', 'u']);
  await end('u');
  expect(order).toEqual(['r1', 'r2', 'u']);
  await end('r1');
  expect(order).toEqual(['r1', 'r2', 'u', 'n']);
});

test('a throwing key comes back later each time, harming no other, and a success forgets it', async () => {
  let isBroken = true;
  const handler = async (key: string) => {
    order.push(`${key}@${clock.monotonicMs()}`);
    if (key === 'bad' && isBroken) throw new Error('poisoned');
  };
  const queue = queueWith(handler, { firstBackoffMs: 100, longestBackoffMs: 300 });
  running = queue.run(stop.signal);
  queue.add('bad');
  queue.add('good');
  await clock.advance(999);
  expect(order).toEqual(['bad@0', 'good@0', 'bad@100', 'bad@300', 'bad@600', 'bad@900']);
  expect(errors.map(({ retryInMs }) => retryInMs)).toEqual([100, 200, 300, 300, 300]);
  isBroken = false;
  await clock.advance(201);
  isBroken = true;
  queue.add('bad');
  await clock.advance(0);
  expect(errors.at(-1)).toEqual({ key: 'bad', failures: 1, retryInMs: 100 });
});

test('an urgent key that throws comes back as urgent', async () => {
  const queue = heldQueue({ firstBackoffMs: 100 });
  running = queue.run(stop.signal);
  queue.add('n');
  queue.add('u', { priority: 'urgent' });
  await clock.advance(0);
  ends.get('u')?.reject(new Error('no'));
  await clock.advance(100);
  expect(order).toEqual(['n', 'u', 'u']);
});

test('a server that asked for patience gets it', async () => {
  const queue = queueWith(async () => {
    throw Object.assign(new Error('slow down'), { retryAfterMs: 7000 });
  });
  running = queue.run(stop.signal);
  queue.add('a');
  await clock.advance(0);
  expect(errors).toEqual([{ key: 'a', failures: 1, retryInMs: 7000 }]);
});

test('a reporter that throws does not take the worker with it', async () => {
  const handler = async (key: string) => {
    order.push(key);
    if (key === 'bad') throw new Error('poisoned');
  };
  const queue = queueWith(handler, {
    onError: () => {
      throw new Error('the log is full');
    },
  });
  running = queue.run(stop.signal);
  queue.add('bad');
  queue.add('good');
  await clock.advance(5);
  expect(order).toEqual(['bad', 'good', 'bad']);
});

test('a handler that throws before it returns a promise is like any other', async () => {
  const queue = queueWith(() => {
    throw new Error('at once');
  });
  running = queue.run(stop.signal);
  queue.add('a');
  await clock.advance(0);
  expect(errors).toHaveLength(1);
});

test('a forgotten key is not worked on', async () => {
  const queue = queueWith(record);
  running = queue.run(stop.signal);
  queue.add('a', { afterMs: 10 });
  queue.forget('a');
  await clock.advance(10);
  expect(order).toEqual([]);
});

test('stopping waits for the work that runs, starts none, and leaves no timer', async () => {
  const queue = heldQueue();
  running = queue.run(stop.signal);
  queue.add('a');
  queue.add('b');
  queue.add('later', { afterMs: 1000 });
  await clock.advance(0);
  let hasEnded = false;
  const ended = running.then(() => void (hasEnded = true));
  stop.abort();
  queue.add('too late');
  await clock.advance(0);
  expect(hasEnded).toBe(false);
  await end('a');
  await ended;
  expect(order).toEqual(['a']);
  await expect(queue.run(stop.signal)).rejects.toThrow('started twice');
});

test('in any order of additions, times, slow and failing work: no key twice at once, none lost, and no ordinary key before a ready urgent one', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    priority: fc.constantFrom<Priority>('urgent', 'normal', 'resync'),
    afterMs: fc.constantFrom(0, 0, 5, 50),
    thenMs: fc.nat(20),
  });
  const works = fc.array(fc.record({ ms: fc.nat(30), fails: fc.boolean() }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      works,
      fc.integer({ min: 1, max: 3 }),
      async (steps, work, workers) => {
        const time = new ManualClock();
        const aborted = new AbortController();
        const busy = new Set<string>();
        const lastStart = new Map<string, number>();
        let turn = 0;
        const handler = async (key: string) => {
          expect(busy.has(key)).toBe(false);
          busy.add(key);
          expect(busy.size).toBeLessThanOrEqual(workers + 1);
          lastStart.set(key, time.monotonicMs());
          const { ms, fails } = work[turn++ % work.length] ?? { ms: 0, fails: false };
          await time.sleep(ms);
          busy.delete(key);
          if (fails && turn < 200) throw new Error('failed');
        };
        const queue = new KeyQueue({ clock: time, handler, onError: () => {}, workers, longestBackoffMs: 40 });
        const run = queue.run(aborted.signal);
        const lastAdd = new Map<string, number>();
        for (const { key, priority, afterMs, thenMs } of steps) {
          queue.add(key, { priority, afterMs });
          lastAdd.set(key, time.monotonicMs());
          const { ready, working } = queue.counts;
          // A worker is free for an urgent key unless all of them are busy.
          if (ready.urgent > 0) expect(working).toBe(workers + 1);
          if (ready.normal + ready.resync > 0) expect(working).toBeGreaterThanOrEqual(workers);
          await time.advance(thenMs);
        }
        for (let i = 0; i < 2000 && (queue.counts.working > 0 || queue.counts.waiting > 0); i++)
          await time.advanceToNext();
        expect(queue.counts).toEqual({ ready: { urgent: 0, normal: 0, resync: 0 }, waiting: 0, working: 0 });
        for (const [key, addedAt] of lastAdd) expect(lastStart.get(key)).toBeGreaterThanOrEqual(addedAt);
        aborted.abort();
        await run;
        expect(time.pendingTimers).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});
