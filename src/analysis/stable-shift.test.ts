import { diceFrom } from './dice.ts';
import { defaultSettings } from './settings.ts';
import { openShift, shiftAfter, shiftAnswer, type StableShift } from './stable-shift.ts';

const before = { requests: 20_000, errors: 40 };

/** Five-second windows of 500 requests at this rate of errors. */
function after(windows: number, rate: number, seed = 1): StableShift {
  const random = diceFrom(seed);
  let shift = openShift(before, 0);
  let since = { requests: 0, errors: 0 };
  for (let window = 1; window <= windows && shift !== undefined; window++) {
    let errors = 0;
    for (let request = 0; request < 500; request++) if (random() < rate) errors++;
    since = { requests: since.requests + 500, errors: since.errors + errors };
    shift = shiftAfter(shift, since, window * 5_000, defaultSettings);
  }
  if (shift === undefined) throw new Error('nothing to compare with');
  return shift;
}

test('an old version that fails 5 % after 0.2 % is found within half a minute', () => {
  expect(shiftAnswer(after(6, 0.05))).toMatchObject({ harmful: true });
});

test('one that fails as before is never accused, in 40 flag steps of five minutes', () => {
  const accused = Array.from({ length: 40 }, (_, seed) => after(60, 0.002, seed + 1)).filter(
    ({ isHarmful }) => isHarmful,
  );
  expect(accused).toHaveLength(0);
});

test('one that fails half as often again is not worth a word', () => {
  expect(after(60, 0.003).isHarmful).toBe(false);
});

test('the sentence has both rates with their counts', () => {
  const shift = shiftAfter(openShift(before, 0) as StableShift, { requests: 1000, errors: 50 }, 5_000, defaultSettings);
  expect(shiftAnswer(shift).sentence).toMatch(
    /^the old version fails 5 % of requests since then, 50 of 1000; before 0\.2 %, 40 of 20000; evidence .* : 1\.$/,
  );
});

test('what was found stays found, and goes through status unchanged', () => {
  const bad = after(6, 0.05);
  const restored = JSON.parse(JSON.stringify(bad)) as StableShift;
  expect(restored).toEqual(bad);
  const calm = shiftAfter(restored, { requests: 1e6, errors: bad.since.errors }, 1e6, defaultSettings);
  expect(calm.isHarmful).toBe(true);
});

test('without a request before there is nothing to compare with, and the same counts again are no news', () => {
  expect(openShift({ requests: 0, errors: 0 }, 0)).toBeUndefined();
  const shift = after(2, 0.002);
  expect(shiftAfter(shift, shift.since, 99_000, defaultSettings)).toBe(shift);
});
