/** Unleash as people change it: by its admin API, past everything of Serin. */

export interface FlagOptions {
  readonly enabled: boolean;
  /** Of its one strategy. */
  readonly variants?: readonly StrategyVariant[];
  /** Share of those who ask that its strategy lets through. Default: 100. */
  readonly rollout?: number;
}

export interface StrategyVariant {
  readonly name: string;
  /** Thousandths. */
  readonly weight: number;
  readonly weightType?: 'fix' | 'variable';
  readonly stickiness?: string;
}

/** A change that took effect: Unleash notes none for a call that changes nothing. */
export interface FlagEvent {
  readonly id: number;
  readonly type: string;
  readonly atMs: number;
  readonly createdBy: string;
}

export interface AdminOptions {
  readonly address: string;
  readonly token: string;
  readonly project: string;
  readonly environment: string;
}

export class UnleashAdmin {
  readonly #options: AdminOptions;

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** A new flag with one strategy, for all users or a share of them. */
  async createFlag(name: string, { enabled, variants = [], rollout = 100 }: FlagOptions): Promise<void> {
    await this.ask('POST', `/projects/${this.#options.project}/features`, { name, type: 'release' });
    const parameters = { rollout: String(rollout), stickiness: 'default', groupId: name };
    await this.ask('POST', `${this.pathOf(name)}/strategies`, {
      name: 'flexibleRollout',
      parameters,
      variants: variants.map((variant) => ({ weightType: 'variable', stickiness: 'default', ...variant })),
    });
    if (enabled) await this.turn(name, 'on');
  }

  async turn(name: string, state: 'on' | 'off'): Promise<void> {
    await this.ask('POST', `${this.pathOf(name)}/${state}`);
  }

  async isEnabled(name: string): Promise<boolean> {
    const { enabled } = await this.ask<{ enabled: boolean }>('GET', this.pathOf(name));
    return enabled;
  }

  async events(flag: string): Promise<FlagEvent[]> {
    const { events } = await this.ask<{ events: readonly StoredEvent[] }>('GET', `/events/${flag}`);
    return events
      .map(({ id, type, createdAt, createdBy }) => ({ id, type, createdBy, atMs: Date.parse(createdAt) }))
      .toSorted((a, b) => a.id - b.id);
  }

  /** Of the flag in the environment. */
  pathOf(flag: string): string {
    const { project, environment } = this.#options;
    return `/projects/${project}/features/${flag}/environments/${environment}`;
  }

  /** Any call; the path behind /api/admin. */
  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.#options.address}/api/admin${path}`, {
      method,
      headers: { authorization: this.#options.token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Unleash answered ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }
}

interface StoredEvent {
  readonly id: number;
  readonly type: string;
  readonly createdAt: string;
  readonly createdBy: string;
}
