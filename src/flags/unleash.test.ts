import { systemClock } from '../kube/clock.ts';
import { Secret } from '../signals/secret.ts';
import { type BackendDouble, badDays, startBackend } from './backend-double.ts';
import type { UnleashBackend } from './source.ts';
import type { FlagChange } from './target.ts';
import { strategyOf, UnleashDouble } from './unleash-double.ts';
import { unleashTarget } from './unleash.ts';

const never = new AbortController().signal;
const change: FlagChange = { id: 'abc-1-1', flag: 'new-cart', variant: 'off', namespace: 'shop' };
let server: BackendDouble;
let world: UnleashDouble;

beforeEach(async () => {
  world = new UnleashDouble();
  server = await startBackend((asked) => world.answer(asked));
});

afterEach(() => server.stop());

function open(timeoutMs = 2000) {
  const backend: UnleashBackend = {
    kind: 'unleash',
    address: server.address,
    timeoutMs,
    project: 'default',
    environment: 'production',
    auth: { kind: 'token', token: new Secret('admin') },
    clientAuth: { kind: 'token', token: new Secret('client') },
  };
  return unleashTarget({ name: 'unleash', verifyWithinMs: 10_000, backend }, backend, { clock: systemClock });
}

const types = () => world.events.map(({ type }) => type.replace('feature-environment-', ''));

test('a flag is turned off once, seen served, and turned on again', async () => {
  const target = open();
  const { previous, isServed } = await target.plan(change, never);
  expect([isServed, server.writes().length]).toEqual([false, 0]);
  await target.apply(change, previous, never);
  await target.apply(change, previous, never);
  expect(await target.verify(change, never)).toMatchObject({ served: true });
  expect(await target.revert(change, previous, never)).toBe('reverted');
  expect(await target.revert(change, previous, never)).toBe('reverted');
  expect(types()).toEqual(['disabled', 'enabled']);
});

test('somebody undid the change before a retry: it is not made again', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  world.turn(true);
  await expect(target.apply(change, previous, never)).rejects.toMatchObject({ code: 'refused' });
  expect(types()).toEqual(['disabled', 'enabled']);
});

test('somebody turned it on and off again after the change: a revert keeps that', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  world.turn(true);
  world.turn(false);
  expect(await target.revert(change, previous, never)).toBe('keptByOthers');
  expect(world.enabled).toBe(false);
});

test('a flag that is off already is served already, and nothing is put back', async () => {
  const target = open();
  world.enabled = false;
  const { previous, isServed } = await target.plan(change, never);
  await target.apply(change, previous, never);
  await target.revert(change, previous, never);
  expect([isServed, world.events]).toEqual([true, []]);
});

test('a variant is served to all whom the strategy lets in; the flag is turned on after that', async () => {
  const target = open();
  world.enabled = false;
  world.strategies = [strategyOf('50', ['blue', 'red'])];
  const asked = { ...change, variant: 'red' };
  const { previous } = await target.plan(asked, never);
  await target.apply(asked, previous, never);
  expect(types()).toEqual(['feature-strategy-update', 'enabled']);
  expect(await target.verify(asked, never)).toMatchObject({ served: true });
  expect(await target.verify({ ...asked, variant: 'blue' }, never)).toMatchObject({ served: false });
  expect(await target.revert(asked, previous, never)).toBe('reverted');
  expect(world).toMatchObject({ enabled: false, strategies: [strategyOf('50', ['blue', 'red'])] });
});

test('a crash between the two writes of a variant: the second is made, the first is not made again', async () => {
  const target = open();
  world.enabled = false;
  world.strategies = [strategyOf('100', ['blue', 'red'])];
  const asked = { ...change, variant: 'red' };
  const { previous } = await target.plan(asked, never);
  await target.apply(asked, previous, never);
  world.events.pop();
  world.enabled = false;
  await target.apply(asked, previous, never);
  expect(types()).toEqual(['feature-strategy-update', 'enabled']);
});

test('a share is the share of the gradual rollout', async () => {
  const target = open();
  const asked = { ...change, variant: 'on', percent: 20 };
  const { previous } = await target.plan(asked, never);
  await target.apply(asked, previous, never);
  expect(world.strategies[0]?.parameters['rollout']).toBe('20');
  expect(await target.verify(asked, never)).toMatchObject({ served: true });
  expect(await target.verify({ ...asked, percent: 60 }, never)).toMatchObject({ served: false });
  world.strategies = [strategyOf('70', [])];
  expect(await target.revert(asked, previous, never)).toBe('keptByOthers');
});

test('what Unleash cannot do is said before anything is written', async () => {
  const target = open();
  const plan = (more: Partial<FlagChange>) => target.plan({ ...change, ...more }, never);
  await expect(plan({ variant: 'red' })).rejects.toMatchObject({ code: 'notFound' });
  await expect(plan({ percent: 20 })).rejects.toMatchObject({ code: 'invalid' });
  await expect(plan({ flag: '..' })).rejects.toMatchObject({ code: 'invalid' });
  world.strategies = [strategyOf('100', []), { ...strategyOf('100', []), id: 's2' }];
  await expect(plan({ variant: 'on', percent: 5 })).rejects.toThrow(/exactly one active strategy/);
  world.strategies = [{ ...strategyOf('100', []), constraints: [{ contextName: 'userId' }] }];
  await expect(plan({ variant: 'on' })).rejects.toThrow(/certain users only/);
  expect(server.writes()).toEqual([]);
});

test('an Unleash that accepts and goes on giving out the old flag is not believed', async () => {
  const target = open();
  world.lie();
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  expect(await target.verify(change, never)).toMatchObject({ served: false });
});

test('a flag that applications do not get', async () => {
  server.behave((asked) =>
    asked.path === '/api/client/features' ? { status: 200, json: { version: 2, features: [] } } : world.answer(asked),
  );
  expect(await open().verify(change, never)).toMatchObject({
    served: false,
    sentence: expect.stringMatching(/applications do not get this flag/),
  });
});

test.each(badDays)('an Unleash that %s', async (_, reply, code, words) => {
  server.behave(() => reply);
  await expect(open().plan(change, never)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
});

test('change requests: the write is refused, and it is said whose move it is', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  server.behave((asked) =>
    asked.method === 'POST'
      ? { status: 403, json: { message: 'You need the SKIP_CHANGE_REQUEST permission' } }
      : world.answer(asked),
  );
  await expect(target.apply(change, previous, never)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(/whoever owns the flag/),
  });
});

test('an Unleash that is down, one that never answers, and what is none', async () => {
  server.behave(() => undefined);
  await expect(open(100).plan(change, never)).rejects.toMatchObject({ code: 'unreachable' });
  server.behave(() => ({ status: 200, json: {} }));
  await expect(open().plan(change, never)).rejects.toThrow(/not what Unleash answers/);
  await server.stop();
  await expect(open().plan(change, never)).rejects.toMatchObject({ code: 'unreachable' });
});
