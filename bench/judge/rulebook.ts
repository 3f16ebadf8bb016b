/** Decides which rules are compared, and in which order they stand in every table. */
import { argoLatency, argoRollouts } from './rules/argo.ts';
import { flagger, flaggerLatency } from './rules/flagger.ts';
import { mannWhitney, mannWhitneyLatency } from './rules/mann-whitney.ts';
import { pure, pureLatency } from './rules/pure.ts';
import type { Rule } from './rules/rule.ts';
import { screened, serin, serinWithLatency, serinWithoutHistory } from './rules/serin.ts';
import type { Scenario } from './scenario.ts';

/** What is judged: errors alone, or how long requests take as well. */
export type Family = 'errors' | 'latency';

export interface Rulebook {
  /** On the same counts, in the order of every table. */
  readonly all: readonly Rule[];
  /** The same calls, faster where next to nothing happens. */
  readonly watchful: readonly Rule[];
  /** Those that brake before they go back. */
  readonly braking: readonly Rule[];
}

const shipped = [serin(99.9), serin(99), serinWithoutHistory(99.9)];
const otherRules = [pure(99.9), pure(99), argoRollouts(0), argoRollouts(3), flagger(1), flagger(5), mannWhitney];
const latencyRules = [
  serinWithLatency(99.9, 2),
  serinWithLatency(99.9, 1),
  pureLatency(99.9),
  argoLatency(0),
  argoLatency(3),
  flaggerLatency(1),
  flaggerLatency(5),
  mannWhitneyLatency,
];

export const rulebooks: Readonly<Record<Family, Rulebook>> = {
  errors: {
    all: [...shipped, ...otherRules],
    watchful: [...screened(shipped), ...otherRules],
    braking: shipped.filter(({ name }) => name.startsWith('serin-99.9')),
  },
  latency: { all: latencyRules, watchful: latencyRules, braking: latencyRules.slice(0, 1) },
};

export function familyOf({ slowness }: Pick<Scenario, 'slowness'>): Family {
  return slowness === undefined ? 'errors' : 'latency';
}

/** A rule that promises nothing is measured against the limit of one that may be wrong once in a hundred times. */
export function allowanceOf(name: string): number {
  const known = [...rulebooks.errors.all, ...rulebooks.latency.all].find((rule) => rule.name === name);
  return known?.promise ?? 0.01;
}
