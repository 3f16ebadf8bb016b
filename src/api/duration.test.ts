import * as fc from 'fast-check';
import { parseDurationMs } from './duration.ts';

test.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1h5s', 3_605_000],
  ['0s', 0],
])('%s lasts %d ms', (written, ms) => {
  expect(parseDurationMs(written)).toBe(ms);
});

test.each(['', '5', 's', '1d', '30m1h', '5m5m', '-5s', '1.5h', ' 5s', '5s ', '5ms', '1000h'])(
  '"%s" is no duration and is refused with how to write one',
  (written) => {
    expect(() => parseDurationMs(written)).toThrow(/like 90s, 10m or 1h30m/);
  },
);

test('hours, minutes and seconds add up, whatever they are', () => {
  const count = fc.nat(999);
  fc.assert(
    fc.property(count, count, count, (hours, minutes, seconds) => {
      expect(parseDurationMs(`${hours}h${minutes}m${seconds}s`)).toBe(((hours * 60 + minutes) * 60 + seconds) * 1000);
    }),
  );
});
