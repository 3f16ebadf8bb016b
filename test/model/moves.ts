/** What may happen next in the abstract cluster: Serin acts (whole or cut by a crash), the world goes on, or somebody disturbs. */
import type { Answer, Judged } from '../../src/analysis/answer.ts';
import { decide } from '../../src/release/decide.ts';
import type { Decision } from '../../src/release/decision.ts';
import type { ActionView, Memory } from '../../src/release/world.ts';
import { type Cluster, TICK_MS, controller, nowOf, obey } from './cluster.ts';
import { look } from './look.ts';

export interface Move {
  readonly name: string;
  readonly disturbs: boolean;
  readonly next: Cluster;
  /** Set when Serin decided in this move. */
  readonly decided?: Decision;
}

const judged = (part: Partial<Judged>): Answer => ({
  kind: 'judged',
  level: 'calm',
  stepAcceptable: false,
  finalAcceptable: false,
  brakeReleasable: false,
  canaryRequestsPerSecond: 10,
  totalRequestsPerSecond: 100,
  canaryRequests: 100,
  canaryErrors: 0,
  stableRequests: 900,
  stableErrors: 0,
  freshAtMs: 0,
  judge: 'twoArms',
  sentence: 'judged',
  ...part,
});

export const ANSWERS: Readonly<Record<string, Answer>> = {
  none: { kind: 'noEvidence', reason: 'waiting', sentence: 'waiting' },
  little: judged({}),
  good: judged({ stepAcceptable: true, finalAcceptable: true, brakeReleasable: true }),
  doubt: judged({ level: 'doubt' }),
  brake: judged({ level: 'brake' }),
  harmful: judged({ level: 'harmful' }),
  down: { kind: 'sourceDown', sinceMs: 0, everAnswered: true, sentence: 'down' },
};

export function start(): Cluster {
  const memory: Memory = {
    journal: { version: 1, attempts: 0, handledActions: [] },
    stable: undefined,
    quarantined: [],
  };
  return {
    memory,
    hasJournal: false,
    finalizer: false,
    deleting: false,
    gone: false,
    live: 'A',
    paused: false,
    held: false,
    attached: false,
    replicas: 3,
    maxSurge: '25%',
    maxSurgeBefore: undefined,
    observed: true,
    sets: [
      {
        uid: 'native-A-1',
        template: 'A',
        owner: 'deployment',
        attempt: 0,
        replicas: 3,
        ready: 3,
        left: 3,
        crashing: false,
        saturated: false,
        born: 1,
      },
    ],
    pinnedTo: undefined,
    canaryService: undefined,
    weight: undefined,
    taken: undefined,
    takenForTicks: 1,
    records: [],
    actions: [],
    answer: ANSWERS['good'] ?? judged({}),
    answerName: 'good',
    guardProven: false,
    rehearsed: false,
    tick: 0,
  };
}

/** Serin looks once: the memory first, then the effects, the first `effects` of them. */
export function serin(cluster: Cluster, effects = Number.POSITIVE_INFINITY): Move {
  const decided = decide(look(cluster), nowOf(cluster));
  const written: Cluster = { ...cluster, memory: decided.memory, hasJournal: true };
  const next = decided.effects.slice(0, effects).reduce(obey, written);
  return {
    name: `serin${effects === Number.POSITIVE_INFINITY ? '' : ` cut after ${effects}`}`,
    disturbs: false,
    next,
    decided,
  };
}

export function podsGoOn(cluster: Cluster): Cluster {
  return {
    ...cluster,
    sets: cluster.sets.map((set) => ({ ...set, ready: set.crashing ? 0 : set.replicas, left: set.replicas })),
  };
}

export function gatewayTakes(cluster: Cluster): Cluster {
  return cluster.taken === cluster.weight ? cluster : { ...cluster, taken: cluster.weight, takenForTicks: 0 };
}

export function time(cluster: Cluster, ticks: number): Cluster {
  return { ...cluster, tick: cluster.tick + ticks, takenForTicks: Math.min(2, cluster.takenForTicks + ticks) };
}

function ask(cluster: Cluster, action: ActionView['action']): Cluster {
  const name = `${action}-${cluster.actions.length}-${cluster.memory.journal.handledActions.length}`;
  const view: ActionView = { name, action, by: 'alice', createdAtMs: nowOf(cluster) };
  return { ...cluster, actions: [...cluster.actions, view] };
}

/** The guard: a new template is held in the write that brings it. */
function apply(cluster: Cluster, live: string): Cluster {
  return live === cluster.live
    ? cluster
    : { ...cluster, live, ...(cluster.attached ? { paused: true, held: true } : {}) };
}

function onCanary(cluster: Cluster, part: { crashing?: boolean; lose?: number }): Cluster {
  const uid = cluster.memory.journal.attempt?.replicaSetUid;
  return {
    ...cluster,
    sets: cluster.sets.map((set) =>
      set.uid === uid
        ? { ...set, crashing: part.crashing ?? set.crashing, ready: Math.max(0, set.ready - (part.lose ?? 0)) }
        : set,
    ),
  };
}

/** How finely the world's own steps interleave: each alone, or all of them between two looks of Serin. */
export type Grain = 'fine' | 'coarse';

/** Every move from here. Disturbances are few on a path (the caller counts them), all else is free. */
export function moves(cluster: Cluster, grain: Grain): readonly Move[] {
  const whole = serin(cluster);
  const effects = whole.decided?.effects.length ?? 0;
  const cuts = effects === 0 ? [] : [serin(cluster, 0), ...(effects > 1 ? [serin(cluster, 1)] : [])];
  const free: readonly (readonly [string, Cluster])[] =
    grain === 'fine'
      ? [
          ['pods go on', podsGoOn(cluster)],
          ['the Deployment controller acts', controller(cluster)],
          ['the gateway takes up the route', gatewayTakes(cluster)],
          ['a minute passes', time(cluster, 1)],
        ]
      : [
          ['the world goes on', gatewayTakes(podsGoOn(controller(cluster)))],
          ['a minute passes', time(cluster, 1)],
        ];
  const disturbed: readonly (readonly [string, Cluster])[] = [
    ['B is applied', apply(cluster, 'B')],
    ['C is applied', apply(cluster, 'C')],
    ['A is applied', apply(cluster, 'A')],
    ['eleven minutes pass', time(cluster, 11)],
    ...Object.entries(ANSWERS).map(
      ([name, answer]) => [`the judge says ${name}`, { ...cluster, answer, answerName: name }] as const,
    ),
    ...(['abort', 'pause', 'resume', 'skip', 'promote', 'retry'] as const).map(
      (action) => [`a person asks to ${action}`, ask(cluster, action)] as const,
    ),
    ['the Rollout is deleted', { ...cluster, deleting: true }],
    ['scaled to 2', { ...cluster, replicas: 2 }],
    ['scaled to 4', { ...cluster, replicas: 4 }],
    ['canary pods crash', onCanary(cluster, { crashing: true, lose: 9 })],
    ['a canary pod is lost', onCanary(cluster, { lose: 1 })],
    [
      'stable pods are lost',
      {
        ...cluster,
        sets: cluster.sets.map((set) => (set.uid === cluster.memory.stable?.uid ? { ...set, ready: 0 } : set)),
      },
    ],
    ['the route is applied from Git', { ...cluster, weight: undefined, takenForTicks: 0 }],
    ['the status is lost', { ...cluster, memory: start().memory, hasJournal: false }],
  ];
  return [
    whole,
    ...cuts.map((cut) => ({ ...cut, disturbs: grain === 'coarse' })),
    ...free.map(([name, next]) => ({ name, disturbs: false, next })),
    ...disturbed.filter(([, next]) => next !== cluster).map(([name, next]) => ({ name, disturbs: true, next })),
  ];
}

/** Ages beyond this many ticks make no difference to what is done, only to what is said. */
const OLDEST_TICKS = 6;

/** Two states with one key behave alike: times are ages in ticks, births are ranks. */
export function keyOf(cluster: Cluster, disturbances: number): string {
  const now = nowOf(cluster);
  const age = (ms: number | undefined): number =>
    ms === undefined ? -1 : Math.min(OLDEST_TICKS, Math.round((now - ms) / TICK_MS));
  const { memory } = cluster;
  const { attempt } = memory.journal;
  const sets = cluster.sets
    .toSorted((a, b) => a.born - b.born)
    .map((set) =>
      [
        set.uid,
        set.template,
        set.owner,
        set.attempt,
        set.replicas,
        set.ready,
        set.left,
        set.crashing,
        set.saturated,
      ].join(','),
    );
  return [
    disturbances,
    memory.stable?.uid,
    memory.quarantined.map((entry) => entry.hash),
    memory.journal.targetUid,
    memory.journal.handledActions,
    attempt === undefined
      ? ''
      : [
          attempt.number,
          attempt.hash,
          attempt.replicaSetUid,
          attempt.stage,
          attempt.step,
          attempt.weightPercent,
          attempt.pausedBy,
          attempt.skippedStep,
          attempt.promotedBy,
          attempt.maxSurge,
          attempt.noSource,
          attempt.parents.length,
        ],
    attempt === undefined
      ? ''
      : [attempt.beganAtMs, attempt.stageSinceMs, attempt.weightSinceMs, attempt.convergedAtMs].map(age),
    attempt?.brake === undefined ? '' : [age(attempt.brake.sinceMs), attempt.brake.weightPercent, attempt.brake.crash],
    attempt?.retreat === undefined
      ? ''
      : [attempt.retreat.why, age(attempt.retreat.atMs), age(attempt.retreat.zeroAtMs)],
    cluster.hasJournal,
    cluster.finalizer,
    cluster.deleting,
    cluster.gone,
    cluster.live,
    cluster.paused,
    cluster.held,
    cluster.attached,
    cluster.replicas,
    cluster.maxSurge,
    cluster.observed,
    cluster.pinnedTo,
    cluster.canaryService,
    cluster.weight,
    cluster.taken,
    cluster.takenForTicks,
    cluster.records.map((record) => record.name),
    cluster.actions.map((action) => action.name),
    cluster.answerName,
    cluster.guardProven,
    cluster.rehearsed,
    sets.join('/'),
  ].join('|');
}
