/**
 * Owns the hour before a release: what the old version's pods counted, in the same world. What is learned from it goes through
 * the functions that the operator uses.
 */
import { type Calibration, calibrated, calibrationOf } from '../../src/analysis/calibration.ts';
import { diceFrom } from '../../src/analysis/dice.ts';
import type { Past } from '../../src/analysis/past.ts';
import type { JudgeSettings } from '../../src/analysis/settings.ts';
import type { Scenario } from './scenario.ts';
import { podsOf } from './worlds.ts';

/** What is known of a service when a release begins. */
export interface Before {
  /** The same settings with what the past says; they are worked out once, and only if somebody asks. */
  learned(settings: JudgeSettings): JudgeSettings;
}

const pastMs = 3_600_000;
const blockMs = 15_000;

/** `seed`: the release's own. */
export function beforeOf(scenario: Scenario, seed: number): Before {
  let past: Past | undefined;
  const known = new Map<number, readonly Calibration[]>();
  return {
    learned(settings) {
      const found = known.get(settings.confidencePercent);
      if (found) return calibrated(settings, found);
      past ??= pastOf(scenario, seed);
      const learned = learnedFrom(past, scenario, settings);
      known.set(settings.confidencePercent, learned);
      return calibrated(settings, learned);
    },
  };
}

function learnedFrom(past: Past, { pods }: Scenario, settings: JudgeSettings): readonly Calibration[] {
  return settings.metrics.flatMap((metric) =>
    metric.kind === 'count' ? [calibrationOf(metric, past, pods.canary, settings)] : [],
  );
}

/** The pods that the new ones will be compared with; a bad node was bad before. */
function pastOf(scenario: Scenario, seed: number): Past {
  const length = Math.max(blockMs, scenario.windowMs);
  const draw = podsOf(scenario, diceFrom(seed), diceFrom(seed ^ 0x5bd1e995));
  const blocks = Array.from({ length: pastMs / length }, (_, block) =>
    draw({ fromMs: block * length, toMs: (block + 1) * length }),
  );
  const [first = []] = blocks;
  return { blockMs: length, pods: first.map((_, pod) => blocks.map((block) => block[pod])) };
}
