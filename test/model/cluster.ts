/**
 * A small abstract cluster for the model check: templates are letters, pods are numbers, time moves in ticks. It knows
 * what the Deployment controller, the endpoint controllers and a gateway do; it never knows what Serin should do.
 */
import type { Answer } from '../../src/analysis/answer.ts';
import type { Effect } from '../../src/release/decision.ts';
import type { ActionView, Memory } from '../../src/release/world.ts';

export interface Pods {
  readonly uid: string;
  readonly template: string;
  readonly owner: 'deployment' | 'ours' | 'nobody';
  readonly attempt: number;
  readonly replicas: number;
  readonly ready: number;
  /** Pods that exist, ending ones too. */
  readonly left: number;
  readonly crashing: boolean;
  readonly saturated: boolean;
  readonly born: number;
}

export interface Cluster {
  readonly memory: Memory;
  readonly hasJournal: boolean;
  readonly finalizer: boolean;
  readonly deleting: boolean;
  readonly gone: boolean;
  readonly live: string;
  readonly paused: boolean;
  readonly held: boolean;
  readonly attached: boolean;
  readonly replicas: number;
  readonly maxSurge: string;
  readonly maxSurgeBefore: string | undefined;
  readonly observed: boolean;
  readonly sets: readonly Pods[];
  readonly pinnedTo: string | undefined;
  readonly canaryService: string | undefined;
  /** Percent to the canary backend; undefined when it is in no rule. */
  readonly weight: number | undefined;
  /** The weight that the gateway has really taken up. */
  readonly taken: number | undefined;
  readonly takenForTicks: number;
  readonly records: readonly { readonly name: string; readonly attempt: number; readonly revision: string }[];
  readonly actions: readonly ActionView[];
  readonly answer: Answer;
  readonly answerName: string;
  readonly guardProven: boolean;
  readonly rehearsed: boolean;
  readonly tick: number;
}

export const TICK_MS = 60_000;
export const hashOf = (template: string): string => `hash${template}`;
export const nowOf = (cluster: Cluster): number => 1_000_000_000_000 + cluster.tick * TICK_MS;

const change = (cluster: Cluster, uid: string, part: Partial<Pods>): Cluster => ({
  ...cluster,
  sets: cluster.sets.map((set) => (set.uid === uid ? { ...set, ...part } : set)),
});

export function obey(cluster: Cluster, effect: Effect): Cluster {
  switch (effect.kind) {
    case 'addFinalizer':
      return { ...cluster, finalizer: true };
    case 'removeFinalizer':
      return { ...cluster, finalizer: false, gone: cluster.deleting };
    case 'attach':
      return { ...cluster, attached: true };
    case 'proveGuard':
      return { ...cluster, guardProven: true };
    case 'rehearse':
      return { ...cluster, rehearsed: true };
    case 'hold':
      return { ...cluster, paused: true, held: true };
    case 'resume':
      return { ...cluster, paused: false, held: false };
    case 'detach':
      return { ...cluster, attached: false, held: false, paused: effect.resume ? false : cluster.paused };
    case 'createRecord':
      return {
        ...cluster,
        records: [...cluster.records, { name: effect.record, attempt: effect.attempt, revision: effect.revision }],
      };
    case 'endRecord':
      return { ...cluster, records: cluster.records.filter((record) => record.name !== effect.record) };
    case 'pin':
      return { ...cluster, pinnedTo: effect.hash };
    case 'unpin':
      return { ...cluster, pinnedTo: undefined };
    case 'createCanaryService':
      return { ...cluster, canaryService: cluster.memory.journal.attempt?.hash };
    case 'deleteCanaryService':
      return { ...cluster, canaryService: undefined };
    case 'createCanary':
      return createCanary(cluster, effect);
    case 'scale':
      return scale(cluster, effect.uid, effect.replicas);
    case 'deleteReplicaSet':
      return { ...cluster, sets: cluster.sets.filter((set) => set.uid !== effect.uid) };
    case 'split':
      return {
        ...cluster,
        weight: effect.weightPercent === 'out' ? undefined : effect.weightPercent,
        takenForTicks: 0,
      };
    case 'setMaxSurge':
      return { ...cluster, maxSurge: effect.value, maxSurgeBefore: effect.before, observed: false };
    case 'handOver':
      return change(cluster, effect.uid, { owner: 'nobody', attempt: 0, saturated: true });
    case 'answerAction':
      return { ...cluster, actions: cluster.actions.filter((action) => action.name !== effect.name) };
    default:
      return effect satisfies never;
  }
}

function createCanary(cluster: Cluster, effect: Extract<Effect, { kind: 'createCanary' }>): Cluster {
  const attempt = cluster.records.find((record) => record.name === effect.record)?.attempt ?? 0;
  const uid = `set${attempt}`;
  const born = Math.max(0, ...cluster.sets.map((set) => set.born)) + 1;
  const set: Pods = {
    uid,
    template: cluster.live,
    owner: 'ours',
    attempt,
    replicas: effect.replicas,
    ready: 0,
    left: effect.replicas,
    crashing: false,
    saturated: false,
    born,
  };
  return { ...cluster, sets: [...cluster.sets, set] };
}

function scale(cluster: Cluster, uid: string, replicas: number): Cluster {
  const set = cluster.sets.find((one) => one.uid === uid);
  if (set === undefined) return cluster;
  return change(cluster, uid, {
    replicas,
    ready: Math.min(set.ready, replicas),
    left: Math.max(set.left, replicas),
    saturated: false,
  });
}

/** The Deployment controller, as far as its behaviour was tried: adopts, scales an only active set, ends the others once the new one is saturated, rolls when not paused. */
export function controller(cluster: Cluster): Cluster {
  let next: Cluster = {
    ...cluster,
    observed: true,
    sets: cluster.sets.map((set) => (set.owner === 'nobody' ? { ...set, owner: 'deployment' } : set)),
  };
  const newest = next.sets.find((set) => set.owner === 'deployment' && set.template === next.live);
  if (!next.paused && newest === undefined) {
    const born = Math.max(0, ...next.sets.map((set) => set.born)) + 1;
    next = {
      ...next,
      sets: [
        ...next.sets,
        {
          uid: `native-${next.live}-${born}`,
          template: next.live,
          owner: 'deployment',
          attempt: 0,
          replicas: next.replicas,
          ready: 0,
          left: next.replicas,
          crashing: false,
          saturated: false,
          born,
        },
      ],
    };
  }
  const active = next.sets.filter((set) => set.owner === 'deployment' && set.replicas > 0);
  const target = next.sets.find((set) => set.owner === 'deployment' && set.template === next.live);
  const only = active.length === 1 ? active[0] : undefined;
  if (only !== undefined && only.replicas !== next.replicas) return scale(next, only.uid, next.replicas);
  if (
    active.length > 1 &&
    target !== undefined &&
    target.ready >= next.replicas &&
    target.replicas >= next.replicas &&
    (target.saturated || !next.paused)
  )
    for (const other of active) if (other.uid !== target.uid) next = scale(next, other.uid, 0);
  if (!next.paused && target !== undefined && target.replicas !== next.replicas)
    next = scale(next, target.uid, next.replicas);
  return next;
}
