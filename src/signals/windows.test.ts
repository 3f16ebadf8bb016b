import { pictureOf, type KnownPod, type Picture } from './picture.ts';
import { appPreset } from './presets/app.ts';
import type { Series } from './series.ts';
import { type Ledger, cutWindows, nextDueMs, openLedger } from './windows.ts';

/** Sample times in seconds and values; codes 200 and 500 of one pod. */
interface Scraped {
  readonly pod: string;
  readonly up?: readonly number[];
  readonly ok?: readonly (readonly [number, number])[];
  readonly bad?: readonly (readonly [number, number])[];
  readonly job?: string;
  readonly code?: string;
}

const samples = (values: readonly (readonly [number, number])[]) =>
  values.map(([at, value]) => ({ atMs: at * 1000, value }));

function series(all: readonly Scraped[]): readonly Series[] {
  return all.flatMap(({ pod, up = [], ok = [], bad = [], job = 'pods' }) => {
    const labels = { namespace: 'shop', pod, job, instance: `${pod}:80` };
    return [
      { labels: { ...labels, __name__: 'up' }, samples: samples(up.map((at) => [at, 1] as const)) },
      { labels: { ...labels, __name__: 'http_requests_total', code: '200' }, samples: samples(ok) },
      { labels: { ...labels, __name__: 'http_requests_total', code: '500' }, samples: samples(bad) },
    ];
  });
}

const pods: ReadonlyMap<string, KnownPod> = new Map(
  [
    { name: 'old-1', arm: 'stable', startedAtMs: 0, isLive: true } as const,
    { name: 'old-2', arm: 'stable', startedAtMs: 0, isLive: true } as const,
    { name: 'new-1', arm: 'canary', startedAtMs: 100_500, isLive: true } as const,
    { name: 'new-2', arm: 'canary', startedAtMs: 100_600, isLive: true } as const,
  ].map((pod) => [pod.name, pod] as const),
);

function picture(all: readonly Scraped[], known = pods): Picture {
  return pictureOf(
    series(all),
    appPreset('shop', [...known.keys()], (pod) => known.get(pod)?.arm),
    known,
    undefined,
  );
}

/** The attempt began at 100 s; samples reach back to 80 s. */
function cut(all: readonly Scraped[], nowSeconds: number, ledger: Ledger = openLedger(100_000), known = pods) {
  const { targets, intervalMs } = picture(all, known);
  const live = [...known.values()].filter(({ isLive }) => isLive);
  return cutWindows(ledger, {
    targets,
    intervalMs: intervalMs ?? 5_000,
    fromMs: 80_000,
    nowMs: nowSeconds * 1000,
    needsStable: true,
    pods: live,
  });
}

const every5 = (from: number, to: number) =>
  Array.from({ length: (to - from) / 5 + 1 }, (_, index) => from + 5 * index);
const climbing = (from: number, to: number, first: number, by: number) =>
  every5(from, to).map((at, index) => [at, first + index * by] as const);
const old1: Scraped = { pod: 'old-1', ok: climbing(81, 141, 5000, 100) };
const old2: Scraped = { pod: 'old-2', ok: climbing(83, 143, 7000, 100) };

const until = (to: number): readonly Scraped[] => [
  { pod: 'old-1', ok: climbing(81, to - ((to - 81) % 5), 5000, 100) },
  {
    pod: 'old-2',
    ok: climbing(83, to - ((to - 83) % 5), 7000, 100),
    bad: climbing(98, to - ((to - 98) % 5), 1, 1),
  },
  { pod: 'new-1', ok: climbing(104, to - ((to - 104) % 5), 4, 5) },
  { pod: 'new-2', ok: climbing(106, to - ((to - 106) % 5), 6, 5), bad: climbing(111, to - ((to - 111) % 5), 2, 1) },
];

const gap = (from: number, value: number): readonly (readonly [number, number])[] => [
  [from, value],
  [from + 5, value + 10],
  [from + 75, value + 150],
];

const fast = (pod: string, first: number): Scraped => ({
  pod,
  ok: Array.from({ length: 31 }, (_, index) => [first + index, index] as const),
});

describe('windows', () => {
  test('close when every canary pod has a new sample, and count each scrape once', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 119, 4, 5) };
    const new2: Scraped = { pod: 'new-2', ok: climbing(106, 121, 6, 5) };
    const { windows, ledger } = cut([old1, old2, new1, new2], 122);
    const canary = windows.reduce((sum, window) => sum + window.canary.requests, 0);
    expect(canary).toBe(19 + 21);
    expect(windows.length).toBeGreaterThanOrEqual(3);
    expect(cut([old1, old2, new1, new2], 122, ledger).windows).toEqual([]);
  });

  test('are the same whether they are cut one by one or all at once after a restart', () => {
    let ledger = openLedger(100_000);
    const oneByOne = [];
    for (let now = 112; now <= 145; now += 1) {
      const step = cut(until(now), now, ledger);
      ledger = step.ledger;
      oneByOne.push(...step.windows);
    }
    expect(oneByOne).toEqual(cut(until(145), 145).windows);
    expect(oneByOne.length).toBeGreaterThan(5);
  });

  test('count the first burst of errors, whose series is born with it', () => {
    const new1: Scraped = {
      pod: 'new-1',
      up: [104, 109],
      ok: [
        [104, 4],
        [109, 9],
      ],
      bad: [[109, 25]],
    };
    const { windows } = cut([old1, old2, new1], 112);
    expect(windows.reduce((sum, window) => sum + window.canary.errors, 0)).toBe(25);
  });

  test('count a new pod from its start, also what it had counted before its first scrape', () => {
    const new1: Scraped = { pod: 'new-1', ok: [[104, 40]], bad: [[104, 8]] };
    expect(cut([old1, old2, new1], 106).windows[0]?.canary).toEqual({ requests: 48, errors: 8 });
  });

  test('count nothing from before the attempt', () => {
    const new1: Scraped = { pod: 'new-1', ok: [[104, 1]] };
    // Of the old pods, only what came after their first scrapes within the attempt, at 101 and 103.
    expect(cut([old1, old2, new1], 107).windows[0]).toMatchObject({ endMs: 106_000, stable: { requests: 100 } });
  });

  test('count nothing twice of a target that is read only from some moment on, as after a change of what is read', () => {
    const at = [100, 105, 110, 115, 120];
    const canary = (last: number): Scraped => ({
      pod: 'new-1',
      up: at.filter((one) => one <= last),
      ok: at.filter((one) => one <= last).map((one) => [one, one - 99] as const),
    });
    const stable = (pod: string, last: number): Scraped => ({
      pod,
      up: at.filter((one) => one <= last),
      ok: at.filter((one) => one <= last).map((one) => [one, 10 * (one - 99)] as const),
    });
    const first = cut([canary(110), stable('old-1', 110)], 111);
    const cutMs = first.ledger.cutMs ?? 0;
    const then = cut([canary(120), stable('old-1', 120), stable('old-2', 120)], 121, first.ledger);
    const counted = then.windows.reduce((sum, { stable: { requests } }) => sum + requests, 0);
    const lasted = (120_000 - cutMs) / 1000;
    expect(counted).toBeLessThanOrEqual(2 * 10 * lasted);
  });

  test('go on without a pod that is no longer scraped, after one interval', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 124, 4, 5) };
    const new2: Scraped = { pod: 'new-2', ok: climbing(106, 111, 6, 5) };
    const before = cut([old1, old2, new1, new2], 120);
    const after = cut([old1, old2, new1, new2], 126, before.ledger);
    expect(after.windows.length).toBeGreaterThan(0);
    expect([...before.windows, ...after.windows].reduce((sum, window) => sum + window.canary.requests, 0)).toBe(
      24 + 11,
    );
  });

  test('wait for a pod that is not late yet', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 114, 4, 5) };
    const new2: Scraped = { pod: 'new-2', ok: climbing(106, 111, 6, 5) };
    const first = cut([old1, old2, new1, new2], 112);
    expect(cut([old1, old2, { ...new1, ok: climbing(104, 114, 4, 5) }, new2], 115, first.ledger).windows).toEqual([]);
  });

  test('still count a pod that is gone, but never wait for it', () => {
    const gone = new Map(pods).set('new-2', { name: 'new-2', arm: 'canary', startedAtMs: 100_600, isLive: false });
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 124, 4, 5) };
    const new2: Scraped = { pod: 'new-2', ok: climbing(106, 111, 6, 5) };
    const { windows } = cut([old1, old2, new1, new2], 125, openLedger(100_000), gone);
    expect(windows.reduce((sum, window) => sum + window.canary.requests, 0)).toBe(24 + 11);
    expect(windows.at(-1)?.endMs).toBe(124_000);
  });

  test('count a pod whose container restarted from zero again', () => {
    const new1: Scraped = {
      pod: 'new-1',
      ok: [
        [104, 50],
        [109, 90],
        [114, 7],
        [119, 20],
      ],
    };
    const { windows } = cut([old1, old2, new1], 120);
    expect(windows.reduce((sum, window) => sum + window.canary.requests, 0)).toBe(90 + 20);
  });

  test('lose nothing over a gap of the source', () => {
    const blind: readonly Scraped[] = [
      { pod: 'old-1', ok: [[96, 5000], ...gap(101, 5100)] },
      { pod: 'new-1', ok: gap(104, 4) },
    ];
    const { windows } = cut(blind, 181);
    expect(windows.reduce((sum, window) => sum + window.canary.requests, 0)).toBe(154);
    expect(windows.reduce((sum, window) => sum + window.stable.requests, 0)).toBeGreaterThanOrEqual(110);
  });

  test('say since when their requests are, so that a step counts only its own', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 119, 4, 5) };
    const { windows } = cut([old1, old2, new1], 120);
    expect(windows.map(({ startMs }) => startMs)).toEqual([100_500, 104_000, 109_000, 114_000]);
    expect(windows.map(({ endMs }) => endMs)).toEqual([106_000, 109_000, 114_000, 119_000]);
  });

  test('are never shorter than five seconds, however often pods are scraped', () => {
    const { windows } = cut([fast('old-1', 90), { pod: 'old-1', ok: [] }, fast('new-1', 102), fast('new-2', 102)], 133);
    expect(windows.slice(1).every(({ lengthMs }) => lengthMs >= 4_500)).toBe(true);
    expect(windows.length).toBeGreaterThanOrEqual(5);
  });

  test('tell canary pods apart', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 114, 4, 5) };
    const new2: Scraped = {
      pod: 'new-2',
      ok: climbing(104, 114, 6, 5),
      bad: [
        [109, 9],
        [114, 9],
      ],
    };
    const { windows } = cut([old1, old2, new1, new2], 115);
    const [first, second] = [0, 1].map((group) =>
      windows.reduce((sum, window) => sum + (window.canaryGroups[group]?.errors ?? 0), 0),
    );
    expect([first ?? 0, second ?? 0].toSorted((one, other) => one - other)).toEqual([0, 9]);
  });

  test('are due when the last canary pod is scraped next', () => {
    const new1: Scraped = { pod: 'new-1', ok: climbing(104, 114, 4, 5) };
    const new2: Scraped = { pod: 'new-2', ok: climbing(106, 116, 6, 5) };
    const all = [old1, old2, new1, new2];
    const { ledger } = cut(all, 117);
    expect(nextDueMs(ledger, picture(all).targets)).toBe(121_000);
  });
});

describe('what is read', () => {
  test('is one job, where two jobs scrape the same pods', () => {
    const twice: readonly Scraped[] = [
      old1,
      { ...old1, job: 'also' },
      { pod: 'new-1', ok: [[104, 10]] },
      { pod: 'new-1', job: 'also', ok: [[104, 10]] },
    ];
    const { windows } = cut(twice, 106);
    expect(windows[0]?.canary.requests).toBe(10);
  });

  test('is one metric, where pods expose two for the same requests', () => {
    const both = [...series([old1, { pod: 'new-1', ok: [[104, 10]] }])];
    for (const one of both.filter(({ labels }) => labels['__name__'] === 'http_requests_total')) {
      both.push({
        labels: {
          ...one.labels,
          __name__: 'http_server_request_duration_seconds_count',
          http_response_status_code: '200',
        },
        samples: one.samples,
      });
    }
    const seen = pictureOf(
      both,
      appPreset('shop', [...pods.keys()], (pod) => pods.get(pod)?.arm),
      pods,
      undefined,
    );
    expect(seen.choice).toEqual({ stream: 'http_requests_total', job: 'pods' });
    expect(seen.targets.flatMap(({ counters }) => counters)).toHaveLength(2);
  });

  test('stays what was chosen first', () => {
    const kept = { stream: 'http_requests_total', job: 'also' };
    const seen = pictureOf(
      series([old1, old2, { ...old1, job: 'also' }]),
      appPreset('shop', [...pods.keys()], (pod) => pods.get(pod)?.arm),
      pods,
      kept,
    );
    expect(seen.choice).toEqual(kept);
  });
});
