// What an attempt learns of the time before it: from the counters that a source remembers, in bounded time, and never more than
// they say.
import { binomial, diceFrom, poisson } from '../analysis/dice.ts';
import { defaultErrors } from '../analysis/metric.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { type Fetched, down } from './fetched.ts';
import { type FetchPast, type HistoryAsked, learnedFrom } from './history.ts';
import { Stage } from './collector-stage.ts';
import type { KnownPod } from './picture.ts';
import { appPreset } from './presets/app.ts';
import type { Answered } from './prometheus-body.ts';
import type { PastSpan } from './prometheus.ts';
import type { Sample, Series } from './series.ts';

const untilMs = Date.UTC(2026, 2, 1);
const hourMs = 3_600_000;
const never = new AbortController().signal;
const names = ['old-0', 'old-1', 'old-2', 'old-3', 'old-4', 'old-5'];
const pods: ReadonlyMap<string, KnownPod> = new Map(
  names.map((name) => [name, { name, startedAtMs: 0, arm: 'stable', isLive: true }]),
);

const asked: HistoryAsked = {
  settings: defaultSettings,
  wanted: [
    {
      metric: defaultErrors,
      readers: [{ name: 'app', preset: appPreset('shop', names, () => 'stable'), choice: undefined }],
    },
  ],
  pods,
  untilMs,
  canaryPods: 1,
};

interface Kept {
  readonly hours?: number;
  readonly intervalMs?: number;
  readonly rate?: number;
  /** Errors that come with each. */
  readonly clump?: number;
  /** Its counters begin anew every half hour. */
  readonly restarts?: boolean;
}

/** What a source remembers of pods that serve ten requests a second each. */
function memoryOf({
  hours = 1.5,
  intervalMs = 15_000,
  rate = 0.002,
  clump = 1,
  restarts = false,
}: Kept): readonly Series[] {
  const dice = diceFrom(7);
  return names.flatMap((pod, place) => {
    const ok: Sample[] = [];
    const bad: Sample[] = [];
    let [fine, failed] = [5_000, 0];
    const fromMs = untilMs - hours * hourMs + place * 1_700;
    for (let atMs = fromMs; atMs <= untilMs + 60_000; atMs += intervalMs) {
      const requests = poisson(dice, intervalMs / 100);
      const errors = binomial(dice, requests, rate) * clump;
      if (restarts && Math.floor(atMs / (hourMs / 2)) !== Math.floor((atMs - intervalMs) / (hourMs / 2)))
        [fine, failed] = [0, 0];
      fine += Math.max(0, requests - errors);
      failed += errors;
      ok.push({ atMs, value: fine });
      if (failed > 0) bad.push({ atMs, value: failed });
    }
    const labels = { namespace: 'shop', pod, job: 'pods', instance: `${pod}:8080` };
    const counter = { ...labels, __name__: 'http_requests_total' };
    return [
      { labels: { ...counter, code: '200' }, samples: ok },
      { labels: { ...counter, code: '500' }, samples: bad },
      { labels: { ...labels, __name__: 'up' }, samples: ok.map(({ atMs }) => ({ atMs, value: 1 })) },
    ];
  });
}

/** Answers after some time, and notes what it was asked. */
function sourceOf(memory: readonly Series[], clock: ManualClock, afterMs = 0) {
  const spans: PastSpan[] = [];
  const fetch: FetchPast = async (_selector, span): Promise<Fetched<Answered>> => {
    spans.push(span);
    if (afterMs > 0) await clock.advance(afterMs);
    const series = memory
      .map((one) => ({ ...one, samples: one.samples.filter(({ atMs }) => atMs > span.fromMs && atMs <= span.untilMs) }))
      .filter(({ samples }) => samples.length > 0);
    return { kind: 'ok', value: { series, notCounts: 0, serverTimeMs: undefined } };
  };
  return { fetch, spans };
}

async function learnedOf(kept: Kept, afterMs = 0, of: Partial<HistoryAsked> = {}) {
  const clock = new ManualClock(untilMs);
  const { fetch, spans } = sourceOf(memoryOf(kept), clock, afterMs);
  const learned = await learnedFrom({ ...asked, ...of }, { fetch, clock }, never);
  return { ...learned, spans };
}

describe('what is learned of the past', () => {
  test('errors that come alone, and how much of it was seen', async () => {
    const { calibrations } = await learnedOf({});
    expect(calibrations).toMatchObject([{ metric: 'errors', pods: 6, spanMs: expect.any(Number) }]);
    expect(calibrations[0]?.spanMs).toBeGreaterThanOrEqual(hourMs);
    expect(calibrations[0]?.clumping).toBeLessThan(1.2);
    // 60 requests a second, of which one in five hundred fails.
    expect(calibrations[0]?.errors).toBeGreaterThan(350);
  });

  test.each([
    ['clumps of three', { clump: 3 }, 2.5, 5],
    ['counters that begin anew', { restarts: true }, 1, 1.2],
    ['scrapes every minute', { intervalMs: 60_000 }, 1, 1.3],
    ['scrapes every five seconds', { intervalMs: 5_000 }, 1, 1.2],
    ['no error at all', { rate: 0 }, 2, 2],
  ])('%s', async (_, kept, low, high) => {
    const { calibrations } = await learnedOf(kept);
    expect(calibrations[0]?.clumping).toBeGreaterThanOrEqual(low);
    expect(calibrations[0]?.clumping).toBeLessThanOrEqual(high);
  });

  test('an error that its counter was born with counts', async () => {
    const all = memoryOf({ rate: 0 });
    const born = { ...all[0], labels: { ...all[0]?.labels, code: '500' } } as Series;
    const bursts = [{ ...born, samples: born.samples.slice(-100).map(({ atMs }) => ({ atMs, value: 15 })) }];
    const clock = new ManualClock(untilMs);
    const { fetch } = sourceOf([...all, ...bursts], clock);
    const { calibrations } = await learnedFrom(asked, { fetch, clock }, never);
    expect(calibrations[0]).toMatchObject({ errors: 15 });
    expect(calibrations[0]?.clumping).toBeGreaterThan(8);
  });

  test('nothing after the beginning of the attempt, and nothing twice', async () => {
    const { spans } = await learnedOf({ hours: 7 });
    expect(Math.max(...spans.map((span) => span.untilMs))).toBe(untilMs);
    const ends = spans.map((span) => span.untilMs);
    expect(new Set(ends).size).toBe(ends.length);
    // Each reaches a little into the one before it, for the scrape that counting begins with.
    for (const [place, { fromMs }] of spans.slice(0, -1).entries()) expect(ends[place + 1]).toBe(fromMs + 150_000);
  });

  test('as much as comes quickly, up to a day; of a slow source no more than an hour', async () => {
    const quick = await learnedOf({ hours: 30, intervalMs: 60_000 });
    expect(quick.calibrations[0]?.spanMs).toBeGreaterThan(20 * hourMs);
    expect(quick.calibrations[0]?.spanMs).toBeLessThanOrEqual(24 * hourMs);
    const slow = await learnedOf({ hours: 30, intervalMs: 60_000 }, 1_500);
    expect(slow.calibrations[0]?.spanMs).toBeLessThan(2 * hourMs);
  });

  test('what came before the source fell silent', async () => {
    const clock = new ManualClock(untilMs);
    const { fetch, spans } = sourceOf(memoryOf({}), clock);
    const failing: FetchPast = async (selector, span, signal) =>
      spans.length === 0 ? fetch(selector, span, signal) : down('It is gone.');
    const { calibrations } = await learnedFrom(asked, { fetch: failing, clock }, never);
    expect(calibrations[0]?.spanMs).toBe(600_000);
  });
});

describe('nothing is learned, and it is said why', () => {
  const clock = new ManualClock(untilMs);

  test('where pods are not told apart', async () => {
    const { unknown } = await learnedOf({}, 0, { wanted: [{ metric: defaultErrors, readers: [] }] });
    expect(unknown).toEqual([{ metric: 'errors', why: 'it is not counted pod by pod' }]);
  });

  test('where the source has no past, or fails', async () => {
    const { unknown, calibrations } = await learnedOf({ hours: 0 });
    expect(calibrations).toEqual([]);
    expect(unknown[0]?.why).toBe('its pods were scraped only once');
    const failing = await learnedFrom(asked, { fetch: async () => down('MetricSource main is ill.'), clock }, never);
    expect(failing.unknown).toEqual([{ metric: 'errors', why: 'MetricSource main is ill' }]);
  });

  test('with a single pod there is nobody to compare with', async () => {
    const { unknown } = await learnedOf({}, 0, { pods: new Map([...pods].slice(0, 1)) });
    expect(unknown[0]?.why).toContain('it takes two pods');
  });

  test('by a source that hangs, after eight seconds', async () => {
    const hanging: FetchPast = (_selector, _span, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(down('Given up.'))));
    const learned = learnedFrom(asked, { fetch: hanging, clock }, never);
    await clock.advance(8_000);
    expect(await learned).toEqual({ calibrations: [], unknown: [{ metric: 'errors', why: 'Given up' }] });
  });
});

/** A quarter of an hour in which nothing is read. */
async function longAgo({ fleet, clock }: Stage): Promise<void> {
  fleet.advance(900_000);
  await clock.advance(900_000);
}

describe('an attempt', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
    stage.fleet.traffic = { perSecond: 100, canaryWeight: 0, errorRates: { canary: 0, stable: 0.01 } };
  });
  afterEach(() => stage.stop());

  test('is judged by what was learned before it, also by another operator, and asks the past once', async () => {
    await longAgo(stage);
    const subject = await stage.begin({}, { canary: 0.01, stable: 0.01 });
    await stage.pass(60);
    const saved = stage.saved();
    const clumping = saved.learned?.calibrations[0]?.clumping ?? Number.NaN;
    expect(clumping).toBeLessThan(1.3);
    expect(saved.settings.metrics).toMatchObject([{ name: 'errors', clumping }]);
    await stage.restart();
    const before = stage.collector;
    before.watch({ ...subject, resume: saved });
    await stage.pass(60);
    expect(stage.saved().learned).toEqual(saved.learned);
    expect(stage.saved().settings).toEqual(saved.settings);
    const engine = stage.collector.reading('uid/1')?.explain?.engines[0];
    expect(engine?.windows).toBeGreaterThan(15);
  });

  test('begins anew where what is kept of the past is not what it was judged by', async () => {
    await longAgo(stage);
    const subject = await stage.begin({}, { canary: 0.01, stable: 0.01 });
    await stage.pass(60);
    const saved = stage.saved();
    const [calibration] = saved.learned?.calibrations ?? [];
    await stage.restart();
    const learned = { calibrations: calibration ? [{ ...calibration, clumping: 9 }] : [], unknown: [] };
    stage.collector.watch({ ...subject, resume: { ...saved, learned } });
    await stage.pass(20);
    expect(stage.saved().learned?.calibrations[0]?.clumping).toBe(calibration?.clumping);
    expect(stage.saved().settings).toEqual(saved.settings);
  });
});
