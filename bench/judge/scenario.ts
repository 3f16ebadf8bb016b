/** Owns what one simulated release is: its traffic, its pods, its world, and what the new version does wrong. */

import type { Slowness } from '../../src/simulation/release/durations.ts';

export const worldNames = ['iid', 'incident', 'diurnal', 'clumps', 'spells', 'lemon'] as const;
export type WorldName = (typeof worldNames)[number];

export type Regression =
  | { readonly kind: 'none' }
  /** Fails so many times as often. */
  | { readonly kind: 'times'; readonly factor: number }
  /** Fails so much more, as a fraction of requests. */
  | { readonly kind: 'plus'; readonly rate: number }
  /** Every answer fails. */
  | { readonly kind: 'all' };

export interface Scenario {
  /** Unique; the seed of its chance comes from it. */
  readonly id: string;
  readonly world: WorldName;
  /** Requests to both versions together. */
  readonly perSecond: number;
  /** The canary's part of them, from 0 to 1. */
  readonly weight: number;
  readonly stableRate: number;
  readonly regression: Regression;
  /** What the new version does to the time that requests take; undefined where nobody measures it. */
  readonly slowness: Slowness | undefined;
  readonly onsetMinutes: number;
  readonly pods: { readonly canary: number; readonly all: number };
  readonly windowMs: number;
  readonly minutes: number;
}

export function canaryRate({ stableRate, regression }: Pick<Scenario, 'stableRate' | 'regression'>): number {
  switch (regression.kind) {
    case 'none':
      return stableRate;
    case 'times':
      return Math.min(1, stableRate * regression.factor);
    case 'plus':
      return Math.min(1, stableRate + regression.rate);
    case 'all':
      return 1;
    default:
      return regression satisfies never;
  }
}

/** "x2", "+0.5pp", "all fail", "healthy" */
function regressionWords(regression: Regression): string {
  switch (regression.kind) {
    case 'none':
      return 'healthy';
    case 'times':
      return `×${regression.factor}`;
    case 'plus':
      return `+${Number((regression.rate * 100).toFixed(2))}pp`;
    case 'all':
      return 'all fail';
    default:
      return regression satisfies never;
  }
}

/** What is wrong with the new version: "+0.5pp", "10 % take ×3". */
export function faultWords({ regression, slowness }: Pick<Scenario, 'regression' | 'slowness'>): string {
  if (slowness === undefined || isUsual(slowness)) return regressionWords(regression);
  const part = slowness.share === 1 ? 'all' : `${Number((slowness.share * 100).toFixed(1))} %`;
  const how = slowness.addedSeconds > 0 ? `+${slowness.addedSeconds} s` : `×${slowness.factor}`;
  return `${part} take ${how}`;
}

function isUsual({ share }: Slowness): boolean {
  return share === 0;
}

/** A scenario with what is usual, and an id made of all that it says. */
export function scenario(part: Partial<Omit<Scenario, 'id'>>): Scenario {
  const whole = {
    world: 'iid' as const,
    perSecond: 100,
    weight: 0.1,
    stableRate: 0.001,
    regression: { kind: 'none' } as const,
    slowness: undefined,
    onsetMinutes: 0,
    pods: { canary: 3, all: 30 },
    windowMs: 15_000,
    minutes: 60,
    ...part,
  };
  return { ...whole, id: idOf(whole) };
}

function idOf(whole: Omit<Scenario, 'id'>): string {
  const { world, perSecond, weight, stableRate, slowness, onsetMinutes, pods, windowMs } = whole;
  return [
    world,
    `${perSecond}rps`,
    `w${weight * 100}`,
    `base${Number((stableRate * 100).toFixed(3))}`,
    faultWords(whole),
    slowness === undefined ? 'untimed' : 'timed',
    `at${onsetMinutes}m`,
    `${pods.canary}of${pods.all}`,
    `${windowMs / 1000}s`,
  ].join('/');
}
