// That a forecast comes near what happens: the judge is shown many simulated releases with chance in them. Seeds are fixed.
import { type Dice, binomial, diceFrom, poisson } from './dice.ts';
import type { Window } from './engine.ts';
import { judgeWindow, openJudge, startStep } from './judge.ts';
import { defaultErrors, weighted } from './metric.ts';
import { type ProofTime, type Supposed, proofTime } from './proof-time.ts';
import { defaultSettings } from './settings.ts';
import { verdictOf } from './verdict.ts';

const dayMs = 86_400_000;
const calm: Supposed = {
  perSecond: 100,
  canaryShare: 0.1,
  brakedShare: 0.02,
  stableRate: 0.001,
  canaryRate: 0.001,
  groups: 2,
  windowMs: 5_000,
};

type Times = Pick<ProofTime, 'acceptSeconds' | 'brakeSeconds' | 'rollbackSeconds'>;

function chanceWindow(supposed: Supposed, share: number, dice: Dice, startMs: number): Window {
  const { perSecond, stableRate, canaryRate, groups, windowMs } = supposed;
  const seen = (part: number, rate: number) => {
    const requests = poisson(dice, (perSecond * part * windowMs) / 1000);
    return { requests, errors: binomial(dice, requests, rate) };
  };
  const pods = Array.from({ length: Math.max(1, groups) }, () => seen(share / Math.max(1, groups), canaryRate));
  const canary = pods.reduce((sum, pod) => ({
    requests: sum.requests + pod.requests,
    errors: sum.errors + pod.errors,
  }));
  const endMs = startMs + windowMs;
  const stable = seen(1 - share, stableRate);
  return { startMs, endMs, lengthMs: windowMs, canary, stable, canaryGroups: groups === 0 ? [] : pods };
}

/** One release: acceptable is only what is so before the brake, from which on the canary's share is smaller. */
function played(supposed: Supposed, dice: Dice, untilMs: number, goal: keyof Times): number {
  const met: { -readonly [time in keyof Times]?: number } = {};
  let judge = startStep(openJudge([{ name: 'app', hasLatency: false }], defaultSettings), 'step', 0);
  for (let startMs = 0; startMs < untilMs; startMs += supposed.windowMs) {
    const share = met.brakeSeconds === undefined ? supposed.canaryShare : supposed.brakedShare;
    const window = chanceWindow(supposed, share, dice, startMs);
    judge = judgeWindow(judge, 'app', window, defaultSettings);
    const { level, isStepAcceptable } = verdictOf(judge, defaultSettings);
    const seconds = window.endMs / 1000;
    if (isStepAcceptable && met.brakeSeconds === undefined) met.acceptSeconds ??= seconds;
    if (level !== 'calm' && level !== 'doubt') met.brakeSeconds ??= seconds;
    if (level === 'harmful') met.rollbackSeconds ??= seconds;
    if (met[goal] !== undefined) return met[goal];
  }
  return Infinity;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

type Case = readonly [string, keyof Times, Partial<Supposed>];
const cases: readonly Case[] = [
  ['a healthy version at 10 requests a second', 'acceptSeconds', { windowMs: 15_000 }],
  ['a healthy version without any errors', 'acceptSeconds', { stableRate: 0, canaryRate: 0, windowMs: 15_000 }],
  ['a healthy version at 2 requests a second', 'acceptSeconds', { canaryShare: 0.02, windowMs: 15_000 }],
  ['a healthy version of a service that fails more', 'acceptSeconds', { stableRate: 0.004, canaryRate: 0.004 }],
  ['a healthy version at half of much traffic', 'acceptSeconds', { perSecond: 1000, canaryShare: 0.5 }],
  ['the brake at 1 point more', 'brakeSeconds', { canaryRate: 0.011 }],
  ['the brake at 5 points more', 'brakeSeconds', { canaryRate: 0.051 }],
  ['the brake at 5 points more, at 1 request a second', 'brakeSeconds', { canaryShare: 0.01, canaryRate: 0.051 }],
  ['the brake at a doubling', 'brakeSeconds', { perSecond: 1000, canaryRate: 0.002 }],
  [
    'the brake at half as much again',
    'brakeSeconds',
    { perSecond: 1000, canaryShare: 0.25, stableRate: 0.01, canaryRate: 0.015 },
  ],
  ['the brake at a doubling of much', 'brakeSeconds', { canaryShare: 0.25, stableRate: 0.01, canaryRate: 0.02 }],
  ['the rollback at 1 point more', 'rollbackSeconds', { canaryRate: 0.011 }],
  ['the rollback at 5 points more', 'rollbackSeconds', { canaryRate: 0.051 }],
  ['the rollback at 5 points more, pods not told apart', 'rollbackSeconds', { canaryRate: 0.051, groups: 0 }],
  [
    'the rollback at a doubling',
    'rollbackSeconds',
    { perSecond: 1000, canaryShare: 0.25, brakedShare: 0.05, stableRate: 0.01, canaryRate: 0.02 },
  ],
  ['the rollback of what always fails', 'rollbackSeconds', { canaryRate: 1 }],
  ['the rollback at 5 points more, at 1 request a second', 'rollbackSeconds', { canaryShare: 0.01, canaryRate: 0.051 }],
];

test.each(cases)(
  '%s comes about when it was said to',
  (_name, goal, change) => {
    const supposed = { ...calm, ...change };
    const ratio = happenedToForetold(supposed, goal);
    expect(ratio).toBeGreaterThan(1 / 1.7);
    expect(ratio).toBeLessThan(1.7);
  },
  60_000,
);

test('where much fails anyway, more than half of the healthy versions are acceptable sooner, never much sooner', () => {
  const ratio = happenedToForetold({ ...calm, stableRate: 0.01, canaryRate: 0.01 }, 'acceptSeconds');
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(0.8);
}, 60_000);

function happenedToForetold(supposed: Supposed, goal: keyof Times): number {
  const foretold = timeOf(supposed)[goal] ?? Number.NaN;
  const dice = diceFrom(17);
  return median(Array.from({ length: 41 }, () => played(supposed, dice, foretold * 4000, goal))) / foretold;
}

function timeOf(change: Partial<Supposed>, settings = defaultSettings, longestMs = dayMs): ProofTime {
  const time = proofTime({ ...calm, ...change }, settings, longestMs);
  if (!time) throw new Error('errors are judged here');
  return time;
}

test('more traffic proves everything sooner, and so does a larger share of it', () => {
  const slow = timeOf({ canaryRate: 0.011 });
  for (const faster of [timeOf({ canaryRate: 0.011, perSecond: 400 }), timeOf({ canaryRate: 0.011, canaryShare: 0.4 })])
    expect(faster.brakeSeconds).toBeLessThan(slow.brakeSeconds ?? 0);
  expect(timeOf({ perSecond: 400 }).acceptSeconds).toBeLessThan(timeOf({}).acceptSeconds ?? 0);
});

test('a healthy version is never foretold to be braked, and a hopeless one never to be acceptable', () => {
  expect(timeOf({})).toMatchObject({ brakeSeconds: undefined, rollbackSeconds: undefined, badRequests: undefined });
  expect(timeOf({ canaryRate: 1 })).toMatchObject({ acceptSeconds: undefined, brakeSeconds: 5, rollbackSeconds: 15 });
});

test('a version that is just worse than tolerated is acceptable long before it is proven to be harmful', () => {
  const { acceptSeconds = Infinity, brakeSeconds = Infinity } = timeOf({ perSecond: 1000, canaryRate: 0.0015 });
  expect(acceptSeconds * 10).toBeLessThan(brakeSeconds);
});

test('what is not proven in the longest time has no time', () => {
  expect(timeOf({ canaryRate: 0.011 }, defaultSettings, 60_000)).toEqual({
    acceptSeconds: undefined,
    brakeSeconds: undefined,
    rollbackSeconds: undefined,
    badRequests: undefined,
  });
});

test('errors that come at once, and other metrics that say nothing, take time', () => {
  const plain = timeOf({ canaryRate: 0.011 });
  const clumped = timeOf({ canaryRate: 0.011 }, { ...defaultSettings, clumping: 4 });
  expect(clumped.brakeSeconds).toBeGreaterThan(1.7 * (plain.brakeSeconds ?? Infinity));
  const latency = {
    kind: 'latency',
    name: 'latency',
    tolerateRatio: 1.1,
    ruleOut: { ratio: 2, absolute: 0.01 },
  } as const;
  const beside = timeOf({ canaryRate: 0.011 }, { ...defaultSettings, metrics: weighted([defaultErrors, latency]) });
  expect(beside.brakeSeconds).toBeGreaterThan(plain.brakeSeconds ?? Infinity);
  expect(beside.acceptSeconds).toBe(plain.acceptSeconds);
  const without = { ...defaultSettings, metrics: weighted([latency]) };
  expect(proofTime(calm, without, dayMs)).toBeUndefined();
});
