/** What the API server itself says when Serin changes FeatureFlags: races, guards, owners of fields. Nothing here is imitated. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { isUnavailable, notRun, openCluster, type TestCluster } from '../../test/cluster/cluster.ts';
import { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { loadConnection } from '../kube/config.ts';
import { KubeError } from '../kube/errors.ts';
import { configMaps, type KubeObject, namespaces, type ResourceKind } from '../kube/resources.ts';
import { HttpTransport, type KubeRequest, type Transport } from '../kube/transport.ts';
import { type FeatureFlag, featureFlags } from './feature-flag-objects.ts';
import { newPricing } from './flags-in-memory.ts';
import { openTarget } from './open-target.ts';
import type { FlagBackend } from './source.ts';
import type { FlagChange, FlagTarget } from './target.ts';

const cluster = await openCluster();
const onCluster = isUnavailable(cluster)
  ? (sentence: string, tests: () => void) => describe.skip(notRun(sentence, cluster.unavailable), tests)
  : describe;
const run = promisify(execFile);
const definitions = new URL('../../test/flags/openfeature-crds.yaml', import.meta.url).pathname;
const sources: ResourceKind = { ...featureFlags, plural: 'featureflagsources', kind: 'FeatureFlagSource' };
const never = new AbortController().signal;

onCluster('flags on a real API server', () => {
  const namespace = `serin-flags-${randomBytes(3).toString('hex')}`;
  const off: FlagChange = { id: 'abcd1234-1-1', flag: 'new-pricing', variant: 'off', namespace };
  const inFile: FlagBackend = { kind: 'flagdFile', configMap: 'flags', key: 'flags.json', delayMs: 0 };
  const { kubeconfig, kubectl } = cluster as TestCluster;
  const override = { namespace, name: 'shop-flags-serin' };
  let transport: HttpTransport;
  let client: KubeClient;

  beforeAll(async () => {
    transport = new HttpTransport({ connection: loadConnection({ kubeconfig }), clock: systemClock });
    client = new KubeClient({ transport });
    await byPerson('apply', '-f', definitions);
    await byPerson('wait', '--for=condition=Established', '--timeout=60s', '-f', definitions);
    await client.create(namespaces, { metadata: { name: namespace } });
  }, 120_000);

  afterAll(async () => {
    await client.delete(namespaces, { name: namespace });
    await transport.close();
  });

  beforeEach(async () => {
    const flags = { 'new-pricing': newPricing, banner: { ...newPricing, defaultVariant: 'off' } };
    const names = ['shop-flags', override.name];
    await client.create(featureFlags, { metadata: { namespace, name: 'shop-flags' }, spec: { flagSpec: { flags } } });
    await client.create(sources, {
      metadata: { namespace, name: 'shop' },
      spec: { sources: names.map((source) => ({ source, provider: 'kubernetes' })) },
    });
    await client.create(configMaps, {
      metadata: { namespace, name: 'flags' },
      data: { 'flags.json': JSON.stringify({ flags }, undefined, 2), notes: 'of people' },
    });
  });

  afterEach(async () => {
    await byPerson('delete', 'featureflags,featureflagsources', '--all', '-n', namespace);
    await client.delete(configMaps, { namespace, name: 'flags' });
  });

  async function byPerson(...words: readonly string[]): Promise<string> {
    const { stdout } = await run(kubectl, ['--kubeconfig', kubeconfig, ...words]);
    return stdout;
  }

  function targetOf(
    backend: FlagBackend = { kind: 'featureFlag', overrideSuffix: 'serin' },
    kube = client,
  ): FlagTarget {
    const source = { name: 'flags', verifyWithinMs: 10_000, backend };
    return openTarget(source, { clock: systemClock, random: Math.random, kube });
  }

  async function changed(change: FlagChange = off, backend?: FlagBackend): Promise<string> {
    const { previous } = await targetOf(backend).plan(change, never);
    await targetOf(backend).apply(change, previous, never);
    return previous;
  }

  const overrideNow = () => client.get<FeatureFlag>(featureFlags, override);
  const fileNow = () =>
    client.get<KubeObject & { data: Record<string, string> }>(configMaps, { namespace, name: 'flags' });

  test('a change makes the override, is served, and the object of the owner stays untouched', async () => {
    const before = await client.get(featureFlags, { namespace, name: 'shop-flags' });
    await changed();
    expect(await targetOf().verify(off, never)).toMatchObject({ served: true });
    const after = await client.get(featureFlags, { namespace, name: 'shop-flags' });
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const managers = Object((await overrideNow()).metadata)['managedFields'].map(
      (one: { manager: string }) => one.manager,
    );
    expect(managers).toEqual(['serin']);
  });

  test('turning back empties the override and does not delete it', async () => {
    const previous = await changed();
    const { uid } = (await overrideNow()).metadata;
    expect(await targetOf().revert(off, previous, never)).toBe('reverted');
    const after = await overrideNow();
    expect(after.metadata.uid).toBe(uid);
    expect(after.spec).toEqual({ flagSpec: { flags: {} } });
  });

  test('a crash between the write and its note leads to no second write', async () => {
    const previous = await changed();
    const { resourceVersion } = (await overrideNow()).metadata;
    await targetOf().apply(off, previous, never);
    expect((await overrideNow()).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('an answer that is lost on the way leads to no second write either', async () => {
    const { previous } = await targetOf().plan(off, never);
    const lost = new KubeClient({ transport: losing(transport) });
    await expect(targetOf(undefined, lost).apply(off, previous, never)).rejects.toMatchObject({ code: 'unreachable' });
    const { resourceVersion } = (await overrideNow()).metadata;
    await targetOf().apply(off, previous, never);
    expect((await overrideNow()).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('an override that is made by hand and empty is written into, and stays the owner’s in its other fields', async () => {
    await client.create(
      featureFlags,
      {
        metadata: { ...override, labels: { 'serin.dev/flag-override': 'true', team: 'shop' } },
        spec: { flagSpec: { flags: {} } },
      },
      { fieldManager: 'kubectl' },
    );
    await changed();
    const { metadata } = await overrideNow();
    expect(metadata.labels).toEqual({ 'serin.dev/flag-override': 'true', team: 'shop' });
    const ours = Object(metadata)['managedFields'].find((one: { manager: string }) => one.manager === 'serin');
    expect(JSON.stringify(ours.fieldsV1)).toContain('f:new-pricing');
    expect(JSON.stringify(ours.fieldsV1)).not.toContain('f:team');
  });

  test('many who change different flags at once all get through', async () => {
    const changes = Array.from(
      { length: 6 },
      (_, n): FlagChange => ({ ...off, id: `abcd1234-1-${n}`, flag: `flag-${n}` }),
    );
    const flags = Object.fromEntries(changes.map(({ flag }) => [flag, newPricing]));
    await client.mergePatch(featureFlags, { namespace, name: 'shop-flags' }, { spec: { flagSpec: { flags } } });
    await Promise.all(changes.map((change) => changed(change)));
    const seen = await Promise.all(changes.map((change) => targetOf().verify(change, never)));
    expect(seen.filter(({ served }) => !served)).toEqual([]);
  });

  test('two replicas that apply one change write it once', async () => {
    await changed({ ...off, id: 'abcd1234-1-0', flag: 'banner', variant: 'on' });
    const { previous } = await targetOf().plan(off, never);
    const writes: KubeRequest[] = [];
    const watched = new KubeClient({ transport: counting(transport, writes) });
    await Promise.all([0, 1, 2].map(() => targetOf(undefined, watched).apply(off, previous, never)));
    expect(writes.length).toBe(1);
    expect((await overrideNow()).spec).toMatchObject({
      flagSpec: { flags: { 'new-pricing': { defaultVariant: 'off' } } },
    });
  });

  test('an edit of a person between change and return is left alone', async () => {
    const previous = await changed();
    await byPerson(
      'patch',
      'featureflag',
      override.name,
      '-n',
      namespace,
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { flagSpec: { flags: { 'new-pricing': { defaultVariant: 'on' } } } } }),
    );
    const { resourceVersion } = (await overrideNow()).metadata;
    expect(await targetOf().verify(off, never)).toMatchObject({ served: false });
    expect(await targetOf().revert(off, previous, never)).toBe('keptByOthers');
    expect((await overrideNow()).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('what a person has taken out again is not written anew', async () => {
    const previous = await changed();
    await byPerson(
      'patch',
      'featureflag',
      override.name,
      '-n',
      namespace,
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/flagSpec/flags/new-pricing"}]',
    );
    const { resourceVersion } = (await overrideNow()).metadata;
    await targetOf().apply(off, previous, never);
    expect((await overrideNow()).metadata.resourceVersion).toBe(resourceVersion);
    expect(await targetOf().revert(off, previous, never)).toBe('reverted');
  });

  test('a flag in a file is changed once, served, and turned back with nothing else of the object touched', async () => {
    const before = await fileNow();
    const previous = await changed(off, inFile);
    const { resourceVersion } = (await fileNow()).metadata;
    await targetOf(inFile).apply(off, previous, never);
    expect((await fileNow()).metadata.resourceVersion).toBe(resourceVersion);
    expect(await targetOf(inFile).verify(off, never)).toMatchObject({ served: true });
    expect(await targetOf(inFile).revert(off, previous, never)).toBe('reverted');
    const after = await fileNow();
    expect(JSON.parse(after.data['flags.json'] ?? '')).toEqual(JSON.parse(before.data['flags.json'] ?? ''));
    expect(after.data['notes']).toBe('of people');
  });

  test('a person who writes the file anew keeps their word', async () => {
    const previous = await changed(off, inFile);
    const theirs = JSON.stringify({ flags: { 'new-pricing': newPricing } });
    await client.mergePatch(
      configMaps,
      { namespace, name: 'flags' },
      { data: { 'flags.json': theirs } },
      { fieldManager: 'kubectl' },
    );
    await targetOf(inFile).apply(off, previous, never);
    expect((await fileNow()).data['flags.json']).toBe(theirs);
    expect(await targetOf(inFile).revert(off, previous, never)).toBe('reverted');
    const other = JSON.stringify({ flags: { 'new-pricing': { ...newPricing, targeting: { if: [true, 'on'] } } } });
    await client.mergePatch(
      configMaps,
      { namespace, name: 'flags' },
      { data: { 'flags.json': other } },
      { fieldManager: 'kubectl' },
    );
    expect(await targetOf(inFile).revert(off, previous, never)).toBe('keptByOthers');
    expect((await fileNow()).data['flags.json']).toBe(other);
  });

  test('changes of two flags of one file that race both stand in the end', async () => {
    const changes = [off, { ...off, id: 'abcd1234-1-2', flag: 'banner', variant: 'on' }];
    await Promise.all(changes.map((change) => changed(change, inFile)));
    const seen = await Promise.all(changes.map((change) => targetOf(inFile).verify(change, never)));
    expect(seen).toMatchObject([{ served: true }, { served: true }]);
  });
});

/** Writes take effect, and their answers are lost. */
function losing(transport: Transport): Transport {
  return {
    stream: (request, signal) => transport.stream(request, signal),
    close: () => Promise.resolve(),
    async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
      const answer = await transport.request<T>(request, signal);
      if (request.method === 'GET') return answer;
      throw new KubeError('the answer was lost', { code: 'Network', retry: 'backoff' });
    },
  };
}

/** Writes that took effect are remembered. */
function counting(transport: Transport, writes: KubeRequest[]): Transport {
  return {
    stream: (request, signal) => transport.stream(request, signal),
    close: () => Promise.resolve(),
    async request<T>(request: KubeRequest, signal?: AbortSignal): Promise<T> {
      const answer = await transport.request<T>(request, signal);
      if (request.method !== 'GET') writes.push(request);
      return answer;
    },
  };
}
