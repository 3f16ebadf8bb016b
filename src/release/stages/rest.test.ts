import { decide } from '../decide.ts';
import {
  adding,
  atRest,
  attemptIn,
  kindsOf,
  NOW,
  rejected,
  replicaSet,
  sized,
  withDeployment,
  withNewTemplate,
  withRoute,
  withService,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const empty = (uid: string, part = {}) => replicaSet({ uid, hash: uid, ...sized(0), ...part });

test('a settled world causes nothing (S9)', () => {
  expect(decide(atRest(), NOW)).toMatchObject({
    effects: [],
    events: [],
    memory: atRest().memory,
    report: { phase: 'Idle', reason: 'UpToDate' },
  });
});

test('a held Deployment whose template is stable again is resumed at once', () => {
  expect(kindsOf(decide(withDeployment(atRest(), { paused: true, held: true }), NOW))).toEqual(['resume']);
});

test('a pause of a person at rest stays theirs', () => {
  expect(kindsOf(decide(withDeployment(atRest(), { paused: true, pausedBy: 'kubectl' }), NOW))).toEqual([]);
});

test('everything of ours that no release needs is cleared away (S10)', () => {
  const world = adding(
    withDeployment(
      withRoute(withService(atRest(), { name: 'old-pin', role: 'other', pinnedTo: 'old' }), { canaryWeightPercent: 0 }),
      { maxSurge: '100%', maxSurgeBefore: '25%' },
    ),
    empty('spare', { owner: 'ours', carriesOurMark: true, attempt: 1 }),
  );
  const littered: World = {
    ...world,
    canaryService: { name: 'shop-canary', uid: 'canary-service', ours: true, ready: 0, any: 0 },
    records: [{ name: 'shop-new-1', uid: 'record', attempt: 1, revision: 'new', ended: false }],
  };
  expect(decide(littered, NOW).effects).toEqual([
    { kind: 'setMaxSurge', value: '25%' },
    { kind: 'unpin', service: 'old-pin' },
    { kind: 'split', route: 'shop', weightPercent: 'out' },
    { kind: 'deleteCanaryService', uid: 'canary-service' },
    { kind: 'deleteReplicaSet', uid: 'spare', name: 'shop-spare' },
    expect.objectContaining({ kind: 'endRecord', outcome: 'Unknown' }),
  ]);
});

test('a Service of the canary’s name that is not ours is left alone', () => {
  const world: World = {
    ...atRest(),
    canaryService: { name: 'shop-canary', uid: 'theirs', ours: false, ready: 2, any: 2 },
  };
  expect(kindsOf(decide(world, NOW))).toEqual([]);
});

test('empty ReplicaSets younger than stable go, because the controller would revive the youngest; older ones are history', () => {
  const world = adding(atRest(), empty('younger', { createdAtMs: NOW }), empty('older', { createdAtMs: 0 }));
  expect(decide(world, NOW).effects).toEqual([{ kind: 'deleteReplicaSet', uid: 'younger', name: 'shop-younger' }]);
});

test('the same before a new template is released, and while a rejected one waits', () => {
  const younger = empty('younger', { createdAtMs: NOW });
  expect(kindsOf(decide(adding(withNewTemplate(), younger), NOW))).toEqual(['deleteReplicaSet']);
  expect(kindsOf(decide(adding(rejected(), younger), NOW))).toEqual(['deleteReplicaSet']);
});

test('a new template begins a release that is pinned to it, to the strategy and to the gateways of now', () => {
  const decided = decide(withNewTemplate(), NOW);
  expect(attemptIn(decided)).toMatchObject({
    number: 1,
    hash: 'new',
    record: 'shop-new-1',
    replicaSet: 'shop-new',
    targetUid: 'deployment',
    parents: ['shop gateway'],
    stage: 'begin',
    weightPercent: 0,
    noSource: false,
  });
  expect(attemptIn(decided).spec.strategy.steps).toHaveLength(2);
  expect(decided.effects).toEqual([]);
  expect(decided.events).toMatchObject([{ reason: 'ReleaseStarted' }]);
});

test('that no source was configured is remembered at the beginning', () => {
  expect(attemptIn(decide({ ...withNewTemplate(), answer: { kind: 'noSource' } }, NOW)).noSource).toBe(true);
});

test('a template that is not held is held first', () => {
  expect(kindsOf(decide(withDeployment(withNewTemplate(), { paused: false, held: false }), NOW))).toEqual(['hold']);
  expect(kindsOf(decide(withDeployment(withNewTemplate(), { paused: false }), NOW))).toEqual(['hold']);
});

const waits: readonly (readonly [string, string, boolean, (world: World) => World])[] = [
  [
    'somebody paused the Deployment',
    'PausedByOther',
    true,
    (world) => withDeployment(world, { held: false, pausedBy: 'kubectl' }),
  ],
  ['the Deployment has no pods', 'ScaledToZero', false, (world) => withDeployment(world, { replicas: 0 })],
  ['the guard does not work', 'GuardAbsent', true, (world) => ({ ...world, guard: 'absent' })],
  [
    'a Service is shared',
    'ServiceShared',
    true,
    (world) => withService(world, { name: 'all', role: 'other', strangers: ['Deployment shop/cart'] }),
  ],
  ['no gateway accepted the route', 'RouteNotAccepted', true, (world) => withRoute(world, { parents: [] })],
];

test.each(waits)('a release waits while %s: %s', (_what, reason, stalled, change) => {
  const decided = decide(change(withNewTemplate()), NOW);
  expect(decided.report).toMatchObject({ phase: 'Waiting', reason, stalled });
  expect(decided.memory.journal.attempt).toBeUndefined();
});

test('of several routes each needs a gateway, and the one without is named', () => {
  const world = withNewTemplate();
  const second = world.routes.map((one) => ({ ...one, name: 'api', parents: [] }));
  const { report } = decide({ ...world, routes: [...world.routes, ...second] }, NOW);
  expect(report.reason).toBe('RouteNotAccepted');
  expect(report.message).toContain('HTTPRoute api;');
});

test('a rejected template does not run again, and the message names both revisions and the way on (S5)', () => {
  const decided = decide(rejected(), NOW);
  expect(decided.report).toMatchObject({ phase: 'RolledBack', reason: 'RolledBack', stalled: true });
  expect(decided.report.message).toContain('Revision new was rejected');
  expect(decided.report.message).toContain('old takes all traffic');
  expect(decided.report.message).toContain('serin retry shop');
  expect(decided.effects).toEqual([]);
});

test('rejected is a template, not a hash: under another name it is still the rejected one', () => {
  expect(decide(withDeployment(rejected(), { liveHash: 'renamed' }), NOW).report.reason).toBe('RolledBack');
});

test('a fixed template just goes', () => {
  const fixed = withSet(withDeployment(rejected(), { liveHash: 'fixed' }), 'new', { sameAsLive: false });
  expect(attemptIn(decide(fixed, NOW))).toMatchObject({ hash: 'fixed', number: 2 });
});

test('without the witness of what was rejected a person is asked, whatever the template is called', () => {
  const world = withDeployment(rejected(), { liveHash: 'fixed' });
  const blind: World = { ...world, replicaSets: world.replicaSets.filter((set) => set.uid === 'old') };
  expect(decide(blind, NOW).report).toMatchObject({ reason: 'WitnessMissing', stalled: true });
});

describe('under the pause guard', () => {
  const guarded = (): World =>
    withDeployment({ ...atRest(), guard: 'pause' }, { paused: true, held: true, deadlineLifted: true });

  test('the Deployment stays paused at rest, and nothing is written (S9)', () => {
    expect(decide(guarded(), NOW).effects).toEqual([]);
  });

  test.each([
    ['was resumed', { paused: false }],
    ['lost the mark', { held: false }],
    ['got a progress deadline from Git', { deadlineLifted: false }],
  ] as const)('one that %s is guarded again', (_what, part) => {
    expect(decide(withDeployment(guarded(), part), NOW).effects).toEqual([{ kind: 'guardByPause' }]);
  });

  test('a new template begins its release without another write to the Deployment', () => {
    const newer = withSet(withDeployment(guarded(), { liveHash: 'new' }), 'old', { sameAsLive: false });
    const { effects, memory } = decide(newer, NOW);
    expect(effects).toEqual([]);
    expect(memory.journal.attempt).toMatchObject({ hash: 'new', stage: 'begin' });
  });

  test('when a policy becomes the guard, the Deployment is free again', () => {
    expect(decide({ ...guarded(), guard: 'admission' }, NOW).effects).toEqual([{ kind: 'resume' }]);
  });
});

test('a template that rolls out by itself is let finish, reported, and is stable then', () => {
  const rolling = adding(
    withDeployment(withNewTemplate(), {
      paused: false,
      held: false,
      progressing: { status: 'True', reason: 'ReplicaSetUpdated' },
    }),
    replicaSet({ uid: 'native', hash: 'native', sameAsLive: true, ...sized(2) }),
  );
  expect(decide(rolling, NOW)).toMatchObject({
    report: { reason: 'GuardBypassed', stalled: false },
    effects: [{ kind: 'proveGuard' }],
  });
  const done = withSet(withSet(rolling, 'old', sized(0)), 'native', sized(4));
  const decided = decide(done, NOW);
  expect(decided.memory.stable?.uid).toBe('native');
  expect(decided.events).toMatchObject([{ type: 'Warning', reason: 'GuardBypassed' }]);
});

test('a native rollout that gets stuck asks for a person (S8)', () => {
  const stuck = adding(
    withDeployment(withNewTemplate(), {
      paused: false,
      held: false,
      progressing: { status: 'False', reason: 'ProgressDeadlineExceeded' },
    }),
    replicaSet({ uid: 'native', hash: 'native', sameAsLive: true, ...sized(2), ready: 0, available: 0 }),
  );
  expect(decide(stuck, NOW).report).toMatchObject({ reason: 'GuardBypassed', stalled: true });
});

test('a Deployment that was deleted and created again is attached anew', () => {
  const world = withDeployment(atRest(), { uid: 'another', attached: 'no' });
  const decided = decide({ ...world, rehearsal: undefined }, NOW);
  expect(decided.effects).toEqual([{ kind: 'rehearse' }]);
  expect(decided.memory).toMatchObject({ stable: undefined });
});

test('broken glass gives the workload back: with a waiting template it stays paused, and nobody is attached', () => {
  expect(decide(withDeployment(withNewTemplate(), { attached: 'released' }), NOW).effects).toEqual([
    { kind: 'detach', resume: false },
  ]);
  expect(decide(withDeployment(atRest(), { attached: 'released', paused: true, held: true }), NOW).effects).toEqual([
    { kind: 'detach', resume: true },
  ]);
  expect(decide(withDeployment(atRest(), { attached: 'released' }), NOW)).toMatchObject({
    effects: [],
    report: { reason: 'Released', stalled: true },
  });
});
