import { decide } from '../decide.ts';
import {
  acceptable,
  attemptIn,
  baking,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  sourceDown,
  remembering,
  stepping,
  withCanaryPods,
  withRoute,
  withSet,
  withSpec,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const harm = judged({ level: 'harmful', sentence: 'fails 9.8% of requests, 37 of 378; the old one 0.1%' });
const doubt = judged({ level: 'brake', sentence: 'fails 4.0% of requests, 15 of 378; the old one 0.1%' });
const brake = { sinceMs: NOW - MINUTE, weightPercent: 10, message: 'doubt', crash: false };

test('harm goes back in the same look: latched, quarantined, and the weight on its way to zero (S5, S6)', () => {
  const decided = decide({ ...stepping(1), answer: harm }, NOW);
  expect(attemptIn(decided)).toMatchObject({
    stage: 'retreat',
    weightPercent: 0,
    retreat: { why: 'harm', reason: 'Errors' },
  });
  expect(decided.effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 0 }]);
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new', record: 'shop-new-1' }]);
  expect(decided.events).toMatchObject([{ type: 'Warning', reason: 'Errors' }]);
});

test('the message has rates and counts first', () => {
  expect(decide({ ...stepping(1), answer: harm }, NOW).report.message).toBe(
    'Revision new goes back: fails 9.8% of requests, 37 of 378; the old one 0.1%',
  );
});

test('harm is harm in the bake too', () => {
  expect(attemptIn(decide({ ...baking(), answer: harm }, NOW)).retreat?.why).toBe('harm');
});

test.each(['brake', 'onePod'] as const)(
  '%s cuts the weight in the same look to what keeps evidence flowing, and no more',
  (level) => {
    const decided = decide({ ...stepping(1), answer: { ...doubt, level } }, NOW);
    expect(decided.effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 2 }]);
    expect(attemptIn(decided)).toMatchObject({
      stage: 'step',
      weightPercent: 50,
      brake: { weightPercent: 2, crash: false, sinceMs: NOW },
    });
    expect(decided.report).toMatchObject({
      phase: 'Braked',
      message: 'Braked at 2%: fails 4.0% of requests, 15 of 378; the old one 0.1%',
    });
    expect(decided.memory.quarantined).toEqual([]);
  },
);

test('a doubt below the brake changes no weight and lets nothing go on', () => {
  const decided = decide({ ...stepping(0), answer: judged({ level: 'doubt', stepAcceptable: true }) }, NOW);
  expect(decided.effects).toEqual([]);
  expect(attemptIn(decided)).toMatchObject({ step: 0 });
});

test('where sessions are kept a smaller weight helps nobody, so the brake is a rollback that takes the backend out', () => {
  const decided = decide({ ...withRoute(stepping(1), { sessionPersistence: true }), answer: doubt }, NOW);
  expect(attemptIn(decided).retreat).toMatchObject({ why: 'harm' });
  expect(decided.effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 'out' }]);
});

describe('the brake', () => {
  const braked = (part = {}): World =>
    withRoute(stepping(1, { brake: { ...brake, ...part } }), { canaryWeightPercent: 10 });

  test('comes off when the evidence for harm is gone and that for health is strong, and the weight returns', () => {
    const decided = decide({ ...braked(), answer: acceptable }, NOW);
    expect(attemptIn(decided).brake).toBeUndefined();
    expect(attemptIn(decided)).toMatchObject({ weightPercent: 50, weightSinceMs: NOW });
    expect(attemptIn(decided).convergedAtMs).toBeUndefined();
    expect(decided.events).toMatchObject([{ reason: 'BrakeReleased' }]);
  });

  test('stays on while the answer is only calm', () => {
    expect(attemptIn(decide({ ...braked(), answer: judged() }, NOW)).brake).toBeDefined();
  });

  test('asks for a person after ten minutes without a verdict, stays on and never becomes a rollback', () => {
    const decided = decide({ ...braked({ sinceMs: NOW - 10 * MINUTE }), answer: doubt }, NOW);
    expect(decided.report).toMatchObject({ phase: 'Braked', reason: 'Unresolved', stalled: true });
    expect(attemptIn(decided)).toMatchObject({ stage: 'step', brake: { weightPercent: 10 } });
  });

  test('is not lifted by an outage (S7)', () => {
    expect(attemptIn(decide({ ...braked(), answer: sourceDown() }, NOW)).brake).toBeDefined();
  });

  test('of crashes comes off a minute after they stopped, if the judge has no doubt either', () => {
    const calmed = { ...braked({ crash: true, sinceMs: NOW - MINUTE }), answer: judged() };
    expect(attemptIn(decide(calmed, NOW)).brake).toBeUndefined();
    expect(attemptIn(decide(calmed, NOW - 1)).brake).toBeDefined();
    expect(attemptIn(decide({ ...calmed, answer: judged({ level: 'doubt' }) }, NOW)).brake).toBeDefined();
  });

  test('of the judge does not become one that time takes off, because a pod crashed once too (S4)', () => {
    const restarted = { restartedPods: 2, lastRestartAtMs: NOW };
    const crashing = { ...withSet(braked(), 'new', restarted), answer: judged() };
    const decided = decide(crashing, NOW);
    const later = { ...crashing, memory: decided.memory };
    expect(attemptIn(decide(later, NOW + 2 * MINUTE)).brake).toMatchObject({ crash: false });
    expect(attemptIn(decide({ ...later, answer: acceptable }, NOW)).brake).toBeDefined();
    expect(attemptIn(decide({ ...later, answer: acceptable }, NOW + 2 * MINUTE)).brake).toBeUndefined();
    const looping = decide({ ...withSet(braked(), 'new', { crashLooping: 1 }), answer: judged() }, NOW);
    expect(attemptIn(looping).retreat).toMatchObject({ why: 'crash' });
  });

  test('of crashes becomes the judge’s when the judge says so too, and keeps its time', () => {
    const decided = decide({ ...braked({ crash: true }), answer: doubt }, NOW);
    expect(attemptIn(decided).brake).toMatchObject({ crash: false, sinceMs: NOW - MINUTE, weightPercent: 10 });
    expect(attemptIn(decided).bakeBrakes).toBeUndefined();
    expect(decided.events).toEqual([]);
    const calm = { ...braked({ crash: true }), memory: decided.memory, answer: judged() };
    expect(attemptIn(decide(calm, NOW + 2 * MINUTE)).brake).toBeDefined();
  });

  test('of crashes in the bake comes off once and no more: what crashes under full load alone would come back for ever', () => {
    const crash = { ...brake, crash: true };
    const at = (bakeBrakes: number): World =>
      withRoute(baking({ brake: crash, bakeBrakes }), { canaryWeightPercent: 10 });
    expect(attemptIn(decide({ ...at(1), answer: judged() }, NOW)).brake).toBeUndefined();
    expect(attemptIn(decide({ ...at(2), answer: judged() }, NOW)).brake).toBeDefined();
  });

  test('of the bake comes off for what was shown beside the old version since then, not for what was shown before', () => {
    const baked = (part = {}): World =>
      withRoute(baking({ brake, bakeBrakes: 1, ...part }), { canaryWeightPercent: 10 });
    const shownBefore = { ...acceptable, stepAcceptable: false };
    expect(attemptIn(decide({ ...baked(), answer: shownBefore }, NOW)).brake).toBeDefined();
    expect(attemptIn(decide({ ...baked(), answer: acceptable }, NOW)).brake).toBeUndefined();
  });

  test('of the bake comes off once: what fails only under full load would fail again', () => {
    const first = decide({ ...baking(), answer: doubt }, NOW);
    expect(attemptIn(first)).toMatchObject({ bakeBrakes: 1 });
    expect(attemptIn(decide({ ...baking({ promotedBy: 'alice' }), answer: doubt }, NOW)).promotedBy).toBeUndefined();
    const second = decide({ ...baking({ bakeBrakes: 1 }), answer: doubt }, NOW);
    expect(attemptIn(second)).toMatchObject({ bakeBrakes: 2 });
    const twice = withRoute(baking({ brake, bakeBrakes: 2 }), { canaryWeightPercent: 10 });
    const decided = decide({ ...twice, answer: acceptable }, NOW);
    expect(attemptIn(decided).brake).toBeDefined();
    expect(decided.report.message).toContain('It had to be braked at 100% twice');
  });

  test('follows the capacity in the look in which it is released (S17)', () => {
    expect(kindsOf(decide({ ...withCanaryPods(braked(), 2, 0), answer: acceptable }, NOW))).toEqual(['split']);
  });
});

describe('crashes', () => {
  test('brake at once and go back after a minute, without statistics', () => {
    const crashing = withSet(stepping(1), 'new', { crashLooping: 1 });
    const first = decide(crashing, NOW);
    expect(attemptIn(first).brake).toMatchObject({ crash: true });
    const later = { ...crashing, memory: first.memory };
    expect(attemptIn(decide(later, NOW + MINUTE)).retreat).toMatchObject({
      why: 'crash',
      reason: 'Crashes',
      message: '1 of 2 pods crash again and again, for 60s.',
    });
  });

  test('of one pod that came back are bad luck, of two they are not', () => {
    expect(attemptIn(decide(withSet(stepping(0), 'new', { restartedPods: 1 }), NOW)).brake).toBeUndefined();
    expect(attemptIn(decide(withSet(stepping(0), 'new', { restartedPods: 2 }), NOW)).brake).toMatchObject({
      crash: true,
    });
  });

  test('of two pods that needed a second start and have worked for a minute are forgiven, and the brake comes off', () => {
    const restarted = { restartedPods: 2, lastRestartAtMs: NOW };
    const braked = decide(withSet(stepping(0), 'new', restarted), NOW);
    const world = remembering(withSet(stepping(0), 'new', restarted), attemptIn(braked));
    expect(attemptIn(decide(world, NOW + MINUTE - 1000)).brake).toMatchObject({ crash: true });
    expect(attemptIn(decide(world, NOW + MINUTE)).brake).toBeUndefined();
    const again = withSet(world, 'new', { lastRestartAtMs: NOW + 30_000 });
    expect(attemptIn(decide(again, NOW + MINUTE)).retreat).toMatchObject({ why: 'crash' });
  });
});

describe('an outage of the source', () => {
  test('holds, says so, and says nothing about the revision (S7)', () => {
    const decided = decide({ ...stepping(0), answer: sourceDown() }, NOW);
    expect(decided).toMatchObject({
      effects: [],
      report: { reason: 'SourceDown', verdict: 'SourceDown', stalled: false },
    });
    expect(decided.report.message).toBe('Holding: Prometheus does not answer. This says nothing about revision new.');
    expect(decide({ ...stepping(0), answer: sourceDown({ sinceMs: NOW - 5 * MINUTE }) }, NOW).report.stalled).toBe(
      true,
    );
  });

  test('goes back only where the Rollout says so, after its time, and is recorded as not judged', () => {
    const asked = withSpec(stepping(0), (spec) => Object.assign(spec.analysis.onSourceDown, { do: 'rollback' }));
    const long = sourceDown({ sinceMs: NOW - 5 * MINUTE });
    expect(attemptIn(decide({ ...asked, answer: long }, NOW)).retreat).toMatchObject({
      why: 'notJudged',
      reason: 'NotJudged',
    });
    expect(attemptIn(decide({ ...asked, answer: sourceDown() }, NOW)).stage).toBe('step');
    expect(
      attemptIn(decide({ ...asked, answer: { ...long, everAnswered: false } as World['answer'] }, NOW)).stage,
    ).toBe('step');
    expect(attemptIn(decide({ ...stepping(0), answer: long }, NOW)).stage).toBe('step');
  });

  test('does not stop a person’s promotion or skip', () => {
    expect(attemptIn(decide({ ...stepping(0, { promotedBy: 'alice' }), answer: sourceDown() }, NOW))).toMatchObject({
      stage: 'bake',
    });
    expect(attemptIn(decide({ ...stepping(0, { skippedStep: 0 }), answer: sourceDown() }, NOW))).toMatchObject({
      step: 1,
    });
  });
});

test('a person’s promotion or skip stands for missing evidence, never for evidence of harm', () => {
  for (const part of [{ promotedBy: 'alice' }, { skippedStep: 0 }])
    expect(attemptIn(decide({ ...stepping(0, part), answer: judged({ level: 'doubt' }) }, NOW))).toMatchObject({
      stage: 'step',
      step: 0,
    });
});

test.each([
  [undefined, 'Errors'],
  ['errors', 'Errors'],
  ['latency', 'Latency'],
  ['conversion', 'Metric'],
])('harm that %s carries has the reason %s', (culprit, reason) => {
  const answer = judged({ level: 'harmful', ...(culprit === undefined ? {} : { culprit }) });
  expect(attemptIn(decide({ ...stepping(0), answer }, NOW)).retreat).toMatchObject({ why: 'harm', reason });
});
