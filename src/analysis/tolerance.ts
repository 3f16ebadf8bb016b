// Decides what the words of a tolerance mean: "10% or 0.01pp", "2x + 0.2pp". It knows nothing of evidence.
import type { Margin } from './errors.ts';

/** How far the canary may be from stable. `tolerate` means whichever is larger, `ruleOut` means the sum. */
export interface Tolerance {
  /** At least 1: 1.1 is "10%", 2 is "2x". */
  readonly ratio: number;
  /** Additional error rate as a fraction of requests: 0.0001 is "0.01pp". */
  readonly absolute: number;
}

export type ParsedTolerance = Tolerance | { readonly kind: 'invalid'; readonly sentence: string };

const percentPattern = /^(\d+(?:\.\d+)?)\s*%$/;
const timesPattern = /^(\d+(?:\.\d+)?)\s*x$/;
const pointsPattern = /^(\d+(?:\.\d+)?)\s*pp$/;

/** "10%", "0.01pp" or "10% or 0.01pp": differences up to the larger of the two never count against the canary. */
export function parseTolerate(text: string): ParsedTolerance {
  const [first = '', second, ...rest] = text.split(/\s+or\s+/).map((part) => part.trim());
  const relative = numberIn(percentPattern, first);
  const points = numberIn(pointsPattern, second ?? first);
  if (rest.length > 0) return unreadableTolerate(text);
  if (second === undefined) {
    if (relative !== undefined) return { ratio: 1 + relative / 100, absolute: 0 };
    return points === undefined ? unreadableTolerate(text) : { ratio: 1, absolute: points / 100 };
  }
  if (relative === undefined || points === undefined) return unreadableTolerate(text);
  return { ratio: 1 + relative / 100, absolute: points / 100 };
}

/** "2x + 0.2pp", "2x" or "0.2pp": a step forward waits until at least this much damage is ruled out. */
export function parseRuleOut(text: string): ParsedTolerance {
  const [first = '', second, ...rest] = text.split('+').map((part) => part.trim());
  const times = numberIn(timesPattern, first);
  const points = numberIn(pointsPattern, second ?? first);
  if (rest.length > 0 || (times !== undefined && times < 1)) return unreadableRuleOut(text);
  if (second === undefined) {
    if (times !== undefined) return { ratio: times, absolute: 0 };
    return points === undefined ? unreadableRuleOut(text) : { ratio: 1, absolute: points / 100 };
  }
  if (times === undefined || points === undefined) return unreadableRuleOut(text);
  return { ratio: times, absolute: points / 100 };
}

/**
 * The lines that together bound "canary rate ≤ the larger of ratio × stable rate and stable rate + absolute". The
 * release is fine if it is below any of them, so evidence of harm is the smallest over all of them.
 */
export function harmMargins({ ratio, absolute }: Tolerance): readonly Margin[] {
  const relative: Margin = { ratio, excess: 0 };
  const additive: Margin = { ratio: 1, excess: absolute };
  if (absolute === 0) return [relative];
  return ratio === 1 ? [additive] : [relative, additive];
}

/** The line at and above which a release is unacceptable. */
export function acceptMargin({ ratio, absolute }: Tolerance): Margin {
  return { ratio, excess: absolute };
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function unreadableTolerate(text: string): ParsedTolerance {
  return { kind: 'invalid', sentence: `"${text}" is not a tolerance: write "10%", "0.01pp" or "10% or 0.01pp"` };
}

function unreadableRuleOut(text: string): ParsedTolerance {
  return {
    kind: 'invalid',
    sentence: `"${text}" is not an amount of damage to rule out: write "2x + 0.2pp", "2x" or "0.2pp", with at least 1x`,
  };
}
