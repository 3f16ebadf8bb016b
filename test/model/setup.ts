/** The configurations that are explored: what the Rollout says, what runs when it starts, and how much disturbs it. */
import type { EffectiveSpec } from '../../src/api/effective.ts';
import type { Attempt } from '../../src/api/rollout-status.ts';
import { ANSWERS, type AnswerName } from './answers.ts';
import { addSet, type Cluster, hashOf, nowOf, type Route, TICK_MS } from './cluster.ts';
import { isQuiet, serin, time, worldGoesOn } from './moves.ts';

/** How finely the world's own steps interleave: each alone, or all of them between two looks of Serin. */
export type Grain = 'fine' | 'coarse';

export interface Setup {
  readonly name: string;
  readonly spec: EffectiveSpec;
  readonly start: Cluster;
  readonly grain: Grain;
  /** How many disturbances there may be on one path. */
  readonly disturbances: number;
  /** Also what is handled alike in every setup. */
  readonly isThorough: boolean;
  /** Of the disturbances only those whose names match; all of them when it is not set. */
  readonly only?: RegExp;
  /** Answers that a judge of this setup gives besides the usual ones. */
  readonly moreAnswers: readonly AnswerName[];
  /** What a fresh judge may say; the first is what it says when nothing disturbs. */
  readonly fresh: readonly AnswerName[];
  /** A route of the cluster keeps sessions. */
  readonly keepsSessions: boolean;
}

interface Wishes {
  /** Weights, and checks and flags between them. */
  readonly steps?: readonly (number | 'check' | 'flag')[];
  readonly onAnomaly?: EffectiveSpec['onAnomaly'];
  readonly mode?: EffectiveSpec['analysis']['mode'];
  readonly routes?: readonly string[];
  /** Nothing sends requests to the pods. */
  readonly isWorker?: boolean;
  readonly whenUnsure?: EffectiveSpec['analysis']['whenUnsure']['do'];
  readonly onSourceDown?: EffectiveSpec['analysis']['onSourceDown']['do'];
}

/** Times in whole ticks, so that few ages tell all states apart. */
function specOf({
  steps = [25],
  routes = ['shop'],
  isWorker = false,
  whenUnsure = 'proceed',
  onSourceDown = 'hold',
  mode = 'enforce',
  onAnomaly = [{ kind: 'rollback' }],
}: Wishes): EffectiveSpec {
  return {
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    traffic: {
      ...(isWorker ? {} : { service: 'shop' }),
      routes: routes.map((name) => ({ kind: 'HTTPRoute', name })),
      alsoReachable: [],
      settleMs: 5000,
      drainMs: 5000,
    },
    strategy: {
      steps: stepsOf(steps),
      bakeMs: TICK_MS,
      podsReadyWithinMs: 3 * TICK_MS,
      allowTwoVersions: false,
    },
    analysis: {
      mode,
      confidencePercent: 99.9,
      metrics: [{ kind: 'errors', tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' }],
      whenUnsure: { afterMs: 3 * TICK_MS, do: whenUnsure },
      onSourceDown: { afterMs: 2 * TICK_MS, do: onSourceDown },
      alerts: [],
    },
    onAnomaly,
  };
}

function stepsOf(steps: NonNullable<Wishes['steps']>): EffectiveSpec['strategy']['steps'] {
  let weightPercent = 0;
  return steps.map((step) => {
    if (step === 'check') return { weightPercent, atLeastMs: 0, check: { requests: [], withinMs: TICK_MS } };
    if (step === 'flag')
      return { weightPercent, atLeastMs: TICK_MS, flag: { source: 'flags', name: 'stepped', variant: 'on' } };
    weightPercent = step;
    return { weightPercent, atLeastMs: TICK_MS };
  });
}

const untouched = (name: string): Route => ({ name, weight: undefined, taken: undefined, takenForTicks: 2 });

/** A Deployment that runs revision A and that no Rollout has looked at yet. */
function running(replicas: number, answerName: AnswerName, routes: readonly string[]): Cluster {
  const bare: Cluster = {
    memory: { journal: { version: 1, attempts: 0, handledActions: [] }, stable: undefined, quarantined: [] },
    hasJournal: false,
    finalizer: false,
    deleting: false,
    gone: false,
    deployment: 1,
    live: 'A',
    paused: false,
    held: false,
    attached: 'no',
    replicas,
    lifted: false,
    maxSurge: '25%',
    maxSurgeBefore: undefined,
    observed: true,
    sets: [],
    pinnedTo: undefined,
    canaryService: undefined,
    routes: routes.map(untouched),
    records: [],
    dangling: [],
    actions: [],
    answer: ANSWERS[answerName],
    answerName,
    guardedBy: 'admission',
    guardTried: false,
    asking: undefined,
    checksWill: 'passed',
    flags: ['stepped', 'guilty'].map((name) => ({ name, by: undefined })),
    turning: [],
    backend: 'serves',
    rightFlags: [],
    alert: undefined,
    rehearsed: false,
    tick: 0,
    lostAt: undefined,
  };
  return addSet(bare, {
    uid: 'native-A-1',
    template: 'A',
    owner: 'deployment',
    replicas,
    ready: replicas,
    desired: replicas,
    most: replicas + Math.ceil(replicas / 4),
  });
}

/** Attached and at rest for a while, and template B arrives held in the write that brings it. */
function withNewTemplate(cluster: Cluster): Cluster {
  const [stable] = cluster.sets;
  const uid = stable?.uid ?? '';
  return {
    ...cluster,
    finalizer: true,
    hasJournal: true,
    attached: 'yes',
    guardTried: true,
    rehearsed: true,
    live: 'B',
    paused: true,
    held: true,
    memory: {
      journal: { version: 1, attempts: 0, handledActions: [], targetUid: 'deployment1' },
      stable: { uid, name: uid, hash: hashOf('A'), image: 'A', since: '2001-09-09T00:00:00.000Z' },
      quarantined: [],
    },
  };
}

/** A revision from before A, empty, as `kubectl rollout history` shows it. */
function withHistory(cluster: Cluster): Cluster {
  return addSet(cluster, { uid: 'native-O-0', template: 'O', owner: 'deployment', desired: cluster.replicas, born: 0 });
}

function release(
  name: string,
  wishes: Wishes,
  rest: Partial<Setup> & {
    readonly replicas?: number;
    readonly answer?: AnswerName;
    readonly checksWill?: Cluster['checksWill'];
    readonly backend?: Cluster['backend'];
    readonly alert?: Cluster['alert'];
  } = {},
): Setup {
  const { replicas = 3, answer = 'good', checksWill = 'passed', backend = 'serves', alert, ...setup } = rest;
  const begun = withNewTemplate(running(replicas, answer, wishes.routes ?? ['shop']));
  const start = { ...begun, checksWill, backend, alert };
  return {
    name,
    spec: specOf(wishes),
    start,
    grain: 'fine',
    disturbances: 1,
    moreAnswers: [],
    fresh: ['harmful'],
    keepsSessions: false,
    isThorough: true,
    ...setup,
  };
}

const attaching: Setup = {
  ...release('attach', {}),
  start: withHistory(running(3, 'good', ['shop'])),
  disturbances: 1,
};

/** The same under the pause guard, where the Deployment is paused at rest too. */
function paused(setup: Setup, part: Partial<Cluster> = {}): Setup {
  return { ...setup, start: { ...setup.start, guardedBy: 'pause', ...part } };
}

const coarse = { grain: 'coarse', isThorough: false } as const;

/** A person asked for the promotion as soon as the release had begun, before anything was known. */
function promotedEarly(name: string, wishes: Wishes = {}): Setup {
  const setup = release(name, wishes, { ...coarse, answer: 'none' });
  const begun = serin(setup.start, setup).next;
  const act = { name: 'promote', action: 'promote', by: 'alice', createdAtMs: nowOf(begun) } as const;
  return { ...setup, start: { ...begun, actions: [act] } };
}

/** The judge had the weight cut when the new version had all of it; `bakeBrakes`: for the first time, or once more. */
function brakedInBake(name: string, bakeBrakes: number): Setup {
  const setup = release(name, {}, { ...coarse, answer: 'good' });
  const baking = inBake(setup.start, setup);
  const braked = serin({ ...baking, answer: ANSWERS.brake, answerName: 'brake' }, setup).next;
  const { journal } = braked.memory;
  const attempt = journal.attempt === undefined ? undefined : { ...journal.attempt, bakeBrakes };
  const memory = { ...braked.memory, journal: attempt === undefined ? journal : { ...journal, attempt } };
  return { ...setup, start: { ...braked, memory, answer: ANSWERS.before, answerName: 'before' } };
}

function inBake(start: Cluster, setup: Setup): Cluster {
  return reached(start, setup, ({ stage, convergedAtMs }) => stage === 'bake' && convergedAtMs !== undefined);
}

/** As far as the release comes by itself. */
function reached(start: Cluster, setup: Setup, isThere: (attempt: Attempt) => boolean): Cluster {
  let at = start;
  for (let round = 0; round < 100; round++) {
    const { attempt } = at.memory.journal;
    if (attempt !== undefined && isThere(attempt)) return at;
    // A judge that was begun anew finds nothing wrong.
    if (attempt?.epoch !== undefined && at.answerName === 'none')
      at = { ...at, answer: ANSWERS.good, answerName: 'good' };
    const move = serin(at, setup);
    at = worldGoesOn(isQuiet(at, move) ? time(move.next, 1) : move.next);
  }
  throw new Error(`${setup.name}: it never comes so far`);
}

const guilty = { kind: 'flag', source: 'flags', name: 'guilty', variant: 'off', observeMs: 2 * TICK_MS } as const;
const back = { kind: 'rollback' } as const;
/** What bears on the ladder; the rest is handled as in every other setup. */
const bearing = (more = 'nothing else'): RegExp =>
  new RegExp(
    `backend (lies|down)|changes the flag|forgets its flags|judge says (harmful|down)|abort|C is applied|Rollout is deleted|pods crash|status|${more}`,
  );
const climbing = { ...coarse, only: bearing(), fresh: ['harmful'] } as const;

/** Where the walk begins: as soon as the release has come so far by itself, with this about it changed. */
function since(setup: Setup, isThere: (attempt: Attempt) => boolean, part: Partial<Cluster> = {}): Setup {
  return { ...setup, start: { ...reached(setup.start, setup, isThere), ...part } };
}

const isStepping = ({ stage, convergedAtMs }: Attempt): boolean => stage === 'step' && convergedAtMs !== undefined;
/** Behind the flag step, which has been judged from its beginning. */
const isFlagged = ({ stage, epoch }: Attempt): boolean => stage === 'step' && epoch !== undefined;
const harmful = { answer: ANSWERS.harmful, answerName: 'harmful' } as const;

/** What is done about harm that is judged in a step, with a flag backend of each kind. */
const ladders: readonly Setup[] = [
  ...(['serves', 'refuses', 'lies', 'down'] as const).map((backend) =>
    since(release(`a flag, then back; the backend ${backend}`, { onAnomaly: [guilty, back] }, climbing), isStepping, {
      ...harmful,
      backend,
    }),
  ),
  since(
    since(
      release(
        'a flag that was the cause',
        { onAnomaly: [guilty, back] },
        { ...climbing, only: /harmful|restore|changes the flag|C is applied|abort|status/, fresh: ['good', 'harmful'] },
      ),
      isStepping,
      harmful,
    ),
    ({ ladder }) => ladder?.endedAtMs !== undefined,
  ),
  since(
    release(
      'look again, a flag, then hold',
      { onAnomaly: [{ kind: 'notify' }, { kind: 'observe', forMs: TICK_MS }, guilty, { kind: 'hold' }] },
      climbing,
    ),
    isStepping,
    harmful,
  ),
  since(
    release('a flag where sessions are kept', { onAnomaly: [guilty, back] }, { ...climbing, keepsSessions: true }),
    isStepping,
    harmful,
  ),
  since(
    release('a flag, workers', { routes: [], isWorker: true, onAnomaly: [guilty, back] }, climbing),
    isStepping,
    harmful,
  ),
  since(
    release(
      'a flag step, the backend is down',
      { steps: [25, 'flag'] },
      { ...climbing, only: bearing('backend serves|skip|promote'), backend: 'down' },
    ),
    isStepping,
  ),
  since(
    release(
      'a flag step',
      { steps: [25, 'flag'], onAnomaly: [guilty, back] },
      {
        ...climbing,
        only: /backend (lies|down)|changes the flag|forgets its|harmful|shifted|skip|abort|C is applied/,
        moreAnswers: ['shifted'],
      },
    ),
    isFlagged,
  ),
  since(
    release('an alert holds', { onAnomaly: [guilty, back] }, { ...climbing, only: bearing('alert|skip') }),
    isStepping,
    {
      alert: 'hold',
    },
  ),
  since(
    release('an alert rolls back', { onAnomaly: [guilty, back] }, { ...climbing, only: bearing('alert') }),
    isStepping,
    { alert: 'rollback' },
  ),
  since(
    release(
      'it is dear',
      { onAnomaly: [guilty, back] },
      {
        ...climbing,
        only: bearing('dear|promote|judge says good'),
        moreAnswers: ['dear', 'dearBack'],
      },
    ),
    isStepping,
    { answer: ANSWERS.dear, answerName: 'dear' },
  ),
  since(
    release(
      'mode observe, with a ladder',
      { mode: 'observe', steps: [25, 'flag'], onAnomaly: [guilty, back] },
      { ...climbing, only: /harmful|abort|backend (lies|down)|alert: roll|Rollout is deleted/ },
    ),
    isStepping,
    harmful,
  ),
];

export const SETUPS: readonly Setup[] = [
  attaching,
  release('release', {}),
  release('two steps', { steps: [10, 50] }, coarse),
  release('one replica', {}, { ...coarse, replicas: 1 }),
  release('two routes', { routes: ['shop', 'shop-api'] }, coarse),
  release('sessions', {}, { ...coarse, keepsSessions: true }),
  release('no source', {}, { ...coarse, answer: 'noSource' }),
  release('no source, hold', { whenUnsure: 'hold' }, { ...coarse, answer: 'noSource' }),
  release('unsure: hold', { whenUnsure: 'hold' }, { ...coarse, answer: 'little' }),
  release('unsure: roll back', { whenUnsure: 'rollback' }, { ...coarse, answer: 'little' }),
  release('source down: roll back', { onSourceDown: 'rollback' }, { ...coarse, answer: 'little' }),
  promotedEarly('promoted by a person'),
  promotedEarly('promoted by a person, through checks', { steps: ['check', 25, 'check', 50] }),
  release('pods share, behind a Service', { routes: [], steps: [25, 50] }, coarse),
  release('pods share, workers', { routes: [], isWorker: true, steps: [25, 50] }, coarse),
  paused({ ...attaching, name: 'attach, pause guard' }),
  paused(release('release, pause guard', {}, coarse), { lifted: true }),
  release('source never answered', {}, { ...coarse, answer: 'never' }),
  release('checks pass', { steps: ['check', 25, 'check'] }, coarse),
  release('a check fails', { steps: ['check', 25] }, { ...coarse, checksWill: 'failed' }),
  release('a check fails later', { steps: [10, 'check', 50] }, { ...coarse, checksWill: 'failed' }),
  release('a check reaches nobody', { steps: ['check', 25] }, { ...coarse, checksWill: 'unreachable' }),
  release('checks, behind a Service', { routes: [], steps: ['check', 25, 'check'] }, coarse),
  release('mode observe', { mode: 'observe', steps: [10, 50] }, coarse),
  release('mode observe, harmful', { mode: 'observe' }, { ...coarse, answer: 'harmful' }),
  release(
    'mode observe, unsure: roll back',
    { mode: 'observe', whenUnsure: 'rollback' },
    { ...coarse, answer: 'harmful' },
  ),
  release('mode observe, with a check', { mode: 'observe', steps: ['check', 25] }, { ...coarse, answer: 'brake' }),
  brakedInBake('a brake in the bake', 1),
  brakedInBake('a second brake in the bake', 2),
  ...ladders,
];
