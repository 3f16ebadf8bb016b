import { ManualClock } from '../kube/manual-clock.ts';
import { GuardProofs } from './guard-proofs.ts';

function world(namespaces: readonly string[]) {
  const clock = new ManualClock();
  const tried: { namespace: string; atMs: number }[] = [];
  const changed: string[] = [];
  const errors: unknown[] = [];
  const answers = new Map<string, 'proven' | 'absent' | Error>();
  const proofs = new GuardProofs({
    clock,
    probe: async ({ namespace = '' }) => {
      tried.push({ namespace, atMs: clock.monotonicMs() });
      const answer = answers.get(namespace) ?? 'proven';
      if (answer instanceof Error) throw answer;
      return answer;
    },
    attached: () => namespaces.map((namespace) => ({ namespace, name: 'checkout' })),
    onChange: (namespace) => void changed.push(namespace),
    onError: (error) => void errors.push(error),
  });
  const stop = new AbortController();
  const run = () => proofs.run(stop.signal);
  return { clock, proofs, tried, changed, errors, answers, run, stop };
}

test('after a start every namespace is tried once and quickly, then one a minute in turn', async () => {
  const { clock, tried, run, stop } = world(['a', 'b', 'c']);
  const running = run();
  await clock.advance(5_000);
  expect(tried.map(({ namespace }) => namespace).toSorted()).toEqual(['a', 'b', 'c']);
  await clock.advance(6 * 60_000);
  const later = tried.slice(3);
  expect(later.length).toBeLessThanOrEqual(6);
  expect(new Set(later.map(({ namespace }) => namespace))).toEqual(new Set(['a', 'b', 'c']));
  stop.abort();
  await running;
  expect(clock.pendingTimers).toBe(0);
});

test('what the core asks for is tried at once, and not again a moment later', async () => {
  const { proofs, tried, clock } = world(['a']);
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  expect(tried).toHaveLength(1);
  expect(proofs.of('a')).toBe('proven');
  await clock.advance(6_000);
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  expect(tried).toHaveLength(2);
});

test('only a changed answer is news', async () => {
  const { proofs, changed, clock, answers } = world(['a']);
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  await clock.advance(6_000);
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  expect(changed).toEqual(['a']);
  answers.set('a', 'absent');
  await clock.advance(6_000);
  await proofs.prove({ namespace: 'a', name: 'checkout' });
  expect(changed).toEqual(['a', 'a']);
  expect(proofs.of('a')).toBe('absent');
});

test('an API server that cannot answer proves nothing, and the turn goes on', async () => {
  const { proofs, answers, errors, clock, run, stop } = world(['a', 'b']);
  answers.set('a', new Error('unavailable'));
  const running = run();
  await clock.advance(10_000);
  expect(proofs.of('a')).toBe('unknown');
  expect(proofs.of('b')).toBe('proven');
  expect(errors).toHaveLength(1);
  answers.set('a', 'proven');
  await clock.advance(2 * 60_000);
  expect(proofs.of('a')).toBe('proven');
  stop.abort();
  await running;
});
