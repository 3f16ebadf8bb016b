import { decide } from '../decide.ts';
import {
  acceptable,
  acceptedFor,
  attemptIn,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  sourceDown,
  stepping,
  waitingAnswer,
  withCanaryPods,
  withDeployment,
  withRoute,
  withSet,
  withSpec,
} from '../sample-world.ts';
import type { World } from '../world.ts';
import { enterStep } from './step.ts';

/** The first step was decided, and the route has not moved. */
const deciding = (part = {}): World => {
  const world = withRoute(stepping(0, part), { canaryWeightPercent: 0 });
  const { attempt } = world.memory.journal;
  if (attempt === undefined) throw new Error('no attempt');
  const { convergedAtMs: _not, ...rest } = attempt;
  return { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, attempt: rest } } };
};

test('the route gets the decided weight once enough pods are ready (S1)', () => {
  expect(decide(deciding(), NOW).effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 10 }]);
});

test('pods first: a step that needs more of them scales and waits', () => {
  const world = withRoute(deciding({ step: 1, weightPercent: 50 }), { canaryWeightPercent: 10 });
  const large = withDeployment(world, { replicas: 8 });
  const decided = decide(large, NOW);
  expect(decided.effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 4 }]);
  expect(decided.report.message).toContain('2 of the 4 that 50% needs are ready');
});

test('several routes go up one after the other, each when the one before has converged', () => {
  const two = (first: number, second: number, acceptedForMs = 10 * MINUTE): World => {
    const world = acceptedFor(deciding({ parents: ['shop gateway', 'api gateway'] }), acceptedForMs);
    const [route] = world.routes;
    if (route === undefined) throw new Error('no route');
    return {
      ...world,
      routes: [
        { ...route, canaryWeightPercent: first },
        { ...route, name: 'api', canaryWeightPercent: second },
      ],
    };
  };
  expect(decide(two(0, 0), NOW).effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 10 }]);
  expect(decide(two(10, 0, 1_000), NOW)).toMatchObject({ effects: [], report: { reason: 'Shifting' } });
  expect(decide(two(10, 0), NOW).effects).toEqual([{ kind: 'split', route: 'api', weightPercent: 10 }]);
});

test('down, all routes go at once', () => {
  const world = withCanaryPods(stepping(1), 2, 0);
  const [route] = world.routes;
  if (route === undefined) throw new Error('no route');
  const two = { ...world, routes: [route, { ...route, name: 'api' }] };
  expect(decide(two, NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 0 },
    { kind: 'split', route: 'api', weightPercent: 0 },
  ]);
});

test('time of the step counts from the convergence of its weight', () => {
  expect(attemptIn(decide(withRoute(deciding(), { canaryWeightPercent: 10 }), NOW)).convergedAtMs).toBe(NOW);
});

test('a route that somebody edited is split again, not restored', () => {
  expect(decide(withRoute(stepping(0), { uniform: false }), NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 10 },
  ]);
  expect(decide(withRoute(stepping(0), { canaryWeightPercent: undefined }), NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 10 },
  ]);
  expect(decide(withRoute(stepping(0), { canaryWeightPercent: 80 }), NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 10 },
  ]);
});

test('pins and the canary Service that a forced apply took away come back, and a missing Service first takes the weight (S1)', () => {
  const unpinned = { ...stepping(0), services: stepping(0).services.map(({ pinnedTo: _gone, ...one }) => one) };
  expect(decide(unpinned, NOW).effects).toEqual([{ kind: 'pin', service: 'shop', hash: 'old' }]);
  expect(kindsOf(decide({ ...stepping(0), canaryService: undefined }, NOW))).toEqual(['split', 'createCanaryService']);
});

test('when stable loses its ready pods the pins go, and come back with them (S16)', () => {
  const dead = withSet(stepping(0), 'old', { ready: 0 });
  expect(decide(dead, NOW).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
  const unpinned = { ...dead, services: dead.services.map(({ pinnedTo: _gone, ...one }) => one) };
  expect(decide(unpinned, NOW).effects).toEqual([]);
  expect(decide(withSet(unpinned, 'old', { ready: 1 }), NOW).effects).toEqual([
    { kind: 'pin', service: 'shop', hash: 'old' },
  ]);
});

test('a fresh acceptable answer goes on to the next step, after the least time of this one (S4)', () => {
  const world = stepping(0);
  expect(attemptIn(decide(world, NOW))).toMatchObject({
    stage: 'step',
    step: 1,
    weightPercent: 50,
    weightSinceMs: NOW,
  });
  expect(attemptIn(decide(world, NOW - 45_000))).toMatchObject({ step: 0 });
});

test('after the last step comes the bake at 100 percent', () => {
  expect(attemptIn(decide(stepping(1), NOW))).toMatchObject({ stage: 'bake', weightPercent: 100 });
});

test.each([
  ['calm and not enough', judged()],
  ['waiting for the first window', waitingAnswer],
  ['no series', { kind: 'noEvidence', reason: 'noSeries', sentence: 'no series' }],
  ['source down', sourceDown()],
  ['a doubt', judged({ level: 'doubt', stepAcceptable: true })],
] as const)('without an acceptable answer nothing goes on: %s', (_what, answer) => {
  expect(attemptIn(decide({ ...stepping(0), answer }, NOW))).toMatchObject({ step: 0, weightPercent: 10 });
});

describe('when the time of whenUnsure is over', () => {
  const later = NOW + 10 * MINUTE;
  const saying = (wish: 'proceed' | 'hold' | 'rollback', answer: World['answer']) =>
    decide(
      { ...withSpec(stepping(0), (spec) => Object.assign(spec.analysis.whenUnsure, { do: wish })), answer },
      later,
    );

  test('too little traffic does what the Rollout says', () => {
    expect(attemptIn(saying('proceed', judged()))).toMatchObject({ step: 1 });
    expect(saying('hold', judged()).report).toMatchObject({ reason: 'Unsure', stalled: true });
    const back = saying('rollback', judged());
    expect(attemptIn(back).retreat).toMatchObject({ why: 'notJudged', reason: 'NotJudged' });
    expect(back.report.message).toContain('nothing is known against the revision');
  });

  test.each(['proceed', 'hold', 'rollback'] as const)(
    'a source that never gave a number means hold, also with %s (S4, S7)',
    (wish) => {
      for (const answer of [
        waitingAnswer,
        { kind: 'noEvidence', reason: 'noSeries', sentence: '-' } as const,
        sourceDown({ everAnswered: false }),
      ]) {
        const decided = saying(wish, answer);
        expect(attemptIn(decided)).toMatchObject({ stage: 'step', step: 0 });
        expect(decided.report.stalled).toBe(true);
      }
    },
  );

  test('doubt never proceeds', () => {
    expect(saying('proceed', judged({ level: 'doubt' })).report).toMatchObject({
      reason: 'Unsure',
      stalled: true,
      verdict: 'Doubt',
    });
  });
});

describe('with no source at all', () => {
  const later = NOW + 10 * MINUTE;
  const blind = (noSource = true): World => ({ ...stepping(0, { noSource }), answer: { kind: 'noSource' } });

  test('its time with ready pods and no restart is enough, and it says that this is all it watches', () => {
    expect(decide(blind(), NOW).report).toMatchObject({
      verdict: 'NoSource',
      message: expect.stringContaining('only readiness and restarts are watched'),
    });
    expect(attemptIn(decide(blind(), later))).toMatchObject({ step: 1 });
  });

  test('one restart is enough to ask a person', () => {
    expect(decide(withSet(blind(), 'new', { restartedPods: 1 }), later).report).toMatchObject({
      reason: 'Unsure',
      stalled: true,
    });
  });

  test('a source that was taken away during the release is not the same as none', () => {
    expect(decide(blind(false), later).report).toMatchObject({ reason: 'Unsure', stalled: true });
  });
});

describe('pods that are lost', () => {
  test('take the weight with them at once, without a verdict, and it returns with them (S17)', () => {
    const lost = withDeployment(withCanaryPods(stepping(1), 2, 1), { replicas: 4 });
    const decided = decide(lost, NOW);
    expect(decided.effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 25 }]);
    expect(decided.report).toMatchObject({
      reason: 'CapacityLow',
      message: expect.stringContaining('takes 25% until they are back'),
    });
    expect(decided.memory.quarantined).toEqual([]);
    expect(decide(withRoute(stepping(1), { canaryWeightPercent: 25 }), NOW).effects).toEqual([
      { kind: 'split', route: 'shop', weightPercent: 50 },
    ]);
  });

  test('stop the clocks of the step: time without the weight is no observation (S4)', () => {
    const lost = withRoute(withCanaryPods(stepping(1), 2, 1), { canaryWeightPercent: 25 });
    expect(attemptIn(decide(lost, NOW)).convergedAtMs).toBe(NOW);
    expect(decide(lost, NOW - 40_000).memory).toEqual(lost.memory);
  });

  test('for long ask for a person, and are no harm once the weight had been reached', () => {
    const lost = withRoute(withCanaryPods(stepping(1, { weightSinceMs: NOW - 30 * MINUTE }), 2, 1), {
      canaryWeightPercent: 25,
    });
    const decided = decide(lost, NOW);
    expect(decided.report).toMatchObject({ reason: 'CapacityLow', stalled: true });
    expect(attemptIn(decided).stage).toBe('step');
  });
});

test('scaled to zero the weight goes, then the canary’s pods, and nothing is held against it', () => {
  const world = withDeployment(stepping(1), { replicas: 0 });
  expect(decide(world, NOW)).toMatchObject({
    effects: [{ kind: 'split', weightPercent: 0 }],
    report: { reason: 'ScaledToZero' },
  });
  const emptied = withRoute(world, { canaryWeightPercent: 0 });
  expect(decide(emptied, NOW).effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 0 }]);
  const ended = withCanaryPods(emptied, 0);
  expect(attemptIn(decide(ended, NOW + 60 * MINUTE)).stage).toBe('step');
});

test('what was decided on good evidence stops where it stands when the source falls silent or doubt comes (S4)', () => {
  for (const answer of [sourceDown(), judged({ level: 'doubt' })])
    expect(decide({ ...deciding(), answer }, NOW).effects).toEqual([]);
  expect(decide({ ...deciding({ promotedBy: 'alice' }), answer: sourceDown() }, NOW).effects).toHaveLength(1);
});

test('a pause stops a rise that was decided already; what must go down goes down', () => {
  const paused = { ...deciding({ pausedBy: 'alice' }), answer: acceptable };
  expect(decide(paused, NOW)).toMatchObject({
    effects: [],
    report: { phase: 'Paused', message: expect.stringContaining('at 0%') },
  });
  expect(kindsOf(decide(withCanaryPods(stepping(1, { pausedBy: 'alice' }), 2, 1), NOW))).toEqual(['split']);
});

test('a gateway that does not take up the weight holds the rise and asks for a person (S8)', () => {
  const slow = acceptedFor(withRoute(deciding(), { canaryWeightPercent: 10 }), 0);
  expect(decide(slow, NOW).report).toMatchObject({ reason: 'Shifting', stalled: false });
  expect(decide(slow, NOW + 13 * MINUTE).report).toMatchObject({ reason: 'NotConverged', stalled: true });
});

test('without any route that serves, nothing counts as observed', () => {
  expect(decide(withRoute(stepping(0), { exists: false }), NOW).report).toMatchObject({
    reason: 'RouteMissing',
    stalled: true,
  });
});

test('a Service that others began to share is reported, and nothing goes on while callers may reach the canary through it', () => {
  const shared = {
    ...stepping(0),
    services: stepping(0).services.map(({ pinnedTo: _gone, ...one }) => ({
      ...one,
      strangers: ['Deployment shop/cart'],
    })),
  };
  const decided = decide(shared, NOW);
  expect(decided.report).toMatchObject({ reason: 'ServiceShared', stalled: true });
  expect(attemptIn(decided)).toMatchObject({ step: 0 });
});

test('the message says where the release stands and what it waits for', () => {
  const answer = judged({
    waitingFor: 'waiting to rule out more than 0.20pp extra errors, about 90s at current traffic',
  });
  expect(decide({ ...stepping(0), answer }, NOW).report.message).toBe(
    'Step 1 of 3: 10% of requests go to new; waiting to rule out more than 0.20pp extra errors, about 90s at current traffic.',
  );
});

test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
  'with %s steps the first and the bake are told, and no more than eight Events say where a release stands',
  (count) => {
    const steps = Array.from({ length: count }, (_, index) => ({ weightPercent: index + 1, atLeastMs: 0 }));
    const world = withSpec(stepping(0), (spec) => Object.assign(spec.strategy, { steps }));
    const told = Array.from({ length: count + 1 }, (_, index) => {
      const { attempt } = world.memory.journal;
      return enterStep(world, attempt as NonNullable<typeof attempt>, index, NOW).events.length;
    });
    expect(told[0]).toBe(1);
    expect(told[count]).toBe(1);
    expect(told.slice(0, count).reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(8);
  },
);

test('requests that do not go where they were sent are no lack of them: it holds and says so', () => {
  const splitOff = 'The routes send 10% to the new version, and 0 of 3400 requests reached it.';
  const answer = judged({ splitOff });
  const world = { ...stepping(0, { convergedAtMs: NOW - 60 * MINUTE }), answer };
  const decided = decide(world, NOW);
  expect(attemptIn(decided).step).toBe(0);
  expect(decided.report).toMatchObject({ reason: 'SplitOff', stalled: true });
  expect(decided.report.message).toContain(splitOff);
});

test('a metric that was asked for and that nothing counts is named, and only whenUnsure goes on', () => {
  const answer = judged({ notJudged: ['latency', 'conversion'] });
  const waiting = decide({ ...stepping(0), answer }, NOW);
  expect(waiting.report.message).toContain('Nothing counts latency, conversion');
  const world = { ...stepping(0, { convergedAtMs: NOW - 60 * MINUTE }), answer };
  expect(attemptIn(decide(world, NOW)).step).toBe(1);
});

test('what happens without enough evidence, and when, is known from the start of the step', () => {
  const decided = decide({ ...stepping(0), answer: judged() }, NOW);
  expect(decided.report.nextTransitionAtMs).toBe(NOW - MINUTE + 10 * MINUTE);
});
