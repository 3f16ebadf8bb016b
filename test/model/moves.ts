/** What may happen next in the abstract cluster: Serin acts (whole or cut by a crash), the world goes on, or somebody disturbs. */
import type { Attempt } from '../../src/api/rollout-status.ts';
import { decide } from '../../src/release/decide.ts';
import type { Decision } from '../../src/release/decision.ts';
import type { ActionView, Memory } from '../../src/release/world.ts';
import {
  addSet,
  backendActs,
  type Cluster,
  controller,
  garbageCollector,
  nowOf,
  type Pods,
  podsAnswer,
  type Route,
  TICK_MS,
} from './cluster.ts';
import { ANSWERS, type AnswerName } from './answers.ts';
import { look } from './look.ts';
import { obey } from './obey.ts';
import type { Setup } from './setup.ts';

export interface Move {
  readonly name: string;
  readonly disturbs: boolean;
  readonly next: Cluster;
  /** Set when Serin decided in this move. */
  readonly decided?: Decision;
}

/**
 * Every move from here; `whole` is what Serin does. Disturbances are few on a path (the caller counts them), all else is free. Time is free while
 * Serin has nothing to do; that it passes while Serin is slow is a disturbance.
 */
export function moves(cluster: Cluster, setup: Setup, whole: Move, mayDisturb: boolean): readonly Move[] {
  const isIdle = isQuiet(cluster, whole);
  const minute: Named = ['a minute passes', time(cluster, 1)];
  const free = isIdle ? [...worldMoves(cluster, setup), minute] : worldMoves(cluster, setup);
  const all = [whole, ...free.map((named) => moveOf(named, false))];
  if (!mayDisturb) return setup.grain === 'fine' ? [...all, ...cutsOf(cluster, whole, false)] : all;
  const chosen = disturbances(cluster, setup).filter(([name]) =>
    setup.only === undefined ? setup.isThorough || !ALIKE.has(name) : setup.only.test(name),
  );
  const disturbed = [...chosen, ...(isIdle ? [] : [minute])];
  return [
    ...all,
    ...cutsOf(cluster, whole, setup.grain === 'coarse'),
    ...disturbed.filter(([, next]) => next !== cluster).map((named) => moveOf(named, true)),
  ];
}

/** Serin has nothing to write and nothing to do; a dry-run of the guard changes nothing. */
export function isQuiet(cluster: Cluster, { decided, next }: Move): boolean {
  if (decided === undefined || decided.effects.some((effect) => effect.kind !== 'proveGuard')) return false;
  return decided.memory === cluster.memory || keyOf(next) === keyOf(cluster);
}

type Named = readonly [name: string, next: Cluster];

function moveOf([name, next]: Named, disturbs: boolean): Move {
  return { name, disturbs, next };
}

/** The memory is written and a crash comes before the first effect, or after some. Where the grain is coarse a crash is a disturbance. */
function cutsOf(cluster: Cluster, { decided }: Move, disturbs: boolean): readonly Move[] {
  if (decided === undefined) return [];
  const count = Math.min(decided.effects.length, 3);
  return Array.from({ length: count }, (_, done) => ({ ...carriedOut(cluster, decided, done), disturbs }));
}

/** Serin looks once: the memory first, then the effects. */
export function serin(cluster: Cluster, setup: Setup): Move {
  return carriedOut(cluster, decide(look(cluster, setup), nowOf(cluster)));
}

function carriedOut(cluster: Cluster, decided: Decision, effects?: number): Move {
  const written: Cluster = remembered(cluster, decided);
  const next = decided.effects.slice(0, effects).reduce(obey, written);
  return { name: effects === undefined ? 'serin' : `serin, cut after ${effects}`, disturbs: false, next, decided };
}

/** A judge that is begun anew has nothing to say yet; changes of flags that a person was told of are no longer Serin's. */
function remembered(cluster: Cluster, { memory, events }: Decision): Cluster {
  const was = cluster.memory.journal.attempt;
  const is = memory.journal.attempt;
  const isFresh = is?.epoch !== undefined && is.number === was?.number && is.epoch !== was.epoch;
  const before = cluster.memory.journal.flags ?? [];
  const after = memory.journal.flags ?? [];
  const isTold = events.some(({ reason }) => reason === 'FlagNotRestored');
  const isPromoted = was !== undefined && is === undefined && memory.stable?.uid === was.replicaSetUid;
  const right = [
    ...after.filter(({ state }) => state === 'failed' || state === 'latched'),
    ...before.filter(({ state, why }) => (isTold && state === 'reverting') || (isPromoted && why === 'step')),
  ];
  const rightFlags = [...new Set([...cluster.rightFlags, ...right.map(({ id }) => id)])].toSorted();
  const written = { ...cluster, memory, hasJournal: true, rightFlags };
  return isFresh ? answering(written, 'none') : written;
}

/** What a judge that was begun anew may come to say. */
function freshAnswers(cluster: Cluster, { fresh }: Setup): readonly Named[] {
  const isFresh = cluster.answerName === 'none' && cluster.memory.journal.attempt?.epoch !== undefined;
  return isFresh ? fresh.map((name): Named => [`the fresh judge says ${name}`, answering(cluster, name)]) : [];
}

function worldMoves(cluster: Cluster, setup: Setup): readonly Named[] {
  return setup.grain === 'fine'
    ? [
        ['pods go on', podsGoOn(cluster)],
        ['the Deployment controller acts', controller(cluster)],
        ['the garbage collector acts', garbageCollector(cluster)],
        ['pods answer', podsAnswer(cluster)],
        ['the flag backend acts', backendActs(cluster)],
        ...cluster.routes.map((route): Named => [`the gateway takes up ${route.name}`, taking(cluster, route.name)]),
      ]
    : [['the world goes on', worldGoesOn(cluster)], ...freshAnswers(cluster, setup)];
}

export function worldGoesOn(cluster: Cluster): Cluster {
  return gatewayTakes(backendActs(podsAnswer(podsGoOn(garbageCollector(controller(cluster))))));
}

function podsGoOn(cluster: Cluster): Cluster {
  const isDone = (set: Pods): boolean => set.ready === (set.crashing ? 0 : set.replicas) && set.left === set.replicas;
  if (cluster.sets.every(isDone)) return cluster;
  return {
    ...cluster,
    sets: cluster.sets.map((set) => ({ ...set, ready: set.crashing ? 0 : set.replicas, left: set.replicas })),
  };
}

function gatewayTakes(cluster: Cluster): Cluster {
  return cluster.routes.reduce((next, route) => taking(next, route.name), cluster);
}

function taking(cluster: Cluster, name: string): Cluster {
  const take = (route: Route): Route =>
    route.name === name && route.taken !== route.weight ? { ...route, taken: route.weight, takenForTicks: 0 } : route;
  return { ...cluster, routes: cluster.routes.map(take) };
}

export function time(cluster: Cluster, ticks: number): Cluster {
  return {
    ...cluster,
    tick: cluster.tick + ticks,
    routes: cluster.routes.map((route) => ({ ...route, takenForTicks: Math.min(2, route.takenForTicks + ticks) })),
  };
}

/** Handled the same way whatever the Rollout says. */
const ALIKE = new Set([
  'O is applied',
  'the judge says none',
  'the judge says noSource',
  'a person asks to retry',
  'the canary is orphaned',
  'the canary is deleted',
  'the record is deleted',
  'canary pods stop crashing',
  'somebody resumes past the guard',
  'somebody pauses',
  'the label is dropped',
  'the glass is broken',
  'the Deployment is deleted',
  'the Deployment is replaced',
]);

function disturbances(cluster: Cluster, setup: Setup): readonly Named[] {
  return [
    ...['A', 'B', 'C', 'O'].map((live): Named => [`${live} is applied`, apply(cluster, live)]),
    ['eleven minutes pass', time(cluster, 11)],
    ...answersFor(setup).map((name): Named => [`the judge says ${name}`, answering(cluster, name)]),
    ...(['abort', 'pause', 'resume', 'skip', 'promote', 'retry'] as const).map(
      (action): Named => [`a person asks to ${action}`, ask(cluster, action)],
    ),
    ['the Rollout is deleted', cluster.deleting ? cluster : { ...cluster, deleting: true }],
    ...[0, setup.start.replicas + 1, Math.max(1, setup.start.replicas - 1)].map(
      (replicas): Named => [
        `scaled to ${replicas}`,
        replicas === cluster.replicas ? cluster : { ...cluster, replicas },
      ],
    ),
    ...podTroubles(cluster),
    ...checksFor(cluster, setup),
    ...flagsFor(cluster, setup),
    ...gitAndHands(cluster),
    ['the status is lost', losingStatus(cluster)],
  ];
}

/** What pods answer changes, or Serin is started again and has forgotten whom it asked. */
function checksFor(cluster: Cluster, { spec }: Setup): readonly Named[] {
  if (spec.strategy.steps.every(({ check }) => check === undefined)) return [];
  const { asking } = cluster;
  return [
    ...(['passed', 'failed', 'unreachable'] as const).map(
      (checksWill): Named => [
        `checks will be ${checksWill}`,
        cluster.checksWill === checksWill ? cluster : { ...cluster, checksWill },
      ],
    ),
    ['Serin forgets its checks', asking === undefined ? cluster : { ...cluster, asking: undefined }],
  ];
}

/** Backends come and go, somebody changes a flag by hand, an alert begins or ends, or Serin is started again. */
function flagsFor(cluster: Cluster, { spec }: Setup): readonly Named[] {
  if (spec.onAnomaly.length === 1 && spec.strategy.steps.every(({ flag }) => flag === undefined)) return [];
  const { turning, flags: all } = cluster;
  const isTurned = all.some(({ by }) => by !== undefined && by !== 'hand');
  return [
    ...(['serves', 'refuses', 'lies', 'down'] as const).map(
      (backend): Named => [
        `the flag backend ${backend}`,
        cluster.backend === backend ? cluster : { ...cluster, backend },
      ],
    ),
    [
      'somebody changes the flag',
      isTurned ? { ...cluster, flags: all.map((one) => ({ ...one, by: one.by && 'hand' })) } : cluster,
    ],
    ['Serin forgets its flags', turning.length === 0 ? cluster : { ...cluster, turning: [] }],
    ...([undefined, 'hold', 'rollback'] as const).map(
      (alert): Named => [`an alert: ${alert ?? 'none'}`, cluster.alert === alert ? cluster : { ...cluster, alert }],
    ),
    ['a person asks to restore flags', ask(cluster, 'restoreFlags')],
  ];
}

function answersFor(setup: Setup): readonly AnswerName[] {
  if (setup.start.answerName === 'noSource') return ['noSource', 'good'];
  const all: readonly AnswerName[] = [
    'none',
    'mute',
    'little',
    'good',
    'doubt',
    'brake',
    'harmful',
    'down',
    'never',
    'noSource',
  ];
  return [...all, ...setup.moreAnswers, ...(setup.start.answerName === 'before' ? (['before'] as const) : [])];
}

function answering(cluster: Cluster, answerName: AnswerName): Cluster {
  return answerName === cluster.answerName ? cluster : { ...cluster, answer: ANSWERS[answerName], answerName };
}

function podTroubles(cluster: Cluster): readonly Named[] {
  const { attempt } = cluster.memory.journal;
  const canary = attempt === undefined ? undefined : cluster.sets.find((set) => set.attempt === attempt.number);
  const onCanary = (part: (set: Pods) => Partial<Pods>): Cluster => changed(cluster, canary?.uid, part);
  return [
    ['canary pods crash', onCanary(() => ({ crashing: true, ready: 0 }))],
    ['canary pods stop crashing', canary?.crashing === true ? onCanary(() => ({ crashing: false })) : cluster],
    ['a canary pod is restarted', onCanary(() => ({ restarted: 1 }))],
    ['a canary pod is lost', onCanary(({ ready }) => ({ ready: Math.max(0, ready - 1) }))],
    ['stable pods are lost', changed(cluster, cluster.memory.stable?.uid, () => ({ ready: 0 }))],
    ['the canary is orphaned', onCanary((set) => (set.owner === 'ours' ? { owner: 'nobody' } : {}))],
    ['the canary is deleted', canary === undefined ? cluster : without(cluster, canary.uid)],
    ['the record is deleted', recordDeleted(cluster)],
  ];
}

function changed(cluster: Cluster, uid: string | undefined, part: (set: Pods) => Partial<Pods>): Cluster {
  if (!cluster.sets.some((set) => set.uid === uid)) return cluster;
  return { ...cluster, sets: cluster.sets.map((set) => (set.uid === uid ? { ...set, ...part(set) } : set)) };
}

function without(cluster: Cluster, uid: string): Cluster {
  return { ...cluster, sets: cluster.sets.filter((set) => set.uid !== uid) };
}

function recordDeleted(cluster: Cluster): Cluster {
  if (cluster.records.length === 0) return cluster;
  const attempts = cluster.records.map((record) => record.attempt);
  const dangling = cluster.sets.filter((set) => set.owner === 'ours' && attempts.includes(set.attempt));
  return { ...cluster, records: [], dangling: dangling.map((set) => set.uid) };
}

/** Applies from Git that force their way, and hands on the cluster. */
function gitAndHands(cluster: Cluster): readonly Named[] {
  const isSplit = cluster.routes.some((route) => route.weight !== undefined);
  const routes = cluster.routes.map((route) => ({ ...route, weight: undefined, takenForTicks: 0 }));
  return [
    ['the routes are applied from Git', isSplit ? { ...cluster, routes } : cluster],
    ['the Service is applied from Git', cluster.pinnedTo === undefined ? cluster : { ...cluster, pinnedTo: undefined }],
    ['maxSurge is written past the guard', { ...cluster, maxSurge: '25%', observed: false }],
    ['the canary Service is deleted', { ...cluster, canaryService: undefined }],
    ['somebody resumes past the guard', cluster.paused ? { ...cluster, paused: false } : cluster],
    ['somebody pauses', cluster.paused ? cluster : { ...cluster, paused: true }],
    ['the label is dropped', cluster.attached === 'yes' ? { ...cluster, attached: 'no' } : cluster],
    ['the glass is broken', { ...cluster, attached: 'released' }],
    ['the Deployment is deleted', deploymentDeleted(cluster)],
    ['the Deployment is replaced', deploymentReplaced(cluster)],
  ];
}

function deploymentDeleted(cluster: Cluster): Cluster {
  if (cluster.deployment === 0) return cluster;
  const fields = {
    paused: false,
    held: false,
    attached: 'no',
    lifted: false,
    maxSurge: '25%',
    maxSurgeBefore: undefined,
  } as const;
  return { ...cluster, ...fields, deployment: 0, sets: cluster.sets.filter((set) => set.owner === 'ours') };
}

function deploymentReplaced(cluster: Cluster): Cluster {
  const bare = { ...deploymentDeleted(cluster), deployment: 2 };
  const { replicas, live: template } = cluster;
  return cluster.deployment === 2
    ? cluster
    : addSet(bare, {
        uid: 'replaced',
        template,
        owner: 'deployment',
        replicas,
        desired: replicas,
        most: replicas + Math.ceil(replicas / 4),
      });
}

/** The guard: a new template is held in the write that brings it. The manifest says maxSurge, as manifests do. */
function apply(cluster: Cluster, live: string): Cluster {
  if (live === cluster.live) return surging(cluster, '25%');
  // Whoever applies another template has decided anew.
  const applied: Cluster = { ...surging(cluster, '25%'), live, lostAt: undefined };
  return cluster.attached === 'yes' && cluster.guardedBy === 'admission'
    ? { ...applied, paused: true, held: true }
    : applied;
}

/** The policy keeps the maxSurge of a handover and notes what was wanted; without it or the label nobody does. */
function surging(cluster: Cluster, maxSurge: string): Cluster {
  const { attached, guardedBy, maxSurgeBefore } = cluster;
  if (cluster.maxSurge === maxSurge) return cluster;
  if (guardedBy === 'admission' && attached !== 'released' && maxSurgeBefore !== undefined)
    return maxSurgeBefore === maxSurge ? cluster : { ...cluster, maxSurgeBefore: maxSurge };
  return { ...cluster, maxSurge, observed: false };
}

function ask(cluster: Cluster, action: ActionView['action']): Cluster {
  const name = `${action}-${cluster.actions.length}-${cluster.memory.journal.handledActions.length}`;
  const view: ActionView = { name, action, by: 'alice', createdAtMs: nowOf(cluster) };
  const isRetry = action === 'retry';
  return { ...cluster, actions: [...cluster.actions, view], lostAt: isRetry ? undefined : cluster.lostAt };
}

function losingStatus(cluster: Cluster): Cluster {
  const isRetried = cluster.actions.some((action) => action.action === 'retry');
  const isMidway = !isRetried && (cluster.memory.journal.attempt !== undefined || cluster.held);
  const memory: Memory = {
    journal: { version: 1, attempts: 0, handledActions: [] },
    stable: undefined,
    quarantined: [],
  };
  const forgotten = (cluster.memory.journal.flags ?? []).map(({ id }) => id);
  const rightFlags = [...new Set([...cluster.rightFlags, ...forgotten])].toSorted();
  return { ...cluster, memory, hasJournal: false, rightFlags, lostAt: isMidway ? cluster.live : undefined };
}

/** Ages beyond this many ticks make no difference to what is done, only to what is said. */
const OLDEST_TICKS = 6;

/** Two states with one key behave alike: times are ages in ticks, births are ranks. Short, because hundreds of thousands are kept. */
export function keyOf(cluster: Cluster): string {
  const { memory } = cluster;
  const { attempt } = memory.journal;
  let key = `${memory.stable?.uid},${memory.quarantined.map((entry) => entry.hash).join('.')},${memory.journal.targetUid},${memory.journal.attempts},${memory.journal.handledActions.join('.')}`;
  if (attempt !== undefined) key += keyOfAttempt(cluster, attempt);
  const { hasJournal, finalizer, deleting, gone, paused, held, lifted, observed, guardTried, rehearsed } = cluster;
  key += `|${flags(hasJournal, finalizer, deleting, gone, paused, held, lifted, observed, guardTried, rehearsed)}${cluster.answerName}${cluster.deployment}${cluster.live}${cluster.attached}${cluster.replicas}${cluster.maxSurge},${cluster.maxSurgeBefore},${cluster.pinnedTo},${cluster.canaryService},${cluster.lostAt}`;
  const { asking, checksWill, tick } = cluster;
  if (asking !== undefined && asking.of === `${attempt?.number}/${attempt?.step}`)
    key += `|${asking.answer}${Math.min(2, tick - asking.sinceTick)}`;
  if (checksWill !== 'passed') key += `|${checksWill}`;
  key += keyOfFlags(cluster);
  for (const { weight, taken, takenForTicks } of cluster.routes) key += `|${weight},${taken},${takenForTicks}`;
  for (const record of cluster.records) key += `|${record.name}`;
  for (const action of cluster.actions) key += `|${action.name}`;
  for (const set of cluster.sets)
    key += `|${set.uid},${set.owner},${set.attempt},${set.replicas},${set.ready},${set.left},${set.crashing ? 'c' : ''}${set.restarted},${set.desired},${set.most}`;
  return cluster.dangling.length === 0 ? key : `${key}|${cluster.dangling.join()}`;
}

/** Something that is being put back has a deadline of ten ticks. */
const OLDEST_FLAG_TICKS = 11;

function keyOfFlags(cluster: Cluster): string {
  const { alert, backend, flags: all, turning, rightFlags, memory, tick } = cluster;
  const entries = memory.journal.flags ?? [];
  let key = `${alert === undefined ? '' : alert}${backend === 'serves' ? '' : backend}`;
  for (const { by } of all) if (by !== undefined) key += `,${by}`;
  for (const one of turning) key += `|${one.id}${one.task}${one.answer}${Math.min(2, tick - one.sinceTick)}`;
  for (const one of entries) {
    const ticks = Math.min(OLDEST_FLAG_TICKS, (nowOf(cluster) - one.sinceMs) / TICK_MS);
    key += `|${one.id}${one.state}${one.previous === undefined ? '' : 'p'}${one.state === 'reverting' ? ticks : ''}`;
  }
  return rightFlags.length === 0 ? key : `${key}|${rightFlags.join('.')}`;
}

function keyOfLadder(at: Attempt, age: (ms: number | undefined) => number): string {
  const { ladder, epoch, epochAtMs, flagHarm } = at;
  let key = epoch === undefined ? '' : `,epoch ${age(epochAtMs)}`;
  if (flagHarm !== undefined) key += ',flag harm';
  if (ladder !== undefined)
    key += `,ladder ${ladder.rung},${ladder.next},${ladder.cause.kind},${ladder.endedAtMs === undefined ? age(ladder.sinceMs) : 'over'},${flags(ladder.observeFromMs !== undefined)}`;
  return key;
}

function keyOfAttempt(cluster: Cluster, at: Attempt): string {
  const now = nowOf(cluster);
  const age = (ms: number | undefined): number => {
    const ticks = ms === undefined ? -1 : (now - ms) / TICK_MS;
    return ticks > OLDEST_TICKS ? OLDEST_TICKS : ticks;
  };
  const isStale = cluster.actions.some((action) => action.createdAtMs < at.beganAtMs);
  let key = `|${at.number},${at.hash},${at.replicaSetUid},${at.stage},${at.step},${at.weightPercent},${flags(at.pausedBy !== undefined, at.promotedBy !== undefined, at.noSource, isStale)},${at.skippedStep},${at.maxSurge},${age(at.stageSinceMs)},${age(at.weightSinceMs)},${age(at.convergedAtMs)}`;
  if (at.wouldHave !== undefined)
    key += `,would ${flags(at.wouldHave.braked !== undefined, at.wouldHave.rolledBack !== undefined)}`;
  if (at.brake !== undefined)
    key += `,brake ${age(at.brake.sinceMs)},${at.brake.weightPercent},${flags(at.brake.crash)}`;
  key += keyOfLadder(at, age);
  if (at.bakeBrakes !== undefined) key += `,braked ${Math.min(2, at.bakeBrakes)}`;
  if (at.retreat !== undefined) key += `,retreat ${at.retreat.why},${age(at.retreat.atMs)},${age(at.retreat.zeroAtMs)}`;
  return key;
}

function flags(...claims: readonly boolean[]): number {
  return claims.reduce((all, claim) => all * 2 + (claim ? 1 : 0), 1);
}
