import type { Judged } from '../../analysis/answer.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import { decide } from '../decide.ts';
import {
  asking,
  attemptIn,
  baking,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  sourceDown,
  stepping,
  withAttemptPart,
  withSet,
  withSpec,
} from '../sample-world.ts';
import type { World } from '../world.ts';

function observed(world: World, part: Partial<Attempt> = {}): World {
  const quiet = withSpec(world, (spec) => void (spec.analysis = { ...spec.analysis, mode: 'observe' }));
  return withAttemptPart(quiet, part);
}

const saying = (world: World, part: Partial<Judged>): World => ({
  ...world,
  answer: judged({ sentence: 'fails 9.8% of requests, 37 of 378; the old one 0.1%.', ...part }),
});

test('a harmful verdict is told once, kept, and nothing is done about it', () => {
  const decided = decide(saying(observed(stepping(0)), { level: 'harmful', culprit: 'latency' }), NOW);
  const attempt = attemptIn(decided);
  expect(attempt).toMatchObject({
    stage: 'step',
    step: 0,
    wouldHave: { rolledBack: { atMs: NOW, reason: 'Latency' } },
  });
  expect(attempt.brake).toBeUndefined();
  expect(decided.memory.quarantined).toEqual([]);
  expect(decided.events).toMatchObject([{ type: 'Warning', reason: 'WouldHaveRolledBack' }]);
  expect(decided.report).toMatchObject({ phase: 'Progressing', verdict: 'WouldRollBack' });
  expect(decided.report.message).toContain('it would have been rolled back, and was not: fails 9.8% of requests');
  const again = decide({ ...saying(observed(stepping(0)), { level: 'harmful' }), memory: decided.memory }, NOW + 1000);
  expect(again.events).toEqual([]);
  expect(attemptIn(again).wouldHave).toEqual(attempt.wouldHave);
});

test('so is a brake, and a rollback after it is told as well', () => {
  const braked = decide(saying(observed(stepping(0)), { level: 'brake' }), NOW);
  expect(braked.events).toMatchObject([{ reason: 'WouldHaveBraked' }]);
  expect(braked.report.verdict).toBe('WouldBrake');
  expect(kindsOf(braked)).toEqual([]);
  const worse = decide({ ...saying(observed(stepping(0)), { level: 'harmful' }), memory: braked.memory }, NOW);
  expect(worse.events).toMatchObject([{ reason: 'WouldHaveRolledBack' }]);
});

test('steps go on by time, and the bake ends in the promotion, whatever the judge says', () => {
  const long = { convergedAtMs: NOW - 10 * MINUTE };
  const step = saying(observed(stepping(0), long), { level: 'harmful' });
  expect(attemptIn(decide(step, NOW))).toMatchObject({ step: 1, weightPercent: 50 });
  const bake = saying(observed(baking(), long), { level: 'harmful' });
  expect(attemptIn(decide(bake, NOW)).stage).toBe('promote');
  const short = saying(observed(stepping(0), { convergedAtMs: NOW - 9 * MINUTE }), { level: 'harmful' });
  expect(attemptIn(decide(short, NOW)).step).toBe(0);
});

test('an acceptable answer ends a step early, as ever', () => {
  expect(attemptIn(decide(observed(stepping(0)), NOW)).step).toBe(1);
});

test('people may promote and skip although the judge has doubts', () => {
  const world = saying(observed(stepping(0)), { level: 'brake' });
  expect(attemptIn(decide(asking(world, 'promote', { revision: 'new' }), NOW)).stage).toBe('bake');
});

test('crashing pods still brake and end the attempt: that is no verdict of the judge', () => {
  const crashing = withSet(observed(stepping(0)), 'new', { crashLooping: 2, restartedPods: 2 });
  const decided = decide(crashing, NOW);
  expect(attemptIn(decided).brake?.crash).toBe(true);
  const { brake } = attemptIn(decided);
  if (brake === undefined) throw new Error('no brake');
  const later = withAttemptPart(crashing, { brake: { ...brake, sinceMs: NOW - MINUTE } });
  expect(attemptIn(decide(later, NOW)).retreat?.reason).toBe('Crashes');
});

test('a silent source holds: without an answer there is nothing to observe', () => {
  const world = { ...observed(stepping(0), { convergedAtMs: NOW - 60 * MINUTE }), answer: sourceDown() };
  expect(attemptIn(decide(world, NOW)).step).toBe(0);
});

test('whenUnsure: rollback is for too little traffic, and never carries out what the judge would have done', () => {
  const long = { convergedAtMs: NOW - 10 * MINUTE };
  const asked = withSpec(stepping(0), (spec) => {
    const whenUnsure = { ...spec.analysis.whenUnsure, do: 'rollback' } as const;
    spec.analysis = { ...spec.analysis, mode: 'observe', whenUnsure };
  });
  const world = withAttemptPart(asked, long);
  for (const level of ['brake', 'harmful'] as const) {
    const decided = decide(saying(world, { level }), NOW);
    expect(attemptIn(decided).retreat).toBeUndefined();
    expect(decided.report).toMatchObject({ reason: 'Unsure', stalled: true });
  }
  expect(attemptIn(decide({ ...world, answer: judged() }, NOW)).retreat).toMatchObject({ why: 'notJudged' });
});
