// What the judge does in many simulated releases: how often it is wrong, and how fast it is right. Seeds are fixed.
import { type Dice, binomial, diceFrom, poisson } from './dice.ts';
import type { Window } from './engine.ts';
import { type JudgeState, armJudge, judgeWindow, openJudge, startStep } from './judge.ts';
import { type JudgeSettings, defaultSettings } from './settings.ts';
import { type Verdict, verdictOf } from './verdict.ts';

interface World {
  readonly perSecond: number;
  readonly weight: number;
  readonly stableRate: number;
  readonly canaryRate: number;
  /** Errors that come together for one cause. */
  readonly clump?: number;
  readonly minutes: number;
  readonly windowMs?: number;
  readonly onsetMinutes?: number;
  /** 0: they cannot be told apart. */
  readonly pods?: number;
  /** Which pod has the canary's errors, when not all of them have. */
  readonly badPod?: number;
}

const settings: JudgeSettings = defaultSettings;
const opened = (judged = settings) => startStep(openJudge([{ name: 'app', hasLatency: false }], judged), 'step 1', 0);

function windowAt(world: World, dice: Dice, index: number): Window {
  const { perSecond, weight, pods = 2, clump = 1, windowMs = 5_000 } = world;
  const seconds = windowMs / 1000;
  const isOn = index * windowMs >= (world.onsetMinutes ?? 0) * 60_000;
  const canaryRate = isOn ? world.canaryRate : world.stableRate;
  const errorsOf = (requests: number, rate: number) =>
    Math.min(requests, clump * binomial(dice, requests, rate / clump));
  const parts = Array.from({ length: Math.max(pods, 1) }, (_, pod) => {
    const requests = poisson(dice, (perSecond * weight * seconds) / Math.max(pods, 1));
    const isBad = world.badPod === undefined || world.badPod === pod;
    return { requests, errors: errorsOf(requests, isBad ? canaryRate : world.stableRate) };
  });
  const requests = poisson(dice, perSecond * (1 - weight) * seconds);
  return {
    startMs: index * windowMs,
    endMs: (index + 1) * windowMs,
    lengthMs: windowMs,
    canary: {
      requests: parts.reduce((sum, part) => sum + part.requests, 0),
      errors: parts.reduce((sum, part) => sum + part.errors, 0),
    },
    stable: { requests, errors: errorsOf(requests, world.stableRate) },
    canaryGroups: pods === 0 ? [] : parts,
  };
}

/** Runs until `isDone`; the verdict and the windows it took, or undefined if it never was. */
function runUntil(
  world: World,
  dice: Dice,
  isDone: (verdict: Verdict) => boolean,
  judged = settings,
): { windows: number; errors: number } | undefined {
  let judge: JudgeState = opened(judged);
  let errors = 0;
  const windows = (world.minutes * 60_000) / (world.windowMs ?? 5_000);
  for (let index = 0; index < windows; index += 1) {
    const window = windowAt(world, dice, index);
    errors += window.canary.errors;
    judge = judgeWindow(judge, 'app', window, judged);
    if (isDone(verdictOf(judge, judged))) return { windows: index + 1, errors };
  }
  return undefined;
}

const isHarmful = ({ level }: Verdict) => level === 'harmful';
const isBraked = ({ level }: Verdict) => level === 'brake' || level === 'onePod' || level === 'harmful';

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function timesIn(replicates: number, world: World, isDone: (verdict: Verdict) => boolean, seed: number): number {
  const dice = diceFrom(seed);
  let times = 0;
  for (let run = 0; run < replicates; run += 1) if (runUntil(world, dice, isDone)) times += 1;
  return times;
}

/** How often the brake and the rollback were reached in many releases. */
function alarms(replicates: number, world: World, seed: number): { braked: number; rolledBack: number } {
  const dice = diceFrom(seed);
  const count = { braked: 0, rolledBack: 0 };
  for (let run = 0; run < replicates; run += 1) {
    let isOnceBraked = false;
    const isRolledBack = runUntil(world, dice, (verdict) => {
      isOnceBraked ||= isBraked(verdict);
      return isHarmful(verdict);
    });
    count.braked += isOnceBraked ? 1 : 0;
    count.rolledBack += isRolledBack ? 1 : 0;
  }
  return count;
}

describe('a healthy release', () => {
  const quarter = { perSecond: 100, weight: 0.1, minutes: 10, windowMs: 15_000, pods: 0 };

  test('at the edge of what is tolerated is rolled back once in a thousand times at most, and braked once in a hundred', () => {
    const { braked, rolledBack } = alarms(2000, { ...quarter, stableRate: 0.01, canaryRate: 0.011 }, 1);
    expect(rolledBack).toBeLessThanOrEqual(2);
    expect(braked).toBeLessThanOrEqual(20);
  }, 60_000);

  test('is safe also where errors come five at a time, and seldom braked: a single clump is not enough', () => {
    const { braked, rolledBack } = alarms(300, { ...quarter, stableRate: 0.01, canaryRate: 0.01, clump: 5 }, 3);
    expect(rolledBack).toBeLessThanOrEqual(1);
    expect(braked).toBeLessThanOrEqual(15);
  }, 60_000);

  test('is safe when both versions fail together, and the incident adds nothing to the evidence', () => {
    const dice = diceFrom(4);
    let judge = opened();
    for (let index = 0; index < 60; index += 1) {
      const rate = index >= 20 && index < 26 ? 0.05 : 0.001;
      const window = windowAt(
        { ...quarter, pods: 2, windowMs: 5_000, stableRate: rate, canaryRate: rate },
        dice,
        index,
      );
      judge = judgeWindow(judge, 'app', window, settings);
      expect(verdictOf(judge, settings).level).toMatch(/calm|doubt/);
    }
  });

  test('without any error is accepted for its step after about two thousand canary requests', () => {
    const world = { perSecond: 100, weight: 0.1, stableRate: 0, canaryRate: 0, minutes: 20 };
    const accepted = runUntil(world, diceFrom(5), ({ isStepAcceptable }) => isStepAcceptable);
    expect((accepted?.windows ?? 0) * 50).toBeGreaterThan(1500);
    expect((accepted?.windows ?? 0) * 50).toBeLessThan(2600);
  });
});

describe('an unacceptable release', () => {
  test('passes the final gate at most once in twenty times', () => {
    const world = {
      perSecond: 200,
      weight: 0.25,
      stableRate: 0.002,
      canaryRate: 2 * 0.002 + 0.002,
      minutes: 20,
      windowMs: 15_000,
    };
    const passed = timesIn(400, world, ({ logAccept }) => logAccept >= Math.log(20), 6);
    expect(passed).toBeLessThanOrEqual(15);
  }, 30_000);
});

const detection = (
  world: Partial<World>,
  isDone: (verdict: Verdict) => boolean,
  seed: number,
  runs = 100,
  judged = settings,
) => {
  const dice = diceFrom(seed);
  const full = { perSecond: 100, weight: 0.1, stableRate: 0, canaryRate: 0.5, minutes: 30, ...world };
  return Array.from(
    { length: runs },
    () => runUntil(full, dice, isDone, judged) ?? { windows: Infinity, errors: Infinity },
  );
};

describe('a bad release at ten percent of 100 requests a second', () => {
  test('with half of its answers failing, is braked after the first window and rolled back after the third', () => {
    expect(median(detection({}, isBraked, 7).map(({ windows }) => windows))).toBe(1);
    expect(median(detection({}, isHarmful, 8).map(({ windows }) => windows))).toBe(3);
  });

  test('with one in twenty failing, is braked after eight errors', () => {
    expect(median(detection({ canaryRate: 0.05 }, isBraked, 9).map(({ errors }) => errors))).toBeLessThanOrEqual(8);
  });

  test('with one in twenty failing and errors known to come alone, is braked after about four', () => {
    const alone = { ...settings, clumping: 1 };
    const dice = diceFrom(10);
    const errors = Array.from({ length: 100 }, () => {
      let judge = openJudge([{ name: 'gateway', hasLatency: false }], alone);
      let seen = 0;
      for (let index = 0; !isBraked(verdictOf(judge, alone)); index += 1) {
        const window = windowAt(
          { perSecond: 100, weight: 0.1, stableRate: 0, canaryRate: 0.05, minutes: 1, windowMs: 1_000 },
          dice,
          index,
        );
        seen += window.canary.errors;
        judge = judgeWindow(judge, 'gateway', { ...window, canaryGroups: [] }, alone);
      }
      return seen;
    });
    expect(median(errors)).toBeLessThanOrEqual(4);
  });

  test('is found also when it turns bad after twenty minutes', () => {
    const late = detection({ canaryRate: 0.05, onsetMinutes: 20 }, isHarmful, 11, 30).map(
      ({ windows }) => windows - 240,
    );
    expect(median(late)).toBeLessThanOrEqual(12);
  }, 30_000);

  test('failing a little more is found sooner with less confidence, though its three pods have to agree', () => {
    const worse = { stableRate: 0.001, canaryRate: 0.006, pods: 3 };
    const [sure, less] = [99.9, 99].map((confidencePercent) =>
      median(detection(worse, isHarmful, 14, 40, { ...settings, confidencePercent }).map(({ windows }) => windows)),
    );
    expect((less ?? Infinity) / (sure ?? 0)).toBeLessThan(0.85);
  }, 30_000);

  test('with a single bad pod among errors that come five at a time is next to never rolled back', () => {
    const world = { stableRate: 0.001, canaryRate: 0.05, minutes: 60, badPod: 1, pods: 3, clump: 5, windowMs: 15_000 };
    const found = detection(world, isHarmful, 15, 100).filter(({ windows }) => windows < Infinity);
    expect(found.length).toBeLessThanOrEqual(3);
  }, 60_000);

  test('with a single bad pod is braked, and never rolled back', () => {
    const dice = diceFrom(12);
    const world = { perSecond: 100, weight: 0.1, stableRate: 0.001, canaryRate: 0.5, minutes: 10, badPod: 1, pods: 3 };
    const runs = Array.from({ length: 20 }, () => runUntil(world, dice, isHarmful));
    expect(runs.filter((run) => run !== undefined)).toHaveLength(0);
    expect(runUntil(world, diceFrom(13), ({ level }) => level === 'onePod')?.windows).toBe(3);
  }, 30_000);
});

const baked = (rate: number, seed: number, minutes = 5) => {
  const dice = diceFrom(seed);
  let judge = opened();
  for (let index = 0; index < 36; index += 1) {
    judge = judgeWindow(
      judge,
      'app',
      windowAt({ perSecond: 100, weight: 0.25, stableRate: 0.005, canaryRate: 0.005, minutes: 3 }, dice, index),
      settings,
    );
  }
  judge = armJudge(judge, 'bake', 36 * 5_000);
  for (let index = 36; index < 36 + minutes * 12; index += 1) {
    const window = windowAt(
      { perSecond: 100, weight: 1, stableRate: 0, canaryRate: rate, minutes, pods: 4 },
      dice,
      index,
    );
    judge = judgeWindow(judge, 'app', window, settings);
    if (verdictOf(judge, settings).level === 'harmful') return index - 35;
  }
  return undefined;
};

describe('the bake', () => {
  test('leaves a version alone that fails as often as the old one did', () => {
    const falseAlarms = Array.from({ length: 100 }, (_, run) => baked(0.005, 1000 + run)).filter(
      (windows) => windows !== undefined,
    );
    expect(falseAlarms.length).toBeLessThanOrEqual(1);
  }, 30_000);

  test('rolls a version back that begins to fail, after three windows', () => {
    expect(median(Array.from({ length: 40 }, (_, run) => baked(0.25, 2000 + run) ?? Infinity))).toBe(3);
    expect(median(Array.from({ length: 40 }, (_, run) => baked(0.05, 3000 + run) ?? Infinity))).toBeLessThanOrEqual(6);
  });
});
