/**
 * How a share of the requests reaches the new version: by the weights of routes, or, where there are none, by its share of
 * the pods. Knows nothing of time; a weight is turned into pods here and nowhere else.
 */
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt } from '../api/rollout-status.ts';
import { percent } from './weights.ts';

/** `service`: requests come through a Service that takes in both versions; `pods`: there is no Service, as with workers. */
export type Sharing = 'routes' | 'service' | 'pods';

export function sharingOf({ traffic }: Pick<EffectiveSpec, 'traffic'>): Sharing {
  if (traffic.routes.length > 0) return 'routes';
  return traffic.service === undefined ? 'pods' : 'service';
}

/**
 * All requests are meant for the new version, so that nothing is left to compare it with. A brake brings the comparison
 * back: stable then has nearly all of them.
 */
export function isWithoutControl({ stage, spec, brake }: Pick<Attempt, 'stage' | 'spec' | 'brake'>): boolean {
  return isBakeOfRoutes({ stage, spec }) && brake === undefined;
}

export function isBakeOfRoutes({ stage, spec }: Pick<Attempt, 'stage' | 'spec'>): boolean {
  return stage === 'bake' && sharingOf(spec) === 'routes';
}

/** Until the handover stable keeps all of its pods, so the new version never has more than half. */
export const LARGEST_SHARE_PERCENT = 50;

/** Pods of the new version that, beside N of stable, come closest to a share of the requests: at least one, at most N. */
export function sharedPods(weightPercent: number, replicas: number): number {
  const share = Math.min(weightPercent, LARGEST_SHARE_PERCENT);
  if (share <= 0 || replicas <= 0) return 0;
  return Math.min(replicas, Math.max(1, Math.round((share * replicas) / (100 - share))));
}

/** The share that so many pods beside N of stable have. */
export function shareOfShared(pods: number, replicas: number): number {
  return pods <= 0 ? 0 : Math.round((pods * 10_000) / (pods + replicas)) / 100;
}

/** The stages in which both versions are behind the Service; before and after them it keeps to stable. */
export function isOpenToBoth(attempt: Attempt): boolean {
  if (sharingOf(attempt.spec) === 'routes' || attempt.weightPercent <= 0) return false;
  return attempt.stage === 'step' || attempt.stage === 'bake' || attempt.stage === 'promote';
}

/** "25% of requests go to 7f9c"; without routes in pods, because that is what people can count. */
export function exposureWords(attempt: Attempt, weightPercent: number, replicas: number): string {
  const sharing = sharingOf(attempt.spec);
  if (sharing === 'routes') return `${percent(weightPercent)} of requests go to ${attempt.hash}`;
  const pods = sharedPods(weightPercent, replicas);
  const counted = `${pods} of ${pods + replicas} pods`;
  if (sharing === 'pods') return `${counted} run ${attempt.hash}`;
  return `${counted} behind Service ${attempt.spec.traffic.service ?? ''}, about ${percent(shareOfShared(pods, replicas))} of requests, run ${attempt.hash}`;
}
