import { judgedAnew, judgeOf } from './fresh-judge.ts';
import { attemptOf, NOW } from './sample-world.ts';

const ladder = {
  rung: 0,
  next: 1,
  beganAtMs: NOW,
  sinceMs: NOW,
  cause: { kind: 'judge', reason: 'Errors', message: 'it fails.' } as const,
  before: {
    canaryRequests: 100,
    canaryErrors: 4,
    stableRequests: 900,
    stableErrors: 0,
    culprit: 'errors',
    excess: 0.04,
  },
  done: [],
};

test('the first judge of an attempt looks at it from its beginning', () => {
  const attempt = attemptOf();
  expect(judgeOf(attempt)).toEqual({ suffix: '', beganAtMs: attempt.beganAtMs });
});

test('each fresh judge has a name of its own and begins where the one before it ended', () => {
  const second = judgedAnew(judgedAnew(attemptOf(), NOW), NOW + 5);
  expect(judgeOf(second)).toEqual({ suffix: '.2', beganAtMs: NOW + 5 });
});

test.each([
  ['before the flag is seen to be served', ladder],
  ['when the harm is gone', { ...ladder, observeFromMs: NOW, endedAtMs: NOW + 1 }],
  [
    'when an alert and no judge said so',
    { ...ladder, observeFromMs: NOW, before: { ...ladder.before, culprit: undefined } },
  ],
  ['when there was no excess', { ...ladder, observeFromMs: NOW, before: { ...ladder.before, excess: 0 } }],
])('nothing is made easier %s', (_when, part) => {
  const { before, ...rest } = part;
  const { culprit, ...counts } = before;
  const given = { ...rest, before: culprit === undefined ? counts : { ...counts, culprit } };
  expect(judgeOf(attemptOf({ ladder: given }))).not.toHaveProperty('widen');
});
