/**
 * What a scene with a flag has beside its shop: a flag of its own in a real Unleash, a proxy through which alone Serin reaches
 * it, and the FlagSource that says so. Pods ask Unleash itself: what users see does not depend on the proxy.
 */
import { flagSourceKind } from '../../../src/api/kinds.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { secrets } from '../../../src/kube/resources.ts';
import { flaggedImage } from '../../flagged/image.ts';
import type { RunningUnleash } from '../../unleash/unleash.ts';
import { FlagProxy } from './flag-proxy.ts';
import type { Ground } from './ground.ts';
import type { Flagged } from './shop.ts';
import { UnleashFlag } from './unleash-flag.ts';

export interface StageOptions {
  readonly use: Flagged['use'];
  readonly observe: string;
  readonly startsOn: boolean;
}

/** How long pods go on as before after a change in Unleash: they ask every two seconds. */
export const refreshMs = 2000;

export class FlagStage {
  readonly flag: UnleashFlag;
  readonly proxy: FlagProxy;
  readonly shop: Flagged;
  readonly #admin: KubeClient;

  private constructor(admin: KubeClient, parts: { flag: UnleashFlag; proxy: FlagProxy; shop: Flagged }) {
    this.#admin = admin;
    this.flag = parts.flag;
    this.proxy = parts.proxy;
    this.shop = parts.shop;
  }

  static async open({ admin, unleash }: Ground, namespace: string, options: StageOptions): Promise<FlagStage> {
    if (unleash === undefined) throw new Error('this story needs Unleash, which does not run');
    const flag = await UnleashFlag.create(unleash, namespace, options.startsOn);
    const proxy = await FlagProxy.start(unleash.address);
    const { use, observe } = options;
    const env = environmentOf(unleash, flag.name);
    const shop = { source: namespace, flag: flag.name, image: flaggedImage, env, use, observe };
    const stage = new FlagStage(admin, { flag, proxy, shop });
    await stage.#apply(unleash);
    return stage;
  }

  /** The flag stays in Unleash, which goes with the run: nobody else has one of this name. */
  async close(): Promise<void> {
    await this.proxy.close();
    await this.#admin.delete(flagSourceKind, { name: this.shop.source }).catch(ignoreMissing);
    for (const name of Object.values(this.#secrets))
      await this.#admin.delete(secrets, { namespace: 'serin-system', name }).catch(ignoreMissing);
  }

  /** Names of the Secrets; the operator may read them in its own namespace alone. */
  get #secrets() {
    return { auth: `${this.shop.source}-admin`, clientAuth: `${this.shop.source}-client` };
  }

  async #apply({ adminToken, clientToken, project, environment }: RunningUnleash): Promise<void> {
    const names = this.#secrets;
    await this.#applySecret(names.auth, adminToken);
    await this.#applySecret(names.clientAuth, clientToken);
    const refTo = (name: string) => ({ secretRef: { namespace: 'serin-system', name } });
    const auths = { auth: refTo(names.auth), clientAuth: refTo(names.clientAuth) };
    const spec = { unleash: { address: this.proxy.address, project, environment, ...auths } };
    await this.#admin.apply(flagSourceKind, { metadata: { name: this.shop.source }, spec }, { force: true });
  }

  async #applySecret(name: string, token: string): Promise<void> {
    const secret = { metadata: { namespace: 'serin-system', name }, stringData: { token } };
    await this.#admin.apply(secrets, secret, { force: true });
  }
}

function environmentOf({ address, clientToken }: RunningUnleash, flag: string) {
  return [
    { name: 'FLAG', value: flag },
    { name: 'UNLEASH_URL', value: `${address}/api` },
    { name: 'UNLEASH_TOKEN', value: clientToken },
    { name: 'REFRESH_MS', value: String(refreshMs) },
  ];
}

function ignoreMissing(error: unknown): void {
  if (!isKubeError(error, 'NotFound')) throw error;
}
