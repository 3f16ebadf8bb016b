/**
 * Worlds of one small shop at each stage of a release, for tests: revision `old` serves with 4 pods, `new` is released.
 * Each is what a healthy cluster shows; a test changes what it is about.
 */
import type { Answer, Judged } from '../analysis/answer.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt, FlagEntry } from '../api/rollout-status.ts';
import type { Decision, Effect } from './decision.ts';
import type { ActionView, DeploymentView, ReplicaSetView, RouteView, ServiceView, World } from './world.ts';

export const NOW = 1_800_000_000_000;
export const MINUTE = 60_000;

export const shopSpec: EffectiveSpec = {
  target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
  traffic: {
    service: 'shop',
    routes: [{ kind: 'HTTPRoute', name: 'shop' }],
    alsoReachable: [],
    settleMs: 5_000,
    drainMs: 15_000,
  },
  strategy: {
    steps: [
      { weightPercent: 10, atLeastMs: 30_000 },
      { weightPercent: 50, atLeastMs: 30_000 },
    ],
    bakeMs: 5 * MINUTE,
    podsReadyWithinMs: 10 * MINUTE,
    allowTwoVersions: false,
  },
  analysis: {
    mode: 'enforce',
    confidencePercent: 99.9,
    metrics: [{ kind: 'errors', tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' }],
    whenUnsure: { afterMs: 10 * MINUTE, do: 'proceed' },
    onSourceDown: { afterMs: 5 * MINUTE, do: 'hold' },
    alerts: [],
  },
  onAnomaly: [{ kind: 'rollback' }],
};

export function judged(part: Partial<Judged> = {}): Judged {
  return {
    kind: 'judged',
    level: 'calm',
    stepAcceptable: false,
    finalAcceptable: false,
    brakeReleasable: false,
    canaryRequestsPerSecond: 10,
    totalRequestsPerSecond: 100,
    canaryRequests: 378,
    canaryErrors: 0,
    stableRequests: 3400,
    stableErrors: 3,
    freshAtMs: NOW,
    judge: 'twoArms',
    sentence: 'fails 0.0% of requests, 0 of 378; the old one 0.1%',
    ...part,
  };
}

export const acceptable = judged({ stepAcceptable: true, finalAcceptable: true, brakeReleasable: true });
export const waitingAnswer: Answer = {
  kind: 'noEvidence',
  reason: 'waiting',
  sentence: 'Waiting for the first samples.',
};

export function sourceDown(part: Partial<Extract<Answer, { kind: 'sourceDown' }>> = {}): Answer {
  return {
    kind: 'sourceDown',
    sinceMs: NOW - MINUTE,
    everAnswered: true,
    sentence: 'Prometheus does not answer.',
    ...part,
  };
}

export function replicaSet(part: Partial<ReplicaSetView> & Pick<ReplicaSetView, 'uid' | 'hash'>): ReplicaSetView {
  const replicas = part.replicas ?? 4;
  return {
    name: `shop-${part.hash}`,
    createdAtMs: NOW - 24 * 60 * MINUTE,
    owner: 'deployment',
    carriesOurMark: false,
    deleting: false,
    replicas,
    pods: replicas,
    podsLeft: replicas,
    ready: replicas,
    available: replicas,
    current: true,
    image: `shop:${part.hash}`,
    sameAsLive: false,
    crashLooping: 0,
    restartedPods: 0,
    ...part,
  };
}

/** `replicas` pods, all there and ready. */
export function sized(
  replicas: number,
): Pick<ReplicaSetView, 'replicas' | 'pods' | 'podsLeft' | 'ready' | 'available'> {
  return { replicas, pods: replicas, podsLeft: replicas, ready: replicas, available: replicas };
}

export const service = (part: Partial<ServiceView> = {}): ServiceView => ({
  name: 'shop',
  role: 'named',
  exists: true,
  kind: 'selects',
  readyOf: { old: 4 },
  anyOf: { old: 4 },
  strangers: [],
  ...part,
});

const route = (part: Partial<RouteView> = {}): RouteView => ({
  kind: 'HTTPRoute',
  name: 'shop',
  exists: true,
  serves: true,
  canaryWeightPercent: undefined,
  uniform: true,
  sessionPersistence: false,
  parents: [{ key: 'gateway', accepted: true, acceptedForMs: 10 * MINUTE, settleMs: 5_000 }],
  ...part,
});

/** Attached, and nothing to do. */
export function atRest(): World {
  return {
    rollout: { namespace: 'shop', name: 'shop', uid: 'rollout', generation: 1, deleting: false, hasFinalizer: true },
    spec: shopSpec,
    memory: {
      journal: { version: 1, attempts: 0, handledActions: [], targetUid: 'deployment' },
      stable: { uid: 'old', name: 'shop-old', hash: 'old', image: 'shop:old', since: '2026-01-01T00:00:00.000Z' },
      quarantined: [],
    },
    hasJournal: true,
    deployment: {
      uid: 'deployment',
      generation: 1,
      observedGeneration: 1,
      replicas: 4,
      paused: false,
      held: false,
      attached: 'yes',
      progressing: { status: 'True', reason: 'NewReplicaSetAvailable' },
      progressDeadlineMs: 10 * MINUTE,
      deadlineLifted: false,
      createdAtMs: NOW - 60 * MINUTE,
      progressedAtMs: NOW - 60 * MINUTE,
      availableReplicas: 4,
      liveHash: 'old',
      liveImage: 'shop:old',
      strategyType: 'RollingUpdate',
      maxSurge: '25%',
      revisionHistoryLimit: 10,
      selectorMentionsHash: false,
    },
    replicaSets: [replicaSet({ uid: 'old', hash: 'old', sameAsLive: true })],
    records: [],
    services: [service()],
    canaryService: undefined,
    routes: [route()],
    actions: [],
    answer: waitingAnswer,
    guard: 'admission',
    rehearsal: {},
    check: undefined,
    flags: [],
    alerts: [],
  };
}

/** A new template arrived, held in the write that brought it. */
export function withNewTemplate(): World {
  const world = withDeployment(atRest(), { paused: true, held: true, liveHash: 'new', liveImage: 'shop:new' });
  return withSet(world, 'old', { sameAsLive: false });
}

export function attemptOf(part: Partial<Attempt> = {}): Attempt {
  return {
    number: 1,
    hash: 'new',
    image: 'shop:new',
    record: 'shop-new-1',
    replicaSet: 'shop-new',
    targetUid: 'deployment',
    spec: structuredClone(shopSpec) as Attempt['spec'],
    parents: ['shop gateway'],
    beganAtMs: NOW - 2 * MINUTE,
    stage: 'begin',
    stageSinceMs: NOW - MINUTE,
    step: 0,
    weightPercent: 0,
    weightSinceMs: NOW - MINUTE,
    noSource: false,
    ...part,
  };
}

/** The attempt has begun and nothing of it exists yet. */
export function beginning(part: Partial<Attempt> = {}): World {
  return withAttemptPart(remembering(withNewTemplate(), attemptOf()), part);
}

/** Pins, canary Service, two ready canary pods, and the canary backend at weight 0. */
export function prepared(part: Partial<Attempt> = {}): World {
  const world = beginning({ replicaSetUid: 'new', ...part });
  const canary = replicaSet({
    uid: 'new',
    hash: 'new',
    owner: 'ours',
    carriesOurMark: true,
    attempt: 1,
    sameAsLive: true,
    createdAtMs: NOW - MINUTE,
    ...sized(2),
  });
  return {
    ...world,
    replicaSets: [...world.replicaSets, canary],
    records: [{ name: 'shop-new-1', uid: 'record', attempt: 1, revision: 'new', ended: false }],
    services: [service({ pinnedTo: 'old' })],
    canaryService: { name: 'shop-canary', uid: 'canary-service', ours: true, ready: 2, any: 2 },
    routes: [route({ canaryWeightPercent: 0 })],
  };
}

/** In a step whose weight the gateway has taken up, for a minute, with an acceptable answer. */
export function stepping(step = 0, part: Partial<Attempt> = {}): World {
  const weightPercent = shopSpec.strategy.steps[step]?.weightPercent ?? 100;
  const since = { stageSinceMs: NOW - 2 * MINUTE, weightSinceMs: NOW - 2 * MINUTE, convergedAtMs: NOW - MINUTE };
  const world = prepared({ stage: 'step', step, weightPercent, ...since, ...part });
  return { ...withRoute(world, { canaryWeightPercent: weightPercent }), answer: acceptable };
}

/** All traffic on 4 canary pods, the old ones warm, for ten minutes. */
export function baking(part: Partial<Attempt> = {}): World {
  const since = { stageSinceMs: NOW - 11 * MINUTE, weightSinceMs: NOW - 11 * MINUTE, convergedAtMs: NOW - 10 * MINUTE };
  const world = stepping(2, { stage: 'bake', weightPercent: 100, ...since, ...part });
  return withCanaryPods(world, 4);
}

/** Decided, and nothing done for it yet. */
export function promoting(part: Partial<Attempt> = {}): World {
  return baking({ stage: 'promote', stageSinceMs: NOW - 1000, maxSurge: '25%', ...part });
}

/** The Deployment has adopted the canary; the old pods are still there. */
export function adopted(part: Partial<Attempt> = {}): World {
  const world = withDeployment(promoting(part), { maxSurge: '100%', maxSurgeBefore: '25%' });
  const open = { ...world, services: [service({ readyOf: { old: 4, new: 4 }, anyOf: { old: 4, new: 4 } })] };
  return withSet(open, 'new', { owner: 'deployment', carriesOurMark: false });
}

/** On the way back for `why`; traffic is where it was. */
export function goingBack(why: NonNullable<Attempt['retreat']>['why'], part: Partial<World> = {}): World {
  const retreat = { why, reason: 'Errors', message: 'it fails.', atMs: NOW - 1000 };
  const entry = {
    hash: 'new',
    reason: 'Errors',
    message: 'it fails.',
    at: '2027-01-15T08:00:00.000Z',
    record: 'shop-new-1',
  };
  const world = stepping(0, { stage: 'retreat', weightPercent: 0, retreat });
  const { convergedAtMs: _gone, ...attempt } = world.memory.journal.attempt ?? attemptOf();
  const isRejected = why === 'harm' || why === 'aborted' || why === 'escaped';
  const memory = { ...world.memory, quarantined: isRejected ? [entry] : [] };
  return { ...remembering({ ...world, memory }, attempt), ...part };
}

/** Back, and the rejected template waits in the Deployment. */
export function rejected(): World {
  const world = goingBack('harm', { records: [], canaryService: undefined, services: [service()], routes: [route()] });
  const { attempt: _ended, ...journal } = world.memory.journal;
  return withSet({ ...world, memory: { ...world.memory, journal } }, 'new', sized(0));
}

export function remembering(world: World, attempt: Attempt): World {
  return { ...world, memory: { ...world.memory, journal: { ...world.memory.journal, attempts: 1, attempt } } };
}

export function withAttemptPart(world: World, part: Partial<Attempt>): World {
  return remembering(world, { ...(world.memory.journal.attempt ?? attemptOf()), ...part });
}

export function withSpec(world: World, change: (spec: Attempt['spec']) => void): World {
  const spec = structuredClone(shopSpec) as Attempt['spec'];
  change(spec);
  const { attempt } = world.memory.journal;
  return attempt === undefined ? { ...world, spec } : { ...remembering(world, { ...attempt, spec }), spec };
}

export function withDeployment(world: World, part: Partial<DeploymentView>): World {
  if (world.deployment === undefined) throw new Error('this world has no Deployment');
  return { ...world, deployment: { ...world.deployment, ...part } };
}

export function withSet(world: World, uid: string, part: Partial<ReplicaSetView>): World {
  return { ...world, replicaSets: world.replicaSets.map((set) => (set.uid === uid ? { ...set, ...part } : set)) };
}

/** So many canary pods, all ready and in the canary Service. */
export function withCanaryPods(world: World, count: number, ready = count): World {
  const { canaryService } = world;
  const counted = withSet(world, 'new', { ...sized(count), ready, available: ready });
  return canaryService === undefined ? counted : { ...counted, canaryService: { ...canaryService, ready, any: count } };
}

export function withRoute(world: World, part: Partial<RouteView>): World {
  return { ...world, routes: world.routes.map((one) => ({ ...one, ...part })) };
}

export function withService(world: World, part: Partial<ServiceView>): World {
  return { ...world, services: [...world.services, service(part)] };
}

/** The gateway has seen the present generation of the route for so long. */
export function acceptedFor(world: World, acceptedForMs: number): World {
  const parents = [{ key: 'gateway', accepted: acceptedForMs > 0, acceptedForMs, settleMs: 5_000 }];
  return withRoute(world, { parents });
}

export function asking(world: World, action: ActionView['action'], part: Partial<ActionView> = {}): World {
  const view: ActionView = { name: `${action}-1`, action, by: 'alice', createdAtMs: NOW, ...part };
  return { ...world, actions: [...world.actions, view] };
}

export function kindsOf(decided: Decision): readonly Effect['kind'][] {
  return decided.effects.map((effect) => effect.kind);
}

export function attemptIn(decided: Decision): Attempt {
  const { attempt } = decided.memory.journal;
  if (attempt === undefined) throw new Error(`no attempt is remembered: ${decided.report.message}`);
  return attempt;
}

export const adding = (world: World, ...sets: World['replicaSets'][number][]): World => ({
  ...world,
  replicaSets: [...world.replicaSets, ...sets],
});

/** A flag that is to be turned off because of harm; nothing was asked of its backend yet. */
export function flagEntry(part: Partial<FlagEntry> = {}): FlagEntry {
  return {
    id: 'uid-1-1',
    source: 'unleash',
    flag: 'new-pricing',
    variant: 'off',
    why: 'anomaly',
    revision: 'bbb',
    attempt: 1,
    state: 'planning',
    sinceMs: 0,
    ...part,
  };
}
