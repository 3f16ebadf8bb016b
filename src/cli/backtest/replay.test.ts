/** What the judge says of windows of the past. */
import type { Window } from '../../analysis/engine.ts';
import { defaultSettings } from '../../analysis/settings.ts';
import { replay } from './replay.ts';

const lookMs = 1_800_000;
const settings = { ...defaultSettings, bakeMs: lookMs };

type Pair = readonly [requests: number, errors: number];

function window(index: number, canary: Pair, stable: Pair): Window {
  const counts = ([requests, errors]: Pair) => ({ requests, errors });
  return {
    startMs: index * 15_000,
    endMs: (index + 1) * 15_000,
    lengthMs: 15_000,
    canary: counts(canary),
    stable: counts(stable),
    canaryGroups: [],
  };
}

/** A quarter of an hour of the old one alone, then `overlap` windows of both, then the new one alone. */
function release(errorsOfNew: number, errorsOfOld: number, overlap = 2): readonly Window[] {
  return [
    { ...window(0, [0, 0], [90_000, errorsOfOld * 60]), startMs: -885_000 },
    ...Array.from({ length: 40 }, (_, index) =>
      index < overlap
        ? window(index + 1, [750, Math.round(errorsOfNew / 2)], [750, Math.round(errorsOfOld / 2)])
        : window(index + 1, [1500, errorsOfNew], [0, 0]),
    ),
  ];
}

test('a version that fails one request in ten would have been rolled back within its first windows', () => {
  const looked = replay({ reader: 'app', windows: release(150, 1) }, settings);
  expect(looked).toMatchObject({ isWorse: true });
  expect(looked?.stoppedAfterMs).toBeLessThanOrEqual(90_000);
  expect(looked?.failedUntilStopped).toBeLessThan(looked?.canary.errors ?? 0);
  expect(looked?.sentence).toMatch(/^The new version fails 10 % of requests/);
});

test('a version as good as the old one is let go, with no brake', () => {
  const looked = replay({ reader: 'app', windows: release(2, 2) }, settings);
  expect(looked).toMatchObject({ isWorse: false });
  expect(looked).not.toHaveProperty('stoppedAfterMs');
  expect(looked).not.toHaveProperty('brakedAfterMs');
});

test('what goes wrong only after the old version is gone is found by what it did before', () => {
  const good = release(2, 2, 4);
  const late = good.map((one, index) => (index < 20 ? one : { ...one, canary: { requests: 1500, errors: 150 } }));
  const looked = replay({ reader: 'app', windows: late }, settings);
  expect(looked?.stoppedAfterMs).toBeGreaterThan(19 * 15_000);
  expect(looked?.stoppedAfterMs).toBeLessThan(25 * 15_000);
});

test('a window in which the old version had no request does not end the comparison', () => {
  const windows = release(2, 2, 40).map((one, index) =>
    index === 3 ? { ...one, stable: { requests: 0, errors: 0 } } : one,
  );
  const incident = windows.map((one, index) =>
    index > 10 && index < 20
      ? { ...one, canary: { requests: 750, errors: 75 }, stable: { requests: 750, errors: 75 } }
      : one,
  );
  expect(replay({ reader: 'app', windows: incident }, settings)).not.toHaveProperty('stoppedAfterMs');
});

test('a version without a request is not judged, and with few of them nobody says that it is worse', () => {
  expect(replay({ reader: 'app', windows: [window(0, [0, 0], [1000, 1])] }, settings)).toBeUndefined();
  expect(replay({ reader: 'app', windows: [window(0, [20, 9], [1000, 1])] }, settings)).toMatchObject({
    isWorse: undefined,
  });
});
