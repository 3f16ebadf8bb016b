import { epochMsOf, isoTime } from './time.ts';

test('a moment is written as the API server writes times, and read again', () => {
  expect(isoTime(1_700_000_000_123)).toBe('2023-11-14T22:13:20.123Z');
  expect(epochMsOf(isoTime(1_700_000_000_123))).toBe(1_700_000_000_123);
});

test('a moment beyond all dates, as only a hand writes it into a status, is the last date and stops nobody', () => {
  expect(isoTime(9e15)).toBe('+275760-09-13T00:00:00.000Z');
  expect(isoTime(-9e15)).toBe('-271821-04-20T00:00:00.000Z');
});
