import { systemClock } from '../kube/clock.ts';
import { Secret } from '../signals/secret.ts';
import { type BackendDouble, badDays, startBackend } from './backend-double.ts';
import type { FlagError } from './flag-error.ts';
import { httpTarget } from './http.ts';
import type { HttpBackend } from './source.ts';
import type { FlagChange } from './target.ts';

const never = new AbortController().signal;
const change: FlagChange = { id: 'abc-1-1', flag: 'new-cart', variant: 'off', namespace: 'shop' };

const on = { name: 'on', write: 'turnFlagOn', read: 'true' };
const off = { name: 'off', write: 'turnFlagOff', read: 'false' };
const code = (expected: string) => expect.objectContaining({ code: expected });
const opened: BackendDouble[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
});

async function start(...args: Parameters<typeof startBackend>): Promise<BackendDouble> {
  const server = await startBackend(...args);
  opened.push(server);
  return server;
}

function targetOf(backend: Partial<HttpBackend> & Pick<HttpBackend, 'write' | 'readBack'>) {
  const whole: HttpBackend = { kind: 'http', timeoutMs: 2000, variants: [], ...backend };
  return httpTarget({ name: 'flags', verifyWithinMs: 10_000, backend: whole }, whole, { clock: systemClock });
}

/** As LaunchDarkly documents it: semantic patch, the token alone, 429 with Retry-After. */
async function launchDarkly() {
  const world = { on: true, patches: 0 };
  const server = await start(({ method, headers, body }) => {
    if (headers.authorization !== 'api-123') return { status: 401, json: { message: 'invalid' } };
    if (method === 'GET')
      return { status: 200, json: { key: 'new-cart', environments: { production: { on: world.on } } } };
    if (!String(headers['content-type']).includes('domain-model=launchdarkly.semanticpatch')) return { status: 400 };
    const { instructions } = JSON.parse(body);
    world.on = instructions[0].kind === 'turnFlagOn';
    world.patches += 1;
    return { status: 200, json: {} };
  });
  const url = `${server.address}/api/v2/flags/shop/$(flag)`;
  const target = targetOf({
    auth: { header: 'Authorization', value: new Secret('api-123') },
    write: {
      method: 'PATCH',
      url,
      headers: [{ name: 'Content-Type', value: 'application/json; domain-model=launchdarkly.semanticpatch' }],
      body: '{"environmentKey":"production","comment":"Serin, change $(changeId)","instructions":[{"kind":"$(value)"}]}',
      success: [200],
    },
    readBack: { method: 'GET', url: `${url}?env=production`, headers: [], value: '/environments/production/on' },
    variants: [on, off],
  });
  return { world, server, target };
}

describe('a described HTTP server', () => {
  test('LaunchDarkly: turned off by a semantic patch, seen served, and turned on again', async () => {
    const { world, server, target } = await launchDarkly();
    const { previous, isServed } = await target.plan(change, never);
    expect(isServed).toBe(false);
    expect(server.writes()).toEqual([]);
    await target.apply(change, previous, never);
    expect(JSON.parse(server.writes()[0]?.body ?? '')).toEqual({
      environmentKey: 'production',
      comment: 'Serin, change abc-1-1',
      instructions: [{ kind: 'turnFlagOff' }],
    });
    expect(await target.verify(change, never)).toEqual({
      served: true,
      sentence: 'Variant off of flag new-cart (FlagSource flags) is served.',
    });
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(world).toEqual({ on: true, patches: 2 });
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(world.patches).toBe(2);
  });

  test('a change that was made before a crash is not made again', async () => {
    const { world, target } = await launchDarkly();
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    await target.apply(change, previous, never);
    expect(world).toEqual({ on: false, patches: 1 });
  });

  test('what a person made of the flag stays', async () => {
    const { world, target } = await launchDarkly();
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    world.on = true;
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(world.patches).toBe(1);
  });

  test('Flagsmith: an answer without content is an acceptance; it is read as applications read it', async () => {
    let enabled = true;
    const server = await start(({ method, path, headers, body }) => {
      if (method === 'GET') {
        if (headers['x-environment-key'] !== 'env-key') return { status: 403 };
        return { status: 200, json: { feature: { name: 'new-cart' }, enabled, feature_state_value: null, path } };
      }
      if (headers.authorization !== 'Api-Key k1') return { status: 403 };
      const said = JSON.parse(body);
      if (said.feature.name !== 'new-cart') return { status: 400 };
      enabled = said.enabled;
      return { status: 204 };
    });
    const target = targetOf({
      auth: { header: 'Authorization', value: new Secret('Api-Key k1') },
      write: {
        method: 'POST',
        url: `${server.address}/api/experiments/environments/env-key/update-flag-v1/`,
        headers: [],
        body: '{"feature":{"name":"$(flag)"},"enabled":$(value)}',
        success: [204],
      },
      readBack: {
        method: 'GET',
        url: `${server.address}/api/v1/flags/?feature=$(flag)`,
        headers: [{ name: 'X-Environment-Key', value: 'env-key' }],
        value: '/enabled',
      },
      variants: [
        { name: 'on', write: 'true' },
        { name: 'off', write: 'false' },
      ],
    });
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    expect(await target.verify(change, never)).toMatchObject({ served: true });
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(enabled).toBe(true);
  });

  test('ConfigCat: a JSON patch of the default value alone', async () => {
    const setting = { defaultValue: { boolValue: true }, targetingRules: [] };
    const server = await start(({ method, path, body }) => {
      if (path !== '/v2/environments/e1/settings/4711/value') return { status: 404 };
      if (method === 'GET') return { status: 200, json: setting };
      const [operation] = JSON.parse(body);
      if (operation.value === setting.defaultValue.boolValue) return { status: 204 };
      setting.defaultValue.boolValue = operation.value;
      return { status: 200, json: setting };
    });
    const url = `${server.address}/v2/environments/e1/settings/$(flag)/value`;
    const target = targetOf({
      write: {
        method: 'PATCH',
        url,
        headers: [],
        body: '[{"op":"replace","path":"/defaultValue/boolValue","value":$(value)}]',
        success: [200, 204],
      },
      readBack: { method: 'GET', url, headers: [], value: '/defaultValue/boolValue' },
      variants: [
        { name: 'on', write: 'true' },
        { name: 'off', write: 'false' },
      ],
    });
    const asked = { ...change, flag: '4711' };
    const { previous } = await target.plan(asked, never);
    await target.apply(asked, previous, never);
    expect(setting.defaultValue.boolValue).toBe(false);
    expect(await target.verify(asked, never)).toMatchObject({ served: true });
  });

  test.each(badDays)('a server that %s: told in words, without the credential', async (_, reply, expected, words) => {
    const { server, target } = await launchDarkly();
    server.behave(() => reply);
    const error = (await target.plan(change, never).catch((thrown: unknown) => thrown)) as FlagError;
    expect(error).toMatchObject({ code: expected, message: expect.stringMatching(words) });
    expect(error.message).toMatch(/^Reading flag new-cart of FlagSource flags failed/);
    if (expected === 'rateLimited') expect(error.retryAfterMs).toBe(7000);
  });

  test('a server that repeats the credential does not make it known', async () => {
    const { server, target } = await launchDarkly();
    server.behave(({ headers }) => ({ status: 500, text: `you sent ${String(headers.authorization)}` }));
    await expect(target.plan(change, never)).rejects.toThrow(/you sent \*\*\*/);
  });

  test('a server that is down, and one that never answers', async () => {
    const { server, target } = await launchDarkly();
    await server.stop();
    await expect(target.plan(change, never)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/refuses connections/),
    });
    const silent = await start(() => undefined);
    const write = { method: 'POST' as const, url: `${silent.address}/x`, headers: [], success: [200] };
    const hanging = targetOf({
      timeoutMs: 100,
      write,
      readBack: { method: 'GET', url: `${silent.address}/x`, headers: [], value: '/on' },
    });
    await expect(hanging.plan(change, never)).rejects.toMatchObject({
      message: expect.stringMatching(/did not answer within 0.1 s/),
    });
    await expect(hanging.plan(change, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  test('a server that accepts and goes on serving the old variant is not believed', async () => {
    const { server, target } = await launchDarkly();
    const { previous } = await target.plan(change, never);
    server.behave(({ method }) =>
      method === 'GET' ? { status: 200, json: { environments: { production: { on: true } } } } : { status: 200 },
    );
    await target.apply(change, previous, never);
    expect(await target.verify(change, never)).toEqual({
      served: false,
      sentence: 'Variant off of flag new-cart (FlagSource flags) is not served: what is served is variant on.',
    });
  });

  test('with a change id: what serves the same variant for another reason is not ours, and is not taken back', async () => {
    const world = { value: 'a', id: '' };
    const server = await start(({ method, body }) => {
      if (method === 'GET') return { status: 200, json: world };
      Object.assign(world, JSON.parse(body));
      return { status: 200 };
    });
    const target = targetOf({
      write: {
        method: 'PUT',
        url: `${server.address}/f/$(flag)`,
        headers: [],
        body: '{"value":"$(value)","id":"$(changeId)"}',
        success: [200],
      },
      readBack: { method: 'GET', url: `${server.address}/f/$(flag)`, headers: [], value: '/value', changeId: '/id' },
    });
    const asked = { ...change, flag: 'a/../b?c', variant: 'b' };
    const { previous } = await target.plan(asked, never);
    await target.apply(asked, previous, never);
    expect(server.writes()[0]?.path).toBe('/f/a%2F..%2Fb%3Fc');
    expect(await target.verify(asked, never)).toMatchObject({ served: true });
    world.id = 'somebody';
    expect(await target.verify(asked, never)).toMatchObject({
      served: false,
      sentence: expect.stringMatching(/does not come from this change/),
    });
    expect(await target.revert(asked, previous, never)).toBe('keptByOthers');
    world.value = 'c';
    await expect(target.apply(asked, previous, never)).rejects.toEqual(code('refused'));
    expect(server.writes()).toHaveLength(1);
  });

  test('a value that would be more than one value where it stands is refused before anything is written', async () => {
    const { server } = await launchDarkly();
    const write = { method: 'PUT' as const, url: `${server.address}/$(flag)`, headers: [], success: [200] };
    const readBack = { method: 'GET' as const, url: `${server.address}/x`, headers: [], value: '/on' };
    const bare = targetOf({ write: { ...write, body: '{"on":$(value)}' }, readBack });
    await expect(bare.plan({ ...change, variant: '1, "admin": true' }, never)).rejects.toEqual(code('invalid'));
    await expect(bare.plan({ ...change, flag: '..', variant: '1' }, never)).rejects.toEqual(code('invalid'));
    const headers = [{ name: 'Content-Type', value: 'text/xml' }];
    const xml = targetOf({ write: { ...write, headers, body: '<f>$(variant)</f>' }, readBack });
    await expect(xml.plan({ ...change, variant: '</f>' }, never)).rejects.toEqual(code('invalid'));
    await expect(xml.plan({ ...change, percent: 20 }, never)).rejects.toThrow(/no \$\(percent\)/);
    expect(server.asked).toEqual([]);
  });

  test('an answer that is no JSON, or has nothing where it should be', async () => {
    const { server, target } = await launchDarkly();
    server.behave(() => ({ status: 200, text: '<html>' }));
    await expect(target.plan(change, never)).rejects.toThrow(/no JSON/);
    server.behave(() => ({ status: 200, json: { environments: { production: {} } } }));
    await expect(target.plan(change, never)).rejects.toEqual(code('notFound'));
  });
});
