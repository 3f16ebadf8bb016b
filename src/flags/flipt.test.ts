import { systemClock } from '../kube/clock.ts';
import { Secret } from '../signals/secret.ts';
import { type Asked, type BackendDouble, badDays, type Reply, startBackend } from './backend-double.ts';
import type { FliptFlag } from './flipt-flag.ts';
import { fliptTarget } from './flipt.ts';
import type { FliptBackend } from './source.ts';
import type { FlagChange } from './target.ts';

const never = new AbortController().signal;
const change: FlagChange = { id: 'abc-1-1', flag: 'new-cart', variant: 'off', namespace: 'shop' };
const path = '/api/v2/environments/production/namespaces/shop/resources';
let server: BackendDouble;
let world: World;

/** As Flipt v2 documents it: one revision for all of the environment, and a conflict for any other. */
class World {
  flag: FliptFlag = { key: 'new-cart', type: 'BOOLEAN_FLAG_TYPE', enabled: true, metadata: { owner: 'shop' } };
  revision = 1;
  commits = 0;
  /** Somebody else writes after the next read. */
  interfering: (() => void) | undefined;
  /** What is evaluated is what was, when it lies. */
  evaluated: FliptFlag | undefined;

  answer({ method, path: at, headers, body }: Asked): Reply {
    if (headers.authorization !== 'Bearer t1') return { status: 401 };
    if (at === `${path}/flipt.core.Flag/new-cart`) return this.#read();
    if (at === path && method === 'PUT') return this.#written(JSON.parse(body));
    if (at === '/ofrep/v1/evaluate/flags/new-cart' && headers['x-flipt-namespace'] === 'shop') return this.#evaluate();
    return { status: 404, json: { code: 5, message: 'not found', details: [] } };
  }

  #read(): Reply {
    const json = {
      resource: { namespaceKey: 'shop', key: 'new-cart', payload: { '@type': 'flipt.core.Flag', ...this.flag } },
      revision: `r${this.revision}`,
    };
    this.interfering?.();
    return { status: 200, json };
  }

  #written({ payload, revision }: { payload: FliptFlag; revision: string }): Reply {
    if (revision !== `r${this.revision}`) return { status: 409, json: { code: 10, message: 'conflict', details: [] } };
    this.flag = payload;
    this.revision += 1;
    this.commits += 1;
    return { status: 200, json: { resource: {}, revision: `r${this.revision}` } };
  }

  #evaluate(): Reply {
    const { type, enabled = false, defaultVariant } = this.evaluated ?? this.flag;
    if (type === 'BOOLEAN_FLAG_TYPE')
      return { status: 200, json: { value: enabled, variant: String(enabled), reason: 'DEFAULT' } };
    if (!enabled) return { status: 200, json: { reason: 'DISABLED' } };
    return { status: 200, json: { value: defaultVariant, variant: defaultVariant, reason: 'DEFAULT' } };
  }
}

beforeEach(async () => {
  world = new World();
  server = await startBackend((asked) => world.answer(asked));
});

afterEach(() => server.stop());

function open(timeoutMs = 2000) {
  const backend: FliptBackend = {
    kind: 'flipt',
    address: server.address,
    timeoutMs,
    environment: 'production',
    namespace: 'shop',
    auth: { kind: 'token', token: new Secret('t1') },
  };
  return fliptTarget({ name: 'flipt', verifyWithinMs: 10_000, backend }, backend, { clock: systemClock });
}

test('a boolean flag is turned off for everybody, seen served, and put back with all that it had', async () => {
  const target = open();
  const rollouts = [{ type: 'SEGMENT_ROLLOUT_TYPE', segment: { value: true, segments: ['staff'] } }];
  world.flag = { ...world.flag, rollouts };
  const { previous, isServed } = await target.plan(change, never);
  expect([isServed, world.commits]).toEqual([false, 0]);
  await target.apply(change, previous, never);
  expect(world.flag).toMatchObject({
    enabled: false,
    rollouts: [],
    metadata: { owner: 'shop', serinChange: 'abc-1-1' },
  });
  expect(await target.verify(change, never)).toMatchObject({ served: true });
  expect(await target.revert(change, previous, never)).toBe('reverted');
  expect(world.flag).toMatchObject({ enabled: true, rollouts, metadata: { owner: 'shop' } });
  expect(world.flag.metadata).not.toHaveProperty('serinChange');
  expect(world.commits).toBe(2);
});

test('a change that was made before a crash is not made again', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  await target.apply(change, previous, never);
  expect(world.commits).toBe(1);
});

test('something else in the environment changed in between: read and decided upon again', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  world.interfering = () => {
    world.revision += 1;
    world.interfering = undefined;
  };
  await target.apply(change, previous, never);
  expect([world.flag.enabled, world.commits]).toEqual([false, 1]);
});

test('somebody changed the flag itself in between: it is left alone', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  world.interfering = () => {
    world.revision += 1;
    world.flag = { ...world.flag, rollouts: [{ type: 'THRESHOLD_ROLLOUT_TYPE' }] };
    world.interfering = undefined;
  };
  await expect(target.apply(change, previous, never)).rejects.toMatchObject({ code: 'refused' });
  expect(world.commits).toBe(0);
});

test('an environment that never stands still ends in words', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  world.interfering = () => void (world.revision += 1);
  await expect(target.apply(change, previous, never)).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(/failed 5 times/),
  });
});

test('a person edited the flag after the change: a revert keeps that', async () => {
  const target = open();
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  world.flag = { ...world.flag, rollouts: [{ type: 'THRESHOLD_ROLLOUT_TYPE' }] };
  expect(await target.revert(change, previous, never)).toBe('keptByOthers');
  expect(world.commits).toBe(1);
});

test('the variant of a flag with variants: its rules stand aside, and come back', async () => {
  const target = open();
  const rules = [{ segments: ['eu'], distributions: [{ variant: 'new', rollout: 100 }] }];
  world.flag = {
    key: 'new-cart',
    type: 'VARIANT_FLAG_TYPE',
    enabled: true,
    variants: [{ key: 'old' }, { key: 'new' }],
    rules,
  };
  const asked = { ...change, variant: 'old' };
  const { previous } = await target.plan(asked, never);
  await target.apply(asked, previous, never);
  expect(world.flag).toMatchObject({ defaultVariant: 'old', rules: [] });
  expect(await target.verify(asked, never)).toMatchObject({ served: true });
  await target.revert(asked, previous, never);
  expect(world.flag).toMatchObject({ rules });
  await expect(target.plan({ ...change, variant: 'none' }, never)).rejects.toMatchObject({ code: 'notFound' });
});

test('a share of a boolean flag is a threshold', async () => {
  const target = open();
  const asked = { ...change, variant: 'on', percent: 20 };
  const { previous } = await target.plan(asked, never);
  await target.apply(asked, previous, never);
  expect(world.flag).toMatchObject({ enabled: false, rollouts: [{ threshold: { percentage: 20, value: true } }] });
  expect(await target.verify(asked, never)).toMatchObject({ served: true });
});

test('a Flipt that accepts and goes on as before is not believed', async () => {
  const target = open();
  world.evaluated = world.flag;
  const { previous } = await target.plan(change, never);
  await target.apply(change, previous, never);
  expect(await target.verify(change, never)).toMatchObject({
    served: false,
    sentence: expect.stringMatching(/what is served is variant on/),
  });
});

test.each(badDays.filter(([name]) => name !== 'finds a conflict'))('a Flipt that %s', async (_, reply, code, words) => {
  server.behave(() => reply);
  await expect(open().plan(change, never)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
});

test('a Flipt that is down, one that never answers, and what is none', async () => {
  server.behave(() => undefined);
  await expect(open(100).plan(change, never)).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(/within 0.1 s/),
  });
  server.behave(() => ({ status: 200, json: {} }));
  await expect(open().plan(change, never)).rejects.toThrow(/not what Flipt v2 answers/);
  await server.stop();
  await expect(open().plan(change, never)).rejects.toMatchObject({ code: 'unreachable' });
});
