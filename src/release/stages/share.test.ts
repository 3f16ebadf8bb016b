/** Releases without routes: the pods are the weight. */
import { decide } from '../decide.ts';
import {
  acceptable,
  atRest,
  attemptIn,
  attemptOf,
  judged,
  kindsOf,
  MINUTE,
  NOW,
  remembering,
  replicaSet,
  service,
  sized,
  withDeployment,
  withNewTemplate,
  withSet,
} from '../sample-world.ts';
import type { World } from '../world.ts';

type Part = Parameters<typeof attemptOf>[0];

const { service: _none, ...noService } = { ...atRest().spec.traffic, routes: [] };
const unrouted = { ...atRest().spec, traffic: { ...atRest().spec.traffic, routes: [] } };
const forWorkers = { ...atRest().spec, traffic: noService };

/** An attempt without routes, with so many ready canary pods beside 4 of stable. */
function sharing(spec: World['spec'], pods: number, part: Part): World {
  const attempt = attemptOf({ spec: structuredClone(spec) as never, parents: [], replicaSetUid: 'new', ...part });
  const canary = replicaSet({
    uid: 'new',
    hash: 'new',
    name: 'shop-new',
    owner: 'ours',
    carriesOurMark: true,
    attempt: 1,
    ...sized(pods),
    sameAsLive: true,
  });
  const isOpen = attempt.weightPercent > 0 && attempt.stage !== 'retreat';
  const counts = isOpen ? { old: 4, new: pods } : { old: 4 };
  const shop = { ...service({ readyOf: counts, anyOf: counts }), ...(isOpen ? {} : { pinnedTo: 'old' }) };
  const { pinnedTo: _pin, ...open } = shop;
  const seen = {
    ...remembering(withNewTemplate(), attempt),
    spec,
    routes: [],
    services: spec.traffic.service === undefined ? [] : [isOpen ? open : shop],
    canaryService: undefined,
  };
  return {
    ...seen,
    replicaSets: [...seen.replicaSets, canary],
    records: [{ name: 'shop-new-1', uid: 'record', attempt: 1, revision: 'new', ended: false }],
  };
}

const stepped = {
  stage: 'step',
  step: 1,
  weightPercent: 25,
  stageSinceMs: NOW - MINUTE,
  weightSinceMs: NOW - MINUTE,
} as const;

test('the first pod starts alone, behind Services that keep to stable, and no canary Service is made', () => {
  const begun = sharing(unrouted, 0, { stage: 'begin', weightPercent: 0 });
  const without = { ...begun, replicaSets: begun.replicaSets.filter(({ uid }) => uid !== 'new') };
  const { replicaSetUid: _unseen, ...attempt } = attemptIn(decide(begun, NOW));
  expect(decide(remembering(without, attempt), NOW).effects).toMatchObject([{ kind: 'createCanary', replicas: 1 }]);
});

test('with the first step the Service takes in both versions', () => {
  const world = sharing(unrouted, 1, { ...stepped, step: 0, weightPercent: 5 });
  const pinned = { ...world, services: world.services.map((one) => ({ ...one, pinnedTo: 'old' })) };
  expect(decide(pinned, NOW).effects).toEqual([{ kind: 'unpin', service: 'shop' }]);
  expect(attemptIn(decide(world, NOW)).convergedAtMs).toBe(NOW);
});

test('no opening and no more pods while a person has paused it (S4)', () => {
  const world = sharing(unrouted, 1, { ...stepped, weightPercent: 50, pausedBy: 'alice' });
  expect(decide(world, NOW)).toMatchObject({ effects: [], report: { phase: 'Paused' } });
  const pinned = { ...world, services: world.services.map((one) => ({ ...one, pinnedTo: 'old' })) };
  expect(decide(pinned, NOW).effects).toEqual([]);
});

test.each([
  [25, 1],
  [50, 4],
])('a step of %s%% is %s pods beside four', (weightPercent, pods) => {
  const short = decide(sharing(unrouted, 0, { ...stepped, weightPercent }), NOW);
  expect(short.effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: pods }]);
});

test('people read pods and what they come to', () => {
  const world = sharing(unrouted, 1, { ...stepped, convergedAtMs: NOW - 1000 });
  expect(decide(world, NOW).report.message).toContain(
    '1 of 5 pods behind Service shop, about 20% of requests, run new',
  );
});

test('the brake leaves one pod', () => {
  const world = {
    ...sharing(unrouted, 4, { ...stepped, step: 2, weightPercent: 50 }),
    answer: judged({ level: 'brake' }),
  };
  const decided = decide(world, NOW);
  expect(decided.effects).toEqual([{ kind: 'scale', uid: 'new', name: 'shop-new', replicas: 1 }]);
  expect(decided.report.phase).toBe('Braked');
});

test('a rollback keeps callers off by the pin, drains, and only then ends the pods (S6)', () => {
  const retreat = { why: 'harm', reason: 'Errors', message: 'it fails.', atMs: NOW - 1000 } as const;
  const open = sharing(unrouted, 1, { ...stepped, convergedAtMs: NOW - 1000 });
  const back = decide({ ...open, answer: judged({ level: 'harmful' }) }, NOW);
  expect(back.effects).toEqual([{ kind: 'pin', service: 'shop', hash: 'old' }]);
  const pinned = (zeroAtMs: number): World =>
    sharing(unrouted, 1, { stage: 'retreat', weightPercent: 0, retreat: { ...retreat, zeroAtMs } });
  expect(decide(pinned(NOW - 1000), NOW)).toMatchObject({ effects: [], wakeAfterMs: expect.any(Number) });
  expect(decide(pinned(NOW - MINUTE), NOW).effects).toEqual([
    { kind: 'scale', uid: 'new', name: 'shop-new', replicas: 0 },
  ]);
});

test('workers have no Service to keep work off: a rollback ends their pods at once', () => {
  const world = {
    ...sharing(forWorkers, 1, { ...stepped, convergedAtMs: NOW - 1000 }),
    answer: judged({ level: 'harmful' }),
  };
  const first = decide(world, NOW);
  const second = decide(remembering(world, attemptIn(first)), NOW);
  expect([...first.effects, ...second.effects]).toContainEqual({
    kind: 'scale',
    uid: 'new',
    name: 'shop-new',
    replicas: 0,
  });
});

test('after the bake at half of the pods the Deployment takes them over, as with routes', () => {
  const times = { stageSinceMs: NOW - 11 * MINUTE, weightSinceMs: NOW - 11 * MINUTE, convergedAtMs: NOW - 10 * MINUTE };
  const baked = {
    ...sharing(unrouted, 4, { stage: 'bake', step: 3, weightPercent: 100, ...times }),
    answer: acceptable,
  };
  const decided = decide(baked, NOW);
  expect(attemptIn(decided).stage).toBe('promote');
  const promoting = remembering(baked, attemptIn(decided));
  expect(kindsOf(decide(promoting, NOW))).toEqual(['setMaxSurge']);
  const ready = withDeployment(promoting, { maxSurge: '100%', maxSurgeBefore: '25%' });
  expect(kindsOf(decide(ready, NOW))).toEqual(['handOver']);
  const adopted = withSet(ready, 'new', { owner: 'deployment', carriesOurMark: false });
  expect(decide(adopted, NOW).effects).toEqual([]);
});
