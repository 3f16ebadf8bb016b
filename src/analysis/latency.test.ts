// What the judge does about requests that take longer: how often it is wrong, how fast it is right. Seeds are fixed.
import { type Dice, diceFrom } from './dice.ts';
import type { Window } from './engine.ts';
import { judgedAnswer } from './explain.ts';
import type { Histogram } from './histogram.ts';
import { type JudgeState, armJudge, judgeWindow, openJudge, startStep } from './judge.ts';
import { type LatencyMetric, defaultErrors, weighted } from './metric.ts';
import { type JudgeSettings, defaultSettings } from './settings.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const latency: Omit<LatencyMetric, 'weight'> = {
  kind: 'latency',
  name: 'latency',
  tolerateRatio: 1.1,
  ruleOut: { ratio: 2, absolute: 0.01 },
};
const settingsOf = (change: Partial<LatencyMetric> = {}): JudgeSettings => ({
  ...defaultSettings,
  metrics: weighted([defaultErrors, { ...latency, ...change }]),
});

/** Schema 3: eight buckets for each doubling, from 1 ms to 16 s. */
const native = Array.from({ length: 113 }, (_, cell) => 2 ** (cell / 8 - 10));
const classic = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface World {
  readonly bounds?: readonly number[];
  /** How much slower than stable's each canary request is. */
  readonly slowness?: number;
  /** … of this part of the requests; all of them without it. */
  readonly share?: number;
  readonly perWindow?: { readonly canary: number; readonly stable: number };
  readonly pods?: number;
  readonly badPod?: number;
  /** Both versions together, in windows from 10 to 20. */
  readonly incident?: number;
  readonly settings?: JudgeSettings;
  readonly mostWindows?: number;
}

function histogramOf(times: readonly number[], bounds: readonly number[]): Histogram {
  const counts = [...bounds, Infinity].map(() => 0);
  for (const time of times) {
    let [bucket, above] = [0, bounds.length];
    while (bucket < above) {
      const middle = (bucket + above) >> 1;
      if (time <= (bounds[middle] ?? Infinity)) above = middle;
      else bucket = middle + 1;
    }
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { upperBounds: [...bounds, Infinity], counts };
}

/** Around 100 ms, a tenth of them above 200 ms. */
const time = (dice: Dice) =>
  0.1 * Math.exp(0.54 * Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice()));

function windowAt(world: World, dice: Dice, index: number): Window {
  const { bounds = native, slowness = 1, share = 1, perWindow = { canary: 50, stable: 450 }, pods = 2 } = world;
  const both = world.incident !== undefined && index >= 10 && index < 20 ? world.incident : 1;
  const slow = (isBad: boolean) => both * (isBad && dice() < share ? slowness : 1);
  const groups = Array.from({ length: pods }, (_, pod) =>
    Array.from(
      { length: perWindow.canary / pods },
      () => time(dice) * slow(world.badPod === undefined || world.badPod === pod),
    ),
  );
  const stable = Array.from({ length: perWindow.stable }, () => time(dice) * both);
  const counts = (times: readonly number[]) => ({ requests: times.length, errors: 0 });
  return {
    startMs: index * 5_000,
    endMs: (index + 1) * 5_000,
    lengthMs: 5_000,
    canary: counts(groups.flat()),
    stable: counts(stable),
    canaryGroups: groups.map(counts),
    latency: {
      canary: histogramOf(groups.flat(), bounds),
      stable: histogramOf(stable, bounds),
      canaryGroups: groups.map((times) => histogramOf(times, bounds)),
    },
  };
}

const opened = (settings: JudgeSettings) => startStep(openJudge([{ name: 'app', hasLatency: true }], settings), '1', 0);

function runUntil(world: World, seed: number, isDone: (verdict: Verdict) => boolean) {
  const { settings = settingsOf(), mostWindows = 120 } = world;
  const dice = diceFrom(seed);
  let judge = opened(settings);
  for (let index = 0; index < mostWindows; index += 1) {
    judge = judgeWindow(judge, 'app', windowAt(world, dice, index), settings);
    if (isDone(verdictOf(judge, settings))) return { windows: index + 1, judge };
  }
  return undefined;
}

const isHarmful = ({ level }: Verdict) => level === 'harmful';
const isBraked = ({ level }: Verdict) => level === 'brake' || level === 'onePod' || level === 'harmful';

function windowsUntil(world: World, runs = 9, isDone = isHarmful): readonly number[] {
  return Array.from({ length: runs }, (_, run) => runUntil(world, 100 + run, isDone)?.windows ?? Infinity).toSorted(
    (one, other) => one - other,
  );
}
const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;

describe('a canary that is as fast as stable', () => {
  test.each([
    ['native', native],
    ['classic', classic],
  ])(
    'is left alone, on %s buckets',
    (_, bounds) => {
      const alarms = windowsUntil({ bounds, mostWindows: 60 }, 60, isBraked).filter(Number.isFinite);
      expect(alarms.length).toBeLessThanOrEqual(1);
    },
    60_000,
  );

  test('is left alone when both become slow together', () => {
    expect(windowsUntil({ incident: 4, mostWindows: 40 }, 20, isBraked).filter(Number.isFinite)).toEqual([]);
  }, 30_000);

  test('is left alone while its weight changes at every window', () => {
    const settings = settingsOf();
    const dice = diceFrom(77);
    let judge = opened(settings);
    for (let index = 0; index < 120; index += 1) {
      const canary = [4, 250, 50, 450][index % 4] ?? 50;
      const world = { perWindow: { canary, stable: 500 - canary }, incident: 3 };
      judge = judgeWindow(judge, 'app', windowAt(world, dice, index), settings);
      expect(verdictOf(judge, settings).level).toMatch(/calm|doubt/);
    }
  }, 30_000);

  test('and is as much slower as is tolerated is left alone as well', () => {
    const world = { slowness: 1.09, mostWindows: 60, perWindow: { canary: 200, stable: 800 } };
    expect(windowsUntil(world, 20, isBraked).filter(Number.isFinite).length).toBeLessThanOrEqual(1);
  }, 60_000);

  test('is accepted in its step, by the share of slow requests', () => {
    const done = runUntil({ perWindow: { canary: 400, stable: 1200 } }, 7, (verdict) => verdict.isStepAcceptable);
    expect(done?.windows).toBeGreaterThan(5);
  }, 30_000);
});

describe('a canary that is slower', () => {
  test('by half is rolled back within two minutes of ten requests a second, and latency is named', () => {
    const windows = windowsUntil({ slowness: 1.5 });
    expect(median(windows)).toBeLessThanOrEqual(24);
    const { judge } = runUntil({ slowness: 1.5 }, 100, isHarmful) ?? {};
    expect(judge?.culprit).toBe('latency');
    expect(judgedAnswer(judge ?? opened(settingsOf()), settingsOf(), 0, true)).toMatchObject({
      level: 'harmful',
      culprit: 'latency',
      sentence: expect.stringMatching(
        /^The new version is slow: \d+ % of requests took longer than \d+ ms, \d+ of \d+; the old one \d[\d.]* %; evidence \d+ : 1\.$/,
      ),
    });
  }, 60_000);

  test('by three tenths is found too, on native buckets', () => {
    expect(median(windowsUntil({ slowness: 1.3, perWindow: { canary: 200, stable: 800 } }))).toBeLessThanOrEqual(40);
  }, 60_000);

  test.each([
    ['native', native],
    ['classic', classic],
  ])(
    'threefold in a tenth of its requests is found on %s buckets',
    (_, bounds) => {
      const world = { bounds, slowness: 3, share: 0.1, perWindow: { canary: 200, stable: 800 } };
      expect(median(windowsUntil(world))).toBeLessThanOrEqual(30);
    },
    60_000,
  );

  test('beyond the threshold is told by the boundary that is nearest to it', () => {
    const world = { slowness: 3, share: 0.2, bounds: classic, perWindow: { canary: 200, stable: 800 } };
    const settings = settingsOf({ thresholdSeconds: 0.3 });
    const harmful = runUntil({ ...world, settings }, 5, isHarmful);
    expect(harmful?.windows).toBeLessThan(30);
    const answer = judgedAnswer(harmful?.judge ?? opened(settings), settings, 0, true);
    expect(answer.sentence).toContain('longer than 250 ms');
  }, 60_000);

  test('in a single pod is braked, and not rolled back', () => {
    const world = { slowness: 4, badPod: 1, pods: 2, mostWindows: 60 };
    expect(runUntil(world, 9, isHarmful)).toBeUndefined();
    expect(runUntil(world, 9, ({ level }) => level === 'onePod')?.windows).toBeLessThan(40);
  }, 60_000);

  test('only during the bake is rolled back by its share of slow requests', () => {
    const settings = settingsOf();
    const dice = diceFrom(3);
    let judge: JudgeState = opened(settings);
    const take = (world: World, index: number) => {
      judge = judgeWindow(judge, 'app', windowAt(world, dice, index), settings);
    };
    for (let index = 0; index < 40; index += 1) take({}, index);
    judge = armJudge(judge, 'bake', 200_000);
    for (let index = 40; index < 60; index += 1) take({ perWindow: { canary: 400, stable: 0 } }, index);
    expect(verdictOf(judge, settings).level).toMatch(/calm|doubt/);
    for (let index = 60; index < 90; index += 1) take({ slowness: 4, perWindow: { canary: 400, stable: 0 } }, index);
    expect(verdictOf(judge, settings)).toMatchObject({ level: 'harmful', culprit: 'latency' });
  }, 30_000);
});

describe('a metric that was asked for and that nobody counts', () => {
  test('keeps every step from being earned, gives its weight to the others, and is named', () => {
    const settings = settingsOf();
    let judge = startStep(openJudge([{ name: 'app', hasLatency: false }], settings), '1', 0);
    const dice = diceFrom(1);
    for (let index = 0; index < 100; index += 1)
      judge = judgeWindow(judge, 'app', windowAt({ perWindow: { canary: 400, stable: 400 } }, dice, index), settings);
    expect(judgedAnswer(judge, settings, 0, true)).toMatchObject({
      level: 'calm',
      stepAcceptable: false,
      finalAcceptable: false,
      notJudged: ['latency'],
      waitingFor: expect.stringContaining('waiting for latency: asked for, and nobody counts it'),
    });
    const bad = { ...windowAt({}, dice, 100), canary: { requests: 50, errors: 25 }, canaryGroups: [] };
    for (let index = 0; index < 5; index += 1) judge = judgeWindow(judge, 'app', bad, settings);
    expect(verdictOf(judge, settings)).toMatchObject({ level: 'harmful', culprit: 'errors' });
  }, 30_000);

  test('of a query is counted by the reader of its name, and by no other', () => {
    const conversion = { ...defaultErrors, name: 'conversion' };
    const settings = { ...defaultSettings, metrics: weighted([defaultErrors, conversion]) };
    let judge = openJudge(
      [
        { name: 'app', hasLatency: false },
        { name: 'query:conversion', hasLatency: false },
      ],
      settings,
    );
    const window = (errors: number): Window => ({
      startMs: 0,
      endMs: 5_000,
      lengthMs: 5_000,
      canary: { requests: 50, errors },
      stable: { requests: 450, errors: 0 },
      canaryGroups: [],
    });
    for (let index = 0; index < 5; index += 1) {
      judge = judgeWindow(judge, 'app', window(0), settings);
      judge = judgeWindow(judge, 'query:conversion', window(25), settings);
    }
    expect(judgedAnswer(judge, settings, 0, true)).toMatchObject({
      level: 'harmful',
      culprit: 'conversion',
      canaryErrors: 0,
      sentence: expect.stringMatching(/^By conversion the new version does badly in 50 % of cases, 125 of 250; /),
    });
  });
});
