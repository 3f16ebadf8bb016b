/**
 * A small cluster in virtual time, as far as a release by routes meets one: a Deployment, its ReplicaSets, one Service and
 * one route. It does what the controllers and a gateway do, and never what Serin should do.
 */
import type { Memory } from '../../release/world.ts';

export interface Pods {
  readonly uid: string;
  readonly hash: string;
  readonly owner: 'deployment' | 'ours' | 'nobody';
  /** Label serin.dev/attempt; 0 without our mark. */
  readonly attempt: number;
  readonly replicas: number;
  /** Ready before the last rise. */
  readonly readyBefore: number;
  /** When all of them are ready. */
  readonly readyAtMs: number;
  readonly createdAtMs: number;
}

export interface Cluster {
  readonly memory: Memory;
  readonly paused: boolean;
  readonly held: boolean;
  readonly maxSurge: string;
  readonly maxSurgeBefore: string | undefined;
  readonly replicas: number;
  readonly podStartMs: number;
  readonly sets: readonly Pods[];
  readonly pinnedTo: string | undefined;
  readonly hasCanaryService: boolean;
  /** Percent to the canary backend; undefined when it is in no rule. */
  readonly weightPercent: number | undefined;
  readonly weightSinceMs: number;
  readonly records: readonly string[];
}

export const stableHash = 'stable';
export const canaryHash = 'canary';

/** Attached and at rest, and the new template has just arrived, held. */
export function withNewTemplate(replicas: number, podStartMs: number, atMs: number): Cluster {
  const stable: Pods = {
    uid: 'uid-stable',
    hash: stableHash,
    owner: 'deployment',
    attempt: 0,
    replicas,
    readyBefore: replicas,
    readyAtMs: atMs,
    createdAtMs: atMs,
  };
  return {
    memory: {
      journal: { version: 1, attempts: 0, handledActions: [], targetUid: 'uid-deployment' },
      stable: { uid: stable.uid, name: `simulated-${stableHash}`, hash: stableHash, image: 'old', since: isoOf(atMs) },
      quarantined: [],
    },
    paused: true,
    held: true,
    maxSurge: '25%',
    maxSurgeBefore: undefined,
    replicas,
    podStartMs,
    sets: [stable],
    pinnedTo: undefined,
    hasCanaryService: false,
    weightPercent: undefined,
    weightSinceMs: 0,
    records: [],
  };
}

export function readyOf(set: Pods, nowMs: number): number {
  return nowMs >= set.readyAtMs ? set.replicas : set.readyBefore;
}

export function changed(cluster: Cluster, uid: string, part: Partial<Pods>): Cluster {
  return { ...cluster, sets: cluster.sets.map((set) => (set.uid === uid ? { ...set, ...part } : set)) };
}

export function scaled(cluster: Cluster, uid: string, replicas: number, nowMs: number): Cluster {
  const set = cluster.sets.find((one) => one.uid === uid);
  if (set === undefined || set.replicas === replicas) return cluster;
  const ready = Math.min(readyOf(set, nowMs), replicas);
  const readyAtMs = replicas > set.replicas ? nowMs + cluster.podStartMs : nowMs;
  return changed(cluster, uid, { replicas, readyBefore: ready, readyAtMs });
}

/** What the Deployment controller does: it adopts what has no owner, and ends the others when the live one is whole. */
export function controlled(cluster: Cluster, nowMs: number): Cluster {
  const adopted = cluster.sets
    .filter(({ owner }) => owner === 'nobody')
    .reduce((next, { uid }) => changed(next, uid, { owner: 'deployment' }), cluster);
  const live = adopted.sets.find(({ hash, owner }) => hash === canaryHash && owner === 'deployment');
  const isWhole = live !== undefined && readyOf(live, nowMs) === cluster.replicas;
  if (!isWhole) return adopted;
  return adopted.sets
    .filter(({ uid, owner }) => owner === 'deployment' && uid !== live.uid)
    .reduce((next, { uid }) => scaled(next, uid, 0, nowMs), adopted);
}

/** When something here changes by itself: pods become ready. */
export function nextChangeMs({ sets }: Cluster, nowMs: number): number {
  return Math.min(Infinity, ...sets.map(({ readyAtMs }) => readyAtMs).filter((atMs) => atMs > nowMs));
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
