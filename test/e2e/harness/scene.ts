/**
 * One shop in a namespace of its own with constant load, an outside watcher and an operator that looks after this
 * namespace alone: scenes can be played side by side.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseRecordKind, rolloutKind } from '../../../src/api/kinds.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { namespaces } from '../../../src/kube/resources.ts';
import type { ResourceKind } from '../../../src/kube/resources.ts';
import { auditPosition } from '../../cluster/audit-log.ts';
import type { AuditEntry } from '../../cluster/audit-log.ts';
import { startLoad } from '../../cluster/load.ts';
import type { Load } from '../../cluster/load.ts';
import { Git } from './apply.ts';
import { OperatorAudit } from './audit.ts';
import { FlagStage } from './flag-stage.ts';
import { ensureNamespace, resultsDirectory } from './ground.ts';
import type { Ground } from './ground.ts';
import { Watcher } from './observe.ts';
import { Operator } from './operator.ts';
import { hostOf, shopName, versionName } from './shop.ts';
import type { Flagged, ShopOptions, Version } from './shop.ts';

export interface SceneOptions extends Omit<ShopOptions, 'namespace' | 'flagged'> {
  /** The shop is the one whose new code is behind a flag of a real Unleash. */
  readonly withFlag?: { readonly use: Flagged['use']; readonly observe: string; readonly startsOn: boolean };
  readonly ratePerSecond?: number;
  /** `attached`: Serin has taken charge. `alone`: shop and load only; the story starts the rest. */
  readonly start: 'attached' | 'alone';
  /** How the version behaves with which it begins; as fast and as sound as can be without it. */
  readonly first?: Omit<Version, 'number'>;
}

export class Scene {
  readonly ground: Ground;
  readonly namespace: string;
  readonly git: Git;
  readonly watcher: Watcher;
  readonly load: Load;
  readonly #stage: FlagStage | undefined;
  readonly #audit: OperatorAudit;
  #operator: Operator | undefined;
  #version = 1;

  private constructor(
    ground: Ground,
    namespace: string,
    parts: { git: Git; watcher: Watcher; load: Load; auditFrom: number; stage: FlagStage | undefined },
  ) {
    this.ground = ground;
    this.namespace = namespace;
    this.git = parts.git;
    this.watcher = parts.watcher;
    this.load = parts.load;
    this.#stage = parts.stage;
    this.#audit = new OperatorAudit(ground.auditLog, namespace, parts.auditFrom);
  }

  /** Everything up to steady load on version 1; with `attached` also the operator and the Rollout, at rest. */
  static async open(ground: Ground, name: string, options: SceneOptions): Promise<Scene> {
    const namespace = `e2e-${name}-${Date.now().toString(36).slice(-5)}`;
    const auditFrom = auditPosition(ground.auditLog);
    await ensureNamespace(ground.admin, namespace);
    const { withFlag } = options;
    const stage = withFlag === undefined ? undefined : await FlagStage.open(ground, namespace, withFlag);
    const flagged = stage === undefined ? {} : { flagged: stage.shop };
    const git = new Git(ground.admin, { ...options, ...flagged, namespace }, { number: 1, ...options.first }, 4);
    await git.applyAll();
    const watcher = await Watcher.start(ground.admin, namespace);
    await watcher.until(
      'the Deployment to have 4 available pods',
      () => watcher.deployment?.status?.availableReplicas === 4,
      60_000,
    );
    await untilAnswered(ground.gatewayUrl, hostOf(namespace));
    const out = join(resultsDirectory, 'logs', `${namespace}-load.jsonl`);
    const { ratePerSecond = 100 } = options;
    const load = startLoad({ url: ground.gatewayUrl, host: hostOf(namespace), ratePerSecond, out });
    const scene = new Scene(ground, namespace, { git, watcher, load, auditFrom, stage });
    if (options.start === 'attached') await scene.attach();
    return scene;
  }

  async attach(): Promise<void> {
    await this.startOperator();
    await this.git.applyRollout();
    await this.untilAtRest(60_000);
  }

  untilAtRest(withinMs: number): Promise<unknown> {
    const { watcher } = this;
    const isAtRest = () =>
      watcher.status.phase === 'Idle' &&
      watcher.status.stable !== undefined &&
      watcher.status.journal?.attempt === undefined;
    return watcher.until('the Rollout to be Idle', isAtRest, withinMs);
  }

  /** The flag of a scene `withFlag`. */
  get stage(): FlagStage {
    if (this.#stage === undefined) throw new Error('this scene has no flag');
    return this.#stage;
  }

  get operator(): Operator {
    if (this.#operator === undefined) throw new Error('no operator was started in this scene');
    return this.#operator;
  }

  /** Starts the operator (again), and comes back when it leads. */
  async startOperator(): Promise<Operator> {
    const operator = this.launchOperator();
    await operator.untilLeading();
    return operator;
  }

  /** Starts it without waiting for anything: with a fault point it may be gone before it leads for long. */
  launchOperator(faultPoint?: string): Operator {
    const logFile = join(resultsDirectory, 'logs', `${this.namespace}-operator.log`);
    const options = { namespace: this.namespace, logFile };
    this.#operator = new Operator(this.ground, faultPoint === undefined ? options : { ...options, faultPoint });
    return this.#operator;
  }

  /** A version that this scene has not seen yet. */
  nextVersion(errorRate = 0): { number: number; errorRate: number; name: string } {
    this.#version += 1;
    return { number: this.#version, errorRate, name: versionName({ number: this.#version }) };
  }

  /** What the operator of this scene asked of the API server since the scene began. */
  audit(): AuditEntry[] {
    return this.#audit.entries();
  }

  /** What to look at when something was not as it should be. */
  diagnosis(): string {
    const log = this.#operator === undefined ? 'No operator runs.' : this.#operator.log();
    return `${this.watcher.picture()}\n${log}`;
  }

  /** Takes everything away. What it cannot end in order it ends by force: the next scene has a namespace of its own. */
  async close(): Promise<void> {
    const { admin } = this.ground;
    await admin.delete(rolloutKind, { namespace: this.namespace, name: shopName }).catch(ignoreMissing);
    const isGone = () => this.watcher.rollout === undefined;
    if (this.#operator !== undefined && this.#operator.hasEnded === undefined) {
      await this.watcher.until('the Rollout to go', isGone, 45_000).catch(() => undefined);
      await this.#operator.stop();
    }
    await this.load.stop();
    await this.watcher.stop();
    await admin.delete(namespaces, { name: this.namespace });
    await this.#stage?.close();
    for (const kind of [rolloutKind, releaseRecordKind]) await this.#release(kind);
  }

  /** In a namespace that ends nothing is left to protect: finalizers go, so that it can. */
  async #release(kind: ResourceKind): Promise<void> {
    const { items } = await this.ground.admin.list(kind, { namespace: this.namespace });
    for (const { metadata } of items) {
      const patch = { metadata: { finalizers: null } };
      await this.ground.admin.mergePatch(kind, metadata, patch).catch(ignoreMissing);
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!isKubeError(error, 'NotFound')) throw error;
}

/** The gateway takes up a new route within seconds; the load starts when it has. */
async function untilAnswered(url: string, host: string): Promise<void> {
  const ask = () =>
    new Promise<boolean>((resolve) => {
      const call = request(url, { headers: { host }, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.headers['x-version'] !== undefined);
      });
      call.on('error', () => resolve(false)).end();
    });
  let inARow = 0;
  for (const endMs = Date.now() + 30_000; Date.now() < endMs; await sleep(100)) {
    inARow = (await ask()) ? inARow + 1 : 0;
    if (inARow >= 20) return;
  }
  throw new Error(`the gateway at ${url} did not answer for ${host} within 30 s`);
}
