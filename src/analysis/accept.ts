// Owns the evidence that the canary is not unacceptably bad: what steps forward rest on. Silence is never evidence.
import { type ArmCounts, type Counts, logLoneEvidence, logWindowEvidence } from './errors.ts';
import { type Wealth, afterWindow, logSpaced, openWealth, unlimited } from './mixture.ts';
import type { JudgeSettings } from './settings.ts';
import { acceptMargin } from './tolerance.ts';

const bets = 32;

export function openAccept(): Wealth {
  return openWealth(bets);
}

/** After a window with traffic on both versions. */
export function acceptAfter(wealth: Wealth, seen: ArmCounts, lengthMs: number, settings: JudgeSettings): Wealth {
  const margin = acceptMargin(settings.ruleOut);
  const logFactors = acceptTilts(settings).map((tilt) => logWindowEvidence(seen, margin, tilt) / settings.clumping);
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
  settings: JudgeSettings,
): Wealth {
  const margin = acceptMargin(settings.ruleOut);
  const logFactors = acceptTilts(settings).map(
    (tilt) => logLoneEvidence(canary, stableRate, margin, tilt) / settings.clumping,
  );
  return afterWindow(wealth, logFactors, lengthMs, unlimited);
}

const multiples = logSpaced(0.02, 0.9, bets);

/** Hoped-for ratios, from hardly any error to barely below the line. */
export function acceptTilts({ ruleOut }: JudgeSettings): readonly number[] {
  return multiples.map((multiple) => multiple * ruleOut.ratio);
}
