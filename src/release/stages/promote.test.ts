import { decide } from '../decide.ts';
import {
  acceptedFor,
  adopted,
  atRest,
  attemptIn,
  kindsOf,
  MINUTE,
  NOW,
  promoting,
  sized,
  withAttemptPart,
  withCanaryPods,
  withDeployment,
  withRoute,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const open = (): World => ({ ...promoting(), services: atRest().services });
const surged = (): World => withDeployment(open(), { maxSurge: '100%', maxSurgeBefore: '25%' });
/** The old pods are gone. */
const alone = (): World => withSet(adopted(), 'old', sized(0));
const restored = (): World => withDeployment(alone(), { maxSurge: '25%', maxSurgeBefore: undefined } as never);

describe('before the handover', () => {
  test('the order is pins off, maxSurge up, the controller has seen it, and only then the handover (S13)', () => {
    expect(decide(promoting(), NOW).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
    expect(decide(open(), NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '100%', before: '25%' }]);
    expect(decide(withDeployment(surged(), { generation: 2 }), NOW)).toMatchObject({ effects: [], wakeAfterMs: 2000 });
    expect(decide(surged(), NOW).effects).toEqual([{ kind: 'handOver', uid: 'new', name: 'shop-new', replicas: 4 }]);
  });

  test('strategy Recreate has no maxSurge, and its absence holds nothing up', () => {
    expect(kindsOf(decide(withDeployment(open(), { strategyType: 'Recreate', maxSurge: '100%' }), NOW))).toEqual([
      'handOver',
    ]);
  });

  test('a resize puts everything back in order where that is done, in the bake, in the same look', () => {
    const resized = withDeployment(surged(), { replicas: 6 });
    const decided = decide(resized, NOW);
    expect(attemptIn(decided).stage).toBe('bake');
    expect(decided.effects).toEqual([
      { kind: 'split', route: 'shop', weightPercent: 66.6 },
      { kind: 'pin', service: 'shop', hash: 'old' },
    ]);
  });

  test.each<readonly [string, (world: World) => World]>([
    ['a pod was lost', (world) => withCanaryPods(world, 4, 3)],
    ['the canary Service is gone', (world) => ({ ...world, canaryService: undefined })],
    ['a route was put back from Git', (world) => withRoute(world, { canaryWeightPercent: undefined })],
    ['a rule was edited', (world) => withRoute(world, { uniform: false })],
    ['its ReplicaSet was not observed yet', (world) => withSet(world, 'new', { current: false })],
  ])('nothing is handed over when %s', (_what, change) => {
    const decided = decide(change(surged()), NOW);
    expect(kindsOf(decided)).not.toContain('handOver');
    expect(attemptIn(decided).stage).toBe('bake');
  });

  test('a Deployment that somebody resumed is held, and handed nothing before it is', () => {
    expect(kindsOf(decide(withDeployment(surged(), { paused: false }), NOW))).toEqual(['hold']);
  });

  test('going back is still one route write: the old template, a newer one, a deletion and broken glass end it', () => {
    const back = (change: (world: World) => World) => attemptIn(decide(change(surged()), NOW)).retreat?.why;
    expect(back((world) => withSet(withSet(world, 'old', { sameAsLive: true }), 'new', { sameAsLive: false }))).toBe(
      'cancelled',
    );
    expect(back((world) => withSet(world, 'new', { sameAsLive: false }))).toBe('superseded');
    expect(back((world) => ({ ...world, rollout: { ...world.rollout, deleting: true } }))).toBe('detached');
    expect(back((world) => withDeployment(world, { attached: 'released' }))).toBe('detached');
  });

  test('then the pins come back with the weight, because the Services are open by now (S6)', () => {
    const decided = decide(withSet(surged(), 'new', { sameAsLive: false }), NOW);
    expect(decided.effects).toEqual([
      { kind: 'split', route: 'shop', weightPercent: 0 },
      { kind: 'pin', service: 'shop', hash: 'old' },
    ]);
  });
});

describe('after the handover', () => {
  test('the routes stay on the canary Service until the old pods are gone', () => {
    expect(decide(adopted(), NOW).effects).toEqual([]);
    expect(decide(withSet(adopted(), 'old', { ...sized(0), podsLeft: 1 }), NOW).effects).toEqual([]);
  });

  test('then maxSurge, routes, canary Service and record, each when the one before is done', () => {
    expect(decide(alone(), NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '25%' }]);
    expect(decide(restored(), NOW).effects).toEqual([{ kind: 'split', route: 'shop', weightPercent: 'out' }]);
    const routed = withRoute(restored(), { canaryWeightPercent: undefined });
    expect(decide(acceptedFor(routed, 1_000), NOW)).toMatchObject({ effects: [], wakeAfterMs: 4_000 });
    expect(kindsOf(decide(routed, NOW))).toEqual(['deleteCanaryService']);
    expect(decide({ ...routed, canaryService: undefined }, NOW).effects).toMatchObject([
      { kind: 'endRecord', outcome: 'Promoted' },
    ]);
  });

  test('the adopted ReplicaSet is stable by its UID, and the attempt is over', () => {
    const done: World = {
      ...withRoute(restored(), { canaryWeightPercent: undefined }),
      canaryService: undefined,
      records: [],
    };
    const decided = decide(done, NOW);
    expect(decided.memory).toMatchObject({ stable: { uid: 'new', hash: 'new' } });
    expect(decided.memory.journal.attempt).toBeUndefined();
    expect(decided.events).toMatchObject([{ reason: 'Promoted' }]);
  });

  test('a maxSurge that was edited meanwhile stays as it was edited', () => {
    expect(decide(withDeployment(alone(), { maxSurge: '50%' }), NOW).effects).toEqual([
      { kind: 'setMaxSurge', value: '50%' },
    ]);
  });

  test('a maxSurge that somebody wrote while the old pods are there is raised again, and what they wanted is kept', () => {
    expect(decide(withDeployment(adopted(), { maxSurge: '50%' }), NOW).effects).toEqual([
      { kind: 'setMaxSurge', value: '100%', before: '50%' },
    ]);
    const bare = withDeployment(adopted(), { maxSurgeBefore: undefined } as never);
    expect(decide(bare, NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '100%', before: '25%' }]);
  });

  test('a canary that lost its owner before it was handed over is made ready all the same (S16)', () => {
    const pinned = { ...adopted(), services: promoting().services };
    const early = withDeployment(pinned, { maxSurge: '25%', maxSurgeBefore: undefined } as never);
    expect(kindsOf(decide(early, NOW))).toEqual(['unpin', 'setMaxSurge']);
  });

  test('a Deployment that became Recreate in between loses only the annotation', () => {
    const recreated = withDeployment(alone(), { strategyType: 'Recreate', maxSurge: '100%' });
    expect(decide(recreated, NOW).effects).toEqual([{ kind: 'setMaxSurge', value: '25%' }]);
  });

  test('one whose annotation was taken off is restored from the journal', () => {
    expect(decide(withDeployment(restored(), { maxSurge: '100%' }), NOW).effects).toEqual([
      { kind: 'setMaxSurge', value: '25%' },
    ]);
  });

  test('an adopted ReplicaSet that the controller left too small after a resize is sized, and nothing else is touched', () => {
    const spread = withSet(withDeployment(adopted(), { replicas: 6 }), 'new', { desired: 6 });
    expect(decide(spread, NOW).effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 6 }]);
  });

  test('a resize that the controller has not spread yet is left to it for a minute', () => {
    const fresh = withSet(withDeployment(adopted(), { replicas: 6 }), 'new', { desired: 4 });
    expect(decide(fresh, NOW).effects).toEqual([]);
    expect(kindsOf(decide(fresh, NOW + 2 * MINUTE))).toEqual(['scale']);
  });

  test('one that became too large is never trimmed while the old pods are there: those end first (S13)', () => {
    const large = withSet(withDeployment(adopted(), { replicas: 4 }), 'new', { ...sized(9), desired: 4 });
    expect(decide(large, NOW).effects).toEqual([{ kind: 'scale', uid: 'old', name: 'shop-old', replicas: 0 }]);
    const unready = withSet(large, 'new', { available: 3 });
    expect(decide(unready, NOW).effects).toEqual([]);
  });

  test('a newer template in between: the adopted one is stable all the same, and the rest is ended by Serin', () => {
    const newer = withSet(withDeployment(adopted(), { liveHash: 'newer' }), 'new', { sameAsLive: false });
    expect(decide(newer, NOW).effects).toEqual([{ kind: 'scale', uid: 'old', name: 'shop-old', replicas: 0 }]);
  });

  test('the old template in between, while its pods are there: the controller would end the new ones, so traffic goes back at once', () => {
    const taken = withSet(withSet(adopted(), 'new', { sameAsLive: false }), 'old', { sameAsLive: true });
    const decided = decide(taken, NOW);
    expect(attemptIn(decided).retreat).toMatchObject({ why: 'cancelled' });
    expect(decided.effects[0]).toEqual({ kind: 'split', route: 'shop', weightPercent: 0 });
  });

  test('a canary Service that was deleted under its routes is made again', () => {
    expect(kindsOf(decide({ ...adopted(), canaryService: undefined }, NOW))).toEqual(['createCanaryService']);
  });

  test('not adopted within a minute, it goes on serving and a person is asked; the message says what to look at', () => {
    const orphan = (sinceMs: number) =>
      withSet(withAttemptPart(adopted(), { stageSinceMs: NOW - sinceMs }), 'new', { owner: 'nobody' });
    expect(decide(orphan(MINUTE), NOW).report).toMatchObject({ reason: 'Promoting', stalled: false });
    const decided = decide(orphan(MINUTE + 1), NOW);
    expect(decided).toMatchObject({ effects: [], report: { reason: 'NotAdopted', stalled: true } });
    expect(decided.report.message).toContain('kube-controller-manager');
  });

  test('pods of a dead node are not waited for for ever (S8)', () => {
    const dead = withSet(alone(), 'old', { podsLeft: 1 });
    expect(decide(dead, NOW).effects).toEqual([]);
    expect(kindsOf(decide(dead, NOW + 6 * MINUTE))).toEqual(['setMaxSurge']);
  });

  test('a deletion does not wait for pods that Serin has no hand in any more', () => {
    const crashing = withSet(alone(), 'new', { ready: 0, available: 0 });
    expect(decide(crashing, NOW).effects).toEqual([]);
    const leaving = { ...crashing, rollout: { ...crashing.rollout, deleting: true } };
    expect(kindsOf(decide(leaving, NOW))).toEqual(['setMaxSurge']);
    const orphan = withSet(withAttemptPart({ ...leaving }, { stageSinceMs: NOW - 2 * MINUTE }), 'new', {
      owner: 'nobody',
    });
    expect(kindsOf(decide(orphan, NOW))).toEqual(['setMaxSurge']);
  });

  test.each<readonly [string, string, (world: World) => World]>([
    ['the Deployment is gone', 'TargetMissing', (world) => ({ ...world, deployment: undefined })],
    ['the Deployment is another one', 'TargetReplaced', (world) => withDeployment(world, { uid: 'another' })],
    [
      'the ReplicaSet is gone',
      'CanaryEscaped',
      (world) => ({ ...world, replicaSets: world.replicaSets.filter((set) => set.uid !== 'new') }),
    ],
  ])('routes and Services are put back when %s', (_what, reason, change) => {
    const decided = decide(change(adopted()), NOW);
    expect(attemptIn(decided).retreat?.reason).toBe(reason);
    expect(kindsOf(decided)).toContain('split');
  });
});
