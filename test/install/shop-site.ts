/** One shop on the site: its objects as their users know them, its requests, and one release after the other. */
import { randomBytes } from 'node:crypto';
import { metricSourceKind, rolloutKind } from '../../src/api/kinds.ts';
import { deployments, httpRoutes, type KubeObject, replicaSets, services } from '../../src/kube/resources.ts';
import { waitUntil } from '../cluster/commands.ts';
import { type Load, startLoad } from '../cluster/load.ts';
import { Git } from '../e2e/harness/apply.ts';
import { ensureNamespace, sources } from '../e2e/harness/ground.ts';
import { hostOf, shopName } from '../e2e/harness/shop.ts';
import type { Site } from './site.ts';

type Status = { phase?: string; message?: string; canary?: { weight?: number } };

const userKinds = [deployments, services, httpRoutes] as const;

export interface Shop {
  readonly namespace: string;
  readonly git: Git;
  readonly load: Load;
  /** Deployment, Service and route, as far as their users wrote them. */
  userObjects(): Promise<readonly object[]>;
  /** Waits for a status of the Rollout. */
  until(what: string, holds: (status: Status) => boolean, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a shop with two pods of v1 and 50 requests a second; Serin knows nothing of it yet. */
export async function openShop(site: Site, release: { atLeast: string }): Promise<Shop> {
  const namespace = `shop-${randomBytes(3).toString('hex')}`;
  await ensureNamespace(site.admin, namespace);
  const steps = [{ weight: 50, atLeast: release.atLeast }];
  const git = new Git(site.admin, { namespace, steps, bake: '5s' }, { number: 1 }, 2);
  await git.applyAll();
  await site.kubectl(['rollout', 'status', `deployment/${shopName}`, '-n', namespace, '--timeout=60s']);
  const host = hostOf(namespace);
  await waitUntil('the gateway to serve the shop', () => answers(site.gatewayUrl, host), 30_000);
  const load = startLoad({ url: site.gatewayUrl, host, ratePerSecond: 50 });
  const ref = { namespace, name: shopName };
  return {
    namespace,
    git,
    load,
    userObjects: () => Promise.all(userKinds.map(async (kind) => asTheirs(await site.admin.get(kind, ref)))),
    until: (what, holds, withinMs = 120_000) =>
      waitUntil(
        what,
        async () => {
          const { status = {} } = await site.admin.get<KubeObject & { status?: Status }>(rolloutKind, ref);
          if (holds(status)) return true;
          throw new Error(`${status.phase ?? 'no phase'}: ${status.message ?? ''}`);
        },
        withinMs,
      ),
    close: async () => {
      await load.stop();
      await site.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}

/** Says where metrics come from and adds the Rollout; back when Serin has taken charge. */
export async function attach(site: Site, shop: Shop): Promise<void> {
  const spec = { prometheus: { address: site.prometheusUrl }, dataPlane: 'app' };
  await site.admin.apply(metricSourceKind, { metadata: { name: sources.app }, spec }, { force: true });
  await shop.git.applyRollout();
  await shop.until('Serin to take charge', ({ phase }) => phase === 'Idle');
}

/** Labels, annotations, finalizers and spec; not what the Deployment controller notes on its own objects. */
function asTheirs({ kind, metadata, ...rest }: KubeObject): object {
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {};
  const { labels = {}, finalizers = [], ownerReferences = [] } = metadata;
  const managers = (metadata as { managedFields?: { manager: string }[] }).managedFields?.map(({ manager }) => manager);
  return {
    kind,
    labels,
    annotations,
    finalizers,
    ownerReferences,
    isOwnedBySerin: managers?.includes('serin') === true,
    spec: rest['spec'],
  };
}

export async function canariesLeft(site: Site, { namespace }: Shop): Promise<readonly string[]> {
  const { items: sets } = await site.admin.list(replicaSets, { namespace, labelSelector: 'serin.dev/rollout-uid' });
  const { items: reached } = await site.admin.list(services, { namespace });
  return [...sets, ...reached.filter(({ metadata }) => metadata.name !== shopName)].map(
    ({ metadata }) => metadata.name,
  );
}

async function answers(url: string, host: string): Promise<boolean> {
  // fetch forbids the header Host; the load generator sets it, and so does this.
  const { get } = await import('node:http');
  return new Promise((resolve) => {
    get(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}
