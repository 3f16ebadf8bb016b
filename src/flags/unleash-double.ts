/** As much of Unleash as Serin asks, in memory: its admin API, its log, and what applications get. For tests that break it. */
import type { Asked, Reply } from './backend-double.ts';
import type { Strategy } from './unleash-api.ts';

const adminPath = '/api/admin/projects/default/features/new-cart/environments/production';

export class UnleashDouble {
  enabled = true;
  strategies: Strategy[] = [strategyOf('100', [])];
  readonly events: { id: number; type: string; environment: string }[] = [];
  /** Applications get what was. */
  isLying = false;
  #served: object | undefined;

  answer({ method, path, headers, body }: Asked): Reply {
    if (path === '/api/client/features') return headers.authorization === 'client' ? this.#client() : { status: 401 };
    if (headers.authorization !== 'admin') return { status: 401, json: { message: 'You must log in' } };
    if (path === '/api/admin/events/new-cart') return { status: 200, json: { events: this.events.toReversed() } };
    if (path === adminPath)
      return { status: 200, json: { name: 'new-cart', enabled: this.enabled, strategies: this.strategies } };
    if (method === 'POST' && path === `${adminPath}/on`) return this.turn(true);
    if (method === 'POST' && path === `${adminPath}/off`) return this.turn(false);
    const id = new RegExp(`^${adminPath}/strategies/(.+)$`).exec(path)?.[1];
    if (method === 'PUT' && id !== undefined) return this.#put(id, JSON.parse(body));
    return { status: 404, json: { message: 'Could not find it' } };
  }

  /** As a person does it, too. */
  turn(enabled: boolean): Reply {
    if (enabled !== this.enabled) this.#note(enabled ? 'feature-environment-enabled' : 'feature-environment-disabled');
    this.enabled = enabled;
    return { status: 200 };
  }

  lie(): void {
    this.#served = this.#features();
    this.isLying = true;
  }

  #put(id: string, strategy: Strategy): Reply {
    const { variants = [] } = strategy;
    if (variants.length > 0 && variants.every(({ weightType }) => weightType === 'fix'))
      return { status: 400, json: { message: 'There must be at least one "variable" variant' } };
    this.strategies = this.strategies.map((one) => (one.id === id ? { ...strategy, id } : one));
    this.#note('feature-strategy-update');
    return { status: 200 };
  }

  #client(): Reply {
    return { status: 200, json: this.isLying ? this.#served : this.#features() };
  }

  #features(): object {
    const { enabled, strategies } = this;
    return { version: 2, features: [{ name: 'new-cart', type: 'release', enabled, strategies, variants: [] }] };
  }

  #note(type: string): void {
    this.events.push({ id: this.events.length + 1, type, environment: 'production' });
  }
}

export function strategyOf(rollout: string, variants: readonly string[]): Strategy {
  return {
    id: 's1',
    name: 'flexibleRollout',
    parameters: { rollout, stickiness: 'default', groupId: 'new-cart' },
    constraints: [],
    segments: [],
    variants: variants.map((name) => ({
      name,
      weight: 1000 / variants.length,
      weightType: 'variable',
      stickiness: 'default',
    })),
  };
}
