/** What Serin sees of the abstract cluster: the same shape that the shell makes of a real one. */
import type { FlagAnswer, RouteView, ServiceView, World } from '../../src/release/world.ts';
import { type Cluster, hashOf, nowOf, type Pods, type Route, TICK_MS, type Turning } from './cluster.ts';
import type { Setup } from './setup.ts';

export function look(cluster: Cluster, setup: Setup): World {
  return {
    rollout: {
      namespace: 'n',
      name: 'shop',
      uid: 'rollout',
      generation: 1,
      deleting: cluster.deleting,
      hasFinalizer: cluster.finalizer,
    },
    spec: setup.spec,
    memory: cluster.memory,
    hasJournal: cluster.hasJournal,
    deployment: deploymentOf(cluster),
    replicaSets: cluster.sets.map((set) => replicaSetOf(cluster, set)),
    records: cluster.records.map((record) => ({ ...record, uid: record.name, ended: false })),
    services: setup.spec.traffic.service === undefined ? [] : [serviceOf(cluster)],
    canaryService: canaryServiceOf(cluster),
    routes: cluster.routes.map((route) => routeOf(route, setup)),
    actions: cluster.actions,
    answer: cluster.answer,
    guard: cluster.guardTried ? cluster.guardedBy : 'unknown',
    rehearsal: cluster.rehearsed ? {} : undefined,
    check: checkOf(cluster),
    flags: cluster.turning.map((one) => flagOf(cluster, one)),
    alerts: cluster.alert === undefined ? [] : [{ do: cluster.alert, sentence: 'an alert fires.', firingForMs: 0 }],
  };
}

function deploymentOf(cluster: Cluster): World['deployment'] {
  if (cluster.deployment === 0) return undefined;
  return {
    uid: `deployment${cluster.deployment}`,
    generation: 1,
    observedGeneration: cluster.observed ? 1 : 0,
    replicas: cluster.replicas,
    paused: cluster.paused,
    held: cluster.held,
    ...(cluster.paused && !cluster.held ? { pausedBy: 'kubectl' } : {}),
    attached: cluster.attached,
    progressing: progressOf(cluster),
    progressDeadlineMs: DEADLINE_TICKS * TICK_MS,
    deadlineLifted: cluster.lifted,
    createdAtMs: 0,
    progressedAtMs: nowOf({ ...cluster, tick: 0 }),
    availableReplicas: cluster.sets.reduce((sum, set) => sum + (set.owner === 'deployment' ? set.ready : 0), 0),
    liveHash: hashOf(cluster.live),
    liveImage: cluster.live,
    strategyType: 'RollingUpdate',
    maxSurge: cluster.maxSurge,
    ...(cluster.maxSurgeBefore === undefined ? {} : { maxSurgeBefore: cluster.maxSurgeBefore }),
    revisionHistoryLimit: 10,
    selectorMentionsHash: false,
  };
}

/** The answer to another check, or to one of another attempt, is none to this one. */
function checkOf({ asking, memory, tick }: Cluster): World['check'] {
  const { attempt } = memory.journal;
  if (asking === undefined || attempt === undefined || asking.of !== `${attempt.number}/${attempt.step}`)
    return undefined;
  const { answer: kind } = asking;
  if (kind === 'asked' || kind === 'passed') return { kind };
  return { kind, forMs: (tick - asking.sinceTick) * TICK_MS, sentence: `the check is ${kind}.` };
}

function flagOf({ tick, flags }: Cluster, { id, flag, task, answer: kind, sinceTick }: Turning): FlagAnswer {
  const forMs = (tick - sinceTick) * TICK_MS;
  const sentence = `the change is ${kind}.`;
  const isServed = flags.some((one) => one.name === flag && one.by === id);
  switch (kind) {
    case 'planned':
      return { id, task, forMs, kind, previous: '{}', isServed };
    case 'failed':
    case 'keptByOthers':
      return { id, task, forMs, kind, sentence };
    case 'asked':
    case 'applied':
    case 'served':
    case 'reverted':
      return { id, task, forMs, kind };
    default:
      return kind satisfies never;
  }
}

const DEADLINE_TICKS = 10;

function progressOf(cluster: Cluster): { readonly status: string; readonly reason: string } {
  if (isSettled(cluster)) return { status: 'True', reason: 'NewReplicaSetAvailable' };
  const isLate = !cluster.paused && cluster.tick >= DEADLINE_TICKS;
  return isLate
    ? { status: 'False', reason: 'ProgressDeadlineExceeded' }
    : { status: 'True', reason: 'ReplicaSetUpdated' };
}

function isSettled(cluster: Cluster): boolean {
  const active = cluster.sets.filter((set) => set.owner === 'deployment' && set.replicas > 0);
  return active.length === 1 && active[0]?.template === cluster.live && active[0].ready === cluster.replicas;
}

function replicaSetOf(cluster: Cluster, set: Pods): World['replicaSets'][number] {
  return {
    uid: set.uid,
    name: set.uid.startsWith('set') ? `shop-${hashOf(set.template)}` : set.uid,
    hash: hashOf(set.template),
    createdAtMs: set.born,
    owner: set.owner,
    carriesOurMark: set.attempt > 0,
    ...(set.attempt > 0 ? { attempt: set.attempt } : {}),
    deleting: false,
    replicas: set.replicas,
    pods: set.replicas,
    podsLeft: set.left,
    ready: set.ready,
    available: set.ready,
    current: true,
    image: set.template,
    sameAsLive: cluster.deployment !== 0 && set.template === cluster.live,
    desired: set.desired,
    crashLooping: set.crashing ? 1 : 0,
    restartedPods: set.restarted,
  };
}

function routeOf(route: Route, setup: Setup): RouteView {
  const accepted = route.taken === route.weight;
  return {
    kind: 'HTTPRoute',
    name: route.name,
    exists: true,
    serves: true,
    canaryWeightPercent: route.weight,
    uniform: true,
    sessionPersistence: setup.keepsSessions,
    parents: [
      { key: 'gateway', accepted, acceptedForMs: accepted ? route.takenForTicks * TICK_MS : 0, settleMs: 5000 },
    ],
  };
}

function serviceOf(cluster: Cluster): ServiceView {
  const chosen = cluster.sets.filter(
    (set) => cluster.pinnedTo === undefined || hashOf(set.template) === cluster.pinnedTo,
  );
  return {
    name: 'shop',
    role: 'named',
    exists: true,
    kind: 'selects',
    ...(cluster.pinnedTo === undefined ? {} : { pinnedTo: cluster.pinnedTo }),
    readyOf: Object.fromEntries(chosen.map((set) => [set.uid, set.ready])),
    anyOf: Object.fromEntries(chosen.map((set) => [set.uid, set.left])),
    strangers: [],
  };
}

function canaryServiceOf(cluster: Cluster): World['canaryService'] {
  if (cluster.canaryService === undefined) return undefined;
  const chosen = cluster.sets.filter((set) => hashOf(set.template) === cluster.canaryService);
  return {
    name: 'shop-canary',
    uid: 'canary-service',
    ours: true,
    ready: chosen.reduce((sum, set) => sum + set.ready, 0),
    any: chosen.reduce((sum, set) => sum + set.left, 0),
  };
}
