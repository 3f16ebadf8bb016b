import { inspect } from 'node:util';
import { startSelfSigned } from '../../test/inputs/self-signed.ts';
import { systemClock } from '../kube/clock.ts';
import { KubeError, type KubeErrorCode } from '../kube/errors.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { ObjectRef, ResourceKind } from '../kube/resources.ts';
import { rawSamples } from '../signals/prometheus.ts';
import type { SourceOf } from '../signals/subject.ts';
import { metricSourceOf } from './metric-sources.ts';
import { SourceAccessReader } from './source-access.ts';
import type { MetricSource } from './stores.ts';

const secretRef = { namespace: 'serin-system', name: 'prom-auth' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A cluster with Secrets and namespaces, and an operator that reads them. */
function world(
  spec: { auth?: object; namespaces?: object; address?: string; caBundle?: string } = { auth: { secretRef } },
) {
  const clock = new ManualClock();
  const objects = new Map<string, object>();
  const gets: string[] = [];
  const state: { refuses: KubeErrorCode | undefined; changes: number } = { refuses: undefined, changes: 0 };
  const get = async (kind: ResourceKind, { namespace, name }: ObjectRef): Promise<object> => {
    const key = `${kind.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    gets.push(key);
    if (state.refuses) throw new KubeError(`get ${key}`, { code: state.refuses, retry: 'backoff' });
    const object = objects.get(key);
    if (!object) throw new KubeError(`get ${key}`, { code: 'NotFound', retry: 'never' });
    return object;
  };
  const access = new SourceAccessReader({
    client: { get: get as never },
    clock,
    ownNamespace: 'serin-system',
    onChange: () => (state.changes += 1),
  });
  const { namespaces, address = 'http://prometheus', ...prometheus } = spec;
  const source = {
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'MetricSource',
    metadata: { name: 'main', uid: 'm' },
    spec: { prometheus: { address, ...prometheus }, ...(namespaces ? { namespaces } : {}) },
  } as unknown as MetricSource;
  const stop = new AbortController();
  const running = access.run(stop.signal);
  return {
    clock,
    gets,
    state,
    put: (key: string, object: object) => objects.set(key, object),
    remove: (key: string) => objects.delete(key),
    admit: (namespace = 'shop') => access.admit(metricSourceOf([source], 'main'), namespace),
    sentence(namespace = 'shop') {
      const reading = this.admit(namespace);
      return 'sentence' in reading ? reading.sentence : reading.kind;
    },
    authorization() {
      const reading = this.admit();
      return reading.kind === 'found' ? reading.source.access?.authorization?.reveal() : reading.kind;
    },
    async settle(ms = 0) {
      await clock.advance(ms);
    },
    async end() {
      stop.abort();
      await clock.advance(2_000);
      await running;
    },
  };
}

const key = 'Secret serin-system/prom-auth';

describe('a source with a credential', () => {
  test('is asked with the token of its Secret, without the line break at its end, and nobody sees it', async () => {
    const shop = world();
    shop.put(key, { data: { token: base64('hunter2\n') } });
    expect(shop.admit()).toEqual({
      kind: 'unread',
      sentence: 'Reading Secret serin-system/prom-auth, which MetricSource main needs.',
    });
    await shop.settle();
    expect(shop.state.changes).toBe(1);
    expect(shop.authorization()).toBe('Bearer hunter2');
    const shown = JSON.stringify(shop.admit()) + inspect(shop.admit(), { depth: 9 });
    expect(shown).toContain('***');
    expect(shown).not.toContain('hunter2');
    await shop.end();
  });

  test('may have a user and a password', async () => {
    const shop = world();
    shop.put(key, { data: { username: base64('serin'), password: base64('p:ä') } });
    shop.admit();
    await shop.settle();
    expect(shop.authorization()).toBe(`Basic ${base64('serin:p:ä')}`);
    await shop.end();
  });

  test('heals by itself when the Secret appears, and learns of a rotated one within a minute', async () => {
    const shop = world();
    shop.admit();
    await shop.settle();
    expect(shop.sentence()).toBe(
      'MetricSource main cannot be used: Secret serin-system/prom-auth: it does not exist; the platform team corrects it.',
    );
    shop.put(key, { data: { token: base64('one') } });
    await shop.settle(11_000);
    expect(shop.authorization()).toBe('Bearer one');
    shop.put(key, { data: { token: base64('two') } });
    await shop.settle(61_000);
    expect(shop.authorization()).toBe('Bearer two');
    expect(shop.state.changes).toBe(3);
    shop.remove(key);
    await shop.settle(61_000);
    expect(shop.sentence()).toContain('it does not exist');
    await shop.end();
  });

  test('keeps it while the API server is away, and is read once a minute, however often it is asked for', async () => {
    const shop = world();
    shop.put(key, { data: { token: base64('one') } });
    shop.admit();
    await shop.settle();
    shop.state.refuses = 'Unavailable';
    await shop.settle(600_000);
    expect(shop.authorization()).toBe('Bearer one');
    shop.state.refuses = undefined;
    shop.gets.length = 0;
    for (let second = 0; second < 600; second += 1) {
      shop.admit();
      await shop.settle(1_000);
    }
    expect(shop.gets.length).toBeLessThanOrEqual(11);
    await shop.end();
  });

  test('is not read while no release asks for it, and at once when one does again', async () => {
    const shop = world();
    shop.put(key, { data: { token: base64('one') } });
    shop.admit();
    await shop.settle(700_000);
    shop.gets.length = 0;
    shop.put(key, { data: { token: base64('two') } });
    await shop.settle(3_600_000);
    expect(shop.gets).toEqual([]);
    shop.admit();
    await shop.settle();
    expect(shop.authorization()).toBe('Bearer two');
    await shop.end();
  });

  test.each<[string, object, string]>([
    [
      'nothing that is read',
      { data: { key: base64('x') } },
      'it has neither the key token nor the keys username and password',
    ],
    ['no data', {}, 'it has neither the key token'],
    ['an empty token', { data: { token: base64(' \n') } }, 'its token is empty'],
    [
      'a token of two lines',
      { data: { token: base64('a\r\nX-Evil: b') } },
      'holds characters that no header can carry',
    ],
    ['a token that is too long', { data: { token: base64('a'.repeat(9_000)) } }, 'longer than 8 KiB'],
    [
      'a user with a colon',
      { data: { username: base64('a:b'), password: base64('c') } },
      'its username is empty or holds a colon',
    ],
    [
      'the token of an account of the cluster',
      { type: 'kubernetes.io/service-account-token', data: { token: base64('x') } },
      'which is never sent to a server that somebody names',
    ],
  ])('cannot be used when its Secret has %s', async (_, secret, why) => {
    const shop = world();
    shop.put(key, secret);
    shop.admit();
    await shop.settle();
    expect(shop.sentence()).toContain(`Secret serin-system/prom-auth: `);
    expect(shop.sentence()).toContain(why);
    await shop.end();
  });

  test('cannot be used when the operator may not read it', async () => {
    const shop = world();
    shop.state.refuses = 'Forbidden';
    shop.admit();
    await shop.settle();
    expect(shop.sentence()).toContain('the operator may not read it');
    await shop.end();
  });

  test('never makes the operator read a Secret of another namespace', async () => {
    const shop = world({ auth: { secretRef: { namespace: 'shop', name: 'db-password' } } });
    expect(shop.sentence()).toBe(
      'MetricSource main cannot be used: its credential is in Secret shop/db-password, but the operator reads Secrets in serin-system only; the platform team moves it there.',
    );
    await shop.settle(120_000);
    expect(shop.gets).toEqual([]);
    await shop.end();
  });
});

describe('a source for some namespaces only', () => {
  const namespaces = {
    matchLabels: { team: 'shop' },
    matchExpressions: [{ key: 'env', operator: 'In', values: ['prod', 'test'] }],
  };

  test('may be used where the labels match, and learns of others within a minute', async () => {
    const shop = world({ namespaces });
    shop.put('Namespace shop', { metadata: { labels: { team: 'shop', env: 'prod' } } });
    shop.put('Namespace cart', { metadata: { labels: { team: 'cart', env: 'prod' } } });
    shop.put('Namespace bare', { metadata: {} });
    for (const name of ['shop', 'cart', 'bare']) expect(shop.admit(name).kind).toBe('unread');
    await shop.settle();
    expect(shop.admit('shop').kind).toBe('found');
    expect(shop.sentence('cart')).toBe(
      'Namespace cart may not use MetricSource main: its labels do not match spec.namespaces; the platform team allows it, or name another source (analysis.source).',
    );
    expect(shop.admit('bare').kind).toBe('missing');
    shop.put('Namespace cart', { metadata: { labels: { team: 'shop', env: 'test' } } });
    await shop.settle(61_000);
    expect(shop.admit('cart').kind).toBe('found');
    await shop.end();
  });

  test('is for nobody while its right to read namespaces is missing', async () => {
    const shop = world({ namespaces });
    shop.state.refuses = 'Forbidden';
    shop.admit();
    await shop.settle();
    expect(shop.sentence()).toBe(
      'Whether namespace shop may use MetricSource main is not known: the operator may not read it; the platform team gives the operator the right to get namespaces.',
    );
    await shop.end();
  });
});

describe('a source with an authority of its own', () => {
  const empty = '{"status":"success","data":{"resultType":"matrix","result":[]}}';
  const ask = (source: SourceOf) =>
    rawSamples(source, 'up', 1_000, { clock: systemClock }, new AbortController().signal);

  test('is trusted by it and by no other, and without it not at all', async () => {
    const own = await startSelfSigned('localhost', empty);
    const other = await startSelfSigned('localhost', empty);
    const address = `https://localhost:${own.port}`;
    const shop = world({ address, caBundle: own.certificate ?? '' });
    const trusting = shop.admit();
    expect(trusting.kind === 'found' && (await ask(trusting.source)).kind).toBe('ok');
    const strange = world({ address, caBundle: other.certificate ?? '' });
    const refusing = strange.admit();
    expect(refusing.kind === 'found' && (await ask(refusing.source))).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('has a certificate that Serin does not trust'),
    });
    const bare = world({ address });
    const plain = bare.admit();
    expect(plain.kind === 'found' && (await ask(plain.source)).kind).toBe('down');
    for (const one of [shop, strange, bare]) await one.end();
    for (const one of [own, other]) await one.close();
  });
});

test('a source that demands nothing is there at once, and nothing is read', async () => {
  const shop = world({});
  expect(shop.admit().kind).toBe('found');
  await shop.settle(60_000);
  expect(shop.gets).toEqual([]);
  await shop.end();
});
