import { decide } from '../decide.ts';
import {
  atRest,
  kindsOf,
  MINUTE,
  NOW,
  replicaSet,
  sized,
  withDeployment,
  withService,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

/** A Deployment that runs, and a Rollout that nobody has looked at. */
function unattached(): World {
  const world = withDeployment(atRest(), { attached: 'no' });
  const memory = { journal: { version: 1, attempts: 0, handledActions: [] }, stable: undefined, quarantined: [] };
  return { ...world, memory, hasJournal: false, guard: 'unknown', rehearsal: undefined };
}

test('the finalizer comes first, so that a deletion is noticed from the first moment', () => {
  const world = unattached();
  expect(kindsOf(decide({ ...world, rollout: { ...world.rollout, hasFinalizer: false } }, NOW))).toEqual([
    'addFinalizer',
  ]);
});

test('pods are rehearsed, then the label, then the guard is proved, and only then is something remembered as stable', () => {
  const world = unattached();
  expect(kindsOf(decide(world, NOW))).toEqual(['rehearse']);
  const rehearsed: World = { ...world, rehearsal: {} };
  expect(kindsOf(decide(rehearsed, NOW))).toEqual(['attach']);
  const labelled = withDeployment(rehearsed, { attached: 'yes' });
  expect(kindsOf(decide(labelled, NOW))).toEqual(['proveGuard']);
  const decided = decide({ ...labelled, guard: 'admission' }, NOW);
  expect(decided.memory.stable).toMatchObject({ uid: 'old', hash: 'old' });
  expect(decided.report).toMatchObject({ phase: 'Idle', stalled: false });
});

test('where the guard does not hold a template, no release runs and a person is told what is missing', () => {
  const labelled = withDeployment({ ...unattached(), rehearsal: {} }, { attached: 'yes' });
  const { report, memory } = decide({ ...labelled, guard: 'absent' }, NOW);
  expect(report).toMatchObject({ reason: 'GuardAbsent', stalled: true });
  expect(report.message).toContain('deploy/policies');
  expect(memory.stable).toBeUndefined();
});

test('a Deployment that still rolls is left to finish, until its own deadline', () => {
  const rolling = { progressing: { status: 'True', reason: 'ReplicaSetUpdated' }, progressedAtMs: NOW - MINUTE };
  const world = withDeployment(unattached(), rolling);
  expect(decide(world, NOW)).toMatchObject({
    effects: [],
    report: { reason: 'Settling', stalled: false },
    wakeAfterMs: 9 * MINUTE,
  });
  expect(decide(world, NOW + 10 * MINUTE).report).toMatchObject({ reason: 'NotSettled', stalled: true });
  expect(decide(withDeployment(world, { availableReplicas: 0 }), NOW + 10 * MINUTE).report).toMatchObject({
    reason: 'NeverAvailable',
    stalled: true,
  });
});

test('a Deployment that somebody paused while it rolled is not attached before it is resumed', () => {
  const paused = { paused: true, pausedBy: 'kubectl', progressing: { status: 'Unknown', reason: 'DeploymentPaused' } };
  const { report } = decide(withDeployment(unattached(), paused), NOW);
  expect(report).toMatchObject({ reason: 'PausedByOther', stalled: true });
  expect(report.message).toContain('kubectl');
});

test('under the pause guard it is paused before it is attached, and what runs stays stable', () => {
  const labelled = withDeployment(
    { ...unattached(), hasJournal: true, rehearsal: {}, guard: 'pause' },
    { attached: 'yes' },
  );
  expect(decide(labelled, NOW).effects).toEqual([{ kind: 'guardByPause' }]);
  const guarded = withDeployment(labelled, { paused: true, held: true, deadlineLifted: true });
  const { effects, memory, report } = decide(guarded, NOW);
  expect(effects).toEqual([]);
  expect(memory.stable).toMatchObject({ uid: 'old' });
  expect(report).toMatchObject({ phase: 'Idle', stalled: false });
});

test('one that an earlier Rollout left paused with a waiting template is taken over: what runs is stable', () => {
  const world = withDeployment(
    { ...unattached(), rehearsal: {}, guard: 'admission' },
    { paused: true, attached: 'yes', liveHash: 'new' },
  );
  expect(decide(withSet(world, 'old', { sameAsLive: false }), NOW).memory.stable?.uid).toBe('old');
});

test('one that is held at 0 replicas is taken over with the revision of its template, if it has one', () => {
  const world = withDeployment(
    { ...unattached(), hasJournal: true, rehearsal: {}, guard: 'pause' },
    {
      replicas: 0,
      attached: 'yes',
      paused: true,
      held: true,
      deadlineLifted: true,
    },
  );
  const empty = withSet(world, 'old', sized(0));
  expect(decide(empty, NOW).memory.stable).toMatchObject({ uid: 'old' });
  expect(decide(withSet(empty, 'old', { sameAsLive: false }), NOW).memory.stable).toBeUndefined();
});

test('while two ReplicaSets have pods, none of them is stable', () => {
  const world = { ...unattached(), rehearsal: {}, guard: 'admission' } as const;
  const other = replicaSet({ uid: 'b', hash: 'b', ...sized(1) });
  const decided = decide({ ...world, replicaSets: [...world.replicaSets, other] }, NOW);
  expect(decided).toMatchObject({ memory: { stable: undefined }, report: { reason: 'NotSettled', stalled: true } });
});

test('without its Deployment a Rollout says so and waits', () => {
  const world: World = { ...unattached(), deployment: undefined };
  expect(decide(world, NOW).report).toMatchObject({ reason: 'TargetMissing', stalled: true });
});

const refusals: readonly (readonly [string, string, (world: World) => World])[] = [
  [
    'a selector with pod-template-hash',
    'SelectorMentionsHash',
    (world) => withDeployment(world, { selectorMentionsHash: true }),
  ],
  [
    'no revision history: stable would be deleted',
    'NoHistory',
    (world) => withDeployment(world, { revisionHistoryLimit: 0 }),
  ],
  ['strategy Recreate', 'RecreateStrategy', (world) => withDeployment(world, { strategyType: 'Recreate' })],
  [
    'another tool that holds it',
    'HeldByOther',
    (world) => withDeployment(world, { heldByOther: 'Argo Rollouts (Rollout shop/x)' }),
  ],
  ['broken glass', 'Released', (world) => withDeployment(world, { attached: 'released' })],
  [
    'a missing Service',
    'ServiceMissing',
    (world) => ({ ...world, services: world.services.map((one) => ({ ...one, exists: false })) }),
  ],
  [
    'an ExternalName Service',
    'ServiceUnsupported',
    (world) => ({ ...world, services: world.services.map((one) => ({ ...one, kind: 'externalName' as const })) }),
  ],
  [
    'a Service without selector',
    'ServiceUnsupported',
    (world) => ({ ...world, services: world.services.map((one) => ({ ...one, kind: 'noSelector' as const })) }),
  ],
  [
    'a Service of other pods',
    'ServiceSelectsOthers',
    (world) => ({ ...world, services: world.services.map((one) => ({ ...one, kind: 'selectsOthers' as const })) }),
  ],
  [
    'a Service shared with others',
    'ServiceShared',
    (world) => withService(world, { name: 'all', role: 'other', strangers: ['Deployment shop/cart'] }),
  ],
  [
    'a missing route',
    'RouteMissing',
    (world) => ({ ...world, routes: world.routes.map((one) => ({ ...one, exists: false })) }),
  ],
  [
    'a route that does not name the Service',
    'RouteDoesNotServe',
    (world) => ({ ...world, routes: world.routes.map((one) => ({ ...one, serves: false })) }),
  ],
  [
    'pods that would be refused',
    'RehearsalRefused',
    (world) => ({ ...world, rehearsal: { refused: 'exceeded quota' } }),
  ],
];

test.each(refusals)('%s is refused with %s and one sentence, and nothing is touched', (_what, reason, change) => {
  const { report, effects } = decide(change({ ...unattached(), rehearsal: {} }), NOW);
  expect(report).toMatchObject({ phase: 'Attaching', reason, stalled: true });
  expect(report.message).toMatch(/\.$/);
  expect(effects).toEqual([]);
});

test('a Service that may reach both versions anyway may be shared with others', () => {
  const world = withService(
    { ...unattached(), rehearsal: {} },
    { name: 'all', role: 'alsoReachable', strangers: ['Deployment shop/cart'] },
  );
  expect(kindsOf(decide(world, NOW))).toEqual(['attach']);
});

test('strategy Recreate is fine where the Rollout says that two versions may run together', () => {
  const world = withDeployment({ ...unattached(), rehearsal: {} }, { strategyType: 'Recreate' });
  const spec = { ...world.spec, strategy: { ...world.spec.strategy, allowTwoVersions: true } };
  expect(kindsOf(decide({ ...world, spec }, NOW))).toEqual(['attach']);
});

test('the second Rollout of a workload touches nothing of the first, neither in a release nor when it is deleted', () => {
  const held = withDeployment(unattached(), {
    attached: 'yes',
    paused: true,
    held: true,
    heldByOther: 'Serin (Rollout shop/first)',
  });
  const pinned = {
    ...held,
    services: held.services.map((one) => ({ ...one, pinnedTo: 'old' })),
    routes: held.routes.map((one) => ({ ...one, canaryWeightPercent: 25 })),
  };
  expect(decide(pinned, NOW)).toMatchObject({ effects: [], report: { reason: 'HeldByOther', stalled: true } });
  const leaving = { ...pinned, rollout: { ...pinned.rollout, deleting: true } };
  expect(kindsOf(decide(leaving, NOW))).toEqual(['removeFinalizer']);
});
