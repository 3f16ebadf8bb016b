import { Supervisor } from './supervisor.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

test('loops that end when they are told to are no failure', async () => {
  const supervisor = new Supervisor();
  const stop = new AbortController();
  const running = supervisor.run(
    [
      { name: 'a', run: untilAborted },
      { name: 'b', run: untilAborted },
    ],
    stop.signal,
  );
  stop.abort();
  await running;
  expect(supervisor.ended).toEqual([]);
});

test('a loop that throws stops the others and is named', async () => {
  const supervisor = new Supervisor();
  const broken = { name: 'queue', run: () => Promise.reject(new Error('out of cheese')) };
  await expect(
    supervisor.run([broken, { name: 'b', run: untilAborted }], new AbortController().signal),
  ).rejects.toThrow('queue stopped: out of cheese');
  expect(supervisor.ended).toEqual(['queue: out of cheese']);
});

test('a loop that ends by itself is a failure too: nobody does its work any more', async () => {
  const supervisor = new Supervisor();
  await expect(
    supervisor.run([{ name: 'watch', run: () => Promise.resolve() }], new AbortController().signal),
  ).rejects.toThrow('watch stopped: it ended by itself');
});
