import { decide } from '../decide.ts';
import {
  attemptIn,
  baking,
  judged,
  MINUTE,
  NOW,
  replicaSet,
  sourceDown,
  stepping,
  waitingAnswer,
  withCanaryPods,
  withDeployment,
  withRoute,
  withSet,
  withSpec,
} from '../sample-world.ts';

test('after its time and with strong evidence the bake ends in the promotion, which is written down before anything is done (S11)', () => {
  const decided = decide(baking(), NOW);
  expect(attemptIn(decided)).toMatchObject({
    stage: 'promote',
    stageSinceMs: NOW,
    maxSurge: '25%',
    replicaSetUid: 'new',
  });
  expect(decided.effects).toEqual([]);
});

test('before its time it only says when it ends', () => {
  const decided = decide(baking({ convergedAtMs: NOW - 2 * MINUTE }), NOW);
  expect(decided).toMatchObject({
    effects: [],
    wakeAfterMs: 3 * MINUTE,
    report: { reason: 'Baking', nextTransitionAtMs: NOW + 3 * MINUTE },
  });
});

test('at 100 percent the canary has exactly as many pods as the Deployment, no more and no less', () => {
  expect(decide(withCanaryPods(baking(), 5), NOW).effects).toEqual([
    { kind: 'scale', uid: 'new', name: 'shop-new', replicas: 4 },
  ]);
  const grown = withDeployment(baking(), { replicas: 6 });
  expect(decide(grown, NOW).effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 66.6 }]);
  expect(decide(withRoute(grown, { canaryWeightPercent: 66.6 }), NOW).effects).toEqual([
    { kind: 'scale', uid: 'new', name: 'shop-new', replicas: 6 },
  ]);
});

test('stable keeps all its pods while a rollback is possible (S2)', () => {
  for (const world of [stepping(0), stepping(1), baking()])
    expect(decide(world, NOW).effects.filter((effect) => effect.kind === 'scale' && effect.uid === 'old')).toEqual([]);
});

test.each([
  ['only calm', judged()],
  ['good enough for a step', judged({ stepAcceptable: true })],
  ['waiting', waitingAnswer],
  ['down', sourceDown()],
  ['a doubt', judged({ level: 'doubt', finalAcceptable: true })],
] as const)('without the evidence for the whole attempt there is no promotion: %s', (_what, answer) => {
  expect(attemptIn(decide({ ...baking({ convergedAtMs: NOW - 6 * MINUTE }), answer }, NOW)).stage).toBe('bake');
});

test('too little traffic does what whenUnsure says, once more for the bake', () => {
  const world = { ...baking(), answer: judged() };
  expect(attemptIn(decide(world, NOW)).stage).toBe('promote');
  const holding = withSpec(world, (spec) => Object.assign(spec.analysis.whenUnsure, { do: 'hold' }));
  expect(decide(holding, NOW).report).toMatchObject({ reason: 'Unsure', stalled: true });
});

test('a person who promotes or skips ends the bake, but not against a doubt', () => {
  for (const part of [{ promotedBy: 'alice' }, { skippedStep: 2 }]) {
    const early = { convergedAtMs: NOW - 1000, ...part };
    expect(attemptIn(decide({ ...baking(early), answer: waitingAnswer }, NOW)).stage).toBe('promote');
    expect(attemptIn(decide({ ...baking(early), answer: judged({ level: 'doubt' }) }, NOW)).stage).toBe('bake');
  }
});

test('pods that are ready and not yet available are waited for', () => {
  const decided = decide(withSet(baking(), 'new', { available: 3 }), NOW);
  expect(decided.report.message).toBe('Ready to promote new; 3 of 4 pods are available.');
  expect(attemptIn(decided).stage).toBe('bake');
});

test('0 of 0 pods are never promoted', () => {
  const world = withRoute(withCanaryPods(withDeployment(baking(), { replicas: 0 }), 0), { canaryWeightPercent: 0 });
  const decided = decide(world, NOW);
  expect(decided.report.reason).toBe('ScaledToZero');
  expect(attemptIn(decided).stage).toBe('bake');
});

test('the maxSurge that is remembered is the user’s, not that of an earlier handover', () => {
  const world = withDeployment(baking(), { maxSurge: '100%', maxSurgeBefore: '2' });
  expect(attemptIn(decide(world, NOW)).maxSurge).toBe('2');
});

test('a ReplicaSet of another release does not count', () => {
  const other = replicaSet({ uid: 'x', hash: 'x', owner: 'other' });
  const world = baking();
  expect(attemptIn(decide({ ...world, replicaSets: [...world.replicaSets, other] }, NOW)).replicaSetUid).toBe('new');
});
