/** What Serin does to the flags of the OpenFeature operator, and what it leaves alone. */
import { featureFlagTarget } from './feature-flag.ts';
import {
  failure,
  type FlagsInMemory,
  featureFlagSource,
  listing,
  namespace,
  never,
  newPricing,
  off,
  shopFlags,
} from './flags-in-memory.ts';
import type { FeatureFlagBackend } from './source.ts';
import type { FlagChange, FlagTarget } from './target.ts';

const override = 'shop-flags-serin';
const ours = { 'serin.dev/flag-override': 'true' };

function targetOn(memory: FlagsInMemory, backend: Partial<FeatureFlagBackend> = {}): FlagTarget {
  return featureFlagTarget(
    featureFlagSource,
    { kind: 'featureFlag', overrideSuffix: 'serin', ...backend },
    memory.kube,
  );
}

/** Plans and applies; what is needed to turn it back. */
async function changed(memory: FlagsInMemory, change: FlagChange = off): Promise<string> {
  const { previous } = await targetOn(memory).plan(change, never);
  await targetOn(memory).apply(change, previous, never);
  return previous;
}

function entryOf(memory: FlagsInMemory, name = override, flag = 'new-pricing') {
  const { spec } = memory.get('featureflags', name) as {
    spec?: { flagSpec?: { flags?: Record<string, Record<string, unknown>> } };
  };
  return spec?.flagSpec?.flags?.[flag];
}

/** A person edits one entry of an object and leaves the rest. */
function edit(memory: FlagsInMemory, name: string, entry: object | undefined): void {
  const held = memory.get('featureflags', name);
  memory.put(
    'featureflags',
    name,
    { ...held, spec: { flagSpec: { flags: entry === undefined ? {} : { 'new-pricing': entry } } } },
    ours,
  );
}

describe('a flag that is turned off', () => {
  test('is served by an override with the variants of its owner, whose own object stays as it is', async () => {
    const memory = shopFlags();
    const before = memory.get('featureflags', 'shop-flags');
    await changed(memory);
    expect(entryOf(memory)).toMatchObject({
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      metadata: { serinChange: off.id },
    });
    expect(memory.get('featureflags', 'shop-flags')).toEqual(before);
    expect(await targetOn(memory).verify(off, never)).toEqual({
      served: true,
      sentence: 'Variant off of flag new-pricing (FlagSource flags) is served.',
    });
  });

  test('is not served for as long as nothing was written', async () => {
    const memory = shopFlags();
    expect(await targetOn(memory).verify(off, never)).toMatchObject({
      served: false,
      sentence: expect.stringContaining('what is served is variant on'),
    });
    expect(memory.writes()).toEqual([]);
  });

  test('is no longer subject to the rules of its owner, which would win over a default variant', async () => {
    const memory = shopFlags({ ...newPricing, targeting: { if: [true, 'on', 'off'] } });
    await changed(memory);
    expect(entryOf(memory)).not.toHaveProperty('targeting');
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: true });
  });

  test('that its owner has disabled is served all the same, and not the default of each application', async () => {
    const memory = shopFlags({ ...newPricing, state: 'DISABLED' });
    expect((await targetOn(memory).plan({ ...off, variant: 'on' }, never)).isServed).toBe(false);
    await changed(memory);
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: true });
  });

  test('keeps the metadata of its owner, by which flagd knows its set', async () => {
    const memory = shopFlags({ ...newPricing, metadata: { team: 'shop' } });
    const held = memory.get('featureflags', 'shop-flags') as unknown as { spec: { flagSpec: object } };
    memory.put('featureflags', 'shop-flags', {
      spec: { flagSpec: { ...held.spec.flagSpec, metadata: { flagSetId: 'shop' } } },
    });
    await changed(memory);
    expect(entryOf(memory)?.['metadata']).toMatchObject({ team: 'shop', flagSetId: 'shop', serinChange: off.id });
  });

  test.each([
    ['a text', { a: 'blue', b: 'green' }],
    ['a number', { a: 0, b: 1.5 }],
    ['an object', { a: { limit: 1 }, b: { limit: 2 } }],
  ])('is verified also where its variants are %s', async (_what, variants) => {
    const memory = shopFlags({ state: 'ENABLED', variants, defaultVariant: 'b' });
    const change = { ...off, variant: 'a' };
    await changed(memory, change);
    expect(await targetOn(memory).verify(change, never)).toMatchObject({ served: true });
  });

  test('that is off already is served before anything is written', async () => {
    const memory = shopFlags({ ...newPricing, defaultVariant: 'off' });
    expect(await targetOn(memory).plan(off, never)).toMatchObject({ isServed: true });
  });

  test('for some users by rules is not served already', async () => {
    const memory = shopFlags({
      ...newPricing,
      defaultVariant: 'off',
      targeting: { if: [{ '===': [{ var: 'beta' }, true] }, 'on', 'off'] },
    });
    expect(await targetOn(memory).plan(off, never)).toMatchObject({ isServed: false });
  });
});

describe('a share of the users', () => {
  const tenth: FlagChange = { ...off, variant: 'on', percent: 10 };

  test('is served the variant, the others what they were served before', async () => {
    const memory = shopFlags({ ...newPricing, defaultVariant: 'off' });
    await changed(memory, tenth);
    const { served, sentence } = await targetOn(memory).verify(tenth, never);
    expect(served).toBe(true);
    expect(sentence).toMatch(/is served to (9|1[01])\.\d % of 1000/);
  });

  test('leaves to the others the rules of the owner', async () => {
    const beta = { if: [{ '===': [{ var: 'beta' }, true] }, 'on', null] };
    const memory = shopFlags({ ...newPricing, defaultVariant: 'off', targeting: beta });
    await changed(memory, tenth);
    expect(entryOf(memory)?.['targeting']).toMatchObject({ if: [expect.anything(), 'on', beta] });
    expect(await targetOn(memory).verify(tenth, never)).toMatchObject({ served: true });
  });

  test('cannot be asked for where the rules name parts of the object of the owner', async () => {
    const memory = shopFlags({ ...newPricing, targeting: { if: [{ $ref: 'beta' }, 'on', 'off'] } });
    await expect(targetOn(memory).plan(tenth, never)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('leave percent out'),
    });
  });
});

describe('turning back', () => {
  test('empties the override and keeps it, for flagd goes on serving what is deleted', async () => {
    const memory = shopFlags();
    const previous = await changed(memory);
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    expect(memory.get('featureflags', override)).toMatchObject({ spec: { flagSpec: { flags: {} } } });
    expect(await targetOn(memory).verify({ ...off, variant: 'on' }, never)).toMatchObject({
      served: false,
      sentence: expect.stringContaining('does not come from this change'),
    });
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    expect(memory.writes()).toHaveLength(2);
  });

  test('puts back what an override had before', async () => {
    const memory = shopFlags();
    const had = { ...newPricing, defaultVariant: 'off', metadata: { by: 'alice' } };
    edit(memory, override, had);
    const on: FlagChange = { ...off, variant: 'on' };
    const previous = await changed(memory, on);
    expect(await targetOn(memory).verify(on, never)).toMatchObject({ served: true });
    expect(await targetOn(memory).revert(on, previous, never)).toBe('reverted');
    expect(entryOf(memory)).toEqual(had);
  });

  test.each([
    ['changed the variant and left the mark', { defaultVariant: 'on' }],
    ['added rules', { targeting: { if: [true, 'on'] } }],
    ['wrote an entry of their own', { metadata: {} }],
  ])('leaves alone what a person has changed since, who %s', async (_what, their) => {
    const memory = shopFlags();
    const previous = await changed(memory);
    edit(memory, override, { ...entryOf(memory), ...their });
    const version = memory.get('featureflags', override)?.metadata.resourceVersion;
    expect(await targetOn(memory).revert(off, previous, never)).toBe('keptByOthers');
    expect(memory.get('featureflags', override)?.metadata.resourceVersion).toBe(version);
  });

  test('is done where a person has done it, and where nothing was ever written', async () => {
    const memory = shopFlags();
    const previous = await changed(memory);
    edit(memory, override, undefined);
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    const untouched = shopFlags();
    const { previous: nothing } = await targetOn(untouched).plan(off, never);
    expect(await targetOn(untouched).revert(off, nothing, never)).toBe('reverted');
    expect(untouched.writes()).toEqual([]);
  });

  test('works when the flag is gone from the object of its owner', async () => {
    const memory = shopFlags();
    const previous = await changed(memory);
    memory.put('featureflags', 'shop-flags', { spec: { flagSpec: { flags: {} } } });
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
  });
});

describe('one change', () => {
  test('is written once, also when its answer was lost and it is asked again', async () => {
    const memory = shopFlags();
    const { previous } = await targetOn(memory).plan(off, never);
    memory.after = ({ method }) => {
      if (method !== 'GET') throw failure('Network');
    };
    await expect(targetOn(memory).apply(off, previous, never)).rejects.toMatchObject({ code: 'unreachable' });
    memory.after = () => {};
    await targetOn(memory).apply(off, previous, never);
    expect(memory.writes()).toHaveLength(1);
  });

  test('is not written again when a person has undone it', async () => {
    const memory = shopFlags();
    memory.put('featureflags', override, { spec: { flagSpec: { flags: {} } } }, ours);
    const previous = await changed(memory);
    const held = memory.get('featureflags', override);
    memory.put('featureflags', override, { ...held, spec: { flagSpec: { flags: {} } } });
    // The memory of what was written stays when a person edits the object, as it does with kubectl edit.
    memory.before = () => {};
    const patched = memory.get('featureflags', override) as unknown as { metadata: { annotations?: object } };
    Object.assign(patched.metadata, { annotations: held?.metadata['annotations'], labels: ours });
    await targetOn(memory).apply(off, previous, never);
    expect(memory.writes()).toHaveLength(1);
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: false });
  });

  test('of which somebody was faster is not written over theirs', async () => {
    const memory = shopFlags();
    const { previous } = await targetOn(memory).plan(off, never);
    edit(memory, override, { ...newPricing, defaultVariant: 'on' });
    await expect(targetOn(memory).apply(off, previous, never)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('somebody changed'),
    });
    expect(memory.writes()).toEqual([]);
  });

  test('beside a change of another flag of the same override loses a race and then wins', async () => {
    const memory = shopFlags();
    memory.put('featureflags', override, { spec: {} }, ours);
    const { previous } = await targetOn(memory).plan(off, never);
    let races = 3;
    memory.before = ({ method }) => {
      if (method === 'GET' || races-- <= 0) return;
      memory.put('featureflags', override, { spec: { flagSpec: { flags: { other: newPricing } } } }, ours);
    };
    await targetOn(memory).apply(off, previous, never);
    expect(entryOf(memory)).toMatchObject({ defaultVariant: 'off' });
    expect(entryOf(memory, override, 'other')).toEqual(newPricing);
  });
});

describe('who reads the flag', () => {
  const unlisted = {
    code: 'refused',
    message: expect.stringMatching(
      /does not list FeatureFlag shop-flags-serin as the last of its sources.*the owner of the application adds it/,
    ),
  };

  test.each([
    ['does not list the override', ['shop-flags']],
    ['lists it before the object of the owner', [override, 'shop-flags']],
    ['lists something after it', ['shop-flags', override, 'other']],
  ])('must list the override last: nothing is written for one that %s', async (_what, order) => {
    const memory = shopFlags();
    memory.put('featureflagsources', 'shop', listing(...order));
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject(unlisted);
  });

  test('is looked at again after the change: who has it no longer in the list is not served', async () => {
    const memory = shopFlags();
    await changed(memory);
    memory.put('featureflagsources', 'jobs', listing('shop-flags'));
    expect(await targetOn(memory).verify(off, never)).toMatchObject({
      served: false,
      sentence: expect.stringContaining('FeatureFlagSource shop/jobs does not list'),
    });
  });

  test('may name the namespace, and may read other things before', async () => {
    const memory = shopFlags();
    const sources = [
      { source: 'https://example.com/flags.json', provider: 'http' },
      { source: 'shop/shop-flags' },
      { source: `shop/${override}`, provider: 'flagd-proxy' },
    ];
    memory.put('featureflagsources', 'shop', { spec: { sources } });
    await changed(memory);
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: true });
  });

  test('is nobody where no FeatureFlagSource lists it', async () => {
    const memory = shopFlags();
    memory.remove('featureflagsources', 'shop');
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('no FeatureFlagSource in namespace shop lists'),
    });
  });

  test('is not asked where the cluster has no such kind', async () => {
    const memory = shopFlags();
    memory.unknown.add('featureflagsources');
    await changed(memory);
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: true });
  });
});

describe('what cannot be done', () => {
  test.each([
    ['of which nobody knows', { flag: 'pricing' }, 'notFound', /no FeatureFlag of the namespace defines it/],
    ['without such a variant', { variant: 'half' }, 'notFound', /has no variant half of it, but on, off/],
  ])('a flag %s is refused in words', async (_what, other, code, message) => {
    await expect(targetOn(shopFlags()).plan({ ...off, ...other }, never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['Forbidden', 'denied'],
    ['TooManyRequests', 'rateLimited'],
    ['Network', 'unreachable'],
    ['Timeout', 'unreachable'],
    ['Invalid', 'refused'],
  ] as const)('an API server that says %s is an error that says %s', async (says, code) => {
    const memory = shopFlags();
    const { previous } = await targetOn(memory).plan(off, never);
    memory.before = ({ method }) => {
      if (method !== 'GET') throw failure(says);
    };
    await expect(targetOn(memory).apply(off, previous, never)).rejects.toMatchObject({ code });
  });

  test('a cluster without the operator is told what it lacks', async () => {
    const memory = shopFlags();
    memory.unknown.add('featureflags');
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject({
      code: 'notFound',
      message: expect.stringContaining('installs the OpenFeature operator'),
    });
  });

  test('an object of somebody else that has the name of the override is never written', async () => {
    const memory = shopFlags();
    memory.put('featureflags', override, { spec: { flagSpec: { flags: {} } } });
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining("somebody else's"),
    });
  });

  test('two owners of one flag need an override with a name, and equal variants', async () => {
    const memory = shopFlags();
    memory.put('featureflags', 'base-flags', { spec: { flagSpec: { flags: { 'new-pricing': newPricing } } } });
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('overrideName'),
    });
    memory.put('featureflagsources', 'shop', listing('base-flags', 'shop-flags', 'serin'));
    const named = targetOn(memory, { overrideName: 'serin' });
    const { previous } = await named.plan(off, never);
    await named.apply(off, previous, never);
    expect(await named.verify(off, never)).toMatchObject({ served: true });
    memory.put('featureflags', 'base-flags', {
      spec: { flagSpec: { flags: { 'new-pricing': { ...newPricing, variants: { on: 1, off: 0 } } } } },
    });
    await expect(named.verify(off, never)).rejects.toMatchObject({ code: 'refused' });
  });

  test('what is too long to be put back is not changed', async () => {
    const memory = shopFlags();
    edit(memory, override, { ...newPricing, targeting: { if: [true, 'x'.repeat(3000)] } });
    await expect(targetOn(memory).plan(off, never)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('cannot put back'),
    });
  });

  test('a wait ends with its signal', async () => {
    const stopped = AbortSignal.abort(new Error('over'));
    const memory = shopFlags();
    memory.before = () => {
      throw failure('Aborted');
    };
    await expect(targetOn(memory).verify({ ...off, namespace }, stopped)).rejects.toThrow('over');
  });
});
