import { decide } from '../decide.ts';
import {
  adding,
  acceptable,
  acceptedFor,
  attemptIn,
  beginning,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  prepared,
  replicaSet,
  sized,
  sourceDown,
  withCanaryPods,
  withDeployment,
  withRoute,
  withService,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';
import { canaryName, recordName } from './start.ts';

const native = (part = {}) => replicaSet({ uid: 'undone', hash: 'undone', sameAsLive: true, ...sized(0), ...part });
const anchored = (world: World): World => ({
  ...world,
  records: [{ name: 'shop-new-1', uid: 'record', attempt: 1, revision: 'new', ended: false }],
});
const pinnedWorld = (): World => ({ ...anchored(beginning()), services: prepared().services });

test('the order is record, pins, canary Service, then ReplicaSet and backends: no pod before the pins (S13)', () => {
  expect(decide(beginning(), NOW).effects).toEqual([
    { kind: 'createRecord', record: 'shop-new-1', attempt: 1, revision: 'new' },
  ]);
  expect(decide(anchored(beginning()), NOW).effects).toEqual([{ kind: 'pin', service: 'shop', hash: 'old' }]);
  expect(kindsOf(decide(pinnedWorld(), NOW))).toEqual(['createCanaryService']);
  expect(decide({ ...pinnedWorld(), canaryService: prepared().canaryService }, NOW).effects).toEqual([
    { kind: 'createCanary', name: 'shop-new', hash: 'new', record: 'shop-new-1', replicas: 2 },
    { kind: 'split', route: 'shop', weightPercent: 0 },
  ]);
});

test('every Service that selects the pods is pinned, but those that may reach both', () => {
  const world = withService(withService(anchored(beginning()), { name: 'metrics', role: 'other' }), {
    name: 'debug',
    role: 'alsoReachable',
  });
  expect(decide(world, NOW).effects).toEqual([
    { kind: 'pin', service: 'shop', hash: 'old' },
    { kind: 'pin', service: 'metrics', hash: 'old' },
  ]);
});

test('a Service shared with others is not pinned, the others are, and a person is asked', () => {
  const world = withService(anchored(beginning()), { name: 'all', role: 'other', strangers: ['Deployment shop/cart'] });
  const decided = decide(world, NOW);
  expect(decided.report).toMatchObject({ reason: 'ServiceShared', stalled: true });
  expect(decided.effects).toEqual([{ kind: 'pin', service: 'shop', hash: 'old' }]);
});

test('with no ready pod of stable nothing is pinned: traffic to an unjudged revision is better than none (S16)', () => {
  const world = withSet(prepared(), 'old', { ready: 0 });
  expect(decide(world, NOW).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
});

test('the UID of the canary is written down as soon as it was seen, and no other of its name is taken for it', () => {
  const { replicaSetUid: _unknown, ...attempt } = attemptIn(decide(withCanaryPods(prepared(), 2, 0), NOW));
  const world = prepared();
  const unseen: World = { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, attempt } } };
  expect(attemptIn(decide(withCanaryPods(unseen, 2, 0), NOW)).replicaSetUid).toBe('new');
});

test('an undone template finds its old, empty ReplicaSet in the way: the controller would adopt or revive that one', () => {
  expect(decide(adding(beginning(), native()), NOW).effects).toEqual([
    { kind: 'deleteReplicaSet', uid: 'undone', name: 'shop-undone' },
  ]);
});

test('if that one already took pods, stable gets them back first and is ready before they end (S2)', () => {
  const crowded = withSet(adding(beginning(), native(sized(1))), 'old', sized(3));
  expect(decide(crowded, NOW).effects).toEqual([
    { kind: 'setMaxSurge', value: '100%', before: '25%' },
    { kind: 'scale', uid: 'old', name: 'shop-old', replicas: 4 },
  ]);
  const starting = withSet(crowded, 'old', { replicas: 4, pods: 4, ready: 3 });
  expect(decide(starting, NOW)).toMatchObject({ effects: [], report: { stalled: false } });
  expect(decide(starting, NOW + 10 * MINUTE)).toMatchObject({
    effects: [],
    report: { reason: 'StableUnready', stalled: true },
  });
  const strong = withSet(crowded, 'old', sized(4));
  expect(decide(strong, NOW).effects).toEqual([{ kind: 'scale', uid: 'undone', name: 'shop-undone', replicas: 0 }]);
  const alone = withDeployment(beginning(), { maxSurge: '100%', maxSurgeBefore: '25%' });
  expect(decide(alone, NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '25%' }]);
});

test('if it already has all the pods, the controller counts it as rolled out and nobody fights it', () => {
  const decided = decide(adding(beginning(), native(sized(4))), NOW);
  expect(attemptIn(decided).retreat).toMatchObject({ why: 'bypassed', reason: 'GuardBypassed' });
});

test('the witness of an earlier attempt makes room after a retry', () => {
  const witness = replicaSet({
    uid: 'witness',
    hash: 'new',
    owner: 'ours',
    carriesOurMark: true,
    attempt: 7,
    sameAsLive: true,
    ...sized(0),
  });
  expect(decide(adding(beginning(), witness), NOW).effects).toEqual([
    { kind: 'deleteReplicaSet', uid: 'witness', name: 'shop-new' },
  ]);
});

test.each([
  [
    'ReplicaSet',
    (world: World) => adding(world, replicaSet({ uid: 'theirs', hash: 'x', name: 'shop-new', owner: 'other' })),
  ],
  [
    'Service',
    (world: World): World => ({
      ...world,
      canaryService: { name: 'shop-canary', uid: 'theirs', ours: false, ready: 1, any: 1 },
    }),
  ],
])('a %s of somebody else with the needed name holds the release and is left alone', (kind, change) => {
  const { report, effects } = decide(change(pinnedWorld()), NOW);
  expect(report).toMatchObject({ phase: 'Waiting', reason: 'NameTaken', stalled: true });
  expect(report.message).toContain(kind);
  expect(effects).toEqual([]);
});

test('waiting for a person is not the pods’ delay: the deadline for ready pods is moved on', () => {
  const taken: World = {
    ...pinnedWorld(),
    canaryService: { name: 'shop-canary', uid: 'theirs', ours: false, ready: 1, any: 1 },
  };
  const later = NOW + 9 * MINUTE;
  expect(attemptIn(decide(taken, later)).weightSinceMs).toBe(later);
  expect(decide(taken, NOW).memory).toEqual(taken.memory);
});

test('the first step comes only when a pod is ready, in the Service, and every gateway knows the backend', () => {
  expect(decide(withCanaryPods(prepared(), 2, 0), NOW).report.reason).toBe('PodsStarting');
  expect(decide(acceptedFor(prepared(), 0), NOW).report.reason).toBe('PodsStarting');
  expect(decide(acceptedFor(prepared(), 4_000), NOW)).toMatchObject({ effects: [], wakeAfterMs: 1_000 });
  expect(attemptIn(decide(acceptedFor(prepared(), 5_000), NOW))).toMatchObject({
    stage: 'step',
    step: 0,
    weightPercent: 10,
  });
});

test('a gateway that never takes up the backend asks for a person, and nobody is sent there', () => {
  const decided = decide(acceptedFor(prepared({ stageSinceMs: NOW - 13 * MINUTE }), 0), NOW);
  expect(decided).toMatchObject({ effects: [], report: { reason: 'NotConverged', stalled: true } });
});

test('the first weight is not given while the source is down or the judge has doubts (S4, S7)', () => {
  const down = decide({ ...prepared(), answer: sourceDown({ everAnswered: false }) }, NOW);
  expect(attemptIn(down).stage).toBe('begin');
  expect(down.report).toMatchObject({ reason: 'SourceNeverAnswered' });
  expect(attemptIn(decide({ ...prepared(), answer: judged({ level: 'doubt' }) }, NOW)).stage).toBe('begin');
  expect(attemptIn(decide({ ...prepared({ promotedBy: 'alice' }), answer: sourceDown() }, NOW)).stage).toBe('step');
});

test('nor before the source has answered at all: nobody would see what it does', () => {
  const answer = { kind: 'noEvidence', reason: 'unanswered', sentence: 'MetricSource main does not answer.' } as const;
  const mute = decide({ ...prepared(), answer }, NOW);
  expect(attemptIn(mute).stage).toBe('begin');
  expect(mute.report.message).toContain('MetricSource main does not answer.');
  expect(attemptIn(decide({ ...prepared(), answer: { ...answer, reason: 'waiting' } }, NOW)).stage).toBe('step');
});

test('pods that are not ready in time end the attempt with the kubelet’s own words, and it is latched (S5)', () => {
  const trouble = { reason: 'ImagePull', words: 'ErrImagePull: not found' } as const;
  const world = withSet(withCanaryPods(prepared({ weightSinceMs: NOW - 11 * MINUTE }), 2, 0), 'new', {
    trouble,
    createdAtMs: NOW - 10 * MINUTE,
  });
  const decided = decide(world, NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'retreat', retreat: { why: 'notReady', reason: 'ImagePull' } });
  expect(decided.report.message).toContain('0 of 2 pods became ready within 600s (ErrImagePull: not found)');
  expect(decided.memory.quarantined).toMatchObject([{ hash: 'new', reason: 'ImagePull' }]);
});

test('the deadline runs from the moment there was a ReplicaSet', () => {
  const world = withSet(withCanaryPods(prepared({ weightSinceMs: NOW - 11 * MINUTE }), 2, 0), 'new', {
    createdAtMs: NOW - MINUTE,
  });
  expect(decide(world, NOW).report.reason).toBe('PodsStarting');
});

test('crashes before the first weight brake, and after a minute the attempt goes back', () => {
  const crashing = withSet(withCanaryPods(prepared(), 2, 0), 'new', { crashLooping: 2 });
  const braked = decide(crashing, NOW);
  expect(attemptIn(braked).brake).toMatchObject({ crash: true, weightPercent: 0 });
  const later = { ...crashing, memory: braked.memory };
  expect(attemptIn(decide(later, NOW + MINUTE - 1)).stage).toBe('begin');
  expect(attemptIn(decide(later, NOW + MINUTE))).toMatchObject({ retreat: { why: 'crash', reason: 'Crashes' } });
});

test('a paused beginning prepares and does not send anybody', () => {
  const decided = decide(prepared({ pausedBy: 'alice' }), NOW);
  expect(decided).toMatchObject({ effects: [], report: { phase: 'Paused', stalled: true } });
  expect(attemptIn(decided).stage).toBe('begin');
});

test('scaled to zero the beginning waits for replicas, and then the canary is sized for the new number', () => {
  expect(decide(withDeployment(prepared(), { replicas: 0 }), NOW).report).toMatchObject({
    reason: 'ScaledToZero',
    stalled: false,
  });
  const grown = withDeployment(withCanaryPods(prepared(), 2), { replicas: 40 });
  expect(decide(grown, NOW).effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 4 }]);
});

test('with one replica the canary is one pod', () => {
  const world: World = { ...withDeployment(pinnedWorld(), { replicas: 1 }), canaryService: prepared().canaryService };
  expect(decide(withSet(world, 'old', sized(1)), NOW).effects[0]).toMatchObject({ kind: 'createCanary', replicas: 1 });
});

test('somebody who resumed the Deployment or dropped its label is put right at once', () => {
  const world = withDeployment(withRoute(prepared(), {}), { paused: false, attached: 'no' });
  expect(kindsOf(decide({ ...world, answer: acceptable }, NOW)).slice(0, 2)).toEqual(['attach', 'hold']);
});

test('names fit where they are used, whatever the Deployment is called', () => {
  const long = `${'a'.repeat(230)}.${'b'.repeat(22)}`;
  expect(canaryName(long, 'bcdfghjklm').length).toBeLessThanOrEqual(253);
  expect(recordName(long, 'bcdfghjklm', 12).length).toBeLessThanOrEqual(253);
  expect(canaryName('a'.repeat(241) + '.bbb', 'bcdfghjklm')).toMatch(/a-bcdfghjklm$/);
});
