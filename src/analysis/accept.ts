// Owns the evidence that the canary is not unacceptably bad: what steps forward rest on. Silence is never evidence.
import { type ArmCounts, type Counts, logLoneEvidence, logWindowEvidence } from './errors.ts';
import { type Wealth, afterWindow, logSpaced, openWealth, unlimited } from './mixture.ts';
import type { Terms } from './settings.ts';
import { acceptMargin } from './tolerance.ts';

const bets = 16;

export function openAccept(): Wealth {
  return openWealth(bets);
}

/** After a window with traffic on both versions. */
export function acceptAfter(wealth: Wealth, seen: ArmCounts, lengthMs: number, terms: Terms): Wealth {
  const margin = acceptMargin(terms.ruleOut);
  const logFactors = acceptTilts(terms).map((tilt) => logWindowEvidence(seen, margin, tilt) / terms.clumping);
  return afterWindow(wealth, logFactors, lengthMs, unlimited);
}

/**
 * After a window of the bake, when stable gets no traffic. `stableRate` must be a low guess: the lower the line that
 * the canary has to stay under, the longer acceptance takes.
 */
export function acceptAfterLone(
  wealth: Wealth,
  canary: Counts,
  stableRate: number,
  lengthMs: number,
  terms: Terms,
): Wealth {
  const margin = acceptMargin(terms.ruleOut);
  const logFactors = acceptTilts(terms).map(
    (tilt) => logLoneEvidence(canary, stableRate, margin, tilt) / terms.clumping,
  );
  return afterWindow(wealth, logFactors, lengthMs, unlimited);
}

const multiples = logSpaced(0.02, 0.9, bets);

/** Hoped-for ratios, from hardly any error to barely below the line. */
export function acceptTilts({ ruleOut }: Terms): readonly number[] {
  return multiples.map((multiple) => multiple * ruleOut.ratio);
}
