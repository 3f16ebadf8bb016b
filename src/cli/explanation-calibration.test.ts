// What is said of the time before a release.
import { calibrationLines } from './explanation-calibration.ts';

const seen = {
  metric: 'errors',
  clumping: 1.38,
  spanMs: 21_600_000,
  pods: 9,
  errors: 412,
  releases: 54,
  logHighest: Math.log(9),
};
const lines = (part: Partial<typeof seen>) =>
  calibrationLines({ calibrations: [{ ...seen, ...part }], unknown: [] }, { clumping: 2 });

test('how many errors come at once, how much was seen, and how well it was tried', () => {
  expect(lines({})).toEqual([
    'calibration: errors come 1.4 at a time (6h of history with 412 of them); 54 pretend releases, highest evidence 9 : 1',
  ]);
});

test('that too little was seen, that pods differ, and that nobody could be taken for a new version', () => {
  expect(lines({ clumping: 2, errors: 3 })[0]).toContain(
    'errors are taken to come 2 at a time (6h of history with 3 of them says no better)',
  );
  expect(lines({ clumping: 16, metric: 'orders' })[0]).toContain(
    'bad requests of orders come 16 at a time or more: pods differ from each other',
  );
  expect(lines({ releases: 0 })[0]).toContain('; no pretend release was possible');
});

test('why nothing is known', () => {
  const unknown = [{ metric: 'errors', why: 'it is not counted pod by pod' }];
  expect(calibrationLines({ calibrations: [], unknown }, { clumping: 2 })).toEqual([
    'calibration: errors are taken to come 2 at a time; nothing is known of their past: it is not counted pod by pod',
  ]);
  expect(calibrationLines(undefined, { clumping: 2 })).toEqual([]);
});
