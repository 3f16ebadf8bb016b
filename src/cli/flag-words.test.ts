/** What people read of flags and of the ladder, in the commands that look. */
import type { FlagEntry, Ladder, RolloutStatus } from '../api/rollout-status.ts';
import { flagEntry } from '../release/sample-world.ts';
import { Picture } from './picture.ts';
import { checkout, rolloutPath, statuses, trial } from './trial.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const agoMs = (seconds: number) => nowMs - seconds * 1000;

function entry(part: Partial<FlagEntry> = {}): FlagEntry {
  return flagEntry({ revision: '7f9c4d8b2x', state: 'latched', sinceMs: agoMs(90), ...part });
}

const ladder: Ladder = {
  rung: 0,
  next: 1,
  beganAtMs: agoMs(100),
  sinceMs: agoMs(100),
  cause: { kind: 'judge', reason: 'Errors', message: 'The new version fails 4.3 % of requests, 43 of 1000.' },
  observeFromMs: agoMs(60),
  before: {
    canaryRequests: 1000,
    canaryErrors: 43,
    stableRequests: 9000,
    stableErrors: 18,
    culprit: 'errors',
    excess: 0.041,
  },
  done: [{ rung: 0, kind: 'flag', atMs: agoMs(60), sentence: 'new-pricing of unleash serves off to everybody.' }],
};

const spec = { onAnomaly: [{ kind: 'flag' }, { kind: 'rollback' }] };

function status(flags: readonly FlagEntry[], climbed?: Ladder): RolloutStatus {
  const attempt = climbed === undefined ? {} : { attempt: { number: 1, spec, ladder: climbed } };
  return {
    ...statuses.judging,
    journal: { version: 3, attempts: 1, handledActions: [], flags, ...attempt },
  } as unknown as RolloutStatus;
}

test('get of one Rollout names the flag that stays as Serin changed it, and how to put it back', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(status([entry()])));
  await serin('get checkout');
  expect(said.out.split('\n').slice(2)).toEqual([
    'flag new-pricing of unleash, off: served, it was the cause of harm and stays so until a person puts it back, for 90s',
    'to put back what stays as Serin changed it: serin restore-flags checkout -n shop',
    '',
  ]);
});

test('a list stays a table', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(status([entry()])));
  await serin('get');
  expect(said.out.split('\n')).toHaveLength(3);
});

test('explain tells the rungs, what they came to, and what changed in the evidence', async () => {
  const { api, said, serin } = trial();
  const after = { ...ladder.before, canaryErrors: 1, excess: 0 } as NonNullable<Ladder['after']>;
  api.put(rolloutPath, checkout(status([entry()], { ...ladder, after, endedAtMs: agoMs(10) })));
  await serin('explain checkout');
  expect(said.out).toContain(
    [
      'About the harm',
      '  because of Errors: The new version fails 4.3 % of requests, 43 of 1000.',
      '  flag, 60s ago: new-pricing of unleash serves off to everybody.',
      '  over for 10s: the release went on',
      '  extra bad requests before (errors): 4.1%, 43 of 1000; after: 0.0%, 1 of 1000',
    ].join('\n'),
  );
  expect(said.out).toContain('\nFlags\n  flag new-pricing of unleash, off: served');
});

test('while a rung is under way it is said which, and how long fresh evidence is looked at', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(status([entry({ state: 'served' })], ladder)));
  await serin('explain checkout');
  expect(said.out).toContain('now: flag, for 100s, fresh evidence is looked at for 60s');
  expect(said.out).toContain('served because of harm');
  expect(said.out).not.toContain('restore-flags');
});

test.each([
  ['planning', 'being read, nothing was written'],
  ['planned', 'being changed because of harm'],
  ['reverting', 'being put back'],
  ['kept', 'changed by somebody else since, and left alone'],
  ['failed', 'could not be put back in time'],
] as const)('a change that is %s is told so', async (state, words) => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(status([entry({ state, message: 'Unleash answers 403.' })])));
  await serin('get checkout');
  expect(said.out).toContain(words);
  expect(said.out).toContain('. Unleash answers 403.');
});

test('a share of users is named', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(status([entry({ percent: 10, variant: 'on', why: 'step', state: 'served' })])));
  await serin('get checkout');
  expect(said.out).toContain(
    'flag new-pricing of unleash, on for 10% of users: served by a step of the release, for 90s',
  );
});

test('a pipe that watches gets one line for each flag that has come further, and none twice', () => {
  const { said, around } = trial();
  const picture = new Picture(around.terminal, around.clock);
  const flagLines = () => said.out.split('\n').filter((line) => line.includes('new-pricing'));
  picture.show(checkout(status([entry({ state: 'planned' })])));
  picture.show(checkout(status([entry({ state: 'planned' })])));
  picture.show(checkout(status([entry({ state: 'served' })])));
  picture.show(checkout({ ...status([entry({ state: 'served' })]), verdict: 'Doubt' }));
  expect(flagLines().map((line) => line.split(': ')[1])).toEqual([
    'being changed because of harm, for 90s',
    'served because of harm, for 90s',
  ]);
});
