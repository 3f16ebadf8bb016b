/**
 * A small abstract cluster for the model check: templates are letters, pods are numbers, time moves in ticks. It knows
 * what the Deployment controller, the garbage collector, the endpoint controllers and a gateway do; it never knows what
 * Serin should do.
 */
import type { Answer } from '../../src/analysis/answer.ts';
import type { ActionView, CheckAnswer, DeploymentView, FlagAnswer, FlagTask, Memory } from '../../src/release/world.ts';

export interface Pods {
  readonly uid: string;
  readonly template: string;
  readonly owner: 'deployment' | 'ours' | 'nobody';
  /** Label serin.dev/attempt; 0 without our mark. */
  readonly attempt: number;
  readonly replicas: number;
  readonly ready: number;
  /** Pods that exist, ending ones too. */
  readonly left: number;
  readonly crashing: boolean;
  readonly restarted: number;
  /** Annotation desired-replicas of the Deployment controller: with it a set counts as saturated. */
  readonly desired: number;
  /** Annotation max-replicas: the room that there was when the controller last sized this set. */
  readonly most: number;
  readonly born: number;
}

export interface Route {
  readonly name: string;
  /** Percent to the canary backend; undefined when it is in no rule. */
  readonly weight: number | undefined;
  /** The weight that the gateway has really taken up. */
  readonly taken: number | undefined;
  readonly takenForTicks: number;
}

/** A check that is under way, as the shell keeps it: forgotten when Serin restarts. */
export interface Asking {
  /** Attempt and step. */
  readonly of: string;
  readonly answer: CheckAnswer['kind'];
  /** Since when every try ended like this. */
  readonly sinceTick: number;
}

/** A flag at its backend. */
export interface Flag {
  readonly name: string;
  /** Id of the change that is in force, or `hand`; undefined while it is as it was at first. */
  readonly by: string | undefined;
}

/** A task for a change of a flag, as the shell keeps it: forgotten when Serin restarts. */
export interface Turning {
  readonly id: string;
  readonly flag: string;
  readonly task: FlagTask;
  readonly answer: FlagAnswer['kind'];
  readonly sinceTick: number;
}

export interface Cluster {
  readonly memory: Memory;
  readonly hasJournal: boolean;
  readonly finalizer: boolean;
  readonly deleting: boolean;
  readonly gone: boolean;
  /** 0 when there is no Deployment; another number is another UID. */
  readonly deployment: number;
  readonly live: string;
  readonly paused: boolean;
  readonly held: boolean;
  readonly attached: DeploymentView['attached'];
  readonly replicas: number;
  /** The progress deadline was lifted by the pause guard. */
  readonly lifted: boolean;
  readonly maxSurge: string;
  readonly maxSurgeBefore: string | undefined;
  readonly observed: boolean;
  readonly sets: readonly Pods[];
  readonly pinnedTo: string | undefined;
  readonly canaryService: string | undefined;
  readonly routes: readonly Route[];
  readonly records: readonly { readonly name: string; readonly attempt: number; readonly revision: string }[];
  /** ReplicaSets whose record was deleted under them. */
  readonly dangling: readonly string[];
  readonly actions: readonly ActionView[];
  readonly answer: Answer;
  readonly answerName: string;
  /** What the world's guard is once it was tried. */
  readonly guardedBy: 'admission' | 'pause';
  readonly guardTried: boolean;
  readonly asking: Asking | undefined;
  /** What pods answer to checks. */
  readonly checksWill: 'passed' | 'failed' | 'unreachable';
  readonly flags: readonly Flag[];
  readonly turning: readonly Turning[];
  /** `lies`: takes what is written and goes on serving what it served. */
  readonly backend: 'serves' | 'refuses' | 'lies' | 'down';
  /** Only the checks look at it: changes that a person was told of, that were forgotten with the status, or that belong to what was promoted. */
  readonly rightFlags: readonly string[];
  /** What the alerts that fire ask for. */
  readonly alert: 'hold' | 'rollback' | undefined;
  readonly rehearsed: boolean;
  readonly tick: number;
  /** Only the checks look at it: the template that was live when the status was lost, until a person says retry. */
  readonly lostAt: string | undefined;
}

export const TICK_MS = 60_000;
export const hashOf = (template: string): string => `hash${template}`;
export const nowOf = (cluster: Cluster): number => 1_000_000_000_000 + cluster.tick * TICK_MS;

export const change = (cluster: Cluster, uid: string, part: Partial<Pods>): Cluster => ({
  ...cluster,
  sets: cluster.sets.map((set) => (set.uid === uid ? { ...set, ...part } : set)),
});

const bornNext = (cluster: Cluster): number => Math.max(0, ...cluster.sets.map((set) => set.born)) + 1;

export function addSet(cluster: Cluster, part: Partial<Pods> & Pick<Pods, 'uid' | 'template' | 'owner'>): Cluster {
  const replicas = part.replicas ?? 0;
  const made: Pods = {
    attempt: 0,
    replicas,
    ready: 0,
    left: replicas,
    crashing: false,
    restarted: 0,
    desired: 0,
    most: 0,
    born: bornNext(cluster),
    ...part,
  };
  return { ...cluster, sets: [...cluster.sets, made] };
}

export function scale(cluster: Cluster, uid: string, replicas: number): Cluster {
  const set = cluster.sets.find((one) => one.uid === uid);
  if (set === undefined) return cluster;
  const { ready, left } = set;
  return change(cluster, uid, { replicas, ready: Math.min(ready, replicas), left: Math.max(left, replicas) });
}

const ownActive = (cluster: Cluster): readonly Pods[] =>
  cluster.sets.filter((set) => set.owner === 'deployment' && set.replicas > 0);

const newestOf = (cluster: Cluster): Pods | undefined =>
  cluster.sets.find((set) => set.owner === 'deployment' && set.template === cluster.live);

/**
 * The Deployment controller, as far as its behaviour was tried: adopts what has no owner; rolls when not paused; else only
 * scales: one active set gets everything, from zero the newest or youngest is revived, a saturated newest set ends all
 * others, and otherwise pods are spread over the active ones as far as maxSurge lets it.
 */
export function controller(cluster: Cluster): Cluster {
  if (cluster.deployment === 0) return cluster;
  const sets = cluster.sets.map((set): Pods => (set.owner === 'nobody' ? { ...set, owner: 'deployment' } : set));
  const seen: Cluster = { ...cluster, observed: true, sets };
  return seen.paused ? scaling(seen) : rolling(seen);
}

function resize(cluster: Cluster, uid: string, replicas: number): Cluster {
  return change(scale(cluster, uid, replicas), uid, { desired: cluster.replicas, most: roomOf(cluster) });
}

function rolling(cluster: Cluster): Cluster {
  const uid = `native-${cluster.live}-${bornNext(cluster)}`;
  const template = cluster.live;
  const made = newestOf(cluster) === undefined ? addSet(cluster, { uid, template, owner: 'deployment' }) : cluster;
  const newest = newestOf(made);
  if (newest === undefined) return made;
  const { replicas } = cluster;
  let next = newest.replicas === replicas ? made : resize(made, newest.uid, replicas);
  if (newest.ready < replicas || newest.replicas < replicas) return next;
  for (const other of ownActive(next)) if (other.uid !== newest.uid) next = resize(next, other.uid, 0);
  return next;
}

function scaling(cluster: Cluster): Cluster {
  const { replicas } = cluster;
  const newest = newestOf(cluster);
  const active = ownActive(cluster);
  if (active.length <= 1) return scalingOne(cluster, active[0] ?? newest ?? youngest(cluster));
  const isSaturated =
    newest !== undefined && newest.replicas === replicas && newest.desired === replicas && newest.ready === replicas;
  if (isSaturated)
    return active
      .filter((other) => other.uid !== newest.uid)
      .reduce((next, other) => resize(next, other.uid, 0), cluster);
  return spreading(cluster, active);
}

function scalingOne(cluster: Cluster, only: Pods | undefined): Cluster {
  return only === undefined || only.replicas === cluster.replicas
    ? cluster
    : resize(cluster, only.uid, cluster.replicas);
}

function youngest(cluster: Cluster): Pods | undefined {
  return cluster.sets.filter((set) => set.owner === 'deployment').toSorted((a, b) => b.born - a.born)[0];
}

/** Pods that the Deployment may have in all while its revisions change. */
function roomOf({ replicas, maxSurge }: Cluster): number {
  if (replicas === 0) return 0;
  return replicas + (maxSurge === '100%' ? replicas : Math.ceil(replicas / 4));
}

/**
 * What there is room for, or too much of, is spread over the sets in proportion to their sizes: growing, the largest and
 * then the newest come first; shrinking, the oldest. The first one also gets what is left over.
 */
function spreading(cluster: Cluster, active: readonly Pods[]): Cluster {
  const toAdd = roomOf(cluster) - active.reduce((sum, set) => sum + set.replicas, 0);
  const age = toAdd > 0 ? -1 : 1;
  const sorted = active.toSorted((a, b) => b.replicas - a.replicas || age * (a.born - b.born));
  let added = 0;
  const sizes = sorted.map((set) => {
    const part = portionOf(cluster, set, toAdd, added);
    added += part;
    return set.replicas + part;
  });
  const first = Math.max(0, (sizes[0] ?? 0) + toAdd - added);
  return sorted.reduce((next, { uid }, index) => resize(next, uid, index === 0 ? first : (sizes[index] ?? 0)), cluster);
}

function portionOf(cluster: Cluster, set: Pods, toAdd: number, added: number): number {
  if (set.replicas === 0 || toAdd === added) return 0;
  const before = set.most === 0 ? cluster.sets.reduce((sum, one) => sum + one.ready, 0) : set.most;
  const wanted =
    cluster.replicas === 0 ? 0 : before === 0 ? set.replicas : Math.round((set.replicas * roomOf(cluster)) / before);
  const part = wanted - set.replicas;
  return toAdd > 0 ? Math.min(part, toAdd - added) : Math.max(part, toAdd - added);
}

/** Ready pods of the canary answer, or cannot be reached; what they answered before is answered anew. */
export function podsAnswer(cluster: Cluster): Cluster {
  const { asking, checksWill, tick } = cluster;
  const isSame = asking === undefined || asking.answer === checksWill || asking.answer === 'passed';
  return isSame ? cluster : { ...cluster, asking: { ...asking, answer: checksWill, sinceTick: tick } };
}

/** Each task is tried; what was written once is not written again. */
export function backendActs(cluster: Cluster): Cluster {
  return cluster.turning.reduce(tried, cluster);
}

function tried(cluster: Cluster, turning: Turning): Cluster {
  const answer = triedOnce(cluster, turning);
  if (answer === turning.answer) return cluster;
  const { id, flag } = turning;
  const by = answer === 'reverted' ? undefined : answer === 'served' || answer === 'applied' ? id : null;
  return {
    ...cluster,
    flags: by === null ? cluster.flags : cluster.flags.map((one) => (one.name === flag ? { ...one, by } : one)),
    turning: cluster.turning.map((one) => (one === turning ? { ...one, answer, sinceTick: cluster.tick } : one)),
  };
}

function triedOnce({ backend, flags }: Cluster, { id, flag, task, answer }: Turning): FlagAnswer['kind'] {
  if (!['asked', 'failed', 'applied'].includes(answer)) return answer;
  if (backend === 'down') return 'failed';
  if (task === 'plan') return 'planned';
  if (backend === 'refuses') return 'failed';
  const by = flags.find(({ name }) => name === flag)?.by;
  if (task === 'revert') return by === id || by === undefined ? 'reverted' : 'keptByOthers';
  if (answer === 'applied' && by !== id) return 'applied';
  return backend === 'lies' ? 'applied' : 'served';
}

/** Pods whose owner is gone end. */
export function garbageCollector(cluster: Cluster): Cluster {
  if (cluster.dangling.length === 0) return cluster;
  const sets = cluster.sets.filter((set) => set.owner !== 'ours' || !cluster.dangling.includes(set.uid));
  return { ...cluster, dangling: [], sets };
}
