/** What each effect of Serin does to the abstract cluster. */
import type { Effect } from '../../src/release/decision.ts';
import { addSet, change, type Cluster, type Route, scale } from './cluster.ts';

type Of<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>;
type Obeyed = { readonly [K in Effect['kind']]: (cluster: Cluster, effect: Of<K>) => Cluster };

const OBEYED: Obeyed = {
  addFinalizer: (cluster) => ({ ...cluster, finalizer: true }),
  removeFinalizer: (cluster) => ({ ...cluster, finalizer: false, gone: cluster.deleting }),
  attach: (cluster) => ({ ...cluster, attached: 'yes' }),
  proveGuard: (cluster) => ({ ...cluster, guardTried: true }),
  check: (cluster, { attempt, step }) => ({
    ...cluster,
    asking: { of: `${attempt}/${step}`, answer: 'asked', sinceTick: cluster.tick },
  }),
  flag: (cluster, { task, entry: { id, flag } }) => ({
    ...cluster,
    turning: [
      ...cluster.turning.filter((one) => one.id !== id),
      { id, flag, task, answer: 'asked', sinceTick: cluster.tick },
    ],
  }),
  dropFlag: (cluster, { id }) => ({ ...cluster, turning: cluster.turning.filter((one) => one.id !== id) }),
  rehearse: (cluster) => ({ ...cluster, rehearsed: true }),
  hold: (cluster) => ({ ...cluster, paused: true, held: true }),
  guardByPause: (cluster) => ({ ...cluster, paused: true, held: true, lifted: true }),
  resume: (cluster) => ({ ...cluster, paused: false, held: false, lifted: false }),
  detach: (cluster, { resume }) => ({
    ...cluster,
    attached: cluster.attached === 'released' ? 'released' : 'no',
    held: false,
    lifted: false,
    paused: resume ? false : cluster.paused,
  }),
  createRecord: (cluster, { record, attempt, revision }) => ({
    ...cluster,
    records: [...cluster.records, { name: record, attempt, revision }],
  }),
  endRecord: (cluster, { record }) => ({
    ...cluster,
    records: cluster.records.filter((one) => one.name !== record),
  }),
  pin: (cluster, { hash }) => ({ ...cluster, pinnedTo: hash }),
  unpin: (cluster) => ({ ...cluster, pinnedTo: undefined }),
  createCanaryService: (cluster) => ({ ...cluster, canaryService: cluster.memory.journal.attempt?.hash }),
  deleteCanaryService: (cluster) => ({ ...cluster, canaryService: undefined }),
  createCanary: (cluster, { record, replicas }) => createCanary(cluster, record, replicas),
  scale: (cluster, { uid, replicas }) => scale(cluster, uid, replicas),
  deleteReplicaSet: (cluster, { uid }) => ({ ...cluster, sets: cluster.sets.filter((set) => set.uid !== uid) }),
  split: (cluster, effect) => ({
    ...cluster,
    routes: cluster.routes.map((route) => (route.name === effect.route ? split(route, effect.weightPercent) : route)),
  }),
  clearMarks: (cluster) => cluster,
  setMaxSurge: (cluster, { value, before }) => ({
    ...cluster,
    maxSurge: value,
    maxSurgeBefore: before,
    observed: cluster.maxSurge === value && cluster.observed,
  }),
  handOver: (cluster, { uid, replicas }) =>
    change(cluster, uid, { owner: 'nobody', attempt: 0, desired: replicas, most: 2 * replicas }),
  answerAction: (cluster, { name }) => ({
    ...cluster,
    actions: cluster.actions.filter((action) => action.name !== name),
  }),
};

export function obey(cluster: Cluster, effect: Effect): Cluster {
  const act = OBEYED[effect.kind] as (cluster: Cluster, effect: Effect) => Cluster;
  return act(cluster, effect);
}

function split(route: Route, weightPercent: number | 'out'): Route {
  const weight = weightPercent === 'out' ? undefined : weightPercent;
  return weight === route.weight ? route : { ...route, weight, takenForTicks: 0 };
}

/** The name is the revision's: one that is there already is not made again. */
function createCanary(cluster: Cluster, record: string, replicas: number): Cluster {
  const attempt = cluster.records.find((one) => one.name === record)?.attempt ?? 0;
  const isThere = cluster.sets.some((set) => set.uid.startsWith('set') && set.template === cluster.live);
  if (isThere) return cluster;
  const uid = cluster.sets.some((set) => set.uid === `set${attempt}`) ? `set${attempt}b` : `set${attempt}`;
  return addSet(cluster, { uid, template: cluster.live, owner: 'ours', attempt, replicas });
}
