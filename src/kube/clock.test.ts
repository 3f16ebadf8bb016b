import { systemClock } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

test('timers run in the order in which they are due, and those they set run too', async () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.after(30, () => ran.push(`c at ${clock.monotonicMs()}`));
  clock.after(10, () => {
    ran.push(`a at ${clock.monotonicMs()}`);
    clock.after(5, () => ran.push(`b at ${clock.monotonicMs()}`));
  });
  clock.after(31, () => ran.push('too late'));
  await clock.advance(30);
  expect(ran).toEqual(['a at 10', 'b at 15', 'c at 30']);
  expect(clock.pendingTimers).toBe(1);
});

test('a loop that sleeps goes round as often as time allows', async () => {
  const clock = new ManualClock();
  let rounds = 0;
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(1000, stop.signal);
      rounds++;
    }
  })();
  await clock.advance(10_000);
  expect(rounds).toBe(10);
  stop.abort();
  await loop;
  expect(clock.pendingTimers).toBe(0);
});

test.each([
  ['by hand', () => new ManualClock()],
  ['of the system', () => systemClock],
])('the clock %s: a sleep ends at once when its signal aborts', async (_, make) => {
  const stop = new AbortController();
  const sleeping = make().sleep(3_600_000, stop.signal);
  stop.abort();
  await sleeping;
  await make().sleep(3_600_000, stop.signal);
});

test('the clock of the system runs a timer and forgets a cancelled one', async () => {
  const ran: string[] = [];
  const cancelled = systemClock.after(1, () => ran.push('cancelled'));
  cancelled.cancel();
  systemClock.after(2, () => ran.push('kept'));
  await systemClock.sleep(20);
  expect(ran).toEqual(['kept']);
});

test('a timer longer than Node holds does not fire at once', async () => {
  let hasFired = false;
  const timer = systemClock.after(2 ** 32, () => {
    hasFired = true;
  });
  await systemClock.sleep(20);
  timer.cancel();
  expect(hasFired).toBe(false);
});
