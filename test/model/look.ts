/** What Serin sees of the abstract cluster: the same shape that the shell makes of a real one. */
import type { EffectiveSpec } from '../../src/api/effective.ts';
import type { World } from '../../src/release/world.ts';
import { type Cluster, TICK_MS, hashOf } from './cluster.ts';

/** Times in whole ticks, so that few ages tell all states apart. */
export const spec: EffectiveSpec = {
  target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
  traffic: {
    service: 'shop',
    routes: [{ kind: 'HTTPRoute', name: 'shop' }],
    alsoReachable: [],
    settleMs: 5000,
    drainMs: 5000,
  },
  strategy: {
    steps: [{ weightPercent: 25, atLeastMs: TICK_MS }],
    bakeMs: TICK_MS,
    podsReadyWithinMs: 3 * TICK_MS,
    allowTwoVersions: false,
  },
  analysis: {
    confidencePercent: 99.9,
    errors: { tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' },
    whenUnsure: { afterMs: 3 * TICK_MS, do: 'proceed' },
    onSourceDown: { afterMs: 2 * TICK_MS, do: 'hold' },
  },
};

export function look(cluster: Cluster): World {
  const { memory } = cluster;
  return {
    rollout: {
      namespace: 'n',
      name: 'shop',
      uid: 'rollout',
      generation: 1,
      deleting: cluster.deleting,
      hasFinalizer: cluster.finalizer,
    },
    spec,
    memory,
    hasJournal: cluster.hasJournal,
    deployment: {
      uid: 'deployment',
      generation: 1,
      observedGeneration: cluster.observed ? 1 : 0,
      replicas: cluster.replicas,
      paused: cluster.paused,
      held: cluster.held,
      attached: cluster.attached ? 'yes' : 'no',
      progressing: settled(cluster)
        ? { status: 'True', reason: 'NewReplicaSetAvailable' }
        : { status: 'True', reason: 'ReplicaSetUpdated' },
      progressDeadlineMs: 10 * TICK_MS,
      createdAtMs: 0,
      progressedAtMs: 1_000_000_000_000,
      availableReplicas: cluster.sets.reduce((sum, set) => sum + (set.owner === 'deployment' ? set.ready : 0), 0),
      liveHash: hashOf(cluster.live),
      liveImage: cluster.live,
      strategyType: 'RollingUpdate',
      maxSurge: cluster.maxSurge,
      ...(cluster.maxSurgeBefore === undefined ? {} : { maxSurgeBefore: cluster.maxSurgeBefore }),
      revisionHistoryLimit: 10,
      selectorMentionsHash: false,
    },
    replicaSets: cluster.sets.map((set) => ({
      uid: set.uid,
      name: set.owner === 'ours' ? `shop-${hashOf(set.template)}` : set.uid,
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
      sameAsLive: set.template === cluster.live,
      crashLooping: set.crashing ? 1 : 0,
      restartedPods: 0,
    })),
    records: cluster.records.map((record) => ({ ...record, uid: record.name, ended: false })),
    services: [serviceOf(cluster)],
    canaryService: canaryServiceOf(cluster),
    routes: [
      {
        kind: 'HTTPRoute',
        name: 'shop',
        exists: true,
        serves: true,
        canaryWeightPercent: cluster.weight,
        uniform: true,
        sessionPersistence: false,
        parents: [
          {
            key: 'gateway',
            accepted: cluster.taken === cluster.weight,
            acceptedForMs: cluster.taken === cluster.weight ? cluster.takenForTicks * TICK_MS : 0,
            settleMs: 5000,
          },
        ],
      },
    ],
    actions: cluster.actions,
    answer: cluster.answer,
    guard: cluster.guardProven ? 'proven' : 'unknown',
    rehearsal: cluster.rehearsed ? {} : undefined,
  };
}

function settled(cluster: Cluster): boolean {
  const active = cluster.sets.filter((set) => set.owner === 'deployment' && set.replicas > 0);
  return active.length === 1 && active[0]?.template === cluster.live && active[0].ready === cluster.replicas;
}

function serviceOf(cluster: Cluster): World['services'][number] {
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
