/** What each effect of Serin does to the simulated cluster. It carries out and never judges. */
import type { Effect } from '../../release/decision.ts';
import { changed, type Cluster, canaryHash, scaled } from './cluster.ts';

/** The cluster after the effect. */
export function obey(cluster: Cluster, effect: Effect, nowMs: number): Cluster {
  switch (effect.kind) {
    case 'hold':
    case 'guardByPause':
      return { ...cluster, paused: true, held: true };
    case 'resume':
      return { ...cluster, paused: false, held: false };
    case 'createRecord':
      return { ...cluster, records: [...cluster.records, effect.record] };
    case 'endRecord':
      return { ...cluster, records: cluster.records.filter((record) => record !== effect.record) };
    case 'pin':
      return { ...cluster, pinnedTo: effect.hash };
    case 'unpin':
      return { ...cluster, pinnedTo: undefined };
    case 'createCanaryService':
      return { ...cluster, hasCanaryService: true };
    case 'deleteCanaryService':
      return { ...cluster, hasCanaryService: false };
    case 'createCanary':
      return created(cluster, effect.replicas, nowMs);
    case 'scale':
      return scaled(cluster, effect.uid, effect.replicas, nowMs);
    case 'deleteReplicaSet':
      return { ...cluster, sets: cluster.sets.filter(({ uid }) => uid !== effect.uid) };
    case 'split':
      return split(cluster, effect.weightPercent === 'out' ? undefined : effect.weightPercent, nowMs);
    case 'setMaxSurge':
      return { ...cluster, maxSurge: effect.value, maxSurgeBefore: effect.before };
    case 'handOver':
      return changed(cluster, effect.uid, { owner: 'nobody', attempt: 0 });
    // None of these has anything to change here: there is no operator to attach, no person, no flag and no other tool.
    case 'addFinalizer':
    case 'removeFinalizer':
    case 'attach':
    case 'detach':
    case 'proveGuard':
    case 'rehearse':
    case 'check':
    case 'flag':
    case 'dropFlag':
    case 'clearMarks':
    case 'answerAction':
      return cluster;
    default:
      return effect satisfies never;
  }
}

function created(cluster: Cluster, replicas: number, nowMs: number): Cluster {
  if (cluster.sets.some(({ hash }) => hash === canaryHash)) return cluster;
  const set = {
    uid: 'uid-canary',
    hash: canaryHash,
    owner: 'ours',
    attempt: cluster.memory.journal.attempts,
    replicas,
    readyBefore: 0,
    readyAtMs: nowMs + cluster.podStartMs,
    createdAtMs: nowMs,
  } as const;
  return { ...cluster, sets: [...cluster.sets, set] };
}

function split(cluster: Cluster, weightPercent: number | undefined, nowMs: number): Cluster {
  if (weightPercent === cluster.weightPercent) return cluster;
  return { ...cluster, weightPercent, weightSinceMs: nowMs };
}
