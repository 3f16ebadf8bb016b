import type { EffectiveCheck } from '../../api/effective.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import {
  acceptable,
  asking,
  attemptIn,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  prepared,
  sourceDown,
  stepping,
  withAttemptPart,
  withCanaryPods,
  withRoute,
  withSpec,
} from '../sample-world.ts';
import type { CheckAnswer, World } from '../world.ts';

const check: EffectiveCheck = {
  requests: [{ method: 'GET', path: '/cart', headers: [], withinMs: 10_000 }],
  withinMs: MINUTE,
};

/** Steps: check, 10 percent, check, 50 percent. */
function withChecks(world: World): World {
  return withSpec(world, ({ strategy }) => {
    strategy.steps = [
      { weightPercent: 0, atLeastMs: 0, check },
      { weightPercent: 10, atLeastMs: 30_000 },
      { weightPercent: 10, atLeastMs: 0, check },
      { weightPercent: 50, atLeastMs: 30_000 },
    ] as Attempt['spec']['strategy']['steps'];
  });
}

/** At the check before the first weight: pods are ready, no route sends them anything. */
function checking(answer?: CheckAnswer, part: Partial<Attempt> = {}): World {
  const since = { stageSinceMs: NOW - MINUTE, weightSinceMs: NOW - MINUTE, convergedAtMs: NOW - MINUTE };
  const world = withChecks(prepared({ stage: 'step', step: 0, weightPercent: 0, ...since }));
  return { ...withAttemptPart(world, part), check: answer, answer: acceptable };
}

/** At the check between the weights, where 10 percent of the requests go to the new version. */
function checkingLater(answer?: CheckAnswer, part: Partial<Attempt> = {}): World {
  return { ...withAttemptPart(withChecks(stepping(0, { step: 2, weightPercent: 10 })), part), check: answer };
}

const failed = (forMs: number): CheckAnswer => ({
  kind: 'failed',
  forMs,
  sentence: 'check GET /cart on pod shop-new-x: status 500, expected 200 to 299.',
});
const unreachable = (forMs: number): CheckAnswer => ({
  kind: 'unreachable',
  forMs,
  sentence: 'check GET /cart: none of 2 pods can be asked on port 8080: it refuses connections.',
});
const risesIn = (decided: Decision) => decided.effects.filter(({ kind }) => kind === 'split' || kind === 'unpin');

test('as soon as pods are ready the check begins, also while the metric source is silent: no user meets the version by it', () => {
  const world = { ...withChecks(prepared()), answer: sourceDown() };
  const decided = decide(world, NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'step', step: 0, weightPercent: 0 });
  expect(decided.events).toMatchObject([
    { reason: 'Stepped', message: expect.stringContaining('no user reaches yet') },
  ]);
});

test('pods are asked once it is decided, and it is said what is being asked', () => {
  const decided = decide(checking(), NOW);
  expect(decided.effects).toEqual([{ kind: 'check', attempt: 1, step: 0, uid: 'new' }]);
  expect(decided.report).toMatchObject({ reason: 'Checking', stalled: false });
  expect(decided.report.message).toBe('Step 1 of 5: 1 request is sent to pods of new, which no user reaches yet.');
});

test('while pods are being asked nothing is done and nothing rises', () => {
  const decided = decide(checking({ kind: 'asked' }), NOW);
  expect(decided.effects).toEqual([]);
  expect(decided.wakeAfterMs).toBeGreaterThan(0);
});

test('answers as expected lead to the next step', () => {
  expect(attemptIn(decide(checking({ kind: 'passed' }), NOW))).toMatchObject({ step: 1, weightPercent: 10 });
  expect(attemptIn(decide(checkingLater({ kind: 'passed' }), NOW))).toMatchObject({ step: 3, weightPercent: 50 });
});

test('a pod that was cold gets time: wrong answers are harm only after the whole of within', () => {
  const patient = decide(checking(failed(MINUTE - 1)), NOW);
  expect(patient.report).toMatchObject({ reason: 'Checking', stalled: false });
  expect(patient.report.message).toContain('status 500, expected 200 to 299');
  expect(attemptIn(patient).stage).toBe('step');
  const decided = decide(checking(failed(MINUTE)), NOW);
  expect(attemptIn(decided).retreat).toMatchObject({ why: 'check', reason: 'CheckFailed' });
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new', reason: 'CheckFailed' }]);
  expect(decided.events).toMatchObject([
    { type: 'Warning', reason: 'CheckFailed', message: expect.stringContaining('pod shop-new-x') },
  ]);
});

test('pods that cannot be asked are an outage and no verdict: it holds, and says whose move it is (S7)', () => {
  const waiting = decide(checking(unreachable(MINUTE - 1)), NOW);
  expect(waiting.report.stalled).toBe(false);
  const decided = decide(checking(unreachable(60 * MINUTE)), NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'step', step: 0 });
  expect(decided.report).toMatchObject({ reason: 'CheckUnanswered', stalled: true });
  expect(decided.report.message).toContain('says nothing about revision new');
  expect(risesIn(decided)).toEqual([]);
});

test('skip goes on without the check, whatever it says', () => {
  for (const answer of [undefined, failed(1), unreachable(MINUTE)])
    expect(attemptIn(decide(asking(checking(answer), 'skip', { revision: 'new' }), NOW)).step).toBe(1);
});

test('promote skips weights and waiting, and no check that is still ahead', () => {
  const early = decide(asking(checking({ kind: 'asked' }), 'promote', { revision: 'new' }), NOW);
  expect(attemptIn(early)).toMatchObject({ step: 0, promotedBy: 'alice' });
  const promotedBy = 'alice';
  expect(attemptIn(decide(checking({ kind: 'passed' }, { promotedBy }), NOW))).toMatchObject({
    step: 2,
    stage: 'step',
  });
  expect(attemptIn(decide(checkingLater({ kind: 'passed' }, { promotedBy }), NOW)).stage).toBe('bake');
  expect(attemptIn(decide(checkingLater(failed(MINUTE), { promotedBy }), NOW)).retreat?.reason).toBe('CheckFailed');
  expect(attemptIn(decide(checkingLater(unreachable(1), { promotedBy }), NOW)).stage).toBe('bake');
});

test('after a check no weight rises on a doubt, or while the source is silent (S4)', () => {
  for (const answer of [judged({ level: 'doubt' }), sourceDown()]) {
    const decided = decide({ ...checking({ kind: 'passed' }), answer }, NOW);
    expect(attemptIn(decided).step).toBe(0);
    expect(risesIn(decided)).toEqual([]);
  }
});

test('harm at the weight of a check counts while the check runs', () => {
  const decided = decide({ ...checkingLater({ kind: 'asked' }), answer: judged({ level: 'harmful' }) }, NOW);
  expect(attemptIn(decided).retreat?.reason).toBe('Errors');
});

test('a check needs a ready pod to ask: without one it waits for it', () => {
  const world = withCanaryPods(checking(undefined, { weightSinceMs: NOW - 1000 }), 2, 0);
  const decided = decide(world, NOW);
  expect(kindsOf(decided)).not.toContain('check');
  expect(decided.report).toMatchObject({ reason: 'PodsStarting' });
  expect(decided.report.message).toContain('that the check needs');
});

test('the first pods are as many as the first weight needs, though a check comes before it', () => {
  const world = withSpec(prepared(), ({ strategy }) => {
    strategy.steps = [
      { weightPercent: 0, atLeastMs: 0, check },
      { weightPercent: 75, atLeastMs: 0 },
    ] as Attempt['spec']['strategy']['steps'];
  });
  expect(decide(world, NOW).effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 3 }]);
});

test('without routes the Service keeps to the old version during a check, and one pod is asked', () => {
  const shared = withSpec(checking(), (spec) => {
    spec.traffic.routes = [];
    spec.strategy.steps = [
      { weightPercent: 0, atLeastMs: 0, check },
      { weightPercent: 25, atLeastMs: 0 },
    ] as Attempt['spec']['strategy']['steps'];
  });
  const decided = decide({ ...withCanaryPods(withRoute(shared, {}), 1), routes: [], canaryService: undefined }, NOW);
  expect(decided.effects).toEqual([{ kind: 'check', attempt: 1, step: 0, uid: 'new' }]);
});

test('a check that neither passes nor fails for good asks for a person, and goes on being asked (S8)', () => {
  const long = { convergedAtMs: NOW - 3 * MINUTE };
  for (const answer of [failed(1000), unreachable(1000), { kind: 'asked' } as const, undefined]) {
    const { report } = decide(checking(answer, long), NOW);
    expect(report).toMatchObject({ reason: 'Checking', stalled: true });
    expect(report.message).toContain('abort or skip');
  }
  expect(decide(checking(failed(1000)), NOW).report.stalled).toBe(false);
});
