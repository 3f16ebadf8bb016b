/**
 * Decides what of a flag in Unleash has to be another for a variant to be served: whether it is on, and for all but `on` and
 * `off` its strategy. Each is as it was before, as it is to be, or as somebody else has made it; no call is made here.
 */
import { FlagError } from './flag-error.ts';
import { isDeepStrictEqual } from 'node:util';
import type { FlagChange } from './target.ts';
import type { Environment, Strategy, StrategyVariant } from './unleash-api.ts';

/** What is written down before a change. */
export interface Before {
  readonly enabled: boolean;
  /** Of the strategy that is changed. */
  readonly strategy?: Shape;
  /** Latest event of the flag in the environment. */
  readonly event: number;
  /** Turning it on makes Unleash add a strategy. */
  readonly isBare?: boolean;
}

/** What Serin changes of a strategy. */
export interface Shape {
  readonly id: string;
  readonly rollout: string;
  /** Name, thousandths and whether these are fixed. */
  readonly weights: readonly (readonly [string, number, 'fix' | 'variable'])[];
}

/** What has to be for the change to be served. */
export interface Wanted {
  readonly enabled: boolean;
  readonly strategy?: Shape;
}

export type Standing = 'before' | 'wanted' | 'other';

/** @throws FlagError where Unleash has no such thing, or Serin could not see it served. */
export function wantedOf(change: FlagChange, { strategies }: Environment, named: string): Wanted {
  const { variant, percent } = change;
  if (variant === 'off') {
    if (percent === undefined || percent === 100) return { enabled: false };
    throw invalid(named, `off for ${percent} %`, 'off is for everybody; name the variant that is on, and its percent');
  }
  if (percent === 0) throw invalid(named, `${variant} for 0 %`, 'that is the variant off');
  const active = strategies.filter(({ disabled }) => disabled !== true);
  if (variant === 'on' && percent === undefined) return wantedOn(active, named);
  const [only] = active;
  if (only === undefined || active.length > 1 || only.name !== 'flexibleRollout')
    throw invalid(
      named,
      `${variant}${percent === undefined ? '' : ` for ${percent} %`}`,
      'it needs to have exactly one active strategy there, a gradual rollout',
    );
  refuseClosed(active, variant, named);
  const now = shapeOf(only);
  const rollout = percent === undefined ? now.rollout : String(percent);
  if (variant === 'on') return { enabled: true, strategy: { ...now, rollout } };
  if (!now.weights.some(([name]) => name === variant))
    throw new FlagError(
      'notFound',
      `${named} has no variant ${variant}: those of its strategy are ${now.weights.map(([name]) => name).join(', ') || 'none'}; correct the Rollout, or the owner of the flag adds it.`,
    );
  // Unleash wants one whose weight is what the others leave.
  const weights = now.weights.map(([name]) =>
    name === variant ? ([name, 1000, 'variable'] as const) : ([name, 0, 'fix'] as const),
  );
  return { enabled: true, strategy: { ...now, rollout, weights } };
}

function wantedOn(active: readonly Strategy[], named: string): Wanted {
  refuseClosed(active, 'on', named);
  return { enabled: true };
}

/** With nobody let in who is tried, it could not be told whether it is served. */
function refuseClosed(active: readonly Strategy[], variant: string, named: string): void {
  const isOpen = ({ name, constraints, segments }: Strategy) =>
    ['default', 'flexibleRollout'].includes(name) && constraints.length === 0 && (segments ?? []).length === 0;
  if (active.length === 0 || active.some(isOpen)) return;
  throw invalid(
    named,
    variant,
    'its strategies let in certain users only, so that it cannot be seen whether it is served',
  );
}

export function shapeOf({ id, parameters, variants = [] }: Strategy): Shape {
  const weights = variants.map(({ name, weight, weightType }) => [name, weight, weightType] as const);
  return { id, rollout: parameters['rollout'] ?? '100', weights: weights.toSorted(byName) };
}

/** The strategy with another shape, and all else of it as it is. */
export function reshaped(strategy: Strategy, { rollout, weights }: Shape): Strategy {
  const variants = (strategy.variants ?? []).map((variant): StrategyVariant => {
    const [, weight = variant.weight, weightType = variant.weightType] =
      weights.find(([name]) => name === variant.name) ?? [];
    return { ...variant, weight, weightType };
  });
  return { ...strategy, parameters: { ...strategy.parameters, rollout }, variants };
}

/** `wanted` where it is both. */
export function standingOf(
  now: Environment,
  before: Before,
  wanted: Wanted,
): { readonly enabled: Standing; readonly strategy: Standing } {
  const { strategy: aim } = wanted;
  const found = aim === undefined ? undefined : now.strategies.find(({ id }) => id === aim.id);
  return {
    enabled: now.enabled === wanted.enabled ? 'wanted' : now.enabled === before.enabled ? 'before' : 'other',
    strategy:
      aim === undefined ? 'wanted' : found === undefined ? 'other' : standing(shapeOf(found), before.strategy, aim),
  };
}

function standing(now: Shape, before: Shape | undefined, wanted: Shape): Standing {
  if (isDeepStrictEqual(now, wanted)) return 'wanted';
  return isDeepStrictEqual(now, before) ? 'before' : 'other';
}

/** How many writes lead from `before` to `wanted`. */
export function writesBetween(before: Before, { enabled, strategy }: Wanted): number {
  const switches = before.enabled === enabled ? 0 : before.isBare === true && enabled ? 2 : 1;
  return switches + (strategy === undefined || isDeepStrictEqual(before.strategy, strategy) ? 0 : 1);
}

function byName([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function invalid(named: string, what: string, why: string): FlagError {
  return new FlagError(
    'invalid',
    `${named} cannot be ${what}: ${why}; correct the Rollout, or the owner of the flag changes it.`,
  );
}
