// Owns the evidence that the canary is worse than tolerated, with traffic on both versions. It never decides what to
// do about it.
import { type ArmCounts, type Margin, logWindowEvidence } from './errors.ts';
import { type Limits, type Wealth, afterWindow, logSpaced, openWealth } from './mixture.ts';
import { type JudgeSettings, logBrake, logRollback } from './settings.ts';
import { harmMargins } from './tolerance.ts';

/** One bankroll for each line that bounds what is tolerated. */
export type HarmEvidence = readonly Wealth[];

const bets = 32;

export function openHarm(settings: JudgeSettings): HarmEvidence {
  return harmMargins(settings.tolerate).map(() => openWealth(bets));
}

export function harmAfter(
  evidence: HarmEvidence,
  seen: ArmCounts,
  lengthMs: number,
  settings: JudgeSettings,
): HarmEvidence {
  const limits = harmLimits(settings);
  return harmMargins(settings.tolerate).map((margin, line) => {
    const logFactors = harmTilts(margin).map((tilt) => logWindowEvidence(seen, margin, tilt) / settings.clumping);
    return afterWindow(evidence[line] ?? openWealth(bets), logFactors, lengthMs, limits);
  });
}

/** The release is fine if it is below any line, so harm is only as certain as the line that knows least. */
export function logHarm(evidence: HarmEvidence): number {
  return evidence.reduce((least, { logEvidence }) => Math.min(least, logEvidence), Infinity);
}

/** Without the cap per window: for the brake, which need not wait for three windows. */
export function logHarmUncapped(evidence: HarmEvidence): number {
  return evidence.reduce((least, { logUncapped }) => Math.min(least, logUncapped), Infinity);
}

const multiples = logSpaced(1.15, 64, bets);

/** Suspected ratios, from barely worse than tolerated to hopeless. */
export function harmTilts({ ratio }: Margin): readonly number[] {
  return multiples.map((multiple) => multiple * ratio);
}

function harmLimits(settings: JudgeSettings): Limits {
  return { logWindowCap: logRollback(settings) / 3, logCeiling: logBrake(settings) + Math.log(10) };
}
