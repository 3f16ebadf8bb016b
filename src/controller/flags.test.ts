import type { FlagEntry } from '../api/rollout-status.ts';
import { FlagError, type FlagErrorCode } from '../flags/flag-error.ts';
import type { FlagChange, FlagTarget } from '../flags/target.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { flagEntry } from '../release/sample-world.ts';
import { type FlagAccess, type FlagOrder, Flags } from './flags.ts';

const key = 'shop/checkout';

const order = (task: FlagOrder['task'], part: Partial<FlagEntry> = {}): FlagOrder => ({
  task,
  entry: flagEntry(task === 'plan' ? part : { previous: '"on"', state: 'planned', ...part }),
  namespace: 'shop',
});

const error = (code: FlagErrorCode, retryAfterMs?: number) =>
  new FlagError(code, `turn off: ${code}`, retryAfterMs === undefined ? {} : { retryAfterMs });

/** A flag backend as it may be: `does` is what the next calls come to; what is left out goes well. */
class Backend {
  value = 'on';
  writes = 0;
  readonly calls: string[] = [];
  readonly does: (FlagError | Error | 'hangs' | 'hangsDeaf')[] = [];
  isLying = false;
  readonly #clock: ManualClock;
  readonly #done = new Set<string>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly target: FlagTarget = {
    plan: (change, signal) =>
      this.#call('plan', signal, () => ({
        previous: JSON.stringify(this.value),
        isServed: this.value === change.variant,
      })),
    apply: (change, _previous, signal) => this.#call('apply', signal, () => this.write(change)),
    verify: (change, signal) =>
      this.#call('verify', signal, () =>
        this.value === change.variant && !this.isLying
          ? { served: true, sentence: 'served' }
          : { served: false, sentence: `still ${this.value}` },
      ),
    revert: (change, previous, signal) =>
      this.#call('revert', signal, () => {
        if (this.value !== change.variant && this.value !== JSON.parse(previous)) return 'keptByOthers' as const;
        this.value = JSON.parse(previous) as string;
        return 'reverted' as const;
      }),
  };

  write(change: FlagChange): void {
    if (this.#done.has(change.id)) return;
    this.#done.add(change.id);
    this.value = change.variant;
    this.writes++;
  }

  async #call<T>(name: string, signal: AbortSignal, answer: () => T): Promise<T> {
    this.calls.push(`${name} at ${this.#clock.monotonicMs()}`);
    const does = this.does.shift();
    if (does === 'hangs' || does === 'hangsDeaf') {
      await this.#clock.sleep(3_600_000, does === 'hangs' ? signal : undefined);
      signal.throwIfAborted();
    }
    if (does instanceof Error) throw does;
    return answer();
  }
}

function world() {
  const clock = new ManualClock();
  const backend = new Backend(clock);
  const other = new Backend(clock);
  const told: string[] = [];
  const results: string[] = [];
  const surprises: unknown[] = [];
  const state: { access: FlagAccess | undefined; mayWrite: boolean } = { access: undefined, mayWrite: true };
  const flags = new Flags({
    clock,
    random: () => 0.5,
    mayWrite: () => state.mayWrite,
    accessTo: (_rollout, { entry: { source } }) =>
      state.access ?? {
        kind: 'open',
        backend: 'unleash',
        target: source === 'other' ? other.target : backend.target,
        withinMs: 10_000,
      },
    onAnswer: (rollout) => told.push(rollout),
    onResult: (kind, result) => results.push(`${kind} ${result}`),
    onSurprise: (surprise) => surprises.push(surprise),
  });
  return { clock, backend, other, flags, told, results, surprises, state, one: () => flags.of(key)[0] };
}

test('a plan reads what is there and writes nothing', async () => {
  const { clock, backend, flags, one, told } = world();
  flags.ask(key, order('plan'));
  expect(one()).toMatchObject({ id: 'uid-1-1', task: 'plan', kind: 'asked', forMs: 0 });
  await clock.advance(0);
  expect(one()).toMatchObject({ task: 'plan', kind: 'planned', previous: '"on"', isServed: false, withinMs: 10_000 });
  expect(backend.writes).toBe(0);
  expect(told).toEqual([key]);
  await clock.advance(60_000);
  expect(backend.calls).toEqual(['plan at 0']);
  expect(clock.pendingTimers).toBe(0);
});

test('a change is written once, seen to be served, and then left alone', async () => {
  const { clock, backend, flags, one, results } = world();
  flags.ask(key, order('apply'));
  flags.ask(key, order('apply'));
  await clock.advance(0);
  expect(one()).toMatchObject({ task: 'apply', kind: 'served' });
  await clock.advance(60_000);
  expect(backend.writes).toBe(1);
  expect(backend.calls).toEqual(['apply at 0', 'verify at 0']);
  expect(results).toEqual(['unleash applied', 'unleash served']);
});

test('what the backend accepted and does not serve is accepted for its time, and a failure after it; the look goes on', async () => {
  const { clock, backend, flags, one } = world();
  backend.isLying = true;
  flags.ask(key, order('apply'));
  await clock.advance(9_900);
  expect(one()).toMatchObject({ kind: 'applied', forMs: 9_900 });
  await clock.advance(200);
  expect(one()).toMatchObject({ kind: 'failed', task: 'apply', sentence: 'still off' });
  backend.isLying = false;
  await clock.advance(15_000);
  expect(one()).toMatchObject({ kind: 'served' });
  expect(backend.calls.filter((call) => call.startsWith('apply'))).toHaveLength(1);
});

test.each(['unreachable', 'denied', 'refused', 'notFound', 'invalid'] as const)(
  'a backend that says "%s" is asked again, less and less often, and what it said is told with since when',
  async (code) => {
    const { clock, backend, flags, one, results } = world();
    backend.does.push(...Array.from({ length: 8 }, () => error(code)));
    flags.ask(key, order('apply'));
    await clock.advance(2_000);
    expect(one()).toMatchObject({ kind: 'failed', sentence: `turn off: ${code}`, forMs: 2_000 });
    const times = backend.calls.map((call) => Number(call.split(' at ')[1]));
    expect(times).toEqual([0, 500, 1_500]);
    await clock.advance(120_000);
    expect(one()).toMatchObject({ kind: 'served' });
    expect(results.filter((result) => result === 'unleash failed')).toHaveLength(8);
    expect(backend.writes).toBe(1);
  },
);

test('a backend that asks for patience gets it, but not for ever', async () => {
  const { clock, backend, flags, one } = world();
  backend.does.push(error('rateLimited', 7_000), error('rateLimited', 86_400_000));
  flags.ask(key, order('apply'));
  await clock.advance(6_900);
  expect(backend.calls).toHaveLength(1);
  await clock.advance(200);
  expect(backend.calls).toHaveLength(2);
  await clock.advance(60_000);
  expect(one()).toMatchObject({ kind: 'served' });
});

test.each([
  ['hangs', 10_100],
  ['hangsDeaf', 12_100],
] as const)('a call that %s is given up and tried again', async (does, untilMs) => {
  const { clock, backend, flags, one } = world();
  backend.does.push(does);
  flags.ask(key, order('apply'));
  await clock.advance(untilMs);
  expect(one()).toMatchObject({ kind: 'failed', sentence: expect.stringContaining('no answer within 10 s') });
  await clock.advance(1_000);
  expect(one()).toMatchObject({ kind: 'served' });
});

test('a source that hangs delays nobody who uses another one (S15)', async () => {
  const { clock, backend, flags } = world();
  backend.does.push(...Array.from({ length: 500 }, () => 'hangs' as const));
  for (let index = 0; index < 100; index++) flags.ask(`shop/${index}`, order('apply', { id: `uid-${index}` }));
  await clock.advance(0);
  expect(backend.calls).toHaveLength(4);
  flags.ask('shop/other', order('apply', { id: 'uid-other', source: 'other' }));
  await clock.advance(0);
  expect(flags.of('shop/other')[0]).toMatchObject({ kind: 'served' });
});

test('one that waits for its turn leaves it when it is dropped', async () => {
  const { clock, backend, flags } = world();
  backend.does.push(...Array.from({ length: 4 }, () => 'hangs' as const));
  for (let index = 0; index < 5; index++) flags.ask(`shop/${index}`, order('apply', { id: `uid-${index}` }));
  await clock.advance(0);
  flags.drop('shop/4', 'uid-4');
  expect(flags.of('shop/4')).toEqual([]);
  await clock.advance(30_000);
  expect(backend.writes).toBe(4);
});

test('a revert waits until the write before it has ended, and looks again for one that came late', async () => {
  const { clock, backend, flags, one } = world();
  backend.does.push('hangs');
  flags.ask(key, order('apply'));
  await clock.advance(100);
  flags.ask(key, order('revert'));
  expect(one()).toMatchObject({ task: 'revert', kind: 'asked' });
  await clock.advance(0);
  expect(backend.calls).toEqual(['apply at 0', 'revert at 100']);
  // The write that was given up arrives after all.
  backend.write({ id: 'uid-1-1', flag: 'new-pricing', variant: 'off', namespace: 'shop' });
  expect(one()).toMatchObject({ kind: 'asked' });
  await clock.advance(5_000);
  expect(one()).toMatchObject({ task: 'revert', kind: 'reverted' });
  expect(backend.value).toBe('on');
});

test('a flag that somebody else changed since is left alone, and that is said', async () => {
  const { clock, backend, flags, one } = world();
  flags.ask(key, order('apply'));
  await clock.advance(0);
  backend.value = 'by hand';
  flags.ask(key, order('revert'));
  await clock.advance(0);
  expect(one()).toMatchObject({ kind: 'keptByOthers', sentence: expect.stringContaining('somebody else') });
  expect(backend.value).toBe('by hand');
});

test('what was never written down was never written: there is nothing to put back (S11)', async () => {
  const { clock, backend, flags, one } = world();
  const { previous: _none, ...planned } = flagEntry();
  flags.ask(key, { task: 'revert', entry: planned, namespace: 'shop' });
  await clock.advance(0);
  expect(one()).toMatchObject({ task: 'revert', kind: 'reverted' });
  expect(backend.calls).toEqual([]);
});

test('a source that is not there is told in its own words, and used as soon as it is', async () => {
  const { clock, flags, one, state, told } = world();
  state.access = { kind: 'closed', sentence: 'FlagSource unleash does not exist.' };
  flags.ask(key, order('apply'));
  await clock.advance(40_000);
  expect(one()).toMatchObject({ kind: 'failed', sentence: 'FlagSource unleash does not exist.' });
  expect(told).toHaveLength(1);
  state.access = undefined;
  flags.reconsider();
  await clock.advance(0);
  expect(one()).toMatchObject({ kind: 'served' });
});

test('while what a source demands is being read, nothing has failed', async () => {
  const { clock, flags, one, state } = world();
  state.access = { kind: 'unread' };
  flags.ask(key, order('plan'));
  await clock.advance(3_000);
  expect(one()).toMatchObject({ kind: 'asked', forMs: 3_000 });
});

test('another change of the same Rollout goes its own way', async () => {
  const { clock, backend, flags } = world();
  backend.does.push('hangs');
  flags.ask(key, order('apply'));
  flags.ask(key, order('plan', { id: 'uid-1-2', flag: 'search' }));
  await clock.advance(0);
  expect(flags.of(key).map(({ id, kind }) => [id, kind])).toEqual([
    ['uid-1-1', 'asked'],
    ['uid-1-2', 'planned'],
  ]);
});

test('a process that does not lead any more writes nothing (S12), and ends what it was doing', async () => {
  const { clock, backend, flags, one, state } = world();
  state.mayWrite = false;
  const stop = new AbortController();
  const running = flags.run(stop.signal);
  flags.ask(key, order('apply'));
  await clock.advance(5_000);
  expect(one()).toMatchObject({ kind: 'failed', sentence: expect.stringContaining('Lease') });
  expect(backend.calls).toEqual([]);
  stop.abort();
  await clock.advance(0);
  await running;
  expect(flags.of(key)).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test('one that starts anew and is asked again finds the change done, and writes no second time', async () => {
  const { clock, backend, flags } = world();
  flags.ask(key, order('apply'));
  await clock.advance(0);
  flags.forget(key);
  flags.ask(key, order('apply'));
  await clock.advance(0);
  expect(flags.of(key)[0]).toMatchObject({ kind: 'served' });
  expect(backend.writes).toBe(1);
});

test('a fault of an adapter is logged for us and told without its words, which nobody has looked at', async () => {
  const { clock, backend, flags, one, surprises } = world();
  backend.does.push(new TypeError('token=hunter2'));
  flags.ask(key, order('plan'));
  await clock.advance(0);
  expect(surprises).toHaveLength(1);
  expect(one()).toMatchObject({ kind: 'failed', sentence: expect.not.stringContaining('hunter2') });
});
