/**
 * Decides what the rules of a route look like with a share of one Service's requests on its canary, and reads that share
 * back. Pure; it touches only backends and their weights, and what somebody else edited is split anew, never restored.
 */
import { isDeepStrictEqual } from 'node:util';
import { SPLIT_ANNOTATION } from '../workload/marks.ts';
import type { BackendRef, HTTPRoute, RouteRule } from './objects.ts';
import { collapse, expand, isRefTo, reduced, type Split, type Weight, WHOLE, weightOf, withWeight } from './rule.ts';
import { annotationOf, memoryOf, type SplitMemory } from './split-memory.ts';

export interface SplitRoute {
  readonly rules: readonly RouteRule[];
  /** Value of the annotation that remembers the user's weights; undefined: it goes. */
  readonly annotation: string | undefined;
}

export interface SplitReading {
  /** The largest over the rules. 0 also when only our annotation is left, so that it does not stay. */
  readonly canaryWeightPercent: number | undefined;
  /** Every rule that names the Service has exactly that split. */
  readonly uniform: boolean;
  /** Some rule names the Service or its canary. */
  readonly serves: boolean;
  /** Some of those rules keeps sessions on one backend. */
  readonly sessionPersistence: boolean;
}

/**
 * @param weightPercent share of the canary, resolution 0.01; `out` restores the user's own shape and weights.
 * @returns undefined when the route is that way already.
 */
export function withSplit(
  route: HTTPRoute,
  service: string,
  canaryService: string,
  weightPercent: number | 'out',
): SplitRoute | undefined {
  const own = { service, backend: canaryService };
  const before = memoryOf(route);
  const splits = [
    ...before.splits.filter((split) => split.service !== service),
    ...(weightPercent === 'out' ? [] : [{ ...own, share: shareOf(weightPercent) }]),
  ].toSorted((a, b) => (a.service < b.service ? -1 : 1));
  const { namespace, annotations } = route.metadata;
  const rules = route.spec.rules ?? [];
  const bases = rules.map((rule, at) => baseOf(rule, before.rules[at], before, own, namespace).refs);
  const after = bases.map((base) => expand(base, splits, namespace));
  const annotation = annotationOf({ splits, rules: bases.map((base, at) => remembered(base, after[at])) });
  const hasSameRefs = after.every((refs, at) => isDeepStrictEqual(refs, rules[at]?.backendRefs ?? []));
  if (hasSameRefs && annotation === annotations?.[SPLIT_ANNOTATION]) return undefined;
  return { rules: rules.map((rule, at) => withRefs(rule, after[at])), annotation };
}

export function readSplit(route: HTTPRoute, service: string, canaryService: string): SplitReading {
  const own = { service, backend: canaryService };
  const memory = memoryOf(route);
  const { namespace } = route.metadata;
  const rules = route.spec.rules ?? [];
  const shares = rules.map((rule, at) => shareIn(rule, memory.rules[at], memory, own, namespace));
  const found = shares.filter((share) => share !== undefined);
  const largest = found.length > 0 ? Math.max(...found) : markedShare(route, own);
  const canaryWeightPercent = largest === undefined ? undefined : largest / 100;
  const serving = rules.filter((rule) =>
    rule.backendRefs?.some((ref) => isRefTo(ref, service, namespace) || isRefTo(ref, canaryService, namespace)),
  );
  return {
    canaryWeightPercent,
    uniform:
      canaryWeightPercent === undefined || withSplit(route, service, canaryService, canaryWeightPercent) === undefined,
    serves: serving.length > 0,
    sessionPersistence: serving.some((rule) => rule.sessionPersistence !== undefined),
  };
}

type Own = Omit<Split, 'share'>;

/**
 * Of a route that only our annotation says is split: what it says, where there is nothing that could be split (all weights
 * are 0); else 0, so that the split is put on again or the annotation taken off.
 */
function markedShare(route: HTTPRoute, { service, backend }: Own): number | undefined {
  const share = memoryOf(route).splits.find((split) => split.service === service)?.share;
  if (share === undefined) return undefined;
  return withSplit(route, service, backend, share / 100) === undefined ? share : 0;
}

interface Base {
  /** The backends as the user wants them. */
  readonly refs: readonly BackendRef[];
  /** True when the rule is exactly what was written for it; false when it holds no canary or somebody edited it. */
  readonly isAsWritten: boolean;
}

/**
 * What the user wants of a rule. Without a canary in it that is the rule itself, whatever the annotation says: a forced
 * apply from Git put it there. With one it is what the annotation explains, wherever rules were moved to; and what nobody
 * can explain was edited: then the sums as they stand are what is wanted.
 */
function baseOf(
  rule: RouteRule,
  weightsHere: readonly Weight[] | null | undefined,
  memory: SplitMemory,
  own: Own,
  namespace: string | undefined,
): Base {
  const { backendRefs = [] } = rule;
  const known = [...memory.splits, { ...own, share: 0 }];
  const { refs, totals, hasCanary } = collapse(backendRefs, known, namespace);
  if (!hasCanary) return { refs: backendRefs, isAsWritten: false };
  const baseWith = (weights: readonly Weight[]) => refs.map((ref, at) => withWeight(ref, weights[at] ?? null));
  const explains = (weights: readonly Weight[]) =>
    weights.length === refs.length &&
    isDeepStrictEqual(expand(baseWith(weights), memory.splits, namespace), backendRefs);
  const explained = [weightsHere, ...memory.rules].filter((weights) => weights != null).find(explains);
  return { refs: baseWith(explained ?? reduced(totals)), isAsWritten: explained !== undefined };
}

/** In hundredths of a percent; undefined when the canary is not in the rule, or none of its requests are the Service's. */
function shareIn(
  rule: RouteRule,
  weightsHere: readonly Weight[] | null | undefined,
  memory: SplitMemory,
  own: Own,
  namespace: string | undefined,
): number | undefined {
  const { backendRefs = [] } = rule;
  const totalOf = (name: string) =>
    backendRefs.filter((ref) => isRefTo(ref, name, namespace)).reduce((sum, ref) => sum + weightOf(ref), 0);
  if (!backendRefs.some((ref) => isRefTo(ref, own.backend, namespace))) return undefined;
  const split = memory.splits.find(({ service }) => service === own.service);
  if (split !== undefined && baseOf(rule, weightsHere, memory, own, namespace).isAsWritten) return split.share;
  const canary = totalOf(own.backend);
  if (canary === 0) return 0;
  return Math.max(1, Math.round((WHOLE * canary) / (canary + totalOf(own.service))));
}

function shareOf(weightPercent: number): number {
  const share = Math.min(WHOLE, Math.max(0, Math.round(weightPercent * 100)));
  return weightPercent > 0 ? Math.max(1, share) : share;
}

/** Null when the rule was left alone. */
function remembered(base: readonly BackendRef[], after: readonly BackendRef[] = []): Weight[] | null {
  return isDeepStrictEqual(base, after) ? null : base.map((ref) => ref.weight ?? null);
}

/** The very same rule when its backends stay as they are, so that nothing is written that did not change. */
function withRefs(rule: RouteRule, refs: readonly BackendRef[] = []): RouteRule {
  return isDeepStrictEqual(rule.backendRefs ?? [], refs) ? rule : { ...rule, backendRefs: refs };
}
