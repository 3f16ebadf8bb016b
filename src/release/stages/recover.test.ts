import { JOURNAL_VERSION } from '../../api/rollout-status.ts';
import { decide } from '../decide.ts';
import {
  adding,
  atRest,
  attemptIn,
  baking,
  kindsOf,
  NOW,
  promoting,
  rejected,
  replicaSet,
  sized,
  stepping,
  withDeployment,
  withNewTemplate,
  withRoute,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

/** What is in the cluster, without what Serin remembers (a restore, a migration). */
function forgotten(world: World): World {
  const memory = { journal: { version: 1, attempts: 0, handledActions: [] }, stable: undefined, quarantined: [] };
  return { ...world, memory, hasJournal: false };
}

test.each([
  ['in a step', () => stepping(1)],
  ['in the bake', baking],
  ['before the handover', promoting],
] as const)(
  'status lost %s: all traffic goes to the old version, and the live template waits for a person (S18)',
  (_when, world) => {
    const decided = decide(forgotten(world()), NOW);
    expect(decided.memory.stable?.uid).toBe('old');
    expect(attemptIn(decided)).toMatchObject({
      stage: 'retreat',
      hash: 'new',
      replicaSetUid: 'new',
      record: 'shop-new-1',
      retreat: { why: 'unknownPast' },
    });
    expect(decided.memory.quarantined).toMatchObject([{ hash: 'new', reason: 'UnknownPast' }]);
    expect(decided.effects[0]).toMatchObject({ kind: 'split', weightPercent: 0 });
    expect(decided.report.message).toContain('The status of this Rollout was lost');
  },
);

test('stable is the Deployment’s own with most ready pods, never one that carries our mark', () => {
  const world = adding(
    forgotten(stepping(1)),
    replicaSet({ uid: 'weak', hash: 'weak', ...sized(4), ready: 1 }),
    replicaSet({ uid: 'escaped', hash: 'x', carriesOurMark: true, attempt: 3, ...sized(9) }),
  );
  expect(decide(world, NOW).memory.stable?.uid).toBe('old');
});

test('a held template of which nobody knows anything is not released but asked about', () => {
  const decided = decide(forgotten(withNewTemplate()), NOW);
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new' }]);
  const over = decide({ ...withNewTemplate(), memory: decided.memory }, NOW).memory;
  const closed = decide({ ...withNewTemplate(), memory: over }, NOW).memory;
  expect(closed.journal.attempt).toBeUndefined();
  expect(decide({ ...withNewTemplate(), memory: closed }, NOW).report).toMatchObject({
    reason: 'WitnessMissing',
    stalled: true,
  });
});

test('if the live template is another than the one that ran, both wait for a person', () => {
  const world = withSet(withDeployment(forgotten(stepping(1)), { liveHash: 'newer' }), 'new', { sameAsLive: false });
  expect(decide(world, NOW).memory.quarantined.map(({ hash }) => hash)).toEqual(['new', 'newer']);
});

test('if the live template is stable’s, nothing is rejected', () => {
  const world = withSet(withSet(forgotten(stepping(1)), 'old', { sameAsLive: true }), 'new', { sameAsLive: false });
  expect(decide(world, NOW).memory.quarantined).toEqual([]);
});

test('attempts are counted on from the highest that was seen, so no name is used twice', () => {
  const world = withSet(forgotten(stepping(1)), 'new', { attempt: 7 });
  expect(decide(world, NOW).memory.journal.attempts).toBe(7);
});

test('status lost in the middle of the handover leads to whoever has the pods, without a gap', () => {
  const handed = withSet(
    withSet({ ...forgotten(promoting()), services: atRest().services }, 'new', {
      owner: 'deployment',
      carriesOurMark: false,
    }),
    'old',
    sized(0),
  );
  const decided = decide(handed, NOW);
  expect(decided.memory.stable?.uid).toBe('new');
  expect(decided.memory.quarantined).toEqual([]);
});

test('a settled Deployment with nothing of ours is simply attached', () => {
  const decided = decide(forgotten(atRest()), NOW);
  expect(decided.memory).toMatchObject({ stable: { uid: 'old' }, quarantined: [] });
  expect(decided.memory.journal.attempt).toBeUndefined();
});

test('at rest, pods or traffic of a release that nobody remembers go back as well', () => {
  const stray = replicaSet({
    uid: 'stray',
    hash: 'stray',
    owner: 'ours',
    carriesOurMark: true,
    attempt: 4,
    ...sized(1),
  });
  const decided = decide(adding(atRest(), stray), NOW);
  expect(attemptIn(decided)).toMatchObject({ number: 4, replicaSetUid: 'stray', retreat: { why: 'unknownPast' } });
  expect(attemptIn(decide(withRoute(atRest(), { canaryWeightPercent: 20 }), NOW)).stage).toBe('retreat');
  expect(decide(adding(atRest(), stray), NOW).report.message).toContain('no release of it is known');
});

test('one with our mark that the Deployment took is ours to end, unless it runs nothing else', () => {
  const taken = replicaSet({ uid: 'taken', hash: 'x', carriesOurMark: true, attempt: 4, ...sized(2) });
  const held = withDeployment(atRest(), { paused: true, held: true });
  expect(attemptIn(decide(adding(held, taken), NOW)).replicaSetUid).toBe('taken');
  const alone = withSet(adding(held, taken), 'old', sized(0));
  expect(decide(alone, NOW).memory.journal.attempt).toBeUndefined();
});

test('pods that are only ending are no release', () => {
  const ending = replicaSet({
    uid: 'w',
    hash: 'new',
    owner: 'ours',
    carriesOurMark: true,
    attempt: 1,
    ...sized(0),
    podsLeft: 1,
  });
  expect(decide(adding(atRest(), ending), NOW).memory.journal.attempt).toBeUndefined();
});

test('without its Deployment, what is ours by its mark still goes', () => {
  const world: World = { ...forgotten(stepping(1)), deployment: undefined };
  expect(kindsOf(decide(world, NOW))).toEqual(['unpin', 'split']);
});

test('a journal that a newer Serin wrote is never acted on', () => {
  const { memory } = stepping(1);
  const world: World = {
    ...withRoute(stepping(1), { canaryWeightPercent: 90 }),
    memory: { ...memory, journal: { ...memory.journal, version: JOURNAL_VERSION + 1 } },
  };
  const decided = decide(world, NOW);
  expect(decided).toMatchObject({ effects: [], events: [], report: { reason: 'NewerJournal', stalled: true } });
  expect(decided.memory).toBe(world.memory);
});

test('the witness of a rejected revision survives the loss as an answer', () => {
  const decided = decide(forgotten(rejected()), NOW);
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new' }]);
});
