import type { Effect } from '../decision.ts';
import { decide } from '../decide.ts';
import {
  asking,
  atRest,
  attemptIn,
  baking,
  goingBack,
  judged,
  MINUTE,
  NOW,
  prepared,
  promoting,
  rejected,
  stepping,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

function answersOf(world: World): readonly Extract<Effect, { kind: 'answerAction' }>[] {
  return decide(world, NOW).effects.filter((effect) => effect.kind === 'answerAction');
}
const answerOf = (world: World) => answersOf(world)[0];
const braked = () => stepping(1, { brake: { sinceMs: NOW, weightPercent: 2, message: 'doubt', crash: false } });

test('an abort goes back in the same look, latched, with who and why', () => {
  const decided = decide(asking(stepping(1), 'abort', { reason: 'checked the log' }), NOW);
  expect(attemptIn(decided)).toMatchObject({
    stage: 'retreat',
    retreat: { why: 'aborted', message: 'aborted by alice: checked the log.' },
  });
  expect(decided.memory.quarantined).toHaveLength(1);
});

test('the answer comes after the effects: one that cannot be written must not hold up the way back (S14)', () => {
  expect(decide(asking(stepping(1), 'abort'), NOW).effects.map(({ kind }) => kind)).toEqual(['split', 'answerAction']);
});

test('abort outranks promote, whatever arrived first', () => {
  const both = asking(asking(stepping(1), 'promote', { createdAtMs: NOW - 5000 }), 'abort');
  expect(attemptIn(decide(both, NOW)).stage).toBe('retreat');
});

test('no act takes effect twice, although a crash may come between the effect and the answer', () => {
  const first = decide(asking(prepared(), 'pause'), NOW);
  expect(first.memory.journal.handledActions).toEqual(['pause-1']);
  const resumed = { ...attemptIn(first) };
  delete resumed.pausedBy;
  const journal = { ...first.memory.journal, attempt: resumed };
  const again = decide({ ...asking(prepared(), 'pause'), memory: { ...first.memory, journal } }, NOW);
  expect(attemptIn(again).pausedBy).toBeUndefined();
  expect(again.effects).toContainEqual(expect.objectContaining({ kind: 'answerAction', state: 'Accepted' }));
});

test('only the newest acts are remembered', () => {
  const world = stepping(0);
  const journal = { ...world.memory.journal, handledActions: ['1', '2', '3', '4', '5', '6', '7', '8'] };
  const decided = decide(asking({ ...world, memory: { ...world.memory, journal } }, 'pause'), NOW);
  expect(decided.memory.journal.handledActions).toEqual(['pause-1', '1', '2', '3', '4', '5', '6', '7']);
});

test('pause holds the weight, and resume lets the release go on', () => {
  expect(attemptIn(decide(asking(stepping(0), 'pause'), NOW))).toMatchObject({ pausedBy: 'alice', step: 0 });
  expect(attemptIn(decide(asking(stepping(0, { pausedBy: 'bob' }), 'resume'), NOW))).toMatchObject({ step: 1 });
  expect(answerOf(asking(stepping(0), 'resume'))).toMatchObject({
    state: 'Refused',
    message: 'The release is not paused.',
  });
});

test('time for which a rise was paused is not the pods’ delay', () => {
  const world = stepping(0, { pausedBy: 'bob', weightSinceMs: NOW - 20 * MINUTE });
  const { convergedAtMs: _not, ...attempt } = world.memory.journal.attempt ?? attemptIn(decide(world, NOW));
  const paused = { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, attempt } } };
  expect(attemptIn(decide(asking(paused, 'resume'), NOW)).weightSinceMs).toBe(NOW);
});

test('skip ends the waiting of this step only', () => {
  expect(attemptIn(decide(asking({ ...stepping(0), answer: judged() }, 'skip'), NOW))).toMatchObject({
    step: 1,
    skippedStep: 0,
  });
  expect(answerOf(asking(prepared(), 'skip'))).toMatchObject({ state: 'Refused' });
});

test('promote skips waiting and missing evidence, and a pause', () => {
  const decided = decide(asking({ ...stepping(0, { pausedBy: 'bob' }), answer: judged() }, 'promote'), NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'bake', weightPercent: 100, promotedBy: 'alice' });
  expect(attemptIn(decided).pausedBy).toBeUndefined();
});

test.each(['promote', 'skip'] as const)('%s never outweighs a brake, a doubt or crashes', (action) => {
  expect(answerOf(asking(braked(), action))).toMatchObject({ state: 'Refused', message: 'The brake is on: doubt' });
  const doubtful = { ...stepping(0), answer: judged({ level: 'doubt', sentence: 'fails 4%' }) } as World;
  expect(answerOf(asking(doubtful, action))).toMatchObject({
    state: 'Refused',
    message: 'The judge has doubts: fails 4%',
  });
  expect(answerOf(asking(withSet(stepping(0), 'new', { crashLooping: 1 }), action))).toMatchObject({
    state: 'Refused',
  });
  expect(answerOf(asking(withSet(stepping(0), 'new', { restartedPods: 2 }), action))).toMatchObject({
    state: 'Refused',
  });
});

test.each(['abort', 'pause', 'resume', 'skip', 'promote'] as const)(
  '%s concerns exactly the revision it names and the release it was made for (S3)',
  (action) => {
    expect(answerOf(asking(stepping(0), action, { revision: 'other' }))).toMatchObject({
      state: 'Refused',
      message: 'It concerns revision other, and new is under release.',
    });
    expect(answerOf(asking(stepping(0), action, { createdAtMs: NOW - 60 * MINUTE }))).toMatchObject({
      state: 'Refused',
      message: expect.stringContaining('Stale'),
    });
    expect(answerOf(asking(atRest(), action))).toMatchObject({ state: 'Refused', message: 'No release is running.' });
    expect(answerOf(asking(goingBack('harm'), action))).toMatchObject({
      state: 'Refused',
      message: 'Revision new already goes back.',
    });
    expect(answerOf(asking(promoting(), action))).toMatchObject({
      state: 'Refused',
      message: expect.stringContaining('that is final'),
    });
  },
);

test('a deletion outranks every act', () => {
  const world = asking(baking(), 'promote');
  expect(answerOf({ ...world, rollout: { ...world.rollout, deleting: true } })).toMatchObject({
    state: 'Refused',
    message: 'The Rollout is being deleted.',
  });
});

describe('retry', () => {
  test('lifts the quarantine, and the template is released anew', () => {
    const decided = decide(asking(rejected(), 'retry'), NOW);
    expect(decided.memory.quarantined).toEqual([]);
    expect(decided.effects[0]).toEqual({ kind: 'deleteReplicaSet', uid: 'new', name: 'shop-new' });
    const freed = {
      ...rejected(),
      memory: decided.memory,
      replicaSets: rejected().replicaSets.filter((set) => set.uid === 'old'),
    };
    expect(attemptIn(decide(freed, NOW))).toMatchObject({ stage: 'begin', number: 2, hash: 'new' });
  });

  test('without a name concerns the revision that keeps the live template waiting', () => {
    const world = rejected();
    const newer = {
      hash: 'other',
      reason: 'Errors',
      message: 'it fails.',
      at: '2027-01-15T08:00:00.000Z',
      record: 'shop-other-2',
    };
    const both = { ...world, memory: { ...world.memory, quarantined: [newer, ...world.memory.quarantined] } };
    expect(decide(asking(both, 'retry'), NOW).memory.quarantined).toEqual([newer]);
  });

  test('is refused while a release runs, for what is not rejected, and when it is older than the rejection', () => {
    expect(answerOf(asking(stepping(0), 'retry'))).toMatchObject({
      state: 'Refused',
      message: expect.stringContaining('still being handled'),
    });
    expect(answerOf(asking(atRest(), 'retry'))).toMatchObject({
      state: 'Refused',
      message: 'No revision is quarantined.',
    });
    expect(answerOf(asking(rejected(), 'retry', { revision: 'x' }))).toMatchObject({
      state: 'Refused',
      message: 'Revision x is not quarantined.',
    });
    expect(answerOf(asking(rejected(), 'retry', { createdAtMs: NOW - MINUTE }))).toMatchObject({
      state: 'Refused',
      message: expect.stringContaining('Stale'),
    });
  });
});
