import type { Attempt } from '../api/rollout-status.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { Decision } from '../release/decision.ts';
import type { Memory } from '../release/world.ts';
import type { Pod } from '../workload/objects.ts';
import type { Tried } from './check-requests.ts';
import { checkIdOf, type CheckOrder, Checks } from './checks.ts';

const key = 'shop/checkout';
const passed: Tried = { kind: 'passed' };
const failed: Tried = { kind: 'failed', sentence: 'status 500.' };
const unreachable: Tried = { kind: 'unreachable', sentence: 'nobody.' };
const check = { requests: [], withinMs: 60_000 };

function memoryAt(step: number, number = 1): Memory {
  const steps = [{ weightPercent: 0, check }, { weightPercent: 10 }, { weightPercent: 10, check }];
  const attempt = {
    number,
    record: `checkout-bbb-${number}`,
    beganAtMs: number,
    stage: 'step',
    step,
    spec: { strategy: { steps } },
  } as unknown as Attempt;
  return { journal: { version: 2, attempts: 1, handledActions: [], attempt }, stable: undefined, quarantined: [] };
}

function pod(name: string, ready = 'True'): Pod {
  return {
    metadata: { namespace: 'shop', name, uid: name, resourceVersion: '1' },
    spec: { containers: [{ name: 'app' }] },
    status: { podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: ready }] },
  } as unknown as Pod;
}

function shop(...answers: Tried[]) {
  const clock = new ManualClock();
  const state = { pods: [pod('a')] as readonly Pod[], answers, asked: [] as number[], woken: 0, takesMs: 0 };
  const checks = new Checks({
    clock,
    stores: { pods: { list: (_index, uid) => (uid === 'canary' ? state.pods : []) } },
    ask: async (pods, _requests, signal) => {
      state.asked.push(pods.length);
      await clock.sleep(state.takesMs, signal);
      return state.answers.shift() ?? passed;
    },
    onAnswer: () => void state.woken++,
  });
  const order = (memory: Memory, part: Partial<CheckOrder> = {}): CheckOrder => ({
    id: checkIdOf(memory) ?? '',
    namespace: 'shop',
    replicaSetUid: 'canary',
    port: 80,
    requests: [],
    ...part,
  });
  return { clock, state, checks, order };
}

const follow = (checks: Checks, memory: Memory) => {
  const nothing = { follow: () => undefined, forget: () => undefined, evidenceOf: () => undefined };
  checks.beside(nothing).follow(key, {} as never, { memory } as Decision);
};

test('pods are asked until all is as expected, and somebody is woken each time', async () => {
  const { clock, state, checks, order } = shop(failed, failed, passed);
  const at = memoryAt(0);
  checks.ask(key, order(at));
  expect(checks.of(key, at)).toEqual({ kind: 'asked' });
  await clock.advance(0);
  expect(checks.of(key, at)).toEqual({ kind: 'failed', forMs: 0, sentence: 'status 500.' });
  await clock.advance(5_000);
  expect(checks.of(key, at)).toEqual({ kind: 'failed', forMs: 5_000, sentence: 'status 500.' });
  await clock.advance(5_000);
  expect(checks.of(key, at)).toEqual({ kind: 'passed' });
  await clock.advance(60_000);
  expect(state).toMatchObject({ asked: [1, 1, 1], woken: 3 });
  expect(clock.pendingTimers).toBe(0);
});

test('how long it has been failing includes the time that the tries take, and begins anew with another kind of answer', async () => {
  const { clock, state, checks, order } = shop(unreachable, failed, failed);
  state.takesMs = 1_000;
  const at = memoryAt(0);
  checks.ask(key, order(at));
  await clock.advance(1_000);
  expect(checks.of(key, at)).toMatchObject({ kind: 'unreachable', forMs: 1_000 });
  await clock.advance(6_000);
  expect(checks.of(key, at)).toMatchObject({ kind: 'failed', forMs: 1_000 });
  await clock.advance(6_000);
  expect(checks.of(key, at)).toMatchObject({ kind: 'failed', forMs: 7_000 });
});

test('the same order again asks nobody twice', async () => {
  const { clock, state, checks, order } = shop();
  const at = memoryAt(0);
  checks.ask(key, order(at));
  checks.ask(key, order(at));
  await clock.advance(0);
  expect(state.asked).toEqual([1]);
});

test('an answer counts for its own step and attempt only', async () => {
  const { clock, checks, order } = shop();
  checks.ask(key, order(memoryAt(0)));
  await clock.advance(0);
  expect(checks.of(key, memoryAt(0))).toEqual({ kind: 'passed' });
  expect(checks.of(key, memoryAt(1))).toBeUndefined();
  expect(checks.of(key, memoryAt(2))).toBeUndefined();
  expect(checks.of(key, memoryAt(0, 2))).toBeUndefined();
});

test('once the release has left the step nobody is asked any more', async () => {
  const { clock, state, checks, order } = shop(failed, failed, failed);
  checks.ask(key, order(memoryAt(0)));
  await clock.advance(0);
  follow(checks, memoryAt(0));
  await clock.advance(5_000);
  expect(state.asked).toHaveLength(2);
  follow(checks, memoryAt(1));
  await clock.advance(60_000);
  expect(state.asked).toHaveLength(2);
  expect(clock.pendingTimers).toBe(0);
});

test('without a ready pod it waits for one, and what was wrong before counts no longer', async () => {
  const { clock, state, checks, order } = shop(failed, failed);
  const at = memoryAt(0);
  checks.ask(key, order(at));
  await clock.advance(0);
  state.pods = [pod('a', 'False')];
  await clock.advance(5_000);
  expect(checks.of(key, at)).toEqual({ kind: 'asked' });
  state.pods = [pod('b')];
  await clock.advance(5_000);
  expect(checks.of(key, at)).toMatchObject({ kind: 'failed', forMs: 0 });
});

test('a port that nothing says, or that no container has, is told and is no failure', async () => {
  const { clock, checks, order } = shop();
  checks.ask(key, order(memoryAt(0), { port: undefined }));
  await clock.advance(0);
  expect(checks.of(key, memoryAt(0))).toMatchObject({ kind: 'unreachable' });
  checks.ask(key, order(memoryAt(2), { port: 'web' }));
  await clock.advance(0);
  expect(checks.of(key, memoryAt(2))).toMatchObject({ kind: 'unreachable', sentence: expect.stringContaining('web') });
});

test('when this process does not lead any more, all asking ends', async () => {
  const { clock, checks, order } = shop(failed, failed);
  const stop = new AbortController();
  const running = checks.run(stop.signal);
  checks.ask(key, order(memoryAt(0)));
  await clock.advance(0);
  stop.abort();
  await running;
  expect(checks.of(key, memoryAt(0))).toBeUndefined();
  expect(clock.pendingTimers).toBe(0);
});

test('tries of very many releases take turns', async () => {
  const { clock, state, checks, order } = shop();
  state.takesMs = 1_000;
  for (let index = 0; index < 300; index++) checks.ask(`shop/${index}`, order(memoryAt(0)));
  await clock.advance(0);
  expect(state.asked).toHaveLength(256);
  await clock.advance(1_000);
  expect(state.asked).toHaveLength(300);
});

test('a pod of another namespace that claims the same owner is nobody to ask', async () => {
  const { clock, state, checks, order } = shop();
  const own = pod('a');
  state.pods = [{ ...own, metadata: { ...own.metadata, namespace: 'mallory' } }];
  checks.ask(key, order(memoryAt(0)));
  await clock.advance(20_000);
  expect(state.asked).toEqual([]);
  checks.forget(key);
});

test('pods on the network of their nodes are asked nothing, and that is said instead of waiting for ever (S8)', async () => {
  const { clock, state, checks, order } = shop();
  const own = pod('a');
  state.pods = [{ ...own, spec: { ...own.spec, hostNetwork: true } }];
  const at = memoryAt(0);
  checks.ask(key, order(at));
  await clock.advance(0);
  expect(checks.of(key, at)).toMatchObject({ kind: 'unreachable', sentence: expect.stringContaining('hostNetwork') });
  checks.forget(key);
});
