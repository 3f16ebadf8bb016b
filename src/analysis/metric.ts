// Owns what may be judged about a release, and how much each of it weighs in the verdict. It knows nothing of evidence.
import type { Tolerance } from './tolerance.ts';

export type Metric = CountMetric | LatencyMetric;

/** Requests (or any events) of which some are bad: failed answers, or what a query of the user counts. */
export interface CountMetric {
  readonly kind: 'count';
  /** 'errors', or the name that the user gave to a query. */
  readonly name: string;
  /** Its part of the evidence of harm; the weights of all metrics sum to 1. */
  readonly weight: number;
  /** Differences up to this are never a reason to roll back. */
  readonly tolerate: Tolerance;
  /** A step forward waits until this much damage is ruled out. */
  readonly ruleOut: Tolerance;
  /** How many of its errors come at once, where the service's history says it. Default: what the settings suppose. */
  readonly clumping?: number;
}

/** How long requests take, from histograms. */
export interface LatencyMetric {
  readonly kind: 'latency';
  readonly name: string;
  readonly weight: number;
  /** 1.1: at most 10 % slower is tolerated. Above 1. */
  readonly tolerateRatio: number;
  /** In shares of slow requests: slower than the threshold, or without one than the boundary next above stable's p90. */
  readonly ruleOut: Tolerance;
  /** A request that takes longer is slow; judged beside the shape of the whole histogram, with half of the weight. */
  readonly thresholdSeconds?: number;
}

export type Unweighted = Omit<CountMetric, 'weight'> | Omit<LatencyMetric, 'weight'>;

/** What restarts of pods are called, everywhere; they are counted per second that a pod runs. */
export const restartsName = 'restarts';

/** What failed answers are called, everywhere. */
export const errorsName = 'errors';

export const defaultErrors: CountMetric = {
  kind: 'count',
  name: errorsName,
  weight: 1,
  tolerate: { ratio: 1.1, absolute: 0.0001 },
  ruleOut: { ratio: 2, absolute: 0.002 },
};

/**
 * As many as the old version has are tolerated; ruled out has to be that there are twice as many, and one more for every five
 * minutes that a pod runs. A container ends by itself, so one cause is one restart.
 */
export const restartsMetric: Omit<CountMetric, 'weight'> = {
  kind: 'count',
  name: restartsName,
  tolerate: { ratio: 1, absolute: 0 },
  ruleOut: { ratio: 2, absolute: 1 / 300 },
  clumping: 1,
};

/** Restarts weigh as much as a query. */
const importance = { errors: 0.4, latency: 0.3, query: 0.15 };

/** Each metric with its part: errors 4 to latency 3 to every query 1.5, scaled so that all of them make 1. */
export function weighted(metrics: readonly Unweighted[]): readonly Metric[] {
  const whole = metrics.reduce((sum, metric) => sum + importanceOf(metric), 0);
  return metrics.map((metric) => ({ ...metric, weight: importanceOf(metric) / whole }));
}

function importanceOf({ kind, name }: Unweighted): number {
  if (kind === 'latency') return importance.latency;
  return name === errorsName ? importance.errors : importance.query;
}
