import { courseAfter, openCourse } from '../analysis/course.ts';
import type { Window } from '../analysis/engine.ts';
import { defaultErrors, weighted } from '../analysis/metric.ts';
import { diceFrom } from '../analysis/dice.ts';
import { type EngineName, type JudgeState, armJudge, judgeWindow, openJudge, startStep } from '../analysis/judge.ts';
import { defaultSettings as settings } from '../analysis/settings.ts';
import { verdictOf } from '../analysis/verdict.ts';
import { type EngineMemory, type SavedEvidence, restoreEvidence, saveEvidence } from './saved.ts';
import { openLedger } from './windows.ts';

const dice = diceFrom(31);
const readers = (['gateway', 'app'] as const).map((name) => ({ name, hasLatency: false }));
const some = (most: number) => Math.floor(dice() * most);

function windows(count: number): readonly Window[] {
  return Array.from({ length: count }, (_, index) => {
    const canaryGroups = Array.from({ length: 4 }, () => ({ requests: 20 + some(50), errors: some(3) }));
    return {
      startMs: index * 5_000,
      endMs: (index + 1) * 5_000,
      lengthMs: 5_000,
      canary: {
        requests: canaryGroups.reduce((sum, { requests }) => sum + requests, 0),
        errors: canaryGroups.reduce((sum, { errors }) => sum + errors, 0),
      },
      stable: { requests: 400 + some(300), errors: some(9) },
      canaryGroups,
    };
  });
}

function judged(
  all: readonly Window[],
  from: JudgeState = startStep(openJudge(readers, settings), '1:99', 0),
): JudgeState {
  return all.reduce(
    (state, window) =>
      judgeWindow(judgeWindow(state, 'gateway', { ...window, canaryGroups: [] }, settings), 'app', window, settings),
    from,
  );
}

function memories(targets: number): ReadonlyMap<EngineName, EngineMemory> {
  const ledger = {
    ...openLedger(1_795_000_000_000),
    cutMs: 1_795_000_500_123,
    intervalMs: 5_000,
    countedMs: new Map(
      Array.from({ length: targets }, (_, index) => [some(2 ** 31) * 4096 + index, 1_795_000_499_000 + index] as const),
    ),
    groups: new Map([
      [7, 0],
      [8, 1],
    ]),
  };
  const choice = { stream: 'http_requests_total', job: 'pods' };
  return new Map([
    ['gateway', { ledger, choice: undefined }],
    ['app', { ledger, choice }],
  ]);
}

const throughStatus = <T>(saved: T): T => JSON.parse(JSON.stringify(saved)) as T;

describe('evidence in status', () => {
  test('comes back bit for bit, and goes on to the same verdict', () => {
    const before = judged(windows(90));
    const saved = throughStatus(saveEvidence('uid/1', settings, before, memories(12)));
    const restored = restoreEvidence(saved, 'uid/1', settings);
    expect(restored?.judge).toEqual(before);
    expect(restored?.memories).toEqual(memoriesOf(saved));
    const more = windows(10);
    expect(verdictOf(judged(more, restored?.judge), settings)).toEqual(verdictOf(judged(more, before), settings));
  });

  test('comes back with latency, with its split, and with how it came to be, bit for bit', () => {
    const latency = {
      kind: 'latency',
      name: 'latency',
      tolerateRatio: 1.1,
      ruleOut: settings.metrics[0]!.ruleOut,
    } as const;
    const both = { ...settings, metrics: weighted([defaultErrors, latency]) };
    for (const count of [3, 30, 200]) {
      const native = (part: number) => ({
        upperBounds: [...Array.from({ length: 24 }, (_, cell) => 2 ** (cell / 8 - 4)), Infinity],
        counts: Array.from({ length: 25 }, (_, cell) => (cell < 24 ? some(part) : 0)),
      });
      const course = windows(count).reduce(
        (before, window) =>
          courseAfter(
            before,
            {
              kind: 'window',
              reader: 'app',
              window: {
                ...window,
                plannedShare: 0.2,
                latency: { canary: native(9), stable: native(40), canaryGroups: [native(4), native(4)] },
              },
            },
            both,
          ),
        openCourse(startStep(openJudge([{ name: 'app', hasLatency: true }], both), '1', 0)),
      );
      const saved = throughStatus(saveEvidence('uid/1', both, course.judge, memories(3), course));
      expect(Buffer.byteLength(JSON.stringify(saved))).toBeLessThanOrEqual(16 * 1024);
      const restored = restoreEvidence(saved, 'uid/1', both);
      expect(restored?.judge).toEqual(course.judge);
      expect(restored?.course).toEqual(course);
    }
  });

  test('comes back also from the bake, and when status has ordered the settings differently', () => {
    const baking = judged(windows(10), armJudge(judged(windows(30)), 'bake', 0));
    const saved = throughStatus(saveEvidence('uid/1', settings, baking, memories(3)));
    const reordered = Object.fromEntries(Object.entries(settings).toReversed()) as unknown as typeof settings;
    expect(restoreEvidence({ ...saved, settings: reordered }, 'uid/1', settings)?.judge).toEqual(baking);
  });

  test.each([2, 60, 250, 2000])('fits into status with %i targets', (targets) => {
    const baking = judged(windows(80), armJudge(judged(windows(80)), 'bake', 0));
    const saved = saveEvidence('uid/1', settings, baking, memories(targets));
    expect(Buffer.byteLength(JSON.stringify(saved))).toBeLessThanOrEqual(16 * 1024);
    const restored = restoreEvidence(throughStatus(saved), 'uid/1', settings);
    expect(verdictOf(restored?.judge ?? openJudge([], settings), settings)).toEqual(verdictOf(baking, settings));
  });

  test('whose marks do not fit goes on after the last cut, and counts nothing twice', () => {
    const saved = saveEvidence('uid/1', settings, judged(windows(5)), memories(5000));
    const ledger = restoreEvidence(throughStatus(saved), 'uid/1', settings)?.memories.get('app')?.ledger;
    expect(ledger).toMatchObject({ beganMs: 1_795_000_500_123, cutMs: 1_795_000_500_123, countedMs: new Map() });
  });

  test('of another attempt, of other settings or of another form is not used', () => {
    const saved = throughStatus(saveEvidence('uid/1', settings, judged(windows(3)), memories(2)));
    expect(restoreEvidence(saved, 'uid/2', settings)).toBeUndefined();
    expect(restoreEvidence(saved, 'uid/1', { ...settings, confidencePercent: 99 })).toBeUndefined();
    expect(restoreEvidence({ ...saved, version: 1 as never }, 'uid/1', settings)).toBeUndefined();
    const broken = throughStatus(withEngine(saved, { accept: 'AAAA' })) as SavedEvidence;
    expect(restoreEvidence(broken, 'uid/1', settings)).toBeUndefined();
    expect(restoreEvidence({ ...saved, metrics: [{}] as never }, 'uid/1', settings)).toBeUndefined();
  });

  test.each<[string, (saved: SavedEvidence) => unknown]>([
    ['no metric', (saved) => ({ ...saved, metrics: [] })],
    ['no engine', (saved) => ({ ...saved, metrics: saved.metrics.map(({ name }) => ({ name, engines: [] })) })],
    [
      'another metric',
      (saved) => ({ ...saved, metrics: saved.metrics.map((metric) => ({ ...metric, name: 'luck' })) }),
    ],
    ['an engine that nobody knows', (saved) => withEngine(saved, { name: 'oracle' })],
    ['an engine without lines that bound what is tolerated', (saved) => withEngine(saved, { harm: [] })],
    ['counts that are no numbers', (saved) => withEngine(saved, { tuples: 'a b c d e' })],
    ['a time that is no time', (saved) => withLedger(saved, { cutMs: 'now' })],
    ['no time between scrapes', (saved) => withLedger(saved, { intervalMs: 0 })],
    ['no judge', (saved) => ({ ...saved, judge: undefined })],
    ['an empty judge', (saved) => ({ ...saved, judge: {} })],
    ['a split that is none', (saved) => ({ ...saved, split: { ...saved.split, more: 'AAAA' } })],
    ['events that are none', (saved) => ({ ...saved, events: 'AAAA' })],
    ['a judge of another kind', (saved) => ({ ...saved, judge: { ...saved.judge, mode: 'mood' } })],
    ['a judge whose steps began never', (saved) => ({ ...saved, judge: { ...saved.judge, stepSinceMs: null } })],
    ['nothing', () => ({ version: 2, key: 'uid/1', settings })],
  ])('that somebody edited to %s is no evidence', (_, edited) => {
    const saved = throughStatus(saveEvidence('uid/1', settings, judged(windows(3)), memories(2)));
    expect(restoreEvidence(throughStatus(edited(saved)) as SavedEvidence, 'uid/1', settings)).toBeUndefined();
  });
});

function withEngine(saved: SavedEvidence, change: object): unknown {
  const changed = ({ name, engines }: SavedEvidence['metrics'][number]) => ({
    name,
    engines: engines.map((engine) => ({ ...engine, ...change })),
  });
  return { ...saved, metrics: saved.metrics.map(changed) };
}

function withLedger(saved: SavedEvidence, change: object): unknown {
  return {
    ...saved,
    readers: saved.readers.map((reader) => ({ ...reader, ledger: { ...reader.ledger, ...change } })),
  };
}

function memoriesOf(saved: ReturnType<typeof saveEvidence>): ReadonlyMap<EngineName, EngineMemory> | undefined {
  return restoreEvidence(saved, saved.key, saved.settings)?.memories;
}
