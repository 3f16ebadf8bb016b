// Restarts come by themselves and are counted over the time that pods run: Poisson counts, of which every outcome can be added up.
import { acceptTilts } from './accept.ts';
import { judgedAnswer } from './explain.ts';
import type { Window } from './engine.ts';
import { type Margin, logLoneEvidence, logWindowEvidence } from './errors.ts';
import { harmTilts } from './harm.ts';
import { type JudgeState, judgeWindow, openJudge, startStep } from './judge.ts';
import { defaultErrors, restartsMetric, weighted } from './metric.ts';
import { type JudgeSettings, defaultSettings, termsOf } from './settings.ts';
import { acceptMargin, harmMargins } from './tolerance.ts';
import { evidenceView } from './view.ts';

const terms = termsOf({ ...restartsMetric, weight: 1 }, defaultSettings);
const [equal = { ratio: 1, excess: 0 }] = harmMargins(restartsMetric.tolerate);
const unacceptable = acceptMargin(restartsMetric.ruleOut);

/** Seconds of pods in one window: of both versions. */
const exposures = [
  { canary: 1, stable: 1 },
  { canary: 15, stable: 60 },
  { canary: 15, stable: 900 },
  { canary: 300, stable: 75 },
  { canary: 37.5, stable: 412.25 },
] as const;
type Exposure = (typeof exposures)[number];

/** Logarithms of the chances of Poisson counts. */
function logChances(mean: number, most: number): readonly number[] {
  const logs = [-mean];
  for (let count = 1; count <= most; count += 1) logs.push((logs[count - 1] ?? 0) + Math.log(mean / count));
  return logs;
}

/** What is left out beyond these counts is below 1e-12. */
const most = { canary: 260, stable: 60 };

/**
 * Sum over all outcomes of chance × e. The logarithm of e is a sum over restarts (a test of its own shows it), so the sum over
 * pairs of counts is a product of two sums.
 */
function expected(
  { canary, stable }: Exposure,
  rates: { readonly canary: number; readonly stable: number },
  logE: (canaryRestarts: number, stableRestarts: number) => number,
): number {
  const nothing = logE(0, 0);
  const ofCanary = logChances(rates.canary * canary, most.canary).map((log, c) => Math.exp(log + logE(c, 0) - nothing));
  const ofStable = logChances(rates.stable * stable, most.stable).map((log, s) => Math.exp(log + logE(0, s) - nothing));
  return Math.exp(nothing) * sum(ofCanary) * sum(ofStable);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((whole, one) => whole + one, 0);
}

const seen = ({ canary, stable }: Exposure, c: number, s: number) => ({
  canary: { requests: canary, errors: c },
  stable: { requests: stable, errors: s },
});

/** Restarts a pod and second such that the longer of the two exposures sees so many. */
const stableRates = ({ canary, stable }: Exposure) => [0, 0.01, 0.3, 2].map((mean) => mean / Math.max(canary, stable));

interface Case {
  readonly exposure: Exposure;
  readonly stable: number;
  readonly canary: number;
  readonly tilt: number;
}

function casesOn(line: Margin, parts: readonly number[], tilts: readonly number[]): readonly Case[] {
  return exposures.flatMap((exposure) =>
    stableRates(exposure).flatMap((stable) =>
      parts.flatMap((part) =>
        tilts.map((tilt) => ({ exposure, stable, canary: part * (line.ratio * stable + line.excess), tilt })),
      ),
    ),
  );
}

describe('one window of pods that run for some seconds', () => {
  test('is worth the same for each restart, whatever else happened in it', () => {
    for (const exposure of exposures)
      for (const [line, tilt] of [
        [equal, 8],
        [unacceptable, 0.3],
      ] as const)
        for (const [c, s] of [
          [1, 1],
          [7, 3],
          [0, 9],
          [200, 40],
        ] as const) {
          const of = (canary: number, stable: number) => logWindowEvidence(seen(exposure, canary, stable), line, tilt);
          expect(of(c, s)).toBeCloseTo(of(c, 0) + of(0, s) - of(0, 0), 8);
        }
  });

  test('never expects to win a bet on harm while the new version is restarted no more often, as often included', () => {
    const cases = casesOn(equal, [0, 0.5, 1], [...harmTilts(equal), 64]);
    expect(cases.length).toBeGreaterThan(900);
    const highest = cases.map(({ exposure, stable, canary, tilt }) =>
      expected(exposure, { canary, stable }, (c, s) => logWindowEvidence(seen(exposure, c, s), equal, tilt)),
    );
    expect(Math.max(...highest)).toBeLessThanOrEqual(1 + 1e-9);
    // On the line itself the bet is exactly fair: nothing is given away.
    const onLine = cases.flatMap((one, index) => (one.canary === one.stable ? [highest[index] ?? 0] : []));
    expect(Math.min(...onLine)).toBeGreaterThan(1 - 1e-9);
  });

  test('never expects to win a bet on health while restarts are at least as frequent as is unacceptable', () => {
    const cases = casesOn(unacceptable, [1, 1.5, 4], acceptTilts(terms));
    expect(cases.length).toBeGreaterThan(900);
    for (const { exposure, stable, canary, tilt } of cases) {
      const e = expected(exposure, { canary, stable }, (c, s) =>
        logWindowEvidence(seen(exposure, c, s), unacceptable, tilt),
      );
      expect(e).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test('keeps both promises when the old version has no pods to compare with, in the bake', () => {
    for (const exposure of exposures)
      for (const stable of stableRates(exposure))
        for (const tilt of acceptTilts(terms)) {
          const canary = unacceptable.ratio * stable + unacceptable.excess;
          const e = expected(exposure, { canary, stable: 0 }, (c) =>
            logLoneEvidence({ requests: exposure.canary, errors: c }, stable, unacceptable, tilt),
          );
          expect(e).toBeLessThanOrEqual(1 + 1e-9);
        }
  });

  test.each([
    [
      'pods are counted instead of the time that they run',
      (_: Exposure, c: number, s: number) => logWindowEvidence(seen({ canary: 1, stable: 1 }, c, s), equal, 8),
    ],
    [
      'restarts of the old version cost nothing',
      ({ canary, stable }: Exposure, c: number) => c * Math.log((8 * (canary + stable)) / (8 * canary + stable)),
    ],
    [
      'one of the new version pays the whole ratio',
      (exposure: Exposure, c: number, s: number) => logWindowEvidence(seen(exposure, 0, s), equal, 8) + c * Math.log(8),
    ],
    [
      'the rate that is tolerated is taken to be twice',
      (exposure: Exposure, c: number, s: number) => logWindowEvidence(seen(exposure, 2 * c, s), equal, 8),
    ],
  ])('would break it when %s: the check can fail', (_, mutated) => {
    const worst = casesOn(equal, [1], [8]).map(({ exposure, stable, canary }) =>
      expected(exposure, { canary, stable }, (c, s) => mutated(exposure, c, s)),
    );
    expect(Math.max(...worst)).toBeGreaterThan(1.05);
  });
});

const alone: JudgeSettings = { ...defaultSettings, metrics: weighted([restartsMetric]) };
const beside: JudgeSettings = { ...defaultSettings, metrics: weighted([defaultErrors, restartsMetric]) };

/** A quarter of a minute of 4 new pods and 12 old ones. */
function quarter(at: number, canary: readonly number[], stable = 0): Window {
  const groups = [0, 1, 2, 3].map((pod) => ({ requests: 15, errors: canary[pod] ?? 0 }));
  return {
    startMs: at * 15_000,
    endMs: (at + 1) * 15_000,
    lengthMs: 15_000,
    canary: { requests: 60, errors: sum(canary) },
    stable: { requests: 180, errors: stable },
    canaryGroups: groups,
  };
}

function judged(windows: readonly Window[], settings = alone): JudgeState {
  const opened = startStep(openJudge([{ name: 'restarts', hasLatency: false }], settings), '0:1', 0);
  return windows.reduce((state, window) => judgeWindow(state, 'restarts', window, settings), opened);
}

const answerOf = (state: JudgeState, settings = alone) => judgedAnswer(state, settings, 0, true);

describe('a judge of restarts', () => {
  test('finds a version whose pods all restart every two minutes, and says how often', () => {
    const windows = Array.from({ length: 40 }, (_, at) =>
      quarter(
        at,
        [0, 1, 2, 3].map((pod) => Number(at % 8 === pod * 2)),
      ),
    );
    const answer = answerOf(judged(windows));
    expect(answer).toMatchObject({ level: 'harmful', culprit: 'restarts' });
    expect(answer.sentence).toMatch(
      /^The new version had 20 restarts in 40 pod-minutes; the old one 0 restarts in 2 pod-hours; evidence /,
    );
  });

  test('lets versions alone that restart as often as the old one, also when that is often', () => {
    const windows = Array.from({ length: 200 }, (_, at) =>
      quarter(at, [Number(at % 12 === 0), 0, 0, Number(at % 12 === 6)], Number(at % 2 === 0)),
    );
    expect(answerOf(judged(windows))).toMatchObject({ level: 'calm' });
  });

  test('does not take one bad pod for a bad version', () => {
    const windows = Array.from({ length: 60 }, (_, at) => quarter(at, [Number(at % 2 === 0)]));
    expect(answerOf(judged(windows))).toMatchObject({ level: 'onePod' });
  });

  test('waits for a few minutes of four pods, and says for what', () => {
    const few = answerOf(judged([quarter(0, []), quarter(1, [])]));
    expect(few).toMatchObject({ level: 'calm', stepAcceptable: false });
    expect(few.waitingFor).toMatch(
      /^waiting to rule out more than one restart of a pod in 5m, about \d+(s|m) with as many pods as now$/,
    );
    const acceptable = [...Array(80).keys()].find(
      (count) => answerOf(judged(Array.from({ length: count }, (_, at) => quarter(at, [])))).stepAcceptable,
    );
    expect((acceptable ?? Infinity) * 15).toBeLessThanOrEqual(240);
  });

  test('counts no second of a pod as a request', () => {
    const answer = answerOf(judged([quarter(0, [1])]));
    expect(answer).toMatchObject({ canaryRequests: 0, canaryErrors: 0, totalRequestsPerSecond: 0 });
    expect(judged([quarter(0, [1])]).firstRequestMs).toBeUndefined();
  });

  test('beside errors has its part of the evidence, and its own step to allow', () => {
    const opened = openJudge(
      [
        { name: 'app', hasLatency: false },
        { name: 'restarts', hasLatency: false },
      ],
      beside,
    );
    const [errors, restarts] = evidenceView(opened, beside).metrics;
    expect([errors?.weight, restarts?.weight]).toEqual([0.4 / 0.55, 0.15 / 0.55]);
    const windows = Array.from({ length: 40 }, (_, at) =>
      quarter(
        at,
        [0, 1, 2, 3].map((pod) => Number(at % 8 === pod * 2)),
      ),
    );
    const state = windows.reduce((judge, window) => judgeWindow(judge, 'restarts', window, beside), opened);
    expect(answerOf(state, beside)).toMatchObject({ level: 'harmful', culprit: 'restarts', stepAcceptable: false });
  });
});
