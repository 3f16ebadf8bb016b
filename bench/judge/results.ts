/** Owns what is known after many releases of one scenario: for each rule how often it called, when, and what it cost. */
import type { Job } from './protocol.ts';
import type { Outcome } from './play.ts';
import { quantile } from './proportion.ts';
import type { Scenario } from './scenario.ts';

export interface Result {
  readonly job: Job;
  readonly byRule: readonly RuleResult[];
}

export interface RuleResult {
  readonly rule: string;
  readonly replicates: number;
  /** Called back, or before the onset of the fault. */
  readonly early: number;
  readonly found: number;
  readonly braked: number;
  /** Sorted; releases that were not found count with the whole time that there was. */
  readonly medianSeconds: number;
  readonly latestSeconds: number;
  readonly medianBrakeSeconds: number;
  readonly medianBad: number;
  readonly meanBad: number;
}

/** `outcomes`: one list for each rule, in their order. */
export function resultOf(job: Job, names: readonly string[], outcomes: readonly (readonly Outcome[])[]): Result {
  return { job, byRule: names.map((rule, place) => ruleResult(rule, outcomes[place] ?? [], job.scenario)) };
}

function ruleResult(rule: string, all: readonly Outcome[], scenario: Scenario): RuleResult {
  const fair = all.filter(({ seconds }) => !(seconds <= 0));
  const whole = (scenario.minutes - scenario.onsetMinutes) * 60;
  const times = sorted(fair.map(({ seconds }) => (Number.isNaN(seconds) ? whole : seconds)));
  const brakes = sorted(fair.map(({ brakeSeconds }) => (brakeSeconds > 0 ? brakeSeconds : whole)));
  const bad = sorted(fair.map((outcome) => outcome.bad));
  return {
    rule,
    replicates: all.length,
    early: all.length - fair.length,
    found: fair.filter(({ seconds }) => seconds > 0).length,
    braked: all.filter(({ brakeSeconds }) => !Number.isNaN(brakeSeconds)).length,
    medianSeconds: quantile(times, 0.5),
    latestSeconds: quantile(times, 0.95),
    medianBrakeSeconds: quantile(brakes, 0.5),
    medianBad: quantile(bad, 0.5),
    meanBad: bad.reduce((sum, each) => sum + each, 0) / bad.length,
  };
}

function sorted(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((one, other) => one - other);
}
