import type { Window } from './engine.ts';
import { judgedAnswer } from './explain.ts';
import { ratioRange, ruledOutExcess } from './interval.ts';
import { type JudgeState, armJudge, judgeWindow, openJudge, startStep } from './judge.ts';
import { defaultSettings as settings } from './settings.ts';
import { recentRates, withTuple } from './tuples.ts';
import { evidenceView } from './view.ts';
import { oddsWords, percentWords, pointsWords, spanWords } from './words.ts';

function after(
  windows: number,
  canary: readonly [number, number],
  stable: readonly [number, number],
  judge = opened(),
): JudgeState {
  let state = judge;
  for (let index = 0; index < windows; index += 1) {
    const window: Window = {
      startMs: index * 5_000,
      endMs: (index + 1) * 5_000,
      lengthMs: 5_000,
      canary: { requests: canary[0], errors: canary[1] },
      stable: { requests: stable[0], errors: stable[1] },
      canaryGroups: [],
    };
    state = judgeWindow(state, 'app', window, settings);
  }
  return state;
}

const opened = () => startStep(openJudge([{ name: 'app', hasLatency: false }], settings), '1', 0);
const answered = (judge: JudgeState) => judgedAnswer(judge, settings, 1_000, true);

describe('the sentence', () => {
  test('of a harmful release has rates and counts first, then the odds', () => {
    expect(answered(after(4, [95, 9], [900, 1])).sentence).toMatch(
      /^The new version fails 9\.5 % of requests, 36 of 380; the old one 0\.11 %; evidence \d+ : 1\.$/,
    );
  });

  test('of a healthy release says that there is no sign of harm', () => {
    expect(answered(after(10, [50, 0], [450, 1])).sentence).toBe(
      'The new version fails 0 % of requests, 0 of 500; the old one 0.22 %; evidence of harm below 5 : 1.',
    );
  });

  test('of a brake says what a single window would have decided', () => {
    expect(answered(after(1, [50, 25], [450, 0])).sentence).toMatch(
      /evidence 10 : 1, or 1000 : 1 if fewer than three windows could decide\.$/,
    );
  });

  test('before the first canary request says so', () => {
    expect(answered(after(1, [0, 0], [450, 0]))).toMatchObject({
      level: 'calm',
      sentence: 'The new version has had no request yet.',
      waitingFor:
        'waiting to rule out more than 0.20pp extra errors, but no request of the new version was counted at this weight so far',
    });
  });
});

describe('what a calm answer waits for', () => {
  test('is an amount of damage, and about how long that takes at the current traffic', () => {
    const soon = answered(after(6, [50, 0], [450, 0])).waitingFor;
    expect(soon).toMatch(/^waiting to rule out more than 0\.20pp extra errors, about \d+[sm] at current traffic$/);
  });

  test('and the forecast comes true within a third', () => {
    let state = after(6, [50, 0], [450, 0]);
    const minutes = Number(/about (\d+)m/.exec(answered(state).waitingFor ?? '')?.[1]);
    let seconds = 0;
    for (; !answered(state).stepAcceptable; seconds += 5) state = after(1, [50, 0], [450, 0], state);
    expect(seconds / 60).toBeGreaterThan(minutes * 0.66);
    expect(seconds / 60).toBeLessThan(minutes * 1.34);
  });

  test('cannot come while more requests fail than is acceptable', () => {
    expect(answered(after(1, [50, 1], [450, 0])).waitingFor).toBe(
      'waiting to rule out more than 0.20pp extra errors, which the current rates do not allow',
    );
  });

  test('is nothing once everything is ruled out, or when it is harmful', () => {
    expect(answered(after(300, [50, 0], [450, 0])).waitingFor).toBeUndefined();
    expect(answered(after(3, [50, 25], [450, 0])).waitingFor).toBeUndefined();
  });

  test('in the bake without an old version is a version to compare with', () => {
    const alone = armJudge(opened(), 'bake', 0);
    expect(answered(after(3, [500, 0], [0, 0], alone)).waitingFor).toContain('had no request during this release');
  });
});

describe('an answer', () => {
  test('tells the traffic of the last quarter of a minute', () => {
    const quiet = after(20, [50, 0], [450, 0]);
    const busy = after(3, [500, 0], [500, 0], quiet);
    expect(answered(quiet).canaryRequestsPerSecond).toBeCloseTo(10, 6);
    expect(answered(busy)).toMatchObject({
      canaryRequestsPerSecond: 100,
      totalRequestsPerSecond: 200,
      canaryRequests: 2500,
    });
  });

  test('about requests that are not split as planned lets no step pass, says so, and holds nothing against the version', () => {
    const planned = (count: number, from: JudgeState) =>
      Array.from({ length: count }).reduce<JudgeState>((state, _, index) => {
        const [startMs, endMs] = [index * 5_000, (index + 1) * 5_000];
        const arms = { canary: { requests: 50, errors: 0 }, stable: { requests: 450, errors: 0 }, canaryGroups: [] };
        return judgeWindow(state, 'app', { startMs, endMs, lengthMs: 5_000, ...arms, plannedShare: 0.25 }, settings);
      }, from);
    expect(answered(planned(300, opened()))).toMatchObject({
      level: 'calm',
      stepAcceptable: false,
      finalAcceptable: false,
      brakeReleasable: true,
      splitOff: '10 % of the requests reach the new version, 25 % were planned: 14700 of 147000.',
      waitingFor:
        'waiting for the requests to be split as planned (10 % of the requests reach the new version, 25 % were planned: 14700 of 147000)',
    });
  });

  test('that is not fresh lets nothing pass (S4)', () => {
    const accepted = after(300, [50, 0], [450, 0]);
    expect(judgedAnswer(accepted, settings, 0, true)).toMatchObject({
      stepAcceptable: true,
      finalAcceptable: true,
      brakeReleasable: true,
    });
    expect(judgedAnswer(accepted, settings, 0, false)).toMatchObject({
      stepAcceptable: false,
      finalAcceptable: false,
      brakeReleasable: false,
    });
  });
});

describe('the valid ranges', () => {
  const tuple = { lengthMs: 5_000, canary: { requests: 950, errors: 9 }, stable: { requests: 9000, errors: 18 } };
  const tuples = Array.from({ length: 20 }, () => tuple);

  test('of the ratio holds the observed one, and narrows with data', () => {
    const few = ratioRange(tuples.slice(0, 5), 1, Math.log(20));
    const many = ratioRange(tuples, 1, Math.log(20));
    const observed = 9 / 950 / (18 / 9000);
    for (const { low, high } of [few, many]) {
      expect(low).toBeLessThan(observed);
      expect(high).toBeGreaterThan(observed);
    }
    expect(many.high / many.low).toBeLessThan(few.high / few.low);
  });

  test('excludes the tolerated ratio exactly when the evidence does', () => {
    const { low } = ratioRange(tuples, 1, Math.log(1000));
    expect(low).toBeGreaterThan(1.1);
    expect(ratioRange([], 1, Math.log(20))).toEqual({ low: 0, high: Infinity });
  });

  test('of the excess rules out less and less as clean requests come in', () => {
    const clean = { lengthMs: 5_000, canary: { requests: 500, errors: 0 }, stable: { requests: 4500, errors: 0 } };
    const after10 = ruledOutExcess(
      Array.from({ length: 10 }, () => clean),
      2,
      1,
      Math.log(20),
    );
    const after40 = ruledOutExcess(
      Array.from({ length: 40 }, () => clean),
      2,
      1,
      Math.log(20),
    );
    expect(after40).toBeLessThan(after10);
    // The rule of three: nothing seen in n requests rules out about 3 / n.
    expect(after40).toBeGreaterThan(3 / 20_000 / 2);
    expect(after40).toBeLessThan((3 / 20_000) * 3);
  });

  test('survive JSON in the view', () => {
    const view = evidenceView(after(2, [50, 0], [450, 0]), settings);
    expect(view).toMatchObject({
      judge: 'twoArms',
      needed: '1000 : 1',
      engines: [{ name: 'app', ratio: undefined, windows: 2 }],
    });
    expect(JSON.stringify(view)).not.toContain('null');
  });
});

describe('the history of windows', () => {
  test('is folded when it grows long, and loses no request', () => {
    let tuples: ReturnType<typeof withTuple> = [];
    for (let index = 0; index < 500; index += 1) {
      tuples = withTuple(tuples, {
        lengthMs: 5_000,
        canary: { requests: 2, errors: 1 },
        stable: { requests: 3, errors: 0 },
      });
    }
    expect(tuples.length).toBeLessThanOrEqual(32);
    expect(tuples.reduce((sum, { canary }) => sum + canary.requests, 0)).toBe(1000);
    expect(recentRates(tuples)).toEqual({ canaryPerSecond: 0.4, stablePerSecond: 0.6 });
  });
});

test('numbers are written for people', () => {
  expect([0.48, 0.098, 0.001, 0.00004, 0].map(percentWords)).toEqual(['48 %', '9.8 %', '0.1 %', '0.004 %', '0 %']);
  expect([0.002, 0.0001, 0.00001].map(pointsWords)).toEqual(['0.20pp', '0.01pp', '0.001pp']);
  expect([-1, 0, Math.log(4.26), Math.log(412), 50].map(oddsWords)).toEqual([
    'below 1 : 1',
    '1 : 1',
    '4.3 : 1',
    '412 : 1',
    'over 1000000 : 1',
  ]);
  expect([3, 88, 700, 20_000, 1e6].map(spanWords)).toEqual(['10s', '90s', '12m', '6h', 'more than a day']);
});
