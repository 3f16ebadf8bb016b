/** Walks through everything that can happen in one setup, asks every check of every move, and says where each state comes to rest. */
import { taskOf } from '../../src/release/flags.ts';
import { DECISION_CHECKS, stepOf, WORLD_CHECKS } from './checks.ts';
import type { Cluster } from './cluster.ts';
import { isQuiet, keyOf, type Move, moves, serin, time, worldGoesOn } from './moves.ts';
import type { Setup } from './setup.ts';

export interface Explored {
  readonly states: number;
  readonly transitions: number;
}

interface Seen {
  readonly cluster: Cluster;
  readonly key: string;
  readonly from?: Seen;
  readonly by: string;
}

/**
 * Throws with the whole path when something does not hold. States are visited in the order of the disturbances that it
 * takes to get there, so that each is known by the fewest; and nearest first, so that what is broken has a short path.
 */
export function explore(setup: Setup): Explored {
  const walk = new Walk(setup);
  let level: readonly Seen[] = [{ cluster: setup.start, key: keyOf(setup.start), by: 'start' }];
  for (let left = setup.disturbances; left >= 0; left--) level = walk.through(level, left > 0);
  return { states: walk.known.size, transitions: walk.transitions };
}

class Walk {
  readonly known = new Set<string>();
  transitions = 0;
  readonly #calm = new Set<string>();
  readonly #setup: Setup;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Visits everything that is reached without a further disturbance; gives back what one more leads to. */
  through(starts: readonly Seen[], mayDisturb: boolean): readonly Seen[] {
    const open = starts.filter((seen) => this.#isNew(seen.key));
    const disturbed: Seen[] = [];
    for (const from of open) {
      const { cluster } = from;
      if (cluster.gone) continue;
      const whole = serin(cluster, this.#setup);
      settle(this.#setup, from, whole, this.#calm);
      for (const move of moves(cluster, this.#setup, whole, mayDisturb)) {
        this.transitions++;
        verify(this.#setup, from, move);
        const seen: Seen = { cluster: move.next, key: keyOf(move.next), from, by: move.name };
        if (!move.disturbs && this.#isNew(seen.key)) open.push(seen);
        else if (move.disturbs && !this.known.has(seen.key)) disturbed.push(seen);
      }
    }
    return disturbed;
  }

  #isNew(key: string): boolean {
    if (this.known.has(key)) return false;
    this.known.add(key);
    return true;
  }
}

/**
 * A long walk with many disturbances, for what no number of states that can be visited reaches. The moves are chosen by
 * numbers that depend on `seed` alone.
 */
export function wander(setup: Setup, seed: number, length: number): void {
  const calm = new Set<string>();
  const pick = picking(seed);
  let seen: Seen = { cluster: setup.start, key: keyOf(setup.start), by: 'start' };
  for (let step = 0; step < length && !seen.cluster.gone; step++) {
    const { cluster } = seen;
    const whole = serin(cluster, setup);
    settle(setup, seen, whole, calm);
    const isDisturbed = pick(8) === 0;
    const all = moves(cluster, setup, whole, true).filter((move) => move.disturbs === isDisturbed);
    const move = all[pick(all.length)] ?? whole;
    verify(setup, seen, whole);
    verify(setup, seen, move);
    seen = { cluster: move.next, key: keyOf(move.next), from: seen, by: move.name };
  }
}

/** Whole numbers below a bound, evenly enough (a linear congruence). */
function picking(seed: number): (bound: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function verify(setup: Setup, seen: Seen, move: Move): void {
  const step = stepOf(setup, seen.cluster, move);
  for (const [name, holds] of move.name === 'serin' ? OF_DECISIONS : OF_WORLDS) {
    const broken = holds(step);
    if (broken !== undefined) throw fault(setup, seen, `${name}: ${broken}`, move);
  }
}

const OF_WORLDS = Object.entries(WORLD_CHECKS);
const OF_DECISIONS = [...Object.entries(DECISION_CHECKS), ...OF_WORLDS];

/** Nothing disturbs any more and everybody does their part: it must end at rest, or with a person being asked (S8, S10). */
function settle(setup: Setup, seen: Seen, whole: Move, calm: Set<string>): void {
  const path: string[] = [];
  let at = seen.cluster;
  for (let round = 0; round < LONGEST; round++) {
    const key = round === 0 ? seen.key : keyOf(at);
    if (calm.has(key) || at.gone) break;
    path.push(key);
    const move = round === 0 ? whole : serin(at, setup);
    const isIdle = isQuiet(at, move);
    // While pods end and gateways follow, there is more to come.
    const isStill = isIdle && keyOf(worldGoesOn(at)) === key;
    const end = isStill ? endOf(at, move) : 'busy';
    if (end === 'rest' || end === 'asks') break;
    if (end !== 'busy') throw fault(setup, seen, `S10: ${end}`, move);
    if (round === LONGEST - 1) throw fault(setup, seen, 'S8: it never comes to rest', move);
    at = worldGoesOn(isIdle ? time(move.next, 1) : move.next);
  }
  for (const key of path) calm.add(key);
}

const LONGEST = 120;

/** `rest`, `asks` (a person), `busy`, or what is left where nothing of Serin's may be. */
function endOf(at: Cluster, { decided }: Move): string {
  const isAttempting = at.memory.journal.attempt !== undefined;
  const isTurning = (at.memory.journal.flags ?? []).some((entry) => taskOf(entry) !== undefined);
  // Scaled to zero, it is for whoever scales to go on; nothing else is being waited for.
  const isAsking = decided?.report.stalled === true || decided?.report.reason === 'ScaledToZero';
  if (isAttempting) return isAsking ? 'asks' : 'busy';
  if (isTurning) return 'busy';
  const litter = litterOf(at, decided?.report.phase === 'Idle');
  if (litter !== undefined) return litter;
  const isWaiting = decided?.report.phase === 'Attaching' && !decided.report.stalled;
  return isWaiting ? 'busy' : 'rest';
}

function litterOf(at: Cluster, isIdle: boolean): string | undefined {
  if (at.pinnedTo !== undefined) return 'a pin is left at rest';
  if (at.canaryService !== undefined) return 'the canary Service is left at rest';
  if (at.routes.some((route) => route.weight !== undefined)) return 'a route is split at rest';
  if (at.maxSurge !== '25%' || at.maxSurgeBefore !== undefined) return 'maxSurge is not the user’s at rest';
  if (at.records.length > 0) return 'a record is open at rest';
  if (at.turning.length > 0) return 'a change of a flag is under way at rest';
  const left = flagLeft(at);
  if (left !== undefined) return left;
  return (isIdle ? heldForNothing(at) : undefined) ?? spareSets(at);
}

/** What a release turned on stays on only with the revision that it was turned on for, or when a person was told. */
function flagLeft(at: Cluster): string | undefined {
  const left = at.flags.find(({ by }) => by !== undefined && by !== 'hand' && !at.rightFlags.includes(by));
  return left === undefined ? undefined : `flag ${left.name} is left as ${left.by} turned it`;
}

/** With the stable template live and the workload attached, nothing holds the Deployment but the pause guard. */
function heldForNothing(at: Cluster): string | undefined {
  const stable = at.sets.find((set) => set.uid === at.memory.stable?.uid);
  const isAtRest = at.deployment !== 0 && at.attached === 'yes' && stable?.template === at.live;
  if (!isAtRest) return undefined;
  if (at.guardedBy === 'pause')
    return at.paused && at.held && at.lifted ? undefined : 'the pause guard is not on at rest';
  return at.held || at.lifted ? 'the Deployment is held at rest' : undefined;
}

function spareSets(at: Cluster): string | undefined {
  const witnesses = at.memory.quarantined.length;
  const ours = at.sets.filter((set) => set.owner === 'ours');
  if (ours.some((set) => set.replicas > 0)) return 'pods of ours run at rest';
  return ours.length > witnesses ? 'a ReplicaSet of ours that shows nothing is left at rest' : undefined;
}

function pathOf(seen: Seen | undefined): readonly string[] {
  return seen === undefined ? [] : [...pathOf(seen.from), seen.by];
}

function fault(setup: Setup, seen: Seen, what: string, move: Move): Error {
  const { spec: _spec, ...attempt } = move.decided?.memory.journal.attempt ?? { spec: undefined };
  const { memory, answer: _answer, ...cluster } = seen.cluster;
  const { journal: _journal, ...rest } = memory;
  const report = move.decided?.report;
  return new Error(
    [
      `${setup.name}: ${what}`,
      ...pathOf(seen),
      `-> ${move.name}`,
      `told: ${report?.phase} ${report?.reason} ${report?.message}`,
      `effects: ${JSON.stringify(move.decided?.effects)}`,
      `attempt: ${JSON.stringify(attempt)}`,
      `memory: ${JSON.stringify(rest)}`,
      `cluster: ${JSON.stringify(cluster)}`,
    ].join('\n'),
  );
}
