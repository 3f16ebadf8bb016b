import { guardAs } from './guard-mode.ts';

test('a namespace is guarded by policy where that was seen to work, else by the pause, unless told otherwise', () => {
  expect(guardAs('auto', 'proven')).toBe('admission');
  expect(guardAs('auto', 'absent')).toBe('pause');
  expect(guardAs('admission', 'proven')).toBe('admission');
  expect(guardAs('admission', 'absent')).toBe('absent');
  expect(guardAs('pause', 'proven')).toBe('pause');
});

test('nothing is concluded before it was tried, except where the pause needs no trial', () => {
  expect(guardAs('auto', 'unknown')).toBe('unknown');
  expect(guardAs('admission', 'unknown')).toBe('unknown');
  expect(guardAs('pause', 'unknown')).toBe('pause');
});
