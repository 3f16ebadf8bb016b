/** Which releases there were, by what a metric source remembers of pods. */
import type { Series } from '../../signals/series.ts';
import { podPattern, releasesIn } from './releases.ts';

const minuteMs = 60_000;

/** `pods`: how many targets at each minute, from minute 1 on. */
function presence(revision: string, pods: readonly number[]): Series {
  const samples = pods.flatMap((value, index) => (value === 0 ? [] : [{ atMs: (index + 1) * minuteMs, value }]));
  return { labels: { revision }, samples };
}

const times = (count: number, value: number) => Array.from({ length: count }, () => value);

test('what ran when the history begins came by no release that can be seen', () => {
  expect(releasesIn([presence('aaaaaaaaaa', times(60, 4))], minuteMs, 60 * minuteMs)).toEqual([]);
});

test('a revision that takes over begins a release, and stays until the history ends', () => {
  const found = releasesIn(
    [presence('aaaaaaaaaa', [...times(20, 4), 2]), presence('bbbbbbbbbb', [...times(20, 0), 2, ...times(39, 4)])],
    minuteMs,
    60 * minuteMs,
  );
  expect(found).toEqual([{ atMs: 20 * minuteMs, from: 'aaaaaaaaaa', to: 'bbbbbbbbbb', isUndone: false }]);
});

test('a revision from which somebody went back is undone, and going back is a release too', () => {
  const found = releasesIn(
    [
      presence('aaaaaaaaaa', [...times(20, 4), ...times(15, 0), ...times(25, 4)]),
      presence('bbbbbbbbbb', [...times(20, 0), ...times(15, 4)]),
    ],
    minuteMs,
    60 * minuteMs,
  );
  expect(found).toMatchObject([
    { from: 'aaaaaaaaaa', to: 'bbbbbbbbbb', isUndone: true, endedAtMs: 35 * minuteMs },
    { from: 'bbbbbbbbbb', to: 'aaaaaaaaaa', isUndone: false },
  ]);
});

test('two versions that were tried one after the other are both compared with the one that served', () => {
  const found = releasesIn(
    [
      presence('aaaaaaaaaa', times(60, 4)),
      presence('bbbbbbbbbb', [...times(20, 0), ...times(5, 1)]),
      presence('cccccccccc', [...times(25, 0), ...times(5, 1)]),
    ],
    minuteMs,
    60 * minuteMs,
  );
  expect(found.map(({ from, to, isUndone }) => [from, to, isUndone])).toEqual([
    ['aaaaaaaaaa', 'bbbbbbbbbb', true],
    ['aaaaaaaaaa', 'cccccccccc', true],
  ]);
});

test('a gap of two minutes in the scrapes is no release, and a night without pods ends a life', () => {
  const gap = [presence('aaaaaaaaaa', [...times(20, 4), ...times(2, 0), ...times(20, 4)])];
  expect(releasesIn(gap, minuteMs, 42 * minuteMs)).toEqual([]);
  const night = [presence('aaaaaaaaaa', times(20, 4)), presence('bbbbbbbbbb', [...times(200, 0), ...times(20, 4)])];
  expect(releasesIn(night, minuteMs, 220 * minuteMs)).toEqual([]);
});

test('names of pods are told apart from those of a Deployment with a longer name', () => {
  const pattern = new RegExp(`^${podPattern('shop')}$`);
  expect(pattern.exec('shop-7f9c4d8b2x-k2x7p')?.[1]).toBe('7f9c4d8b2x');
  expect(pattern.test('shop-cart-7f9c4d8b2x-k2x7p')).toBe(false);
});
