/** Tells the demo: attach, a good release, a bad one. It waits and watches like any user of the cluster, and decides nothing about releases. */
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { RolloutObject } from '../cli/objects.ts';
import type { Clock } from '../kube/clock.ts';
import { deployments, namespaces } from '../kube/resources.ts';
import type { Load, LoadCounts } from './load.ts';
import { application, deploymentOf, shopName, shopReplicas, type Version } from './shop.ts';
import type { Stage } from './stage.ts';

/** What there is to see at one moment. */
export interface Sight {
  readonly rollout: RolloutObject | undefined;
  readonly counts: LoadCounts | undefined;
  readonly canaryPercent: number;
  /** The version of each revision that was seen, by its hash. */
  readonly versions: ReadonlyMap<string, string>;
}

/** Whoever tells it to people. */
export interface Teller {
  /** A new part of the story begins. */
  chapter(words: string): void;
  /** Called all the time. */
  show(sight: Sight): void;
}

export interface StoryOptions {
  readonly clock: Clock;
  readonly badRate: number;
  readonly ratePerSecond: number;
}

export type ReleaseEnd = { readonly kind: 'promoted' } | { readonly kind: 'rolledBack'; readonly message: string };

export interface Told {
  readonly good: ReleaseEnd;
  readonly bad: ReleaseEnd | undefined;
  readonly counts: LoadCounts;
}

export const versions = { first: 'v1', good: 'v2', bad: 'v3' } as const;

/** Thrown when something did not happen in its time; the message says what, and what the operator said last. */
export class StoryStuck extends Error {}

/** Thrown when the signal aborted before the end. */
export class StoryInterrupted extends Error {}

export async function tellStory(
  stage: Stage,
  options: StoryOptions,
  teller: Teller,
  signal: AbortSignal,
): Promise<Told> {
  const stop = new AbortController();
  const telling = new Story(stage, options, teller, AbortSignal.any([signal, stop.signal])).tell();
  try {
    return await Promise.race([telling, stage.broken]);
  } finally {
    stop.abort();
    await Promise.allSettled([telling]);
  }
}

class Story {
  readonly #stage: Stage;
  readonly #options: StoryOptions;
  readonly #teller: Teller;
  readonly #signal: AbortSignal;
  readonly #versions = new Map<string, string>();
  #load: Load | undefined;

  constructor(stage: Stage, options: StoryOptions, teller: Teller, signal: AbortSignal) {
    this.#stage = stage;
    this.#options = options;
    this.#teller = teller;
    this.#signal = signal;
  }

  async tell(): Promise<Told> {
    const { badRate, ratePerSecond } = this.#options;
    this.#teller.chapter(
      `A shop with ${shopReplicas} pods of ${versions.first} and ${ratePerSecond} requests a second.`,
    );
    await this.#openShop();
    const { load, end } = this.#stage.startLoad(ratePerSecond);
    this.#load = load;
    this.#teller.chapter('Serin attaches: one Rollout is created, no pod restarts.');
    await this.#attach();
    this.#teller.chapter(`Release of ${versions.good}, a good version.`);
    const good = await this.#release({ name: versions.good, errorRate: 0 });
    const bad = good.kind === 'promoted' ? await this.#releaseBad(badRate) : undefined;
    await end();
    return { good, bad, counts: load.counts };
  }

  async #openShop(): Promise<void> {
    const { client, mirrors, shop } = this.#stage;
    const first = { name: versions.first, errorRate: 0 };
    await client.create(namespaces, { metadata: { name: shop.namespace } });
    for (const { kind, object } of application(shop, first)) await client.apply(kind, object);
    await this.#until(`${shopReplicas} pods of ${versions.first}`, () => {
      const deployment = mirrors.deployments.get(shop.namespace, shopName);
      return deployment?.status?.availableReplicas === shopReplicas ? true : undefined;
    });
    await this.#until(
      'the gateway to reach them',
      async () => (await this.#stage.isServing(this.#signal)) || undefined,
    );
  }

  async #attach(): Promise<void> {
    const { client, attachment } = this.#stage;
    await this.#stage.startOperator();
    for (const { kind, object } of attachment) await client.apply(kind, object);
    const { hash } = await this.#until('Serin to attach', () => {
      const { phase, stable, journal } = this.#status;
      return phase === 'Idle' && journal?.attempt === undefined ? stable : undefined;
    });
    this.#versions.set(hash, versions.first);
  }

  async #releaseBad(badRate: number): Promise<ReleaseEnd> {
    const share = `${Math.round(badRate * 10_000) / 100} %`;
    this.#teller.chapter(`Release of ${versions.bad}, which fails ${share} of its requests.`);
    return this.#release({ name: versions.bad, errorRate: badRate });
  }

  /** What a team does: another image in the Deployment, and nothing else. */
  async #release(version: Version): Promise<ReleaseEnd> {
    const { client, shop } = this.#stage;
    await client.apply(deployments, deploymentOf(shop, version));
    const attempt = await this.#until(`the release of ${version.name} to begin`, () => {
      const running = this.#status.journal?.attempt;
      return running !== undefined && !this.#versions.has(running.hash) ? running : undefined;
    });
    this.#versions.set(attempt.hash, version.name);
    return this.#until(`the release of ${version.name} to end`, () => endOf(this.#status, attempt.hash));
  }

  get #status(): RolloutStatus {
    return this.#rollout?.status ?? {};
  }

  get #rollout(): RolloutObject | undefined {
    return this.#stage.mirrors.rollouts.get(this.#stage.shop.namespace, shopName);
  }

  async #until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const { clock } = this.#options;
    const { patienceMs } = this.#stage;
    const endMs = clock.monotonicMs() + patienceMs;
    for (;;) {
      if (this.#signal.aborted) throw new StoryInterrupted('the demo was stopped before it had ended');
      this.#show();
      const found = await find();
      if (found !== undefined) return found;
      if (clock.monotonicMs() > endMs) throw new StoryStuck(this.#stuckWords(what, patienceMs));
      await clock.sleep(100, this.#signal);
    }
  }

  #show(): void {
    const { weights } = this.#stage;
    this.#teller.show({
      rollout: this.#rollout,
      counts: this.#load?.counts,
      canaryPercent: weights.canaryPercent,
      versions: this.#versions,
    });
  }

  #stuckWords(what: string, patienceMs: number): string {
    const { phase = 'nothing', message = 'Serin has not looked at it yet.' } = this.#status;
    return `the demo waited ${Math.round(patienceMs / 1000)} s for ${what}; Serin says ${phase}: ${message}`;
  }
}

function endOf({ journal, stable, quarantined }: RolloutStatus, hash: string): ReleaseEnd | undefined {
  if (journal?.attempt !== undefined) return undefined;
  if (stable?.hash === hash) return { kind: 'promoted' };
  const rejected = quarantined?.find((one) => one.hash === hash);
  return rejected === undefined ? undefined : { kind: 'rolledBack', message: rejected.message };
}
