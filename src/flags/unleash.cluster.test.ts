import { systemClock } from '../kube/clock.ts';
import { Secret } from '../signals/secret.ts';
import { notRun } from '../../test/cluster/needs.ts';
import { whyNoUnleash } from '../../test/unleash/install.ts';
import { type RunningUnleash, startUnleash } from '../../test/unleash/unleash.ts';
import type { UnleashBackend } from './source.ts';
import type { FlagChange } from './target.ts';
import { unleashTarget } from './unleash.ts';

const why = whyNoUnleash();
const suite = 'flags of a real Unleash';
const never = new AbortController().signal;

(why === undefined ? describe : describe.skip)(why === undefined ? suite : notRun(suite, why), () => {
  let unleash: RunningUnleash;

  // Its packages may have to be installed first.
  beforeAll(async () => {
    unleash = await startUnleash();
  }, 600_000);

  afterAll(() => unleash?.stop(), 60_000);

  function open() {
    const backend: UnleashBackend = {
      kind: 'unleash',
      address: unleash.address,
      timeoutMs: 10_000,
      project: unleash.project,
      environment: unleash.environment,
      auth: { kind: 'token', token: new Secret(unleash.adminToken) },
      clientAuth: { kind: 'token', token: new Secret(unleash.clientToken) },
    };
    return unleashTarget({ name: 'unleash', verifyWithinMs: 10_000, backend }, backend, { clock: systemClock });
  }

  const changeOf = (flag: string, variant: string, more: Partial<FlagChange> = {}): FlagChange => ({
    id: 'abc-1-1',
    flag,
    variant,
    namespace: 'shop',
    ...more,
  });

  async function turns(flag: string): Promise<string[]> {
    const events = await unleash.events(flag);
    return events.map(({ type }) => type).filter((type) => !['feature-created', 'feature-strategy-add'].includes(type));
  }

  /** Unleash answers applications from a copy that it renews within a second. */
  async function served(change: FlagChange): Promise<string> {
    const untilMs = Date.now() + 20_000;
    for (;;) {
      const { served: isServed, sentence } = await open().verify(change, never);
      if (isServed || Date.now() > untilMs) return isServed ? 'served' : sentence;
      await systemClock.sleep(200);
    }
  }

  test('a flag is turned off by one effective write, seen served, and turned on again', async () => {
    await unleash.createFlag('kill', { enabled: true });
    const target = open();
    const change = changeOf('kill', 'off');
    const { previous, isServed } = await target.plan(change, never);
    expect(isServed).toBe(false);
    await target.apply(change, previous, never);
    await target.apply(change, previous, never);
    expect(await served(change)).toBe('served');
    expect(await turns('kill')).toEqual(['feature-environment-enabled', 'feature-environment-disabled']);
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(await unleash.isEnabled('kill')).toBe(true);
    expect(await served(changeOf('kill', 'on'))).toBe('served');
  });

  test('what a person did since is kept', async () => {
    await unleash.createFlag('person', { enabled: true });
    const target = open();
    const change = changeOf('person', 'off');
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    await unleash.admin.turn('person', 'on');
    await expect(target.apply(change, previous, never)).rejects.toMatchObject({ code: 'refused' });
    await unleash.admin.turn('person', 'off');
    expect(await target.revert(change, previous, never)).toBe('keptByOthers');
    expect(await unleash.isEnabled('person')).toBe(false);
  });

  test('a variant is served to all, and the weights come back', async () => {
    const variants = [
      { name: 'blue', weight: 500 },
      { name: 'red', weight: 500 },
    ];
    await unleash.createFlag('colour', { enabled: true, variants });
    const target = open();
    const change = changeOf('colour', 'red');
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    expect(await served(change)).toBe('served');
    expect(await turns('colour')).toEqual(['feature-environment-enabled', 'feature-strategy-update']);
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect((await target.plan(change, never)).previous).toContain('["blue",500,"variable"],["red",500,"variable"]');
  });

  test('a share is served to that share of those who are tried', async () => {
    await unleash.createFlag('ramp', { enabled: false });
    const target = open();
    const change = changeOf('ramp', 'on', { percent: 25 });
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    expect(await served(change)).toBe('served');
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(await unleash.isEnabled('ramp')).toBe(false);
  });

  test('a flag without any strategy is turned on and off again', async () => {
    await unleash.admin.ask('POST', '/projects/default/features', { name: 'bare', type: 'release' });
    const target = open();
    const change = changeOf('bare', 'on');
    const { previous } = await target.plan(change, never);
    await target.apply(change, previous, never);
    expect(await served(change)).toBe('served');
    expect(await target.revert(change, previous, never)).toBe('reverted');
    expect(await unleash.isEnabled('bare')).toBe(false);
  });

  test('a flag that is not there, and a token that is not known', async () => {
    await expect(open().plan(changeOf('nothing', 'off'), never)).rejects.toMatchObject({ code: 'notFound' });
    const admin = unleash.adminToken;
    unleash = { ...unleash, adminToken: '*:*.0123456789012345678901234567' };
    await expect(open().plan(changeOf('kill', 'off'), never)).rejects.toMatchObject({ code: 'denied' });
    unleash = { ...unleash, adminToken: admin };
  });
});
