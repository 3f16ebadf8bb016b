/**
 * From `kubectl apply` of install.yaml to a cluster without a trace: the operator releases from a pod, and what it leaves is
 * what was there before. Everything on a cluster of its own.
 */
process.env['SERIN_TEST_SLOT'] = process.env['SERIN_TEST_SLOT'] === '8' ? '9' : '8';

import { fileURLToPath } from 'node:url';
import type { Shop } from './shop-site.ts';
import type { Site } from './site.ts';

const { notRun } = await import('../cluster/needs.ts');
const { installed, openSite, rendered, residentMiB } = await import('./site.ts');
const { attach, canariesLeft, openShop } = await import('./shop-site.ts');
const { runbook } = await import('./runbook.ts');
const { uninstallFrom } = await import('./leave.ts');

const found = await openSite();

if ('unavailable' in found) {
  test.skip(notRun('install and uninstall', found.unavailable), () => undefined);
} else {
  const site: Site = found;
  let shop: Shop;

  afterAll(() => site.close(), 120_000);

  /** What the shop's users find in the end: what they wrote, with the template that they last applied. */
  const withTemplateOf = (before: readonly object[], after: readonly object[]): readonly object[] =>
    before.map((object, at) => {
      const { spec } = after[at] as { spec: { template?: unknown } };
      if (spec.template === undefined) return object;
      return { ...object, spec: { ...(object as { spec: object }).spec, template: spec.template } };
    });

  const lost = async ({ load }: Shop): Promise<number> => {
    const result = await load.stop();
    return result.lost().length + result.gatewayErrors().length;
  };

  const left = async (): Promise<string> => {
    const kinds = 'crd,mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies';
    const all = `${kinds},validatingadmissionpolicybindings,clusterroles,clusterrolebindings,namespaces`;
    const names = await site.kubectl(['get', all, '-o', 'name']);
    return names
      .split('\n')
      .filter((name) => /serin(?!-test|-gateway)/.test(name))
      .join('\n');
  };

  const leave = (...words: readonly string[]) => uninstallFrom(site, words);

  test('from a pod: installed, one release promoted, uninstalled, and every object is as its user wrote it', async () => {
    const readyMs = await installed(site, await rendered(site, 'install.yaml'));
    shop = await openShop(site, { atLeast: '5s' });
    const before = await shop.userObjects();
    await attach(site, shop);
    await shop.git.release({ number: 2 });
    await shop.until('v2 to be under release', ({ phase }) => phase === 'Progressing');
    const refused = await leave();
    expect(refused).toMatchObject({ code: 4 });
    await shop.until('v2 to be promoted', ({ phase }) => phase === 'Idle', 180_000);
    console.log(
      `operator Ready ${readyMs} ms after the apply began; resident ${(await residentMiB(site)).join(', ')} MiB`,
    );
    expect(await leave()).toMatchObject({ code: 0 });
    const after = await shop.userObjects();
    expect(JSON.stringify(after)).toContain('workload:v2');
    expect(after).toEqual(withTemplateOf(before, after));
    expect(await canariesLeft(site, shop)).toEqual([]);
    expect(await left()).toBe('');
    expect(await lost(shop)).toBe(0);
    await shop.close();
  }, 400_000);

  test('when the operator dies in the middle of a release, uninstall takes it back by hand without losing a request', async () => {
    await installed(site, await rendered(site, 'install.yaml'));
    shop = await openShop(site, { atLeast: '10m' });
    const before = await shop.userObjects();
    await attach(site, shop);
    await dieAtHalf();
    const { code, out } = await leave('--force');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('done by hand') });
    expect(out).toContain(`kubectl rollout resume deployment/shop -n ${shop.namespace}`);
    const after = await shop.userObjects();
    const [deployment] = after as [{ spec: { paused?: boolean } }];
    expect(deployment.spec.paused).toBe(true);
    delete deployment.spec.paused;
    expect(after).toEqual(withTemplateOf(before, after));
    expect(await canariesLeft(site, shop)).toEqual([]);
    expect(await left()).toBe('');
    expect(await lost(shop)).toBe(0);
    await shop.close();
  }, 300_000);

  test('the lines of docs/uninstall.md do the same without Serin', async () => {
    await installed(site, await rendered(site, 'install.yaml'));
    shop = await openShop(site, { atLeast: '10m' });
    await attach(site, shop);
    await dieAtHalf();
    await runbook(site, shop.namespace);
    const after = await shop.userObjects();
    expect(JSON.stringify(after)).not.toContain('serin.dev/');
    expect(after).toMatchObject([
      { labels: { app: 'shop' }, spec: { paused: true } },
      { spec: { selector: { app: 'shop' } } },
      { spec: { rules: [{ backendRefs: [{ name: 'shop', weight: 1 }] }] } },
    ]);
    expect(JSON.stringify(after[1])).not.toContain('pod-template-hash');
    expect(await canariesLeft(site, shop)).toEqual([]);
    expect(await left()).toBe('');
    expect(await lost(shop)).toBe(0);
    await shop.close();
  }, 300_000);

  test('for one namespace: without a right in any other, a release is promoted, and uninstalled from there', async () => {
    await site.kubectl([
      'apply',
      '--server-side',
      '-k',
      fileURLToPath(new URL('../../deploy/namespaced/once', import.meta.url)),
    ]);
    shop = await openShop(site, { atLeast: '5s' });
    const objects = (await rendered(site, 'namespaced')).replaceAll(/\bshop\b/g, shop.namespace);
    await installed(site, objects, `serin-${shop.namespace}`);
    const before = await shop.userObjects();
    await attach(site, shop);
    const asSerin = '--as=system:serviceaccount:serin-system:serin';
    expect(await site.kubectl(['auth', 'can-i', 'list', 'pods', '-n', shop.namespace, asSerin])).toBe('yes\n');
    await expect(site.kubectl(['auth', 'can-i', 'list', 'pods', '-n', 'default', asSerin])).rejects.toThrow(/\bno\b/);
    await shop.git.release({ number: 2 });
    await shop.until('v2 to be under release', ({ phase }) => phase === 'Progressing');
    await shop.until('v2 to be promoted', ({ phase }) => phase === 'Idle', 180_000);
    expect(await leave('-n', shop.namespace)).toMatchObject({ code: 0 });
    const after = await shop.userObjects();
    expect(after).toEqual(withTemplateOf(before, after));
    expect(await left()).toContain('rollouts.serin.dev');
    expect(await leave()).toMatchObject({ code: 0 });
    expect(await left()).toBe('');
    await shop.close();
  }, 400_000);

  /** Half of the requests are on the canary, and no process of Serin lives. */
  async function dieAtHalf(): Promise<void> {
    await shop.git.release({ number: 3 });
    await shop.until('half of the requests to be on v3', ({ canary }) => canary?.weight === 50);
    await site.kubectl(['scale', 'deployment/serin', '-n', 'serin-system', '--replicas=0']);
    await site.kubectl(['delete', 'pods', '-n', 'serin-system', '--all', '--force', '--grace-period=0']);
  }
}
