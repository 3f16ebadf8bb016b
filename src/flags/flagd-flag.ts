/** Owns the shape of a flag as flagd knows it, and what has to be written so that one variant is served; it writes nothing. */
import type { FlagChange } from './target.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = Readonly<Record<string, Json>>;

export interface FlagdFlag {
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: JsonMap;
  /** FeatureFlag objects have one always, files need none. */
  readonly defaultVariant?: string | null;
  /** Rules in JsonLogic: they win over the default variant. */
  readonly targeting?: JsonMap;
  readonly metadata?: JsonMap;
}

/** What one source gives flagd. */
export interface FlagdDocument {
  readonly flags: Readonly<Record<string, FlagdFlag>>;
  /** Parts of rules that flags of the same document may name. */
  readonly $evaluators?: JsonMap;
  readonly metadata?: JsonMap;
}

/** The part of a flag that decides who is served what. */
export interface Serving {
  readonly state: 'ENABLED';
  readonly defaultVariant: string;
  readonly targeting?: JsonMap;
}

/**
 * What serves the variant of `change`. DISABLED would be no way to turn anything off, for then each application serves its own
 * default; and rules that stay would win over the default variant.
 */
export function serving(change: FlagChange, before: FlagdFlag): Serving {
  const { variant, percent = 100 } = change;
  const rest = before.defaultVariant;
  if (percent >= 100 || typeof rest !== 'string') return { state: 'ENABLED', defaultVariant: variant };
  const share: JsonMap = {
    fractional: [
      [variant, percent],
      [rest, 100 - percent],
    ],
  };
  return { state: 'ENABLED', defaultVariant: rest, targeting: besides(share, variant, before.targeting) };
}

/** Who is not in the share is served as before. A variant comes first, so that a greater share keeps those of the smaller one. */
function besides(share: JsonMap, variant: string, rules: JsonMap | undefined): JsonMap {
  return rules === undefined || Object.keys(rules).length === 0
    ? share
    : { if: [{ '===': [share, variant] }, variant, rules] };
}

/** True when the rules name a part that only their own document has. */
export function refersElsewhere(rules: JsonMap | undefined): boolean {
  return rules !== undefined && JSON.stringify(rules).includes('"$ref"');
}

export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A flag as far as Serin relies on it, or undefined. */
export function flagOf(value: unknown): FlagdFlag | undefined {
  if (!isJsonMap(value) || !isJsonMap(value['variants'])) return undefined;
  const { state, variants, defaultVariant, targeting, metadata } = value;
  if (state !== 'ENABLED' && state !== 'DISABLED') return undefined;
  return {
    state,
    variants,
    ...(typeof defaultVariant === 'string' ? { defaultVariant } : {}),
    ...(isJsonMap(targeting) && Object.keys(targeting).length > 0 ? { targeting } : {}),
    ...(isJsonMap(metadata) ? { metadata } : {}),
  };
}
