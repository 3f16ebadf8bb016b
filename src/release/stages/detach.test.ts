import { decide } from '../decide.ts';
import {
  atRest,
  attemptIn,
  beginning,
  kindsOf,
  NOW,
  rejected,
  stepping,
  withDeployment,
  withNewTemplate,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const leaving = (world: World): World => ({ ...world, rollout: { ...world.rollout, deleting: true } });

test('at rest the label goes, then the finalizer', () => {
  expect(decide(leaving(atRest()), NOW).effects).toEqual([{ kind: 'detach', resume: false }]);
  expect(kindsOf(decide(leaving(withDeployment(atRest(), { attached: 'no' })), NOW))).toEqual(['removeFinalizer']);
});

test('held with the stable template it is resumed', () => {
  expect(decide(leaving(withDeployment(atRest(), { paused: true, held: true })), NOW).effects).toEqual([
    { kind: 'detach', resume: true },
  ]);
});

test('marks that the Deployment controller had copied to a ReplicaSet go before Serin does (S10)', () => {
  const native = withDeployment(leaving(atRest()), { attached: 'no' });
  const marked = withSet(native, 'old', { hasLeftMarks: true });
  const unseen = withDeployment(marked, { generation: 2 });
  expect(decide(unseen, NOW)).toMatchObject({ effects: [], wakeAfterMs: 2000 });
  expect(decide(marked, NOW).effects).toEqual([{ kind: 'clearMarks', uid: 'old', name: 'shop-old' }]);
});

test('a template that nobody released stays paused, and the message says how to start it: a deletion is never a release', () => {
  const decided = decide(leaving(withNewTemplate()), NOW);
  expect(decided.effects).toEqual([{ kind: 'detach', resume: false }]);
  expect(decided.report.message).toContain('kubectl rollout resume deployment/shop');
  expect(decided.events).toMatchObject([{ type: 'Warning', reason: 'Detached' }]);
});

test('a rejected template stays paused as well, and its witness goes first', () => {
  expect(decide(leaving(rejected()), NOW).effects).toEqual([
    { kind: 'deleteReplicaSet', uid: 'new', name: 'shop-new' },
  ]);
  const gone = { ...leaving(rejected()), replicaSets: rejected().replicaSets.filter((set) => set.uid === 'old') };
  expect(decide(gone, NOW).effects).toEqual([{ kind: 'detach', resume: false }]);
});

test.each([
  ['while it begins', beginning],
  ['at half the traffic', () => stepping(1)],
] as const)('deleted %s, the release goes back in its order first (S13)', (_when, world) => {
  const decided = decide(leaving(world()), NOW);
  expect(attemptIn(decided).retreat?.why).toBe('detached');
  expect(kindsOf(decided)).not.toContain('removeFinalizer');
});

test('without the Deployment nothing keeps it', () => {
  const world: World = { ...leaving(atRest()), deployment: undefined, replicaSets: [] };
  expect(kindsOf(decide(world, NOW))).toEqual(['removeFinalizer']);
});

test('with the status lost and nothing running it still comes to its end', () => {
  const memory = { journal: { version: 1, attempts: 0, handledActions: [] }, stable: undefined, quarantined: [] };
  const world = withSet(withDeployment(withNewTemplate(), { replicas: 0 }), 'old', {
    replicas: 0,
    pods: 0,
    podsLeft: 0,
    ready: 0,
    available: 0,
  });
  let at: World = { ...leaving(world), memory, hasJournal: false };
  for (let looks = 0; looks < 4; looks++) at = { ...at, memory: decide(at, NOW).memory, hasJournal: true };
  expect(decide(at, NOW).effects).toEqual([{ kind: 'detach', resume: false }]);
});

test('after the finalizer is off it does nothing more', () => {
  const world = leaving(atRest());
  expect(decide({ ...world, rollout: { ...world.rollout, hasFinalizer: false } }, NOW).effects).toEqual([]);
});
