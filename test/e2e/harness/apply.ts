/** Writes as a GitOps tool does: forced server-side applies by the manager `git` of what stands in Git, and nothing else. */
import { rolloutKind } from '../../../src/api/kinds.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { deployments, httpRoutes, services } from '../../../src/kube/resources.ts';
import { deploymentOf, rolloutOf, routeOf, serviceOf, shopName } from './shop.ts';
import type { ShopOptions, Version } from './shop.ts';

/** A repository with one shop in it. What it holds changes by `commit`; the cluster changes by the applies. */
export class Git {
  readonly #client: KubeClient;
  readonly #shop: ShopOptions;
  readonly serviceAppliedAtMs: number[] = [];
  #version: Version;
  #replicas: number;

  constructor(client: KubeClient, shop: ShopOptions, version: Version, replicas: number) {
    this.#client = client;
    this.#shop = shop;
    this.#version = version;
    this.#replicas = replicas;
  }

  get version(): Version {
    return this.#version;
  }

  get replicas(): number {
    return this.#replicas;
  }

  commit(change: { version?: Version; replicas?: number }): void {
    this.#version = change.version ?? this.#version;
    this.#replicas = change.replicas ?? this.#replicas;
  }

  /** Commits a new version and applies the Deployment: this is how a release begins. Gives the time it was sent. */
  async release(version: Version): Promise<number> {
    this.commit({ version });
    const sentAtMs = Date.now();
    await this.applyDeployment();
    return sentAtMs;
  }

  async applyDeployment(): Promise<void> {
    await this.#apply(deployments, deploymentOf(this.#shop, this.#version, this.#replicas));
  }

  async applyService(): Promise<void> {
    this.serviceAppliedAtMs.push(Date.now());
    await this.#apply(services, serviceOf(this.#shop));
  }

  async applyRoute(): Promise<void> {
    await this.#apply(httpRoutes, routeOf(this.#shop));
  }

  async applyRollout(): Promise<void> {
    await this.#apply(rolloutKind, rolloutOf(this.#shop));
  }

  /** Everything but the Rollout: what a sync of the application writes. */
  async applyAll(): Promise<void> {
    await this.applyDeployment();
    await this.applyService();
    await this.applyRoute();
  }

  /** As an autoscaler does it, by the scale subresource; Git follows, so that a later apply does not undo it. */
  async resize(replicas: number): Promise<void> {
    this.commit({ replicas });
    const ref = { namespace: this.#shop.namespace, name: shopName };
    const options = { subresource: 'scale', fieldManager: 'autoscaler' };
    await this.#client.mergePatch(deployments, ref, { spec: { replicas } }, options);
  }

  async #apply(kind: Parameters<KubeClient['apply']>[0], object: Parameters<KubeClient['apply']>[1]): Promise<void> {
    await this.#client.apply(kind, object, { fieldManager: 'git', force: true });
  }
}
