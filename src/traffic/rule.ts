/**
 * The arithmetic of one rule: puts canary backends beside the backends of a Service with exactly its share, and takes
 * them out again. Pure; it never changes what belongs to somebody else but by a common factor.
 */
import type { BackendRef } from './objects.ts';

/** The share of one Service's requests that goes to another backend. */
export interface Split {
  readonly service: string;
  readonly backend: string;
  /** In hundredths of a percent: 0 to 10 000. */
  readonly share: number;
}

/** A weight as the user wrote it; null where they wrote none, which means 1. */
export type Weight = number | null;

/** The whole, in hundredths of a percent. */
export const WHOLE = 10_000;
/** Largest weight that the Gateway API allows. */
const LARGEST_WEIGHT = 1_000_000;

/** Does this backend name the Service, which is in the namespace of the route? */
export function isRefTo(ref: BackendRef, service: string, namespace: string | undefined): boolean {
  const isService = (ref.group ?? '') === '' && (ref.kind ?? 'Service') === 'Service';
  return isService && ref.name === service && (ref.namespace ?? namespace) === namespace;
}

/**
 * Each backend that names a split Service becomes two, with weights w·k·(1−s) and w·k·s; all others get their weight
 * times k. A rule whose weights are all 0 answers nobody and is left alone.
 */
export function expand(refs: readonly BackendRef[], splits: readonly Split[], namespace?: string): BackendRef[] {
  const splitOf = (ref: BackendRef) => splits.find((split) => isRefTo(ref, split.service, namespace));
  const used = refs.map(splitOf).filter((split) => split !== undefined);
  if (used.length === 0 || refs.every((ref) => weightOf(ref) === 0)) return [...refs];
  const k = used.map(({ share }) => WHOLE / gcd(share, WHOLE)).reduce(lcm);
  const parts = refs.flatMap((ref) => partsOf(ref, splitOf(ref), k));
  const fit = fitting(parts.map(({ weight }) => weight));
  return parts.map(({ ref, weight, isCanary }) => ({ ...ref, weight: fit(weight, isCanary) }));
}

interface Part {
  readonly ref: BackendRef;
  readonly weight: number;
  readonly isCanary: boolean;
}

function partsOf(ref: BackendRef, split: Split | undefined, k: number): Part[] {
  const whole = weightOf(ref) * k;
  if (split === undefined) return [{ ref, weight: whole, isCanary: false }];
  const canary = (whole * split.share) / WHOLE;
  return [
    { ref, weight: whole - canary, isCanary: false },
    { ref: { ...ref, name: split.backend }, weight: canary, isCanary: true },
  ];
}

/** Brings weights under the limit: exactly where a common divisor can, else with the canary rounded down, but never to nothing. */
function fitting(weights: readonly number[]): (weight: number, isCanary: boolean) => number {
  const largest = Math.max(...weights);
  if (largest <= LARGEST_WEIGHT) return (weight) => weight;
  const divisor = weights.reduce(gcd);
  if (largest / divisor <= LARGEST_WEIGHT) return (weight) => weight / divisor;
  return (weight, isCanary) => {
    const scaled = (weight * LARGEST_WEIGHT) / largest;
    return weight === 0 ? 0 : Math.max(1, isCanary ? Math.floor(scaled) : Math.round(scaled));
  };
}

export interface Collapsed {
  /** The backends without those of canaries; where nothing is left of a Service but its canary, the Service itself. */
  readonly refs: readonly BackendRef[];
  /** For each of them its weight together with that of its canary. */
  readonly totals: readonly number[];
  readonly hasCanary: boolean;
}

/** Puts each canary back into the backend it was taken from: the nearest before it that has none yet. */
export function collapse(refs: readonly BackendRef[], splits: readonly Split[], namespace?: string): Collapsed {
  const found: { ref: BackendRef; total: number; isPaired: boolean }[] = [];
  let hasCanary = false;
  for (const ref of refs) {
    const split = splits.find(({ backend }) => isRefTo(ref, backend, namespace));
    if (split === undefined) {
      found.push({ ref, total: weightOf(ref), isPaired: false });
      continue;
    }
    hasCanary = true;
    const isHome = (one: (typeof found)[number]) =>
      !one.isPaired && isRefTo(one.ref, split.service, namespace) && one.ref.port === ref.port;
    const home = found.findLast(isHome);
    if (home === undefined) found.push({ ref: { ...ref, name: split.service }, total: weightOf(ref), isPaired: true });
    else Object.assign(home, { total: home.total + weightOf(ref), isPaired: true });
  }
  return { refs: found.map(({ ref }) => ref), totals: found.map(({ total }) => total), hasCanary };
}

export function withWeight(ref: BackendRef, weight: Weight): BackendRef {
  const { weight: _old, ...rest } = ref;
  return weight === null ? rest : { ...rest, weight };
}

export function weightOf(ref: BackendRef): number {
  return ref.weight ?? 1;
}

/** The same proportions in the smallest whole numbers, which the API takes. */
export function reduced(weights: readonly number[]): number[] {
  const divisor = Math.max(1, weights.reduce(gcd, 0));
  const smallest = weights.map((weight) => weight / divisor);
  const fit = fitting(smallest);
  return smallest.map((weight) => fit(weight, false));
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function lcm(a: number, b: number): number {
  return (a / gcd(a, b)) * b;
}
