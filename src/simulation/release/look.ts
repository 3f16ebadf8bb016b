/** What Serin sees of the simulated cluster: the same shape that the operator makes of a real one. */
import type { Answer } from '../../analysis/answer.ts';
import type { EffectiveSpec } from '../../api/effective.ts';
import type { ReplicaSetView, World } from '../../release/world.ts';
import { type Cluster, canaryHash, type Pods, readyOf } from './cluster.ts';

const settleMs = 5000;

export function look(cluster: Cluster, spec: EffectiveSpec, answer: Answer, nowMs: number): World {
  const stable = cluster.sets.find(({ hash }) => hash !== canaryHash);
  const serving = cluster.sets.filter(({ hash }) => cluster.pinnedTo === undefined || hash === cluster.pinnedTo);
  const canaryPods = cluster.sets.find(({ hash }) => hash === canaryHash);
  const endpoints = Object.fromEntries(serving.map((set) => [set.uid, readyOf(set, nowMs)]));
  const ready = canaryPods === undefined ? 0 : readyOf(canaryPods, nowMs);
  return {
    rollout: {
      namespace: 'simulated',
      name: 'simulated',
      uid: 'uid-rollout',
      generation: 1,
      deleting: false,
      hasFinalizer: true,
    },
    spec,
    memory: cluster.memory,
    hasJournal: true,
    deployment: deploymentOf(cluster, nowMs),
    replicaSets: cluster.sets.map((set) => viewOf(set, cluster, nowMs)),
    records: cluster.records.map((name) => ({ name, uid: name, attempt: 1, revision: canaryHash, ended: false })),
    services: [
      {
        name: 'simulated',
        role: 'named',
        exists: true,
        kind: 'selects',
        ...(cluster.pinnedTo === undefined ? {} : { pinnedTo: cluster.pinnedTo }),
        readyOf: endpoints,
        anyOf: endpoints,
        strangers: [],
      },
    ],
    canaryService: cluster.hasCanaryService
      ? { name: 'simulated-canary', uid: 'uid-canary-service', ours: true, ready, any: canaryPods?.replicas ?? 0 }
      : undefined,
    routes: [routeOf(cluster, nowMs)],
    actions: [],
    answer,
    guard: 'admission',
    rehearsal: stable === undefined ? undefined : {},
    check: undefined,
    flags: [],
    alerts: [],
  };
}

function deploymentOf(cluster: Cluster, nowMs: number): World['deployment'] {
  const own = cluster.sets.filter(({ owner }) => owner === 'deployment');
  return {
    uid: 'uid-deployment',
    generation: 1,
    observedGeneration: 1,
    replicas: cluster.replicas,
    paused: cluster.paused,
    held: cluster.held,
    attached: 'yes',
    progressing: { status: 'True', reason: 'NewReplicaSetAvailable' },
    progressDeadlineMs: 600_000,
    deadlineLifted: false,
    createdAtMs: 0,
    availableReplicas: own.reduce((sum, set) => sum + readyOf(set, nowMs), 0),
    liveHash: canaryHash,
    liveImage: 'new',
    strategyType: 'RollingUpdate',
    maxSurge: cluster.maxSurge,
    ...(cluster.maxSurgeBefore === undefined ? {} : { maxSurgeBefore: cluster.maxSurgeBefore }),
    revisionHistoryLimit: 10,
    selectorMentionsHash: false,
  };
}

function viewOf(set: Pods, cluster: Cluster, nowMs: number): ReplicaSetView {
  const ready = readyOf(set, nowMs);
  return {
    uid: set.uid,
    name: `simulated-${set.hash}`,
    hash: set.hash,
    createdAtMs: set.createdAtMs,
    owner: set.owner,
    carriesOurMark: set.attempt > 0,
    ...(set.attempt > 0 ? { attempt: set.attempt } : {}),
    deleting: false,
    replicas: set.replicas,
    pods: set.replicas,
    podsLeft: set.replicas,
    ready,
    available: ready,
    current: true,
    image: set.hash === canaryHash ? 'new' : 'old',
    sameAsLive: set.hash === canaryHash,
    desired: cluster.replicas,
    crashLooping: 0,
    restartedPods: 0,
  };
}

function routeOf(cluster: Cluster, nowMs: number): World['routes'][number] {
  return {
    kind: 'HTTPRoute',
    name: 'simulated',
    exists: true,
    serves: true,
    canaryWeightPercent: cluster.weightPercent,
    uniform: true,
    sessionPersistence: false,
    parents: [{ key: 'gateway', accepted: true, acceptedForMs: nowMs - cluster.weightSinceMs, settleMs }],
  };
}
