/**
 * Decides what a flag of Flipt has to look like for a variant to be served to everybody or to a share, and what of it goes back
 * when that is undone. It makes no call. A change says its id in the metadata of the flag, in the same write.
 */
import { isDeepStrictEqual } from 'node:util';
import { FlagError } from './flag-error.ts';
import { changeIdKey } from './read-back.ts';
import type { FlagChange } from './target.ts';

/** `flipt.core.Flag`; what is not named here goes back as it came. */
export interface FliptFlag {
  readonly key: string;
  readonly type?: string;
  readonly enabled?: boolean;
  readonly variants?: readonly { readonly key: string }[];
  readonly rules?: readonly unknown[];
  readonly rollouts?: readonly unknown[];
  readonly defaultVariant?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a change touches; all of it is what it was before, or all of it is what the change made it. */
export interface FliptShape {
  readonly enabled: boolean;
  readonly rules: readonly unknown[];
  readonly rollouts: readonly unknown[];
  readonly defaultVariant: string;
}

export function shapeOf({ enabled, rules, rollouts, defaultVariant }: FliptFlag): FliptShape {
  return {
    enabled: enabled ?? false,
    rules: rules ?? [],
    rollouts: rollouts ?? [],
    defaultVariant: defaultVariant ?? '',
  };
}

/** Null where the flag has none. */
export function changeIn({ metadata }: FliptFlag): string | undefined {
  const id = metadata?.[changeIdKey];
  return typeof id === 'string' ? id : undefined;
}

/** @throws FlagError where Flipt has no such thing. */
export function wantedOf(change: FlagChange, flag: FliptFlag, named: string): FliptShape {
  return flag.type === 'BOOLEAN_FLAG_TYPE' ? wantedBoolean(change, flag, named) : wantedVariant(change, flag, named);
}

export function isShape(flag: FliptFlag, shape: FliptShape): boolean {
  return isDeepStrictEqual(shapeOf(flag), shape);
}

/** Without an id: the one that stood there is taken away. */
export function reshaped(flag: FliptFlag, shape: FliptShape, id: string | undefined): FliptFlag {
  const { [changeIdKey]: _, ...others } = flag.metadata ?? {};
  return { ...flag, ...shape, metadata: { ...others, ...(id === undefined ? {} : { [changeIdKey]: id }) } };
}

/** A boolean flag gives `enabled` to whomever no rollout of it decides. */
function wantedBoolean({ variant, percent = 100 }: FlagChange, flag: FliptFlag, named: string): FliptShape {
  if (!['on', 'off', 'true', 'false'].includes(variant))
    throw notFound(named, variant, 'it is a boolean flag, whose variants are on and off');
  const value = variant === 'on' || variant === 'true';
  if (percent === 100) return { ...shapeOf(flag), enabled: value, rollouts: [] };
  const threshold = { type: 'THRESHOLD_ROLLOUT_TYPE', threshold: { percentage: percent, value } };
  return { ...shapeOf(flag), enabled: !value, rollouts: [threshold] };
}

function wantedVariant({ variant, percent = 100 }: FlagChange, flag: FliptFlag, named: string): FliptShape {
  if (!(flag.variants ?? []).some(({ key }) => key === variant))
    throw notFound(
      named,
      variant,
      `its variants are ${(flag.variants ?? []).map(({ key }) => key).join(', ') || 'none'}`,
    );
  if (percent !== 100)
    throw new FlagError(
      'invalid',
      `${named} cannot be ${variant} for ${percent} %: shares of a flag with variants go by segments, which are not Serin's; leave percent out of the Rollout.`,
    );
  return { ...shapeOf(flag), enabled: true, rules: [], defaultVariant: variant };
}

/** What is served when the variant is. */
export function valueOf({ variant }: FlagChange, isBoolean: boolean): boolean | string {
  return isBoolean ? variant === 'on' || variant === 'true' : variant;
}

function notFound(named: string, variant: string, why: string): FlagError {
  return new FlagError('notFound', `${named} has no variant ${variant}: ${why}; correct the Rollout.`);
}
