import * as fc from 'fast-check';
import { KubeClient } from './client.ts';
import { type ElectorOptions, LeaderElector } from './lease.ts';
import { ManualClock } from './manual-clock.ts';
import { failure, MemoryApi } from './memory-api.ts';
import type { KubeRequest } from './transport.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/serin/leases/operator';

let clock: ManualClock;
let api: MemoryApi;
let stops: AbortController[];
let runs: Promise<unknown>[];

beforeEach(() => {
  clock = new ManualClock();
  api = new MemoryApi();
  stops = [];
  runs = [];
});

afterEach(async () => {
  api.before = () => {};
  for (const stop of stops) stop.abort();
  const ended = Promise.allSettled(runs);
  await clock.advance(30_000);
  await ended;
  expect(clock.pendingTimers).toBe(0);
});

interface Process {
  readonly elector: LeaderElector;
  readonly stop: AbortController;
  readonly ended: Promise<string>;
  readonly log: string[];
}

/** Leads until its signal aborts, unless told otherwise. */
function start(identity: string, options: Partial<ElectorOptions> = {}): Process {
  const log: string[] = [];
  const stop = new AbortController();
  const elector = new LeaderElector({
    client: new KubeClient({ transport: api }),
    clock,
    random: () => 0,
    lease: { namespace: 'serin', name: 'operator' },
    identity,
    onStartedLeading: (signal) => {
      log.push('leads');
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    },
    onStoppedLeading: (why) => log.push(why),
    ...options,
  });
  const ended = elector.run(stop.signal);
  stops.push(stop);
  runs.push(ended);
  return { elector, stop, ended, log };
}

const lease = () => api.objects.get(path)?.['spec'];
const cutOff = async (): Promise<void> => {
  throw failure('Network');
};

test('the first process creates the Lease, leads, and renews it every two seconds', async () => {
  const one = start('one');
  await clock.advance(10_000);
  expect(one.log).toEqual(['leads']);
  expect(one.elector.isLeader).toBe(true);
  expect(lease()).toMatchObject({
    holderIdentity: 'one',
    leaseDurationSeconds: 15,
    leaseTransitions: 0,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:10.000000Z',
  });
  expect(api.writes()).toHaveLength(6);
});

test('a second process waits, and knows who leads', async () => {
  start('one');
  await clock.advance(0);
  const two = start('two');
  await clock.advance(120_000);
  expect(two.log).toEqual([]);
  expect(two.elector.leader).toBe('one');
});

test('a leader that is stopped releases the Lease once its work has ended, and the next one leads at once', async () => {
  const work = Promise.withResolvers<void>();
  const one = start('one', { onStartedLeading: () => work.promise });
  await clock.advance(0);
  const two = start('two');
  one.stop.abort();
  await clock.advance(5000);
  expect(two.log).toEqual([]);
  work.resolve();
  expect(await one.ended).toBe('stopped');
  await clock.advance(2000);
  expect(two.log).toEqual(['leads']);
  expect(lease()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a Lease whose leader died is taken when it did not change for its whole duration by our own clock', async () => {
  const one = start('one');
  await clock.advance(0);
  const held = api.objects.get(path);
  one.stop.abort();
  await one.ended;
  // As the dead leader left it, with a renewTime that means nothing: its clock was a year ahead.
  if (held)
    api.objects.set(path, {
      ...held,
      spec: { holderIdentity: 'one', leaseDurationSeconds: 15, renewTime: '2027-01-01T00:00:00.000000Z' },
    });
  const two = start('two');
  await clock.advance(15_000);
  expect(two.log).toEqual([]);
  await clock.advance(2000);
  expect(two.log).toEqual(['leads']);
});

test('a leader that cannot renew stops leading before another may begin', async () => {
  const one = start('one');
  await clock.advance(4000);
  api.before = cutOff;
  await clock.advance(9999);
  expect(one.elector.isLeader).toBe(true);
  await clock.advance(1);
  expect(one.log).toEqual(['leads', 'lost']);
  expect(await one.ended).toBe('lost');
});

test('a renewal that hangs counts from when it was sent', async () => {
  const one = start('one');
  await clock.advance(3999);
  api.before = async (_, signal) => {
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  };
  await clock.advance(8001);
  expect(one.log).toEqual(['leads', 'lost']);
});

test('a renewal that was answered late counts from when it was sent', async () => {
  const one = start('one');
  await clock.advance(1999);
  api.before = async () => clock.sleep(4000);
  await clock.advance(4002);
  expect(api.writes()).toHaveLength(2);
  api.before = cutOff;
  await clock.advance(5998);
  expect(one.elector.isLeader).toBe(true);
  await clock.advance(1);
  expect(one.log).toEqual(['leads', 'lost']);
});

test('a leader that is stopped during a renewal that took effect releases the Lease all the same', async () => {
  const one = start('one');
  await clock.advance(1000);
  api.after = () => {
    api.after = () => {};
    one.stop.abort();
    throw failure('Network');
  };
  await clock.advance(1000);
  expect(await one.ended).toBe('stopped');
  expect(lease()).toMatchObject({ holderIdentity: '' });
});

test('a leader survives trouble that is shorter than the deadline', async () => {
  const one = start('one');
  await clock.advance(4000);
  api.before = cutOff;
  await clock.advance(7000);
  api.before = () => {};
  await clock.advance(60_000);
  expect(one.log).toEqual(['leads']);
});

test('a leader whose Lease was touched by somebody goes on; one whose Lease was taken stops at once', async () => {
  const one = start('one');
  await clock.advance(1000);
  await new KubeClient({ transport: api }).mergePatch(
    { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
    { namespace: 'serin', name: 'operator' },
    { metadata: { labels: { team: 'x' } } },
  );
  await clock.advance(60_000);
  expect(one.log).toEqual(['leads']);
  const held = api.objects.get(path);
  if (held)
    api.objects.set(path, {
      ...held,
      metadata: { ...held.metadata, resourceVersion: '9999' },
      spec: { holderIdentity: 'thief' },
    });
  await clock.advance(2000);
  expect(one.log).toEqual(['leads', 'lost']);
});

test('a Lease that somebody deleted is made again', async () => {
  const one = start('one');
  await clock.advance(1000);
  api.objects.delete(path);
  await clock.advance(8000);
  expect(one.elector.isLeader).toBe(true);
  expect(lease()).toMatchObject({ holderIdentity: 'one' });
});

test('work that ends by itself ends the term and releases the Lease', async () => {
  const one = start('one', { onStartedLeading: async () => {} });
  await clock.advance(0);
  expect(await one.ended).toBe('finished');
  expect(lease()).toMatchObject({ holderIdentity: '' });
});

test('work that throws ends the term, releases the Lease and is told to the caller', async () => {
  const one = start('one', {
    onStartedLeading: async () => {
      throw new Error('no disk');
    },
  });
  await expect(one.ended).rejects.toThrow('no disk');
  expect(lease()).toMatchObject({ holderIdentity: '' });
});

test('work that does not end keeps the Lease until it runs out', async () => {
  const one = start('one', { onStartedLeading: () => new Promise(() => {}) });
  await clock.advance(0);
  one.stop.abort();
  await clock.advance(10_000);
  expect(await one.ended).toBe('stopped');
  expect(lease()).toMatchObject({ holderIdentity: 'one' });
});

test('a process that has stopped leaves no timer that would keep it alive', async () => {
  const one = start('one');
  await clock.advance(5000);
  one.stop.abort();
  expect(await one.ended).toBe('stopped');
  expect(clock.pendingTimers).toBe(0);
});

test('a process that is stopped before it leads stops', async () => {
  start('one');
  await clock.advance(0);
  const two = start('two');
  await clock.advance(3000);
  two.stop.abort();
  expect(await two.ended).toBe('stopped');
  expect(two.log).toEqual([]);
});

test('a second start is refused, and so are times with which two could lead', async () => {
  const one = start('one');
  await expect(one.elector.run(one.stop.signal)).rejects.toThrow('started twice');
  expect(() => start('two', { renewDeadlineMs: 20_000 })).toThrow('two could lead at once');
});

test('whatever fails, hangs or is stopped, two processes never lead at once', async () => {
  const event = fc.record({
    ms: fc.integer({ min: 0, max: 12_000 }),
    broken: fc.constantFrom('nobody', 'one', 'two', 'all'),
    how: fc.constantFrom<'refused' | 'hangs' | 'lost answer'>('refused', 'hangs', 'lost answer'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
      clock = new ManualClock();
      api = new MemoryApi();
      const processes = [start('one'), start('two')];
      for (const { ms, broken, how } of events) {
        const isHit = (request: KubeRequest) => {
          const sent = JSON.stringify(request.body ?? {});
          return broken === 'all' || (broken !== 'nobody' && sent.includes(`"${broken}"`));
        };
        api.after = (request) => {
          if (isHit(request) && how === 'lost answer') throw failure('Network');
        };
        api.before = async (request, signal) => {
          if (!isHit(request)) return;
          if (how === 'hangs') await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
          if (how === 'refused') throw failure('Network');
        };
        for (let passed = 0; passed < ms; passed += 500) {
          await clock.advance(500);
          expect(processes.filter(({ elector }) => elector.isLeader).length).toBeLessThanOrEqual(1);
        }
      }
      api.before = () => {};
      api.after = () => {};
      for (const { stop } of processes) stop.abort();
      await clock.advance(30_000);
      await Promise.allSettled(processes.map(({ ended }) => ended));
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 40 },
  );
});
