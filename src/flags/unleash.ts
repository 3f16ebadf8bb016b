/**
 * Changes a flag of an Unleash, and sees that it is served as applications evaluate it. Unleash has no compare-and-set: its own
 * log of what really changed tells that nobody else changed the flag since it was read, and nobody's change is written over.
 */
import { FlagError } from './flag-error.ts';
import { exchangeWith } from './http-exchange.ts';
import type { TargetParts } from './open-target.ts';
import { packPrevious, unpackPrevious, unreadable } from './previous.ts';
import type { FlagSourceOf, UnleashBackend } from './source.ts';
import type { FlagChange, FlagPlan, FlagTarget, Served } from './target.ts';
import { type Environment, UnleashApi } from './unleash-api.ts';
import { type Before, reshaped, shapeOf, standingOf, type Wanted, wantedOf, writesBetween } from './unleash-parts.ts';
import { evaluated } from './unleash-view.ts';

export function unleashTarget(
  source: FlagSourceOf,
  backend: UnleashBackend,
  parts: Pick<TargetParts, 'clock' | 'dispatcher'>,
): FlagTarget {
  return new UnleashTarget(source.name, new UnleashApi(source.name, backend, exchangeWith(backend, parts)));
}

class UnleashTarget implements FlagTarget {
  readonly #source: string;
  readonly #api: UnleashApi;

  constructor(source: string, api: UnleashApi) {
    this.#source = source;
    this.#api = api;
  }

  async plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan> {
    const { flag } = change;
    // The log first: what happens in between is then seen as somebody else's.
    const [last] = await this.#api.events(flag, signal);
    const now = await this.#api.environment(flag, signal);
    const wanted = wantedOf(change, now, this.#api.named(flag));
    const before = beforeOf(now, wanted, last?.id ?? 0);
    const { enabled, strategy } = standingOf(now, before, wanted);
    const isServed = enabled === 'wanted' && strategy === 'wanted';
    return { previous: packPrevious(before, this.#api.named(flag)), isServed };
  }

  async apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void> {
    const { flag } = change;
    const { before, now, wanted } = await this.#looked(change, previous, signal);
    const { enabled, strategy } = standingOf(now, before, wanted);
    if (enabled === 'wanted' && strategy === 'wanted') return;
    const done = strategy === 'wanted' && !same(before, wanted) ? 1 : 0;
    if (enabled === 'other' || strategy === 'other' || (await this.#changesSince(flag, before, signal)) > done)
      throw new FlagError(
        'refused',
        `${this.#api.named(flag)} is not changed: somebody changed it since it was read; whoever did decides what it serves.`,
      );
    // While it is off nobody is served by its strategy: what users see changes once.
    if (strategy === 'before') await this.#shape(change, now, wanted.strategy, signal);
    if (enabled === 'before') await this.#api.turn(flag, wanted.enabled ? 'on' : 'off', signal);
  }

  async verify(change: FlagChange, signal: AbortSignal): Promise<Served> {
    const features = await this.#api.clientFeatures(change.flag, signal);
    return evaluated(this.#source, change, features, signal);
  }

  async revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'> {
    const { flag } = change;
    const { before, now, wanted } = await this.#looked(change, previous, signal);
    const changes = writesBetween(before, wanted);
    const { enabled, strategy } = standingOf(now, before, wanted);
    if (enabled === 'other' || strategy === 'other') return 'keptByOthers';
    const isTurned = enabled === 'wanted' && before.enabled !== wanted.enabled;
    const isShaped = strategy === 'wanted' && !same(before, wanted);
    if (!isTurned && !isShaped) return 'reverted';
    // What was put back already is one write more.
    const undone = changes - (isTurned ? 1 : 0) - (isShaped ? 1 : 0);
    if ((await this.#changesSince(flag, before, signal)) > changes + undone) return 'keptByOthers';
    if (isTurned && !before.enabled) await this.#api.turn(flag, 'off', signal);
    if (isShaped) await this.#shape(change, now, before.strategy, signal);
    if (isTurned && before.enabled) await this.#api.turn(flag, 'on', signal);
    return 'reverted';
  }

  async #looked(change: FlagChange, previous: string, signal: AbortSignal) {
    const named = this.#api.named(change.flag);
    const before = readBefore(previous, named);
    const now = await this.#api.environment(change.flag, signal);
    return { before, now, wanted: wantedSince(change, before, now, named) };
  }

  async #changesSince(flag: string, { event }: Before, signal: AbortSignal): Promise<number> {
    return (await this.#api.events(flag, signal)).filter(({ id }) => id > event).length;
  }

  async #shape(change: FlagChange, now: Environment, shape: Before['strategy'], signal: AbortSignal): Promise<void> {
    const strategy = now.strategies.find(({ id }) => id === shape?.id);
    if (shape !== undefined && strategy !== undefined)
      await this.#api.putStrategy(change.flag, reshaped(strategy, shape), signal);
  }
}

function beforeOf({ enabled, strategies }: Environment, wanted: Wanted, event: number): Before {
  const strategy = strategies.find(({ id }) => id === wanted.strategy?.id);
  const isBare = strategies.every(({ disabled }) => disabled === true);
  return {
    enabled,
    ...(strategy === undefined ? {} : { strategy: shapeOf(strategy) }),
    event,
    ...(isBare ? { isBare } : {}),
  };
}

/** From what was there before: what is there now may be somebody else's. */
function wantedSince(change: FlagChange, before: Before, now: Environment, named: string): Wanted {
  if (before.strategy === undefined) return { enabled: change.variant !== 'off' };
  const { id, rollout, weights } = before.strategy;
  const then = {
    id,
    name: 'flexibleRollout',
    parameters: { rollout },
    constraints: [],
    variants: weights.map(([name, weight, weightType]) => ({ name, weight, weightType, stickiness: 'default' })),
  };
  return wantedOf(change, { ...now, strategies: [then] }, named);
}

function same(before: Before, { strategy }: Wanted): boolean {
  return JSON.stringify(before.strategy) === JSON.stringify(strategy);
}

function readBefore(previous: string, named: string): Before {
  const before = unpackPrevious(previous, named) as unknown as Before;
  if (typeof before.enabled === 'boolean' && typeof before.event === 'number') return before;
  throw unreadable(named);
}
