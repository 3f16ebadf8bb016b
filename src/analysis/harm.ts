// Owns the evidence that the canary is worse than tolerated, with traffic on both versions. It never decides what to
// do about it.
import { type ArmCounts, type Margin, logWindowEvidence } from './errors.ts';
import { type Limits, type Wealth, afterWindow, logSpaced, openWealth } from './mixture.ts';
import { type Terms, logBrake, logRollback, logWithoutGroup } from './settings.ts';
import { harmMargins } from './tolerance.ts';

/** One bankroll for each line that bounds what is tolerated. */
export type HarmEvidence = readonly Wealth[];

/** More of them find nothing sooner. */
const bets = 16;

export function openHarm(terms: Terms): HarmEvidence {
  return harmMargins(terms.tolerate).map(() => openWealth(bets));
}

export function harmAfter(
  evidence: HarmEvidence,
  seen: ArmCounts,
  lengthMs: number,
  terms: Terms,
  limits = harmLimits(terms),
): HarmEvidence {
  return harmMargins(terms.tolerate).map((margin, line) => {
    const logFactors = harmTilts(margin).map((tilt) => logWindowEvidence(seen, margin, tilt) / terms.clumping);
    return afterWindow(evidence[line] ?? openWealth(bets), logFactors, lengthMs, limits);
  });
}

/** The release is fine if it is below any line, so harm is only as certain as the line that knows least. */
export function logHarm(evidence: HarmEvidence): number {
  return least(evidence.map(({ logEvidence }) => logEvidence));
}

/** Without the cap of the rollback: for the brake, which need not wait for three windows. */
export function logHarmUncapped(evidence: HarmEvidence): number {
  return least(evidence.map(({ logUncapped }) => logUncapped));
}

/** Nothing is known where there is no line yet. */
function least(logs: readonly number[]): number {
  return logs.length === 0 ? 0 : Math.min(...logs);
}

const multiples = logSpaced(1.15, 64, bets);

/** Suspected ratios, from barely worse than tolerated to hopeless. */
export function harmTilts({ ratio }: Margin): readonly number[] {
  return multiples.map((multiple) => multiple * ratio);
}

/**
 * At least three windows are needed for a rollback, and one that falls silent can be lived down. A metric that weighs a
 * third needs three times the odds, so each of its windows may say a little more.
 */
export function harmLimits(terms: Terms): Limits {
  const logShare = -Math.log(terms.weight);
  const logNeeded = logRollback(terms);
  return {
    logWindowCap: Math.min((logNeeded + logShare) / 3, logNeeded / 2.01),
    logBrakeGoal: logBrake(terms) + logShare,
    logCeiling: logBrake(terms) + logShare + Math.log(10),
  };
}

/** For the evidence without a group of pods: less is asked of it, so a window may say less. Two have to agree. */
export function limitsWithoutGroup(terms: Terms): Limits {
  const limits = harmLimits(terms);
  return { ...limits, logWindowCap: Math.min(limits.logWindowCap, logWithoutGroup(terms) / 2) };
}
