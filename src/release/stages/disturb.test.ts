import { decide } from '../decide.ts';
import {
  adding,
  attemptIn,
  baking,
  kindsOf,
  MINUTE,
  NOW,
  prepared,
  replicaSet,
  sized,
  stepping,
  withDeployment,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

const without = (world: World, uid: string): World => ({
  ...world,
  replicaSets: world.replicaSets.filter((set) => set.uid !== uid),
});
const native = replicaSet({ uid: 'native', hash: 'native', sameAsLive: true, ...sized(1) });

const disturbances: readonly (readonly [string, string, string, (world: World) => World])[] = [
  ['the Deployment is deleted', 'bypassed', 'TargetMissing', (world) => ({ ...world, deployment: undefined })],
  ['the Deployment is replaced', 'bypassed', 'TargetReplaced', (world) => withDeployment(world, { uid: 'another' })],
  [
    'the template rolls by itself',
    'bypassed',
    'GuardBypassed',
    (world) => adding(withDeployment(world, { paused: false }), native),
  ],
  ['the canary loses its owner', 'escaped', 'CanaryEscaped', (world) => withSet(world, 'new', { owner: 'nobody' })],
  [
    'the Deployment adopts the canary early',
    'escaped',
    'CanaryEscaped',
    (world) => withSet(world, 'new', { owner: 'deployment' }),
  ],
  ['the canary is deleted', 'escaped', 'CanaryEscaped', (world) => without(world, 'new')],
  ['the record is gone', 'escaped', 'CanaryEscaped', (world) => ({ ...world, records: [] })],
  [
    'the Rollout is deleted',
    'detached',
    'Detaching',
    (world) => ({ ...world, rollout: { ...world.rollout, deleting: true } }),
  ],
  ['the glass is broken', 'detached', 'Released', (world) => withDeployment(world, { attached: 'released' })],
  [
    'the old template is applied',
    'cancelled',
    'Cancelled',
    (world) => withSet(withSet(world, 'old', { sameAsLive: true }), 'new', { sameAsLive: false }),
  ],
  [
    'a newer template is applied',
    'superseded',
    'Superseded',
    (world) => withSet(withDeployment(world, { liveHash: 'newer' }), 'new', { sameAsLive: false }),
  ],
];

describe.each([
  ['beginning', prepared],
  ['stepping', () => stepping(1)],
  ['baking', baking],
] as const)('while %s', (_stage, world) => {
  test.each(disturbances)('%s: the attempt goes back as %s, %s', (_what, why, reason, change) => {
    const decided = decide(change(world()), NOW);
    expect(attemptIn(decided)).toMatchObject({ stage: 'retreat', weightPercent: 0, retreat: { why, reason } });
  });
});

test.each(disturbances.filter(([, why]) => why !== 'escaped'))(
  '%s: nothing is held against the revision',
  (_what, _why, _reason, change) => {
    expect(decide(change(stepping(1)), NOW).memory.quarantined).toEqual([]);
  },
);

test('when several things happen the most dangerous decides', () => {
  const all = disturbances.slice(2).reduce((world, [, , , change]) => change(world), stepping(1));
  expect(attemptIn(decide(all, NOW)).retreat?.reason).toBe('GuardBypassed');
  const gone = { ...all, deployment: undefined };
  expect(attemptIn(decide(gone, NOW)).retreat?.reason).toBe('TargetMissing');
});

test('where the guard was bypassed the pins go in the same look (S16)', () => {
  const rolling = adding(withDeployment(stepping(1), { paused: false }), native);
  expect(kindsOf(decide(rolling, NOW))).toEqual(['unpin', 'split']);
});

test('the same template under another name is the same revision', () => {
  const renamed = withDeployment(stepping(0), { liveHash: 'renamed' });
  expect(attemptIn(decide(renamed, NOW)).stage).toBe('step');
});

test('a pod of another revision beside a held Deployment ends nothing', () => {
  const paused = adding(stepping(0), native);
  expect(attemptIn(decide(paused, NOW + MINUTE)).stage).toBe('step');
});
