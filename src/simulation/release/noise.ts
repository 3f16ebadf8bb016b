/** Owns when trouble that is nobody's fault begins and ends. It draws times and says nothing of rates. */
import type { Dice } from '../../analysis/dice.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which part of a span is within the trouble, from 0 to 1. */
export type Coverage = (span: Span) => number;

const spellMs = 120_000;
const spellEveryMs = 7_200_000;
const incidentMeanMs = 180_000;
const incidentEveryMs = 1_800_000;
const periodMs = 3_600_000;

/** Spells of two minutes, one in two hours on average; one may have begun before the release did. */
export function spellsOf(dice: Dice, minutes: number): Coverage {
  const spells: Span[] = [];
  for (let atMs = -spellMs + wait(dice, spellEveryMs); atMs < minutes * 60_000; atMs += wait(dice, spellEveryMs))
    spells.push({ fromMs: atMs, toMs: atMs + spellMs });
  return covering(spells);
}

/** Incidents that hit every pod at once: about two an hour, three minutes each. */
export function incidentIn(dice: Dice, minutes: number): Coverage {
  const incidents: Span[] = [];
  for (let atMs = wait(dice, incidentEveryMs); atMs < minutes * 60_000; atMs += wait(dice, incidentEveryMs))
    incidents.push({ fromMs: atMs, toMs: atMs + wait(dice, incidentMeanMs) });
  return covering(incidents);
}

/** A day within an hour, as a factor: from one half to one and a half, so that the busiest moment has three times the quietest. */
export function swing(atMs: number): number {
  return 1 + 0.5 * Math.sin((2 * Math.PI * atMs) / periodMs);
}

function covering(spans: readonly Span[]): Coverage {
  return ({ fromMs, toMs }) => {
    const covered = spans.reduce(
      (sum, span) => sum + Math.max(0, Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs)),
      0,
    );
    return Math.min(1, covered / (toMs - fromMs));
  };
}

function wait(dice: Dice, meanMs: number): number {
  return -meanMs * Math.log(1 - dice());
}
