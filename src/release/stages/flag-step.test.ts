import type { FlagEntry } from '../../api/rollout-status.ts';
import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import {
  acceptable,
  asking,
  atRest,
  attemptIn,
  attemptOf,
  judged,
  MINUTE,
  NOW,
  rejected,
  remembering,
  sourceDown,
  stepping,
  withNewTemplate,
} from '../sample-world.ts';
import type { FlagAnswer, World } from '../world.ts';

const flag = { source: 'unleash', name: 'new-pricing', variant: 'on' };
const entry: FlagEntry = {
  id: 'rollout-1-2',
  source: 'unleash',
  flag: 'new-pricing',
  variant: 'on',
  why: 'step',
  revision: 'new',
  attempt: 1,
  state: 'served',
  previous: '"off"',
  sinceMs: NOW - 2 * MINUTE,
  servedAtMs: NOW - 2 * MINUTE,
};

/** Steps 10, flag, 50; in the one with the flag. */
function atFlag(flags: readonly FlagEntry[] = [], part = {}): World {
  const world = stepping(0, { step: 1, ...part });
  const attempt = world.memory.journal.attempt ?? attemptOf();
  const steps = [
    { weightPercent: 10, atLeastMs: 30_000 },
    { weightPercent: 10, atLeastMs: 30_000, flag },
    { weightPercent: 50, atLeastMs: 30_000 },
  ];
  const spec = { ...attempt.spec, strategy: { ...attempt.spec.strategy, steps } };
  return withFlags(remembering(world, { ...attempt, spec }), flags);
}

function withFlags(world: World, flags: readonly FlagEntry[]): World {
  return { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, flags: [...flags] } } };
}

const told = (part: Partial<FlagAnswer> & Pick<FlagAnswer, 'task' | 'kind'>, id = entry.id): World['flags'] => [
  { id, forMs: 0, ...part } as FlagAnswer,
];

const flagsOf = (decided: Decision) => decided.effects.filter((effect) => effect.kind === 'flag');

test('a flag step reads the flag before it changes anything, and its weight stays', () => {
  const decided = decide(atFlag(), NOW);
  expect(decided.effects).toMatchObject([{ kind: 'flag', task: 'plan', entry: { id: 'rollout-1-2', why: 'step' } }]);
  expect(decided.report).toMatchObject({ reason: 'TurningFlag', stalled: false });
  expect(attemptIn(decided)).toMatchObject({ step: 1, weightPercent: 10 });
});

test.each<[string, World['answer']]>([
  ['while there is a doubt', judged({ level: 'doubt' })],
  ['while nobody would see what it does', sourceDown()],
])('no flag is turned on %s (S4, S7)', (_when, answer) => {
  const decided = decide({ ...atFlag(), answer }, NOW);
  expect(flagsOf(decided)).toEqual([]);
  expect(decided.memory.journal.flags ?? []).toEqual([]);
});

test('time and evidence of the step count from the moment when the flag was seen to be served', () => {
  const world = { ...atFlag([{ ...entry, state: 'planned' }]), flags: told({ task: 'apply', kind: 'served' }) };
  const decided = decide(world, NOW);
  expect(attemptIn(decided)).toMatchObject({ step: 1, convergedAtMs: NOW, epoch: 1, epochAtMs: NOW });
  expect(decided.events.map(({ reason }) => reason)).toEqual(['FlagTurned']);
  expect(decided.effects).toEqual([{ kind: 'dropFlag', id: entry.id }]);
});

test('judged like a weight it goes on when the evidence says acceptable, and the flag stays on', () => {
  const decided = decide(atFlag([entry], { epoch: 1, epochAtMs: NOW - MINUTE }), NOW);
  expect(attemptIn(decided)).toMatchObject({ step: 2, weightPercent: 50 });
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'served' }]);
});

test('a backend that does not serve it holds the step, is no verdict, and a skip goes on without it', () => {
  const flags = told({ task: 'apply', kind: 'failed', sentence: 'unleash answered 500.' });
  const world = { ...atFlag([{ ...entry, state: 'planned' }]), flags };
  const held = decide(world, NOW);
  expect(held.report).toMatchObject({ reason: 'FlagNotServed', stalled: true });
  expect(held.report.message).toContain('unleash answered 500. This says nothing about revision new');
  const skipped = decide(asking(world, 'skip'), NOW);
  expect(attemptIn(skipped).step).toBe(2);
  expect(skipped.memory.journal.flags).toMatchObject([{ state: 'reverting' }]);
});

test('a promotion leaves flags out that were not turned on, and says so', () => {
  const decided = decide(asking(atFlag(), 'promote'), NOW);
  expect(attemptIn(decided).stage).toBe('bake');
  expect(flagsOf(decided)).toEqual([]);
  expect(decided.effects).toContainEqual(
    expect.objectContaining({
      kind: 'answerAction',
      message: expect.stringContaining('left as they are: new-pricing'),
    }),
  );
});

test('harm with a flag turned on: the flag is turned back first, and who did the harm is said', () => {
  const harm = judged({ level: 'harmful', canaryErrors: 40, canaryRequests: 1000, stableErrors: 0 });
  const world = { ...atFlag([entry], { step: 2, weightPercent: 50, epoch: 1, epochAtMs: NOW - MINUTE }), answer: harm };
  const first = decide(world, NOW);
  expect(attemptIn(first)).toMatchObject({ stage: 'step', ladder: { rung: -1, next: 0 } });
  expect(flagsOf(first)).toMatchObject([{ task: 'revert', entry: { id: entry.id } }]);
  const turned = { ...world, memory: first.memory, flags: told({ task: 'revert', kind: 'reverted' }) };
  const second = decide(turned, NOW + 3000);
  expect(attemptIn(second)).toMatchObject({ epoch: 2, ladder: { observeFromMs: NOW + 3000 } });
  const third = decide({ ...world, memory: second.memory, flags: [], answer: acceptable }, NOW + MINUTE);
  expect(third.report.message).toContain(
    'the flag did harm and not the version alone; the release goes on without it.',
  );
  const fourth = decide({ ...world, memory: second.memory, flags: [], answer: harm }, NOW + MINUTE);
  expect(attemptIn(fourth).retreat).toMatchObject({ why: 'harm' });
  expect(fourth.report.message).toContain('the version does harm without them too.');
});

test('both versions got worse: the flag is turned back at once, the step is held, and nobody blames the revision', () => {
  const shifted = judged({
    stepAcceptable: true,
    stableShift: { harmful: true, sentence: 'it fails 3.0%, 0.1% before.' },
  });
  const world = { ...atFlag([entry], { epoch: 1, epochAtMs: NOW - MINUTE }), answer: shifted };
  const first = decide(world, NOW);
  expect(flagsOf(first)).toMatchObject([{ task: 'revert' }]);
  expect(first.report).toMatchObject({ reason: 'FlagHarm', stalled: true });
  expect(first.memory.quarantined).toEqual([]);
  const held = { ...world, memory: first.memory, answer: acceptable };
  expect(attemptIn(decide(held, NOW + 10 * MINUTE)).step).toBe(1);
  expect(attemptIn(decide(asking(held, 'skip'), NOW + 10 * MINUTE)).step).toBe(2);
});

test('on the way back flags of steps are put back, and go on being tried when the attempt is over', () => {
  const decided = decide(asking(atFlag([entry]), 'abort'), NOW);
  expect(decided.effects.map((effect) => effect.kind)).toEqual(['split', 'flag', 'answerAction']);
  const reverting = { ...entry, state: 'reverting' as const, sinceMs: NOW - MINUTE };
  const flags = told({ task: 'revert', kind: 'failed', sentence: 'unleash answered 500.' });
  const after = decide({ ...withFlags(rejected(), [reverting]), flags }, NOW);
  expect(after.memory.journal.flags).toMatchObject([{ state: 'reverting' }]);
  expect(after.effects).toEqual([]);
  const told10 = decide({ ...withFlags(rejected(), [reverting]), flags }, NOW + 9 * MINUTE);
  expect(told10.events).toMatchObject([{ type: 'Warning', reason: 'FlagNotRestored' }]);
  expect(told10.effects).toEqual([{ kind: 'dropFlag', id: entry.id }]);
});

test('what could not be put back is said at rest until a person does something, and nothing is written for it (S9)', () => {
  const failed: FlagEntry = { ...entry, state: 'failed', message: 'Flag new-pricing could not be put back.' };
  const decided = decide(withFlags(atRest(), [failed]), NOW);
  expect(decided.report).toMatchObject({ phase: 'Idle', reason: 'FlagNotRestored', stalled: true });
  expect(decided.effects).toEqual([]);
  const asked = decide(asking(withFlags(atRest(), [failed]), 'restoreFlags'), NOW);
  expect(flagsOf(asked)).toMatchObject([{ task: 'revert' }]);
});

test('somebody who changed the flag since is not overruled', () => {
  const reverting = { ...entry, state: 'reverting' as const };
  const flags = told({ task: 'revert', kind: 'keptByOthers', sentence: 'it is at 30% now.' });
  const decided = decide({ ...withFlags(atRest(), [reverting]), flags }, NOW);
  expect(decided.memory.journal.flags).toBeUndefined();
  expect(decided.events).toMatchObject([{ reason: 'FlagKept', message: expect.stringContaining('it is at 30% now.') }]);
});

test('changes of one flag are undone in the order opposite to that in which they were made', () => {
  const first: FlagEntry = { ...entry, state: 'reverting' };
  const second: FlagEntry = { ...entry, id: 'rollout-1-3', state: 'reverting' };
  const decided = decide(withFlags(atRest(), [first, second]), NOW);
  expect(flagsOf(decided)).toMatchObject([{ entry: { id: 'rollout-1-3' } }]);
  const flags = told({ task: 'revert', kind: 'reverted' }, 'rollout-1-3');
  const then = decide({ ...withFlags(atRest(), [first, second]), flags }, NOW);
  expect(flagsOf(then)).toMatchObject([{ entry: { id: 'rollout-1-2' } }]);
});

test('a latched flag is left alone until a person asks, and another revision is no longer bound by it', () => {
  const latched: FlagEntry = { ...entry, why: 'anomaly', state: 'latched', revision: 'older' };
  expect(decide(withFlags(atRest(), [latched]), NOW)).toMatchObject({
    effects: [],
    report: { reason: 'UpToDate', stalled: false, message: expect.stringContaining('serin restore-flags shop') },
  });
  expect(flagsOf(decide(asking(withFlags(atRest(), [latched]), 'restoreFlags'), NOW))).toMatchObject([
    { task: 'revert' },
  ]);
  const begun = decide(withFlags(withNewTemplate(), [latched]), NOW);
  expect(attemptIn(begun).hash).toBe('new');
  expect(begun.memory.journal.flags).toBeUndefined();
});

test('without a flag of its own left to restore the request is refused', () => {
  expect(decide(asking(atRest(), 'restoreFlags'), NOW).effects).toMatchObject([{ state: 'Refused' }]);
});

test('a flag step whose flag was the cause of harm is left out', () => {
  const latched: FlagEntry = { ...entry, id: 'rollout-1-21', why: 'anomaly', state: 'latched' };
  const decided = decide(atFlag([latched]), NOW);
  expect(attemptIn(decided).step).toBe(2);
  expect(decided.events.map(({ reason }) => reason)).toContain('FlagLeftOut');
});

test('whoever is deleted waits a minute for a backend and no longer', () => {
  const reverting: FlagEntry = { ...entry, state: 'reverting', sinceMs: NOW };
  const world = withFlags({ ...atRest(), rollout: { ...atRest().rollout, deleting: true } }, [reverting]);
  expect(decide(world, NOW + 30_000).effects.some((effect) => effect.kind === 'detach')).toBe(false);
  const late = decide(world, NOW + MINUTE);
  expect(late.effects.some((effect) => effect.kind === 'detach')).toBe(true);
  expect(late.events.map(({ reason }) => reason)).toEqual(['FlagNotRestored', 'Detached']);
});

test('a backend that comes back after a person paused turns no flag on meanwhile', () => {
  const { previous: _none, servedAtMs: _never, ...planning } = { ...entry, state: 'planning' as const };
  const flags = told({ task: 'plan', kind: 'planned', previous: '"off"', isServed: false });
  const decided = decide({ ...atFlag([planning], { pausedBy: 'alice' }), flags }, NOW);
  expect(flagsOf(decided)).toEqual([]);
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'planning' }]);
});
