/** Changes of flags on a real API server, with nothing but the rights of Serin's own account and what a namespace binds to it. */
import { pathTo } from '../../test/policies/api-server.ts';
import { openStage } from '../../test/policies/stage.ts';
import { flagSourceKind } from '../api/kinds.ts';
import type { FlagEntry } from '../api/rollout-status.ts';
import { createMetrics } from '../insight/metrics.ts';
import { systemClock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { flagEntry } from '../release/sample-world.ts';
import type { FlagAnswer } from '../release/world.ts';
import { clientAsSerin, eventually } from '../workload/as-serin.ts';
import { type FlagWork, flagWorkOf } from './flag-work.ts';
import { createStores, type FlagSource } from './stores.ts';

const stage = openStage('flagwork');
const { namespace, server } = stage;
const name = namespace;
const key = `${namespace}/checkout`;
const configMap = pathTo('v1', 'configmaps', namespace, 'flags');
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function create(path: string, object: object): Promise<number> {
  return (await server.ask('POST', path, object)).status;
}

stage.describe('a flag in a ConfigMap', () => {
  const stores = createStores(() => undefined);
  const stop = new AbortController();
  let client: KubeClient;
  let work: FlagWork;
  let running: Promise<void>;

  const entry = (part: Partial<FlagEntry>): FlagEntry => flagEntry({ id: 'abcd1234-1-1', source: name, ...part });

  const answer = (...kinds: FlagAnswer['kind'][]) =>
    eventually(`the flag to be ${kinds.join(' or ')}`, async () =>
      work.flags.of(key).find(({ kind }) => kinds.includes(kind)),
    );

  async function file(): Promise<string> {
    const { body } = await server.ask('GET', configMap);
    return Object(body['data'])['flags.json'];
  }

  beforeAll(async () => {
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
    const data = { 'flags.json': JSON.stringify({ flags: { 'new-pricing': flag } }, null, 2) };
    for (const one of ['flags', 'other'])
      await create(pathTo('v1', 'configmaps', namespace), { metadata: { name: one }, data });
    const spec = {
      flagdFile: { configMap: 'flags', key: 'flags.json', delay: '0s' },
      namespaces: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    };
    expect(
      await create(pathTo('serin.dev/v1alpha1', 'flagsources'), {
        apiVersion: 'serin.dev/v1alpha1',
        kind: 'FlagSource',
        metadata: { name },
        spec,
      }),
    ).toBe(201);
    client = await clientAsSerin(server);
    const { items } = await client.list<FlagSource>(flagSourceKind, {});
    stores.flagsources.replaceAll(items);
    work = flagWorkOf({
      clock: systemClock,
      random: Math.random,
      log: quiet,
      metrics: createMetrics(),
      stores,
      client,
      clientFor: () => client,
      mayWrite: () => true,
      ownNamespace: undefined,
      onAnswer: () => undefined,
    });
    running = work.run(stop.signal);
  }, 60_000);

  afterAll(async () => {
    stop.abort();
    await running;
    await server.ask('DELETE', pathTo('serin.dev/v1alpha1', 'flagsources', undefined, name));
    await client.transport.close();
  }, 30_000);

  test('is not even read where no right is bound, and whose move that is stands in the sentence', async () => {
    work.flags.ask(key, { task: 'plan', entry: entry({}), namespace });
    expect(await answer('failed')).toMatchObject({
      task: 'plan',
      sentence: expect.stringContaining('the platform team gives the operator the right'),
    });
  }, 60_000);

  test('is changed once the one ConfigMap is opened, read back, and put back as it was', async () => {
    const before = await file();
    await server.kubectl([
      'create',
      'role',
      'serin-flags',
      '-n',
      namespace,
      '--verb=get,patch',
      '--resource=configmaps',
      '--resource-name=flags',
    ]);
    await server.kubectl([
      'create',
      'rolebinding',
      'serin-flags',
      '-n',
      namespace,
      '--role=serin-flags',
      '--serviceaccount=serin-system:serin',
    ]);
    const planned = await answer('planned');
    if (planned.kind !== 'planned') throw new Error(planned.kind);
    const { previous } = planned;
    work.flags.ask(key, { task: 'apply', entry: entry({ previous, state: 'planned' }), namespace });
    expect(await answer('served')).toMatchObject({ task: 'apply' });
    expect(JSON.parse(await file())).toMatchObject({ flags: { 'new-pricing': { defaultVariant: 'off' } } });
    work.flags.ask(key, { task: 'revert', entry: entry({ previous, state: 'reverting' }), namespace });
    expect(await answer('reverted')).toMatchObject({ task: 'revert' });
    expect(JSON.parse(await file())).toEqual(JSON.parse(before));
    work.flags.drop(key, 'abcd1234-1-1');
  }, 90_000);

  test('what nobody opened stays closed', async () => {
    const asSerin = {
      as: 'system:serviceaccount:serin-system:serin',
      groups: ['system:serviceaccounts', 'system:authenticated'],
    };
    const other = pathTo('v1', 'configmaps', namespace, 'other');
    expect((await server.ask('PATCH', other, { data: { a: 'b' } }, asSerin)).status).toBe(403);
    const source = pathTo('serin.dev/v1alpha1', 'flagsources', undefined, name);
    expect((await server.ask('PATCH', source, { metadata: { labels: { a: 'b' } } }, asSerin)).status).toBe(403);
    expect((await server.ask('GET', source, undefined, asSerin)).status).toBe(200);
  });
});
