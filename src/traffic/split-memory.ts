/**
 * Remembers on the route itself, in one annotation that exists only during a release, the weights that its user wrote:
 * it changes in the same write as the weights, so the two can never disagree. What it cannot explain counts as an edit.
 */
import { SPLIT_ANNOTATION } from '../workload/marks.ts';
import type { HTTPRoute } from './objects.ts';
import type { Split, Weight } from './rule.ts';

export interface SplitMemory {
  /** Of all Rollouts that share the route. */
  readonly splits: readonly Split[];
  /** For each rule of the route the user's weights, in order; null where the rule has no split. */
  readonly rules: readonly (readonly Weight[] | null)[];
}

const NOTHING_SPLIT: SplitMemory = { splits: [], rules: [] };

/** What the annotation says. One that cannot be read says nothing: then the weights themselves are all there is. */
export function memoryOf(route: HTTPRoute): SplitMemory {
  const text = route.metadata.annotations?.[SPLIT_ANNOTATION];
  if (text === undefined) return NOTHING_SPLIT;
  try {
    const read: unknown = JSON.parse(text);
    return isMemory(read) ? read : NOTHING_SPLIT;
  } catch {
    return NOTHING_SPLIT;
  }
}

/** The annotation; undefined when there is nothing to remember. */
export function annotationOf(memory: SplitMemory): string | undefined {
  return memory.splits.length === 0 ? undefined : JSON.stringify(memory);
}

function isMemory(read: unknown): read is SplitMemory {
  if (typeof read !== 'object' || read === null || !('splits' in read) || !('rules' in read)) return false;
  const { splits, rules } = read;
  return Array.isArray(splits) && splits.every(isSplit) && Array.isArray(rules) && rules.every(isRule);
}

function isSplit(read: unknown): read is Split {
  if (typeof read !== 'object' || read === null) return false;
  const { service, backend, share } = read as Readonly<Record<string, unknown>>;
  return typeof service === 'string' && typeof backend === 'string' && isShare(share);
}

function isShare(read: unknown): boolean {
  return Number.isInteger(read) && Number(read) >= 0 && Number(read) <= 10_000;
}

function isRule(read: unknown): boolean {
  return read === null || (Array.isArray(read) && read.every((weight) => weight === null || isWeight(weight)));
}

function isWeight(read: unknown): boolean {
  return Number.isInteger(read) && Number(read) >= 0 && Number(read) <= 1_000_000;
}
