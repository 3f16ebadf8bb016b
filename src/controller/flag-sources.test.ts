import { ManualClock } from '../kube/manual-clock.ts';
import type { ObjectRef, ResourceKind } from '../kube/resources.ts';
import { flagSourceOf } from './flag-sources.ts';
import { SourceAccessReader } from './source-access.ts';
import type { FlagSource } from './stores.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (name: string) => ({ secretRef: { namespace: 'serin-system', name } });

/** A cluster with one FlagSource and its Secrets, and what the operator makes of them for Rollouts of `shop`. */
function world(spec: object, labels: Record<string, string> = {}) {
  const clock = new ManualClock();
  const secrets: Record<string, object> = {
    admin: { data: { token: base64('hunter2') } },
    client: { data: { token: base64('reader') } },
    person: { data: { username: base64('serin'), password: base64('pw') } },
    'account-token': { type: 'kubernetes.io/service-account-token', data: { token: base64('cluster') } },
  };
  const get = async ({ kind }: ResourceKind, { name }: ObjectRef): Promise<object> =>
    kind === 'Namespace' ? { metadata: { name, labels } } : (secrets[name] ?? {});
  const access = new SourceAccessReader({
    client: { get: get as never },
    clock,
    ownNamespace: 'serin-system',
    onChange: () => undefined,
  });
  const source = { metadata: { name: 'flags' }, spec } as unknown as FlagSource;
  const read = () => {
    const named = flagSourceOf([source], 'flags');
    if (named.kind === 'missing') return named;
    const owner = { kind: 'FlagSource', name: 'flags', field: 'source of the flag' } as const;
    const met = access.meet(owner, named.demands, 'shop');
    return met.kind === 'met' ? named.withCredentials(met.credentials) : met;
  };
  return { clock, access, read };
}

/** Once everything that is demanded was read. */
async function settled(spec: object, labels: Record<string, string> = {}) {
  const { clock, access, read } = world(spec, labels);
  const stop = new AbortController();
  const running = access.run(stop.signal);
  for (let round = 0; round < 4; round++) {
    read();
    await clock.advance(1_000);
  }
  const result = read();
  stop.abort();
  await clock.advance(1_000);
  await running;
  return result;
}

test('objects of the cluster need no credential', async () => {
  expect(await settled({ featureFlag: {} })).toEqual({
    name: 'flags',
    verifyWithinMs: 10_000,
    backend: { kind: 'featureFlag', overrideSuffix: 'serin' },
  });
  expect(await settled({ flagdFile: { configMap: 'flags', key: 'flags.json' } })).toEqual({
    name: 'flags',
    verifyWithinMs: 180_000,
    backend: { kind: 'flagdFile', configMap: 'flags', key: 'flags.json', delayMs: 120_000 },
  });
});

test('Unleash is told two tokens, one that writes and one that reads as applications do, and shows neither', async () => {
  const unleash = {
    address: 'http://unleash.flags:4242/',
    environment: 'production',
    auth: secret('admin'),
    clientAuth: secret('client'),
  };
  const source = await settled({ unleash, verify: { within: '30s' } });
  expect(source).toMatchObject({
    verifyWithinMs: 30_000,
    backend: {
      kind: 'unleash',
      address: 'http://unleash.flags:4242',
      timeoutMs: 3_000,
      project: 'default',
      environment: 'production',
    },
  });
  if (!('backend' in source) || source.backend.kind !== 'unleash') throw new Error('no source');
  const { auth, clientAuth } = source.backend;
  if (auth.kind !== 'token' || clientAuth.kind !== 'token') throw new Error('no tokens');
  expect([auth.token.reveal(), clientAuth.token.reveal()]).toEqual(['hunter2', 'reader']);
  expect(JSON.stringify(source)).not.toMatch(/hunter2|reader/);
});

test.each([
  [{ ...secret('admin') }, 'Authorization', 'Bearer hunter2'],
  [{ ...secret('admin'), header: 'X-Api-Key', scheme: 'none' }, 'X-Api-Key', 'hunter2'],
  [{ ...secret('person') }, 'Authorization', `Basic ${base64('serin:pw')}`],
])('a call over HTTP carries its credential in the header that is named: %j', async (auth, header, value) => {
  const source = await settled({
    http: {
      write: { method: 'PATCH', url: 'https://flags.example/api/$(flag)', body: '{"value":"$(value)"}' },
      readBack: { url: 'https://flags.example/api/$(flag)', value: '/value' },
      auth,
    },
  });
  if (!('backend' in source) || source.backend.kind !== 'http') throw new Error('no source');
  expect(source.backend).toMatchObject({
    write: { success: [200, 201, 202, 204], headers: [] },
    readBack: { method: 'GET' },
    variants: [],
    auth: { header },
  });
  expect(source.backend.auth?.value.reveal()).toBe(value);
});

test('a token of an account of the cluster is sent to nobody', async () => {
  const flipt = { address: 'http://flipt:8080', auth: secret('account-token') };
  expect(await settled({ flipt })).toMatchObject({
    kind: 'missing',
    sentence: expect.stringContaining('account of this cluster'),
  });
});

test('a Secret of another namespace is not read', async () => {
  const auth = { secretRef: { namespace: 'shop', name: 'admin' } };
  expect(await settled({ flipt: { address: 'http://flipt:8080', auth } })).toMatchObject({
    kind: 'missing',
    sentence: expect.stringContaining('reads Secrets in serin-system only'),
  });
});

test('who may use it is said by the labels of the namespace', async () => {
  const spec = { featureFlag: {}, namespaces: { matchLabels: { team: 'shop' } } };
  expect(await settled(spec, { team: 'shop' })).toMatchObject({ name: 'flags' });
  expect(await settled(spec, { team: 'other' })).toMatchObject({
    kind: 'missing',
    sentence:
      'Namespace shop may not use FlagSource flags: its labels do not match spec.namespaces; the platform team allows it, or name another source (source of the flag).',
  });
});

test('what is wrong is said with whose move it is', () => {
  expect(flagSourceOf([], 'flags')).toEqual({
    kind: 'missing',
    sentence: 'FlagSource flags does not exist; the platform team creates it, or correct the name in the Rollout.',
  });
  const read = (spec: object) => world(spec).read();
  const cannot = (why: string) => ({ kind: 'missing', sentence: expect.stringContaining(why) });
  expect(read({})).toMatchObject(cannot('FlagSource flags cannot be used'));
  expect(read({ featureFlag: {}, verify: { within: '9m' } })).toMatchObject(cannot('cannot be used'));
  expect(read({ flipt: { address: 'http://flipt:99999' } })).toMatchObject(cannot('is no address'));
  expect(read({ flipt: { address: 'https://flipt', caBundle: 'nothing' } })).toMatchObject(cannot('no certificate'));
});
