import * as fc from 'fast-check';
import { diceFrom, poisson } from './dice.ts';
import type { Window } from './engine.ts';
import { type JudgeState, armJudge, judgeWindow, openJudge, startStep } from './judge.ts';
import { defaultSettings as settings } from './settings.ts';
import { verdictOf } from './verdict.ts';

interface Seen {
  readonly canary?: readonly [requests: number, errors: number];
  readonly stable?: readonly [requests: number, errors: number];
  readonly groups?: readonly (readonly [number, number])[];
}

/** Feeds windows of five seconds one after the other, beginning at `fromMs`. */
function fed(judge: JudgeState, windows: readonly Seen[], fromMs = 0, name: 'app' | 'gateway' = 'app'): JudgeState {
  return windows.reduce(
    (state, seen, index) => judgeWindow(state, name, windowOf(seen, fromMs + index * 5_000), settings),
    judge,
  );
}

const counts = ([requests, errors]: readonly [number, number]) => ({ requests, errors });

function windowOf({ canary = [0, 0], stable = [450, 0], groups = [] }: Seen, startMs: number): Window {
  return {
    startMs,
    endMs: startMs + 5_000,
    lengthMs: 5_000,
    canary: counts(
      groups.length > 0 ? groups.reduce(([r, e], [gr, ge]) => [r + gr, e + ge] as const, [0, 0] as const) : canary,
    ),
    stable: counts(stable),
    canaryGroups: groups.map(counts),
  };
}

const reader = (name: 'app' | 'gateway') => ({ name, hasLatency: false });
const times = (count: number, seen: Seen) => Array.from({ length: count }, () => seen);
const level = (judge: JudgeState) => verdictOf(judge, settings).level;
const app = () => startStep(openJudge([reader('app')], settings), '1', 0);
const awful: Seen = { canary: [50, 25] };
const clean: Seen = { canary: [50, 0] };

describe('the ladder of levels', () => {
  test('is calm before anything was seen, and lets nothing pass', () => {
    expect(verdictOf(app(), settings)).toMatchObject({
      level: 'calm',
      isStepAcceptable: false,
      isFinalAcceptable: false,
      isBrakeReleasable: false,
    });
  });

  test('brakes after one awful window and rolls back after three, never after fewer', () => {
    expect([1, 2, 3].map((count) => level(fed(app(), times(count, awful))))).toEqual(['brake', 'brake', 'harmful']);
  });

  test('never rolls back on two errors, whatever they weigh', () => {
    const rare: Seen = { canary: [1, 1], stable: [1_000_000, 0] };
    const twice = fed(app(), times(2, rare));
    expect(verdictOf(twice, settings).logHarm).toBeGreaterThan(0);
    expect(level(fed(twice, times(3, { canary: [0, 0] })))).not.toBe('harmful');
  });

  test('keeps a verdict of harm for the rest of the attempt, however well it goes on', () => {
    const harmful = fed(app(), times(3, awful));
    expect(level(fed(harmful, times(500, { canary: [50, 0], stable: [450, 9] })))).toBe('harmful');
  });

  test('releases a brake only after the canary has proved itself again', () => {
    let judge = fed(app(), [awful, ...times(3, { canary: [50, 1], stable: [450, 9] })]);
    expect(verdictOf(judge, settings).isBrakeReleasable).toBe(false);
    judge = fed(judge, times(400, { canary: [50, 1], stable: [450, 9] }), 20_000);
    expect(verdictOf(judge, settings)).toMatchObject({ level: 'calm', isBrakeReleasable: true });
  });
});

describe('evidence carried by one pod', () => {
  test('brakes and asks for that pod to be replaced, but does not condemn the version', () => {
    const lemon: Seen = {
      groups: [
        [25, 0],
        [25, 25],
      ],
    };
    expect(level(fed(app(), times(12, lemon)))).toBe('onePod');
  });

  test('condemns the version once another pod fails too', () => {
    const both: Seen = {
      groups: [
        [25, 12],
        [25, 13],
      ],
    };
    expect(level(fed(app(), times(3, both)))).toBe('harmful');
  });

  test('with a single pod there is nobody to compare it with', () => {
    expect(level(fed(app(), times(3, { groups: [[50, 25]] })))).toBe('harmful');
    expect(
      level(
        fed(
          app(),
          times(3, {
            groups: [
              [50, 25],
              [0, 0],
            ],
          }),
        ),
      ),
    ).toBe('harmful');
  });

  test('counts against the version when the pods themselves see no failure, only the gateway does', () => {
    let judge = startStep(openJudge([reader('gateway'), reader('app')], settings), '1', 0);
    for (let index = 0; index < 6; index += 1) {
      judge = fed(judge, [awful], index * 5_000, 'gateway');
      judge = fed(
        judge,
        [
          {
            groups: [
              [13, 0],
              [12, 0],
            ],
          },
        ],
        index * 5_000,
        'app',
      );
    }
    expect(level(judge)).toBe('harmful');
  });

  test('also brakes during the bake', () => {
    const baking = armJudge(
      fed(
        app(),
        times(20, {
          groups: [
            [25, 0],
            [25, 0],
          ],
        }),
      ),
      'bake',
      100_000,
    );
    const lemon: Seen = {
      stable: [0, 0],
      groups: [
        [125, 0],
        [125, 125],
        [125, 0],
        [125, 0],
      ],
    };
    expect(level(fed(baking, times(6, lemon), 100_000))).toBe('onePod');
  });
});

describe('two engines for one metric', () => {
  test('are averaged: one error seen twice is one error', () => {
    const one = fed(startStep(openJudge([reader('app')], settings), '1', 0), times(2, { canary: [50, 3] }));
    let two = startStep(openJudge([reader('gateway'), reader('app')], settings), '1', 0);
    for (const name of ['gateway', 'app'] as const) two = fed(two, times(2, { canary: [50, 3] }), 0, name);
    expect(verdictOf(two, settings).logHarm).toBeCloseTo(verdictOf(one, settings).logHarm, 12);
    expect(verdictOf(two, settings).logAccept).toBeCloseTo(verdictOf(one, settings).logAccept, 12);
  });

  test('one that is silent only halves the odds of the other', () => {
    const both = fed(startStep(openJudge([reader('gateway'), reader('app')], settings), '1', 0), [awful], 0, 'gateway');
    expect(verdictOf(both, settings).logHarm).toBeCloseTo(Math.log((10 + 1) / 2), 6);
    expect(level(both)).toBe('brake');
  });

  test('one that was not chosen at the start is ignored', () => {
    expect(fed(app(), times(3, awful), 0, 'gateway').metrics).toEqual(app().metrics);
  });
});

describe('acceptance', () => {
  test('for a step counts only windows that began in it', () => {
    const first = fed(app(), times(120, clean));
    expect(verdictOf(first, settings).isStepAcceptable).toBe(true);
    const second = startStep(first, '2', 600_000);
    expect(verdictOf(second, settings)).toMatchObject({ isStepAcceptable: false, isFinalAcceptable: true });
    const straddling = fed(second, times(60, clean), 0);
    expect(verdictOf(straddling, settings).isStepAcceptable).toBe(false);
    expect(verdictOf(fed(second, times(60, clean), 600_000), settings).isStepAcceptable).toBe(true);
  });

  test('is not lost when the same step is announced again', () => {
    const first = fed(app(), times(60, clean));
    expect(startStep(first, '1', 999_999)).toBe(first);
    expect(armJudge(first, 'twoArms', 999_999)).toBe(first);
  });

  test('stops while there is doubt', () => {
    const accepted = fed(app(), times(200, clean));
    const doubted = fed(accepted, [{ canary: [50, 10] }], 1_000_000);
    expect(verdictOf(doubted, settings)).toMatchObject({
      level: expect.stringMatching(/doubt|brake/),
      isStepAcceptable: false,
      isFinalAcceptable: false,
    });
  });

  test('goes on in the bake, when the old version has no traffic left', () => {
    const before = fed(app(), times(20, clean));
    expect(verdictOf(before, settings).isFinalAcceptable).toBe(false);
    const baking = startStep(armJudge(before, 'bake', 100_000), 'bake', 100_000);
    const after = fed(baking, times(12, { canary: [500, 0], stable: [0, 0] }), 100_000);
    expect(verdictOf(after, settings)).toMatchObject({
      level: 'calm',
      isStepAcceptable: true,
      isFinalAcceptable: true,
    });
  });

  test('never comes in a bake without an old version to compare with', () => {
    const alone = armJudge(app(), 'bake', 0);
    const after = fed(alone, times(100, { canary: [500, 0], stable: [0, 0] }));
    expect(verdictOf(after, settings)).toMatchObject({
      level: 'calm',
      isStepAcceptable: false,
      isFinalAcceptable: false,
    });
  });
});

describe('weights and time', () => {
  test('a weight that changes at every window does no harm to a healthy release', () => {
    const dice = diceFrom(21);
    let judge = app();
    for (let index = 0; index < 400; index += 1) {
      const weight = [0.01, 0.5, 0.1, 0.9][index % 4] ?? 0.1;
      const rate = index % 100 < 20 ? 0.05 : 0.005;
      const [canary, stable] = [Math.round(500 * weight), Math.round(500 * (1 - weight))];
      const seen: Seen = {
        canary: [canary, Math.min(canary, poisson(dice, canary * rate))],
        stable: [stable, Math.min(stable, poisson(dice, stable * rate))],
      };
      judge = fed(judge, [seen], index * 5_000);
      expect(level(judge)).toMatch(/calm|doubt/);
    }
  });

  test('the same windows give the same state, bit for bit', () => {
    const drawn = fc.tuple(fc.nat(500), fc.nat(20), fc.nat(2000), fc.nat(50));
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 12 }), (all) => {
        const windows = all.map(
          ([c, ce, s, se]): Seen => ({
            groups: [
              [c, Math.min(c, ce)],
              [5, 0],
            ],
            stable: [s, Math.min(s, se)],
          }),
        );
        expect(fed(app(), windows)).toEqual(fed(fed(app(), windows.slice(0, 3)), windows.slice(3), 15_000));
      }),
      { numRuns: 30 },
    );
  });

  test('whatever is counted, every number stays a number', () => {
    const drawn = fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9), fc.nat(1e9));
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 8 }), fc.boolean(), (all, isBake) => {
        let judge = app();
        if (isBake) judge = armJudge(fed(judge, [clean]), 'bake', 5_000);
        for (const [c, ce, s, se, lengthMs] of all) {
          const window = {
            ...windowOf({ canary: [c, Math.min(c, ce)], stable: [s, Math.min(s, se)] }, 5_000),
            lengthMs,
          };
          judge = judgeWindow(judge, 'app', window, settings);
        }
        const { logHarm, logHarmUncapped, logAccept, logStepAccept } = verdictOf(judge, settings);
        expect([logHarm, logHarmUncapped, logAccept, logStepAccept].every(Number.isFinite)).toBe(true);
        expect(JSON.stringify(judge)).not.toContain('null');
      }),
      { numRuns: 50 },
    );
  });
});
