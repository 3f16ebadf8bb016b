/**
 * Plays one release for several rules at once, on the same counts, or for one rule that moves the weight. It never lets a
 * rule see anything but windows.
 */
import { diceFrom } from '../../src/analysis/dice.ts';
import { brakeWeight } from '../../src/release/weights.ts';
import { type Before, beforeOf } from './before.ts';
import type { Rule } from './rules/rule.ts';
import { canaryRate, type Scenario } from './scenario.ts';
import { trafficOf } from './worlds.ts';

/** What became of one release under one rule. */
export interface Outcome {
  /** From the onset of the fault to the end of the window in which the rule called back; below 0 before the onset. NaN: never. */
  readonly seconds: number;
  /** The same for the first brake. */
  readonly brakeSeconds: number;
  /** Canary requests until then, times what the new version fails more: the users that paid for the answer. */
  readonly bad: number;
}

/** Every rule sees the same release; the weight stays what it is, whatever they call. */
export function playTogether(scenario: Scenario, rules: readonly Rule[], replicate: number): readonly Outcome[] {
  const seed = seedOf(scenario, replicate);
  const traffic = trafficOf(scenario, diceFrom(seed));
  const before = beforeOf(scenario, seed);
  const players = rules.map((rule) => player(rule, before));
  const cost = costOf(scenario);
  for (let index = 0; index < windowsIn(scenario) && players.some(({ isOver }) => !isOver); index += 1) {
    const window = traffic(index, scenario.weight);
    for (const one of players) if (!one.isOver) one.see(window, cost(window), onsetSeconds(scenario));
  }
  return players.map(({ outcome }) => outcome);
}

/** One rule whose brake and release move the weight, as they do in a release. */
export function playBraking(scenario: Scenario, rule: Rule, replicate: number): Outcome {
  const seed = seedOf(scenario, replicate);
  const traffic = trafficOf(scenario, diceFrom(seed));
  const one = player(rule, beforeOf(scenario, seed));
  const cost = costOf(scenario);
  let { weight } = scenario;
  for (let index = 0; index < windowsIn(scenario) && !one.isOver; index += 1) {
    const window = traffic(index, weight);
    const call = one.see(window, cost(window), onsetSeconds(scenario));
    if (call === 'brake') weight = brakeWeight(scenario.weight * 100, scenario.perSecond) / 100;
    if (call === 'release') weight = scenario.weight;
  }
  return one.outcome;
}

function player(rule: Rule, before: Before) {
  const look = rule.open(before);
  let outcome: Outcome = { seconds: Number.NaN, brakeSeconds: Number.NaN, bad: 0 };
  return {
    isOver: false,
    get outcome() {
      return outcome;
    },
    see(window: Parameters<typeof look>[0], bad: number, onset: number): ReturnType<typeof look> {
      const call = look(window);
      const seconds = window.endMs / 1000 - onset;
      outcome = { ...outcome, bad: outcome.bad + bad };
      const isBraked = call === 'brake' || call === 'back';
      if (isBraked && Number.isNaN(outcome.brakeSeconds)) outcome = { ...outcome, brakeSeconds: seconds };
      if (call !== 'back') return call;
      outcome = { ...outcome, seconds };
      this.isOver = true;
      return call;
    },
  };
}

function costOf(
  scenario: Scenario,
): (window: { readonly startMs: number; readonly canary: { readonly requests: number } }) => number {
  const extra = canaryRate(scenario) - scenario.stableRate;
  const fromMs = onsetSeconds(scenario) * 1000;
  return ({ startMs, canary }) => (startMs >= fromMs ? canary.requests * extra : 0);
}

function windowsIn({ minutes, windowMs }: Scenario): number {
  return (minutes * 60_000) / windowMs;
}

function onsetSeconds({ onsetMinutes }: Scenario): number {
  return onsetMinutes * 60;
}

/** Each release of each scenario has its own chance, and always the same. */
function seedOf({ id }: Scenario, replicate: number): number {
  let hash = 0x811c9dc5;
  for (const letter of `${id}#${replicate}`) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
