import { decide } from '../decide.ts';
import {
  acceptable,
  acceptedFor,
  asking,
  atRest,
  attemptIn,
  beginning,
  goingBack,
  kindsOf,
  MINUTE,
  NOW,
  replicaSet,
  sized,
  withCanaryPods,
  withDeployment,
  withRoute,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const since = (world: World, zeroAtMs: number): World => {
  const { attempt } = world.memory.journal;
  if (attempt?.retreat === undefined) throw new Error('not going back');
  return {
    ...world,
    memory: {
      ...world.memory,
      journal: { ...world.memory.journal, attempt: { ...attempt, retreat: { ...attempt.retreat, zeroAtMs } } },
    },
  };
};
/** Weight 0 was seen a minute ago. */
const zeroed = (why: Parameters<typeof goingBack>[0] = 'harm'): World =>
  since(withRoute(goingBack(why), { canaryWeightPercent: 0 }), NOW - MINUTE);
const out = (why: Parameters<typeof goingBack>[0] = 'harm'): World =>
  withRoute(zeroed(why), { canaryWeightPercent: undefined });
/** The canary's pods are gone. */
const emptied = (why: Parameters<typeof goingBack>[0] = 'harm'): World => withCanaryPods(out(why), 0);
const unpinned = (world: World): World => ({ ...world, services: atRest().services });
const cleared = (why: Parameters<typeof goingBack>[0] = 'harm'): World => ({
  ...unpinned(emptied(why)),
  canaryService: undefined,
});

test('the order is weight 0, converged, drained, backend out, converged, pods to 0, pods gone, pins off, canary Service (S6)', () => {
  expect(decide(goingBack('harm'), NOW).effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 0 }]);
  expect(attemptIn(decide(withRoute(goingBack('harm'), { canaryWeightPercent: 0 }), NOW)).retreat?.zeroAtMs).toBe(NOW);
  expect(decide(acceptedFor(zeroed(), 19_999), NOW)).toMatchObject({ effects: [], wakeAfterMs: 100 });
  expect(decide(acceptedFor(zeroed(), 20_000), NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 'out' },
  ]);
  expect(decide(acceptedFor(out(), 4_000), NOW)).toMatchObject({ effects: [] });
  expect(decide(acceptedFor(out(), 5_000), NOW).effects).toEqual([
    { kind: 'scale', uid: 'new', name: 'shop-new', replicas: 0 },
  ]);
  expect(decide(withSet(emptied(), 'new', { podsLeft: 1 }), NOW).effects).toEqual([]);
  expect(decide(emptied(), NOW).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
  expect(kindsOf(decide(unpinned(emptied()), NOW))).toEqual(['deleteCanaryService']);
  expect(decide(cleared(), NOW).effects).toMatchObject([{ kind: 'endRecord', outcome: 'RolledBack' }]);
  const decided = decide({ ...cleared(), records: [] }, NOW);
  expect(decided.memory.journal.attempt).toBeUndefined();
  expect(decided.memory.quarantined).toHaveLength(1);
});

test('endpoints that are left keep the pins on', () => {
  const world = emptied();
  const services = world.services.map((service) => ({ ...service, anyOf: { ...service.anyOf, new: 1 } }));
  expect(decide({ ...world, services }, NOW).effects).toEqual([]);
});

test('a backend that Git took out is drained from the moment the gateway has settled', () => {
  const taken = since(withRoute(goingBack('harm'), { canaryWeightPercent: undefined }), NOW - 19_000);
  expect(decide(taken, NOW)).toMatchObject({ effects: [], wakeAfterMs: 1_000 });
  expect(kindsOf(decide(taken, NOW + 1_000))).toEqual(['scale']);
});

test('a gateway that never converges is given its deadline, and then the backend goes all the same (S8)', () => {
  const stuck = since(acceptedFor(zeroed(), 0), NOW - 2 * MINUTE);
  expect(decide(stuck, NOW).effects).toEqual([]);
  expect(kindsOf(decide(stuck, NOW + 16_000))).toEqual(['split']);
  const taken = since(acceptedFor(out(), 0), NOW - 4 * MINUTE - 16_000);
  expect(kindsOf(decide(taken, NOW))).toEqual(['scale']);
});

test('weight that somebody gives back is taken again', () => {
  expect(decide(withRoute(zeroed(), { canaryWeightPercent: 30 }), NOW).effects).toMatchObject([
    { kind: 'split', weightPercent: 0 },
  ]);
});

test('once latched nothing turns it round: not a good answer, a promotion, a resize or a restart (S5)', () => {
  const tempted = asking({ ...withDeployment(zeroed(), { replicas: 9 }), answer: acceptable }, 'promote');
  const decided = decide(tempted, NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: 'retreat', weightPercent: 0 });
  expect(decided.effects.filter((effect) => effect.kind === 'split' && effect.weightPercent !== 'out')).toEqual([]);
  expect(decided.effects.at(-1)).toMatchObject({ kind: 'answerAction', state: 'Refused' });
});

test('until the pods are gone a Service that Git opened is pinned again, and its pin never holds up the weight', () => {
  const opened = { ...goingBack('harm'), services: atRest().services };
  expect(decide(opened, NOW).effects).toEqual([
    { kind: 'split', route: 'shop', weightPercent: 0 },
    { kind: 'pin', service: 'shop', hash: 'old' },
  ]);
});

test('where stable has no ready pod the pins go first, and the rejected pods serve on until it has one (S16)', () => {
  const dead = withSet(goingBack('harm'), 'old', { ready: 0 });
  expect(kindsOf(decide(dead, NOW))).toEqual(['unpin', 'split']);
  const last = withSet(unpinned(out()), 'old', { ready: 0 });
  expect(decide(last, NOW)).toMatchObject({ effects: [], report: { reason: 'StableUnready', stalled: true } });
  expect(decide(withSet(last, 'old', { ready: 1 }), NOW).effects).toEqual([
    { kind: 'pin', service: 'shop', hash: 'old' },
  ]);
});

test('scaled to zero, nobody is kept serving', () => {
  const world = withDeployment(withSet(unpinned(out()), 'old', sized(0)), { replicas: 0 });
  expect(kindsOf(decide(world, NOW))).toEqual(['scale']);
});

test('a pin that points at nothing that exists goes, wherever it came from (S16)', () => {
  const world = emptied('unknownPast');
  const services = world.services.map((service) => ({ ...service, pinnedTo: 'gone' }));
  expect(decide({ ...withSet(world, 'new', { podsLeft: 1 }), services }, NOW).effects).toEqual([
    { kind: 'unpin', service: 'shop' },
  ]);
});

test('a template that rolls by itself takes the pins off before everything else', () => {
  const native = replicaSet({ uid: 'native', hash: 'native', sameAsLive: true, ...sized(1) });
  const world = withDeployment(goingBack('harm'), { paused: false });
  expect(kindsOf(decide({ ...world, replicaSets: [...world.replicaSets, native] }, NOW))).toEqual(['unpin', 'split']);
});

test('a rejected template does not roll out because somebody resumed the Deployment, but broken glass is broken', () => {
  expect(kindsOf(decide(withDeployment(zeroed(), { paused: false }), NOW))).toContain('hold');
  expect(kindsOf(decide(withDeployment(zeroed(), { paused: false, attached: 'released' }), NOW))).not.toContain('hold');
  const cancelled = withSet(zeroed('cancelled'), 'old', { sameAsLive: true });
  expect(kindsOf(decide(withDeployment(cancelled, { paused: false }), NOW))).not.toContain('hold');
});

describe('what is left of the revision', () => {
  test('rejected, one empty ReplicaSet of ours shows its template', () => {
    expect(kindsOf(decide({ ...cleared(), records: [] }, NOW))).toEqual([]);
  });

  test('superseded or cancelled, nothing', () => {
    expect(kindsOf(decide(cleared('superseded'), NOW))).toEqual(['deleteReplicaSet']);
    expect(decide(cleared('superseded'), NOW).memory.quarantined).toEqual([]);
  });

  test('rejected before it had a ReplicaSet, it gets an empty one: a fixed template must be told from it', () => {
    const decided = decide(asking(beginning(), 'abort'), NOW);
    const world: World = { ...beginning(), memory: decided.memory };
    const noted = decide(world, NOW).memory;
    const anchored = decide({ ...world, memory: noted }, NOW + MINUTE);
    expect(anchored.effects).toEqual([{ kind: 'createRecord', record: 'shop-new-1', attempt: 1, revision: 'new' }]);
    const records = [{ name: 'shop-new-1', uid: 'record', attempt: 1, revision: 'new', ended: false }];
    expect(decide({ ...world, memory: noted, records }, NOW + MINUTE).effects).toEqual([
      { kind: 'createCanary', name: 'shop-new', hash: 'new', record: 'shop-new-1', replicas: 0 },
    ]);
  });

  test('a newer template is never taken for the witness of the rejected one', () => {
    const world = withDeployment(cleared(), { liveHash: 'newer' });
    const gone: World = { ...world, replicaSets: world.replicaSets.filter((set) => set.uid === 'old') };
    expect(kindsOf(decide(gone, NOW))).toEqual(['endRecord']);
  });

  test('one that escaped to the Deployment is deleted when it is empty, and shown by a new one', () => {
    const escaped = withSet(cleared('escaped'), 'new', { owner: 'deployment' });
    expect(decide(escaped, NOW).effects).toEqual([{ kind: 'deleteReplicaSet', uid: 'new', name: 'shop-new' }]);
    const gone: World = { ...escaped, replicaSets: escaped.replicaSets.filter((set) => set.uid === 'old') };
    expect(kindsOf(decide(gone, NOW))).toEqual(['createCanary']);
  });

  test('with a ReplicaSet of somebody else under its name no witness is made, and the attempt ends', () => {
    const world = cleared();
    const others = world.replicaSets.filter((set) => set.uid === 'old');
    const stranger = replicaSet({ uid: 'theirs', hash: 'x', name: 'shop-new', owner: 'other', ...sized(1) });
    expect(kindsOf(decide({ ...world, replicaSets: [...others, stranger] }, NOW))).toEqual(['endRecord']);
  });
});

test('without its record it ends all the same', () => {
  expect(
    decide({ ...cleared('superseded'), records: [], replicaSets: atRest().replicaSets }, NOW).memory.journal.attempt,
  ).toBeUndefined();
});

test('an escaped canary: stable gets its pods back before anything is taken from the canary (S2)', () => {
  const world = withSet(withSet(zeroed('escaped'), 'new', { owner: 'nobody' }), 'old', sized(2));
  expect(decide(world, NOW).effects).toEqual([
    { kind: 'setMaxSurge', value: '100%', before: '25%' },
    { kind: 'scale', uid: 'old', name: 'shop-old', replicas: 4 },
  ]);
});

test('pods on a dead node keep the pins for five minutes at most (S8)', () => {
  const dead = since(withSet(emptied(), 'new', { podsLeft: 1 }), NOW - 4 * MINUTE);
  expect(decide(dead, NOW).effects).toEqual([]);
  expect(decide(dead, NOW + 2 * MINUTE).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
});

test('the user’s maxSurge comes back after a broken-off handover', () => {
  const world = withDeployment(cleared(), { maxSurge: '100%', maxSurgeBefore: '25%' });
  expect(decide(world, NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '25%' }]);
});

test.each([
  ['harm', 'RolledBack'],
  ['crash', 'RolledBack'],
  ['notReady', 'RolledBack'],
  ['aborted', 'Aborted'],
  ['notJudged', 'NotJudged'],
  ['superseded', 'Superseded'],
  ['cancelled', 'Cancelled'],
  ['detached', 'Detached'],
  ['bypassed', 'Bypassed'],
  ['escaped', 'Escaped'],
  ['unknownPast', 'Unknown'],
] as const)('an attempt that goes back for %s is recorded as %s', (why, outcome) => {
  const world =
    why === 'harm' || why === 'aborted' ? cleared(why) : { ...cleared(why), replicaSets: atRest().replicaSets };
  expect(decide(withDeployment(world, { liveHash: 'other' }), NOW).effects).toMatchObject([
    { kind: 'endRecord', outcome },
  ]);
});
