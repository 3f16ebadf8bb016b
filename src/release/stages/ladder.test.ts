import * as fc from 'fast-check';
import type { EffectiveRung } from '../../api/effective.ts';
import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import { judgeOf } from '../fresh-judge.ts';
import { ladderTold } from '../ladder-told.ts';
import {
  asking,
  attemptIn,
  baking,
  flagEntry,
  judged,
  MINUTE,
  NOW,
  shopSpec,
  sourceDown,
  stepping,
  waitingAnswer,
  withDeployment,
  withRoute,
  withSet,
} from '../sample-world.ts';
import type { FlagAnswer, World } from '../world.ts';

const pricing = {
  kind: 'flag',
  source: 'unleash',
  name: 'new-pricing',
  variant: 'off',
  observeMs: 2 * MINUTE,
} as const;
const look = { kind: 'observe', forMs: 2 * MINUTE } as const;
const back = { kind: 'rollback' } as const;

const harm = judged({
  level: 'harmful',
  canaryRequests: 1000,
  canaryErrors: 41,
  stableRequests: 9000,
  stableErrors: 0,
  sentence: 'fails 4.1% of requests, 41 of 1000; the old one 0.0%.',
});
const gone = judged({
  stepAcceptable: true,
  finalAcceptable: true,
  brakeReleasable: true,
  canaryRequests: 500,
  canaryErrors: 0,
  stableErrors: 0,
});

function shop(onAnomaly: readonly EffectiveRung[], world: World = stepping(1)): World {
  const { attempt } = world.memory.journal;
  if (attempt === undefined) throw new Error('this world has no attempt');
  const spec = { ...structuredClone(attempt.spec), onAnomaly: [...onAnomaly] };
  return { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, attempt: { ...attempt, spec } } } };
}

/** The world after what was decided was done, with what is told of the flag now. */
function then(world: World, decided: Decision, part: Partial<World> = {}): World {
  const split = decided.effects.findLast((effect) => effect.kind === 'split');
  const moved =
    split === undefined || split.weightPercent === 'out'
      ? world
      : withRoute(world, { canaryWeightPercent: split.weightPercent });
  return { ...moved, memory: decided.memory, ...part };
}

const flagAnswer = (part: Partial<FlagAnswer> & Pick<FlagAnswer, 'task' | 'kind'>): readonly FlagAnswer[] => [
  { id: 'rollout-1-21', forMs: 0, ...part } as FlagAnswer,
];
const planned = flagAnswer({ task: 'plan', kind: 'planned', previous: '"on"', isServed: false });
const served = flagAnswer({ task: 'apply', kind: 'served' });

/** Harm was judged, the flag is off and seen to be, and fresh evidence is collected since NOW + 4000. */
function observed(world = shop([pricing, back])): World {
  const first = { ...world, answer: harm };
  const braked = decide(first, NOW);
  const read = then(first, braked, { flags: planned });
  const written = decide(read, NOW + 1000);
  const seen = then(read, written, { flags: served });
  return then(seen, decide(seen, NOW + 4000), { answer: waitingAnswer, flags: [] });
}

test('harm cuts the weight in the same look, and the flag is asked for behind it', () => {
  const decided = decide({ ...shop([pricing, back]), answer: harm }, NOW);
  expect(decided.effects).toMatchObject([
    { kind: 'split', weightPercent: 2 },
    { kind: 'flag', task: 'plan', entry: { id: 'rollout-1-21', flag: 'new-pricing', variant: 'off', why: 'anomaly' } },
  ]);
  expect(decided.report).toMatchObject({ phase: 'Braked', reason: 'TurningFlag', stalled: false });
  expect(decided.events.map(({ reason }) => reason)).toEqual(['Braked']);
  expect(decided.memory.quarantined).toEqual([]);
});

test('what was there before is in memory before the flag is written (S11)', () => {
  const first = { ...shop([pricing, back]), answer: harm };
  const world = then(first, decide(first, NOW), { flags: planned });
  const decided = decide(world, NOW + 1000);
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'planned', previous: '"on"' }]);
  expect(decided.effects).toContainEqual(
    expect.objectContaining({ kind: 'flag', task: 'apply', entry: expect.objectContaining({ previous: '"on"' }) }),
  );
});

test('once the flag is seen to be served a fresh judge looks, and half of the excess has to be gone', () => {
  const { memory } = observed();
  const { attempt } = memory.journal;
  expect(attempt).toMatchObject({ epoch: 1, epochAtMs: NOW + 4000, ladder: { rung: 0, observeFromMs: NOW + 4000 } });
  expect(attempt && judgeOf(attempt)).toEqual({
    suffix: '.1',
    beganAtMs: NOW + 4000,
    widen: { metric: 'errors', excess: 0.041 },
  });
});

test('the harm is gone: the flag was the cause, the brake comes off, and the flag stays as it is', () => {
  const world = observed();
  const decided = decide({ ...world, answer: gone }, NOW + MINUTE);
  const sentence =
    'after new-pricing was turned off, extra errors went from 4.1% to 0.0%: the flag was the cause; the release goes on.';
  expect(decided.report).toMatchObject({ reason: 'FlagWasTheCause', stalled: false });
  expect(decided.report.message).toContain(sentence);
  const attempt = attemptIn(decided);
  expect(attempt.brake).toBeUndefined();
  expect(attempt).toMatchObject({ stage: 'step', step: 1, weightPercent: 50, epoch: 2 });
  expect(judgeOf(attempt)).toEqual({ suffix: '.2', beganAtMs: NOW + MINUTE });
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'latched' }]);
  expect(ladderTold(attempt)).toMatchObject([{ rung: 'flag', sentence }]);
});

test('harm again is no time to wait: back at once, and the flag is put back beside it', () => {
  const decided = decide({ ...observed(), answer: { ...harm, canaryErrors: 39 } }, NOW + MINUTE);
  expect(attemptIn(decided)).toMatchObject({ stage: 'retreat', retreat: { why: 'harm', reason: 'Errors' } });
  expect(decided.effects).toMatchObject([
    { kind: 'split', weightPercent: 0 },
    { kind: 'flag', task: 'revert', entry: { previous: '"on"' } },
  ]);
  expect(decided.report.message).toContain(
    'After new-pricing was turned off, extra errors went from 4.1% to 3.9%: the flag was not the cause and is put back.',
  );
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new', reason: 'Errors' }]);
});

test.each<[string, World['answer']]>([
  ['nothing was judged', waitingAnswer],
  ['the source fell silent', sourceDown()],
  ['it was calm, and nothing shows that the harm is gone', judged()],
  ['there is a doubt', judged({ level: 'doubt' })],
])('when the time is over and %s, it goes back for what was judged before (S14)', (_what, answer) => {
  const world = { ...observed(), answer };
  expect(attemptIn(decide(world, NOW + 2 * MINUTE - 1)).stage).toBe('step');
  const decided = decide(world, NOW + 2 * MINUTE);
  expect(attemptIn(decided).retreat).toMatchObject({ why: 'harm', reason: 'Errors' });
});

test('a look comes no later than the end of the rung', () => {
  const world = { ...observed(), answer: judged() };
  const { wakeAfterMs = Number.POSITIVE_INFINITY } = decide(world, NOW + 2 * MINUTE - 3000);
  expect(wakeAfterMs).toBeLessThanOrEqual(3000);
});

test('and no sooner because of flags that no rung is about any more', () => {
  const begun = decide({ ...shop([pricing, back]), answer: harm }, NOW);
  const [entry] = begun.memory.journal.flags ?? [];
  const over = flagEntry({ id: 'rollout-1-2', why: 'step', state: 'reverted', sinceMs: NOW - MINUTE });
  const flags = [...(entry === undefined ? [] : [entry]), over];
  const memory = { ...begun.memory, journal: { ...begun.memory.journal, flags } };
  const world = then(shop([pricing, back]), begun, {
    memory,
    answer: waitingAnswer,
    flags: flagAnswer({ task: 'plan', kind: 'asked', withinMs: 3 * MINUTE }),
  });
  const { wakeAfterMs = 0, memory: kept } = decide(world, NOW + 30_000);
  expect(kept.journal.attempt?.ladder).toMatchObject({ rung: 0 });
  expect(wakeAfterMs).toBeGreaterThan(1000);
});

test.each<[string, readonly FlagAnswer[], string]>([
  ['refuses', flagAnswer({ task: 'plan', kind: 'failed', sentence: 'unleash answered 403.' }), 'unleash answered 403.'],
  [
    'hangs',
    flagAnswer({ task: 'plan', kind: 'asked' }),
    'it is not seen to be served; whoever runs the flag backend looks into it.',
  ],
  [
    'is not known any more after a restart',
    [],
    'it is not seen to be served; whoever runs the flag backend looks into it.',
  ],
])('a backend that %s costs no more than its own time', (_what, flags, why) => {
  const first = { ...shop([pricing, back]), answer: harm };
  const world = then(first, decide(first, NOW), { flags });
  expect(attemptIn(decide(world, NOW + 9999)).stage).toBe('step');
  const decided = decide(world, NOW + 10_000);
  expect(attemptIn(decided).stage).toBe('retreat');
  expect(decided.report.message).toContain(`Flag new-pricing could not be turned off within 10s: ${why}`);
  expect(decided.memory.journal.flags).toBeUndefined();
});

test('a backend that takes the change and serves the old one is waited for as long as its source says, and then put back', () => {
  const first = { ...shop([pricing, back]), answer: harm };
  const read = then(first, decide(first, NOW), { flags: planned });
  const lying = then(read, decide(read, NOW + 1000), {
    flags: flagAnswer({ task: 'apply', kind: 'applied', withinMs: 30_000 }),
  });
  expect(attemptIn(decide(lying, NOW + 29_999)).stage).toBe('step');
  const decided = decide(lying, NOW + 30_000);
  expect(attemptIn(decided).stage).toBe('retreat');
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'reverting', previous: '"on"' }]);
});

test('a flag that was off already is not the cause, and is not waited for', () => {
  const first = { ...shop([pricing, back]), answer: harm };
  const world = then(first, decide(first, NOW), {
    flags: flagAnswer({ task: 'plan', kind: 'planned', previous: '"off"', isServed: true }),
  });
  const decided = decide(world, NOW + 1000);
  expect(attemptIn(decided).stage).toBe('retreat');
  expect(decided.report.message).toContain('New-pricing was off already, so it is not the cause.');
  expect(decided.effects.some((effect) => effect.kind === 'flag')).toBe(false);
});

test('a second harm begins after the flag that was the cause', () => {
  const world = observed(shop([pricing, look, back]));
  const on = then(world, decide({ ...world, answer: gone }, NOW + MINUTE));
  const decided = decide({ ...on, answer: harm }, NOW + 5 * MINUTE);
  expect(attemptIn(decided)).toMatchObject({ stage: 'step', ladder: { rung: 1, observeFromMs: NOW + 5 * MINUTE } });
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'latched' }]);
});

test('held for a person it stays braked for ever, and neither promote nor skip passes it', () => {
  const first = { ...shop([{ kind: 'notify' }, { kind: 'hold' }]), answer: harm };
  const held = decide(first, NOW);
  expect(held.events.map(({ reason }) => reason)).toEqual(['Braked', 'Notified', 'HeldForPerson']);
  expect(held.report).toMatchObject({ reason: 'HeldForPerson', stalled: true, phase: 'Braked' });
  const world = then(first, held);
  const later = decide(asking({ ...world, answer: gone }, 'promote'), NOW + 60 * MINUTE);
  expect(attemptIn(later)).toMatchObject({ stage: 'step', brake: { weightPercent: 2 } });
  expect(later.effects).toContainEqual(expect.objectContaining({ kind: 'answerAction', state: 'Refused' }));
  const aborted = decide(asking(world, 'abort'), NOW + 60 * MINUTE);
  expect(attemptIn(aborted).retreat?.why).toBe('aborted');
});

test('pods that crash go back at once, whatever rung it is', () => {
  const world = withSet(observed(), 'new', { crashLooping: 2, ready: 0 });
  const decided = decide(world, NOW + 90_000);
  expect(attemptIn(decided).retreat?.why).toBe('crash');
  expect(decided.memory.journal.flags).toMatchObject([{ state: 'reverting' }]);
});

test.each<[string, (world: World) => World]>([
  [
    'another template is applied',
    (world) => withSet(withDeployment(world, { liveHash: 'newer' }), 'new', { sameAsLive: false }),
  ],
  ['a person aborts', (world) => asking(world, 'abort')],
  ['the Rollout is deleted', (world) => ({ ...world, rollout: { ...world.rollout, deleting: true } })],
])('when %s the flag of an unfinished observation is put back', (_what, change) => {
  const decided = decide(change(observed()), NOW + MINUTE);
  expect(attemptIn(decided).stage).toBe('retreat');
  expect(decided.effects).toContainEqual(expect.objectContaining({ kind: 'flag', task: 'revert' }));
});

test('where sessions are kept the flag is tried without a brake, and the time bounds it', () => {
  const first = { ...withRoute(shop([pricing, back]), { sessionPersistence: true }), answer: harm };
  const decided = decide(first, NOW);
  expect(attemptIn(decided).brake).toBeUndefined();
  expect(decided.effects).toMatchObject([{ kind: 'flag', task: 'plan' }]);
  expect(attemptIn(decide(then(first, decided, { answer: harm }), NOW + 10_000)).stage).toBe('retreat');
});

test('in the bake the flag is tried at the brake weight, where there is something to compare with', () => {
  const decided = decide({ ...shop([pricing, back], baking()), answer: harm }, NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'bake', brake: { weightPercent: 2 }, bakeBrakes: 1 });
});

test('with nothing said about it harm goes back at once, as ever', () => {
  const decided = decide({ ...stepping(1), answer: harm }, NOW);
  expect(attemptIn(decided).ladder).toBeUndefined();
  expect(decided.events.map(({ reason }) => reason)).toEqual(['Errors']);
});

test('mode observe touches no flag and says what would have been done', () => {
  const world = shop([pricing, back]);
  const attempt = attemptIn({ memory: world.memory } as Decision);
  const spec = { ...attempt.spec, analysis: { ...attempt.spec.analysis, mode: 'observe' as const } };
  const memory = { ...world.memory, journal: { ...world.memory.journal, attempt: { ...attempt, spec } } };
  const decided = decide({ ...world, memory, answer: harm }, NOW);
  expect(decided.effects).toEqual([]);
  expect(attemptIn(decided).ladder).toBeUndefined();
  expect(decided.report.message).toContain(
    'Mode observe: onAnomaly would have begun (flag new-pricing of unleash = off, then roll back), and did not',
  );
});

const rungs = fc
  .array(
    fc.oneof(
      fc.record({
        kind: fc.constant('flag' as const),
        source: fc.constant('unleash'),
        name: fc.constantFrom('a', 'b', 'c'),
        variant: fc.constant('off'),
        observeMs: fc.integer({ min: 10_000, max: 120_000 }),
      }),
      fc.record({ kind: fc.constant('observe' as const), forMs: fc.integer({ min: 10_000, max: 120_000 }) }),
      fc.constant({ kind: 'notify' as const }),
    ),
    { maxLength: 4 },
  )
  .map((some): readonly EffectiveRung[] => [...some, back]);

test('whatever a backend does and whatever is asked for, from the verdict to zero passes no more time than the rungs say', () => {
  fc.assert(
    fc.property(
      rungs,
      fc.array(fc.constantFrom('asked', 'applied', 'failed', 'served'), { minLength: 1 }),
      (ladder, moods) => {
        const longest = ladder.reduce(
          (sum, rung) => sum + (rung.kind === 'flag' ? rung.observeMs : rung.kind === 'observe' ? rung.forMs : 0),
          0,
        );
        let world: World = { ...shop(ladder), answer: harm };
        let nowMs = NOW;
        for (let turn = 0; turn < 200; turn++) {
          const decided = decide(world, nowMs);
          if (attemptIn(decided).stage === 'retreat') break;
          const flags = (decided.memory.journal.flags ?? []).flatMap((entry): FlagAnswer[] => {
            const common = { id: entry.id, forMs: 0 };
            const mood = moods[turn % moods.length] ?? 'asked';
            if (entry.state === 'planning')
              return [{ ...common, task: 'plan', kind: 'planned', previous: '"on"', isServed: false }];
            if (entry.state !== 'planned') return [];
            return [
              mood === 'failed'
                ? { ...common, task: 'apply', kind: mood, sentence: 'no.' }
                : { ...common, task: 'apply', kind: mood as 'asked' },
            ];
          });
          nowMs += Math.min(decided.wakeAfterMs ?? 0, MINUTE) + 1;
          world = then(world, decided, { flags, answer: judged() });
        }
        // Looks come a millisecond after they were wanted, and a tenth of a second after another at least.
        expect(nowMs - NOW).toBeLessThanOrEqual(longest + 1000);
        expect(attemptIn(decide(world, nowMs)).stage).toBe('retreat');
      },
    ),
    { numRuns: 60 },
  );
});

test('the ladder of an attempt is the one it began with', () => {
  const world = { ...shop([pricing, back]), spec: { ...shopSpec, onAnomaly: [back] }, answer: harm };
  expect(attemptIn(decide(world, NOW))).toMatchObject({ stage: 'step', ladder: { rung: 0 } });
});
